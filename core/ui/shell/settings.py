"""The settings that hold for all pages."""

from __future__ import annotations

from core.ui.parts import Amount, Setting, Switch, Whole, measuring
from core.ui.shell.work.grouping import SAMPLE

EXCLUDE = Switch(
    name="leave-out",
    key="workspace_exclude_overlays",
    label="Leave out info bar and letters",
    help="The info bar, the scale bar and burned-in text are found and take no part: neither "
    "in what the network sees nor in grey levels and areas.",
    default=True,
    recipe="exclude_overlays",
)
SMALLEST = Whole(
    name="smallest",
    key="workspace_smallest_region_px",
    label="Smallest region (px)",
    help="Smaller regions are taken for noise: they count as area, not as regions. Untouched, it "
    "rises where greys are averaged against noise, to what that leaves of it.",
    default=10,
    low=1,
    high=1_000_000,
    in_box=True,
    recipe="smallest_region_px",
)
SMALLEST_NM = Amount(
    name="smallest-nm",
    key="workspace_smallest_region_nm",
    label="Smallest region (nm across)",
    help="The same as a length, which holds at every magnification: the diameter of a circle. "
    "0 leaves it to the pixels.",
    default=0.0,
    low=0.0,
    high=9_999_999.0,
    recipe="smallest_region_nm",
    to_recipe=lambda nm: nm or None,
)
SETTINGS: tuple[Setting, ...] = (EXCLUDE, SMALLEST, SMALLEST_NM, SAMPLE, *measuring.SETTINGS)


def smallest_by() -> str:
    """Return "stated" where a person has said what the smallest region is, else "auto"."""
    stated = SMALLEST_NM.value() > 0 or SMALLEST.value() != SMALLEST.default
    return "stated" if stated else "auto"

"""The settings that hold for all pages."""

from __future__ import annotations

from core.ui.parts import Setting, Switch, Whole

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
    help="Smaller regions are taken for noise: they count as area, not as regions.",
    default=10,
    low=1,
    high=1_000_000,
    in_box=True,
    recipe="smallest_region_px",
)
SETTINGS: tuple[Setting, ...] = (EXCLUDE, SMALLEST)

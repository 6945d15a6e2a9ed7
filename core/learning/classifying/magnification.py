"""Does a micrograph show its specimen at a scale that the network learnt from?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.micrograph import Micrograph

if TYPE_CHECKING:
    from core.learning.models import ModelCard

PIXEL, FIELD = "pixel_size_nm", "field_width_nm"
_ROUNDING = 1.01  # a scale read from a bar is not exact to the last digit


def check_magnification(card: ModelCard, micrograph: Micrograph) -> str:
    """Return in words how a micrograph's scale differs from the training frames'; "" when not.

    Parameters
    ----------
    card : ModelCard
    micrograph : Micrograph
        Without a pixel size nothing can be said, and nothing is.
    """
    if micrograph.pixel_size is None or not card.training_range:
        return ""
    nm = micrograph.pixel_size.to("nm")
    found = []
    for key, value, what in (
        (FIELD, nm * micrograph.shape[1], "field of view"),
        (PIXEL, nm, "pixel size"),
    ):
        low, high = card.training_range.get(key, (0, float("inf")))
        if value * _ROUNDING < low:
            found.append(f"its {what}, {write_length(value)}, is below the {_span(low, high)}")
        elif value > high * _ROUNDING:
            found.append(f"its {what}, {write_length(value)}, is above the {_span(low, high)}")
    return " and ".join(found)


def _span(low: float, high: float) -> str:
    return f"{write_length(low)} to {write_length(high)} of the training micrographs"


def write_length(nm: float) -> str:
    """Write a length as people write it: 3.2 nm, 480 nm, 1.5 µm, 2.3 mm."""
    for factor, unit in ((1e6, "mm"), (1e3, "µm"), (1, "nm")):
        if nm >= factor:
            return f"{nm / factor:.3g} {unit}"
    return f"{nm:.2g} nm"

"""Does a micrograph show its specimen at a scale that the network learnt from?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.micrograph import Micrograph

if TYPE_CHECKING:
    from core.learning.models import ModelCard
    from core.learning.training import LabelledPicture

PIXEL, FIELD = "pixel_size_nm", "field_width_nm"
_ROUNDING = 1.01  # a scale read from a bar is not exact to the last digit


def training_range(
    pictures: Sequence[LabelledPicture], views: Mapping[str, Sequence[tuple[Micrograph, Any]]]
) -> dict[str, Any]:
    """Return the range of scales of training frames whose pixel size is known, for a card.

    Pixel sizes come from the files, or from a column `pixel_size_nm` of labels.csv, which is about
    the whole frames where there are some. Empty when no scale is known.
    """
    frames = views.get("whole_frames", views["pictures"])
    known: list[tuple[float, float]] = []
    for picture, (frame, _) in zip(pictures, frames, strict=True):
        stated = frame.pixel_size.to("nm") if frame.pixel_size else picture.pixel_size_nm
        if stated:
            known.append((stated, stated * frame.shape[1]))
    if not known:
        return {}
    pixels, fields = zip(*known, strict=True)
    return {
        PIXEL: [_rounded(min(pixels)), _rounded(max(pixels))],
        FIELD: [_rounded(min(fields)), _rounded(max(fields))],
        "frames": len(known),
        "of": len(frames),
    }


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


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

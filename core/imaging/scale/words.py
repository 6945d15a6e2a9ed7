"""What a person wants to know about a micrograph at a glance, in words and sensible units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from core.errors import UserError
from core.micrograph import Micrograph, PixelSize

SET_BY_HAND = "set by hand"
READ_FROM_PICTURE = "read from the picture"
STATED_SIZES = "stated_pixel_sizes_nm"  # metadata: (who, nm), where statements contradict
_NOT_THE_FILES_OWN = SET_BY_HAND, READ_FROM_PICTURE


def _quantity(unit: str) -> Callable[[Any], str]:
    return lambda value: f"{value:.4g} {unit}"


def _magnification(value: Any) -> str:
    return f"{value:,.0f} ×".replace(",", " ")


_FIELDS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "instrument": ("Microscope", str),
    "voltage_kv": ("Voltage", _quantity("kV")),
    "working_distance_mm": ("Working distance", _quantity("mm")),
    "magnification": ("Magnification", _magnification),
    "camera_length_mm": ("Camera length", _quantity("mm")),
    "detector": ("Detector", str),
}


def describe_instrument(micrograph: Micrograph) -> dict[str, str]:
    """Return label → value with its unit, for what the file states about how it was taken.

    Parameters
    ----------
    micrograph : Micrograph

    Returns
    -------
    dict of str to str
        Of Microscope, Voltage (kV), Working distance (mm), Magnification, Camera length (mm),
        Detector and Date, in this order, those that the file has.
    """
    metadata = micrograph.metadata
    rows = {}
    for key, (label, shown) in _FIELDS.items():
        value = metadata.get(key)
        if value is not None and (shown is str or isinstance(value, int | float)):
            rows[label] = shown(value)
    moment = " ".join(str(metadata[key]) for key in ("date", "time") if metadata.get(key))
    return rows | ({"Date": moment} if moment else {})


def describe_scale(micrograph: Micrograph) -> str:
    """Return the pixel size and who states it, or why there is none."""
    source = str(micrograph.metadata.get("calibration", ""))
    if micrograph.pixel_size is not None:
        return f"{micrograph.pixel_size} ({source})" if source else str(micrograph.pixel_size)
    return source or "no pixel size: the file states none"


def set_pixel_size(
    micrograph: Micrograph, pixel_size: PixelSize, source: str = SET_BY_HAND
) -> Micrograph:
    """Return the micrograph with a pixel size that is not its file's own, marked as such.

    `metadata["calibration"]` is then the source, for every table and report: `SET_BY_HAND`, or
    `READ_FROM_PICTURE` where nobody was asked.
    """
    metadata = {**micrograph.metadata, "calibration": source}
    return replace(micrograph, pixel_size=pixel_size, metadata=metadata)


def is_set_by_hand(micrograph: Micrograph) -> bool:
    """Tell whether the pixel size is a person's own."""
    return micrograph.metadata.get("calibration") == SET_BY_HAND


def is_read_from_picture(micrograph: Micrograph) -> bool:
    """Tell whether the pixel size was read from the picture, without asking anybody."""
    return micrograph.metadata.get("calibration") == READ_FROM_PICTURE


def given_later(micrograph: Micrograph) -> str:
    """Return "set by hand" or "read from the picture"; "" where the file speaks, or nobody."""
    source = str(micrograph.metadata.get("calibration", ""))
    return source if micrograph.pixel_size and source in _NOT_THE_FILES_OWN else ""


def stated_sizes(micrograph: Micrograph) -> list[tuple[str, PixelSize]]:
    """Return who states which pixel size, where the file contradicts itself; else nothing."""
    stated = micrograph.metadata.get(STATED_SIZES, ())
    return [(str(who), PixelSize(float(nm), "nm")) for who, nm in stated]


def pixel_size_from_bar(length: float, unit: str, bar_px: float) -> PixelSize:
    """Return the pixel size from a scale bar.

    Parameters
    ----------
    length : float
        What the bar says.
    unit : str
        "nm", "µm" or another unit of `PixelSize`.
    bar_px : float
        How long the bar is in the picture, from one end to the other.

    Raises
    ------
    UserError
        If the length or the distance is not above zero.
    """
    if not length > 0:
        raise UserError("The scale bar's length must be above zero; type what stands beside it.")
    if not bar_px >= 1:
        raise UserError("The two ends of the scale bar are the same point; give both ends.")
    return PixelSize(length / bar_px, unit)

"""Lengths and areas as a person reads them: in the unit that suits, with digits that are known."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from core.micrograph import PixelSize

_LENGTHS = (("nm", 1.0), ("µm", 1e3), ("mm", 1e6))


def reading_unit(length_nm: float) -> tuple[str, float]:
    """Return the unit in which a length reads best, and how many nm it has: nm, µm or mm.

    The largest of which there is at least one; nm below 1 µm.
    """
    fitting = [unit for unit in _LENGTHS if abs(length_nm) >= unit[1]]
    return fitting[-1] if fitting else _LENGTHS[0]


def describe_length(length_px: float, pixel_size: PixelSize | None) -> str:
    """Return a length such as "5.92 µm"; in px when the pixel size is unknown."""
    if pixel_size is None:
        return f"{_three(length_px)} px"
    length_nm = length_px * pixel_size.to("nm")
    unit, factor = reading_unit(length_nm)
    return f"{_three(length_nm / factor)} {unit}"


def describe_area(area_px: float, pixel_size: PixelSize | None) -> str:
    """Return an area such as "0.316 mm²" (not 316 191 µm²); in px² without a pixel size.

    The unit changes at a tenth of the next one's square, where that reads in fewer digits.
    """
    if pixel_size is None:
        return f"{_three(area_px)} px²"
    area = area_px * pixel_size.to("nm") ** 2
    unit, factor = area_unit(area)
    return f"{_three(area / factor**2)} {unit}²"


def area_unit(area_nm2: float) -> tuple[str, float]:
    """Return the unit of length in whose square an area reads best, and how many nm it has."""
    fitting = [unit for unit in _LENGTHS if area_nm2 >= 0.1 * unit[1] ** 2]
    return fitting[-1] if fitting else _LENGTHS[0]


def describe_with_error(value: float, error: float, unit: str = "") -> str:
    """Return "12.35 ± 0.12 nm": the error with two digits, the value with as many decimals.

    The value alone, with three digits, where the error is zero or unknown (NaN).
    """
    tail = f" {unit}" if unit else ""
    if not (math.isfinite(value) and math.isfinite(error) and error > 0):
        return f"{_three(value)}{tail}"
    decimals = 1 - math.floor(math.log10(error))
    if round(error, decimals) >= 10 ** (2 - decimals):
        decimals -= 1  # 0.0996 is 0.10
    shown = max(0, decimals)
    return f"{round(value, decimals):.{shown}f} ± {round(error, decimals):.{shown}f}{tail}"


def specimen_field(overlays: NDArray[np.bool_], pixel_size: PixelSize | None) -> tuple[str, str]:
    """Return width and height of the specimen's field as text, without info bars.

    Parameters
    ----------
    overlays : ndarray of shape (H, W), bool
        As `find_overlays` returns them. Rows that are covered from side to side along the upper
        and lower edge are an info bar.
    pixel_size : PixelSize or None

    Returns
    -------
    (str, str)
        Both in one unit: ("5.92 µm", "3.95 µm"), or in px.
    """
    height, width = specimen_shape(overlays)
    if pixel_size is None:
        return f"{width} px", f"{height} px"
    unit, factor = reading_unit(pixel_size.to("nm") * max(width, height))
    edge = pixel_size.to("nm") / factor
    return f"{width * edge:.4g} {unit}", f"{height * edge:.4g} {unit}"


def specimen_shape(overlays: NDArray[np.bool_]) -> tuple[int, int]:
    """Return rows and columns in px of (H, W) between the info bars; at least one row."""
    open_rows = np.flatnonzero(~overlays.all(axis=1))
    rows = int(open_rows[-1] - open_rows[0]) + 1 if open_rows.size else 1
    return rows, overlays.shape[1]


def _three(value: float) -> str:
    """Return three digits without an exponent: 0.316, 12.3, 316 000 stays 316 000."""
    if not math.isfinite(value) or value == 0:
        return f"{value:g}"
    decimals = 2 - math.floor(math.log10(abs(value)))
    rounded = round(value, decimals)
    return f"{rounded:,.{max(0, decimals)}f}".replace(",", " ")

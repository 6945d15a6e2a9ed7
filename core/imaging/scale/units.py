"""From a number and a unit in a file to the edge of a square pixel, or to why there is none."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Any

from core.micrograph import PixelSize, nanometres

Fields = dict[str, Any]
Calibration = tuple[PixelSize | None, Fields]

_TEXT_CHARACTERS = 200
_SQUARE_TOLERANCE = 0.01  # above it, one edge length would misstate areas
_RECIPROCAL = re.compile(r"^(1\s*/\s*\w+|\w+\^?-1|mrad|rad)$")


def number(value: object) -> float | None:
    """Return a finite number, None for anything else."""
    if isinstance(value, bool):
        return None
    try:
        found = float(str(value))
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def scaled(value: object, factor: float) -> float | None:
    """Return a number in another unit, without the noise of the conversion."""
    found = number(value)
    return None if found is None else float(f"{found * factor:.9g}")


def rounded(value: float) -> float:
    """Return six significant digits, what the instruments state."""
    return float(f"{value:.6g}")


def metres(value: object, unit: object) -> float | None:
    """Return a length in metres; None when the unit is not one."""
    found, factor = number(value), nanometres(unit)
    return None if found is None or factor is None else float(f"{found * factor * 1e-9:.15g}")


def square_pixel(x_m: float | None, y_m: float | None) -> PixelSize | None:
    """Return the edge of a square pixel in a unit that reads well; None when there is none."""
    if not x_m or not 0 < x_m < 1 or _is_oblong(x_m, y_m):
        return None
    if y_m and y_m > 0 and y_m != x_m:
        x_m = math.sqrt(x_m * y_m)  # so that areas are right
    for unit, unit_m in (("nm", 1e-9), ("µm", 1e-6)):
        if x_m < 1000 * unit_m:
            return PixelSize(float(f"{x_m / unit_m:.12g}"), unit)
    return PixelSize(float(f"{x_m * 1e3:.12g}"), "mm")


def _is_oblong(x_m: float, y_m: float | None) -> bool:
    return bool(y_m) and abs((y_m or x_m) / x_m - 1) > _SQUARE_TOLERANCE


def origin(x_m: float | None, y_m: float | None, program: str) -> str | None:
    """Return who states the scale, why there is none, or None when nothing is stated."""
    if not x_m or not 0 < x_m < 1:
        return None
    if y_m and _is_oblong(x_m, y_m):
        return (
            f"no pixel size: the pixels are not square ({x_m * 1e9:.4g} nm wide, "
            f"{y_m * 1e9:.4g} nm high), so areas cannot be given"
        )
    return program


def from_edges(x_m: float | None, y_m: float | None, program: str) -> Calibration:
    """Return the scale of pixels whose edges are known in metres."""
    source = origin(x_m, y_m, program)
    return square_pixel(x_m, y_m), {} if source is None else {"calibration": source}


def from_axes(
    x: object, y: object, unit: object, program: str, unit_y: object = None
) -> Calibration:
    """Return the scale of two axes whose unit need not be a length.

    Parameters
    ----------
    x, y : object
        Edges of one pixel; anything that is no number counts as not stated.
    unit : object
        As written in the file; "1/nm" and the like are told from lengths.
    program : str
        Who states it, for `fields["calibration"]`.
    unit_y : object
        That of y where it has one of its own.
    """
    written = re.sub(r"\s+", "", str(unit or ""))[:20]
    own_y = unit_y if str(unit_y or "").strip() else unit
    x_m, y_m = metres(x, unit), metres(y, own_y)
    if x_m is not None:
        if y_m is None and number(y):
            other = re.sub(r"\s+", "", str(own_y))[:20]
            return None, {
                "calibration": f"no pixel size: rows are in “{other}”, columns in “{written}”"
            }
        return from_edges(x_m, y_m, program)
    edge = number(x)
    if edge and _RECIPROCAL.match(re.sub("[µμ]", "u", written)):
        step = f"{abs(edge):.6g} {written}"
        reason = f"no pixel size: the axes are reciprocal ({step} per pixel), not lengths"
        return None, {"calibration": reason, "reciprocal_pixel_size": step}
    if edge and written.isprintable() and written not in ("", "[]", "None", "px", "pixel"):
        return None, {"calibration": f"no pixel size: “{written}” is not a unit of length"}
    return None, {}


def iso_date(text: object, *patterns: str) -> str | None:
    """Return a date as year-month-day; as written when it fits no pattern."""
    for pattern in patterns:
        try:
            return datetime.strptime(str(text).strip(), pattern).date().isoformat()
        except ValueError:
            continue
    return str(text) if text else None


def iso_time(text: object) -> str | None:
    """Return a time of day as hours:minutes:seconds; as written when it is none."""
    for pattern in ("%I:%M:%S %p", "%H:%M:%S"):
        try:
            return datetime.strptime(str(text).strip(), pattern).time().isoformat()
        except ValueError:
            continue
    return str(text) if text else None


def only_stated(fields: Fields) -> Fields:
    """Leave out empty fields and numbers that cannot be one (not above zero); shorten texts."""
    return {key: _short(value) for key, value in fields.items() if _is_stated(value)}


def _short(value: object) -> object:
    if not isinstance(value, str):
        return value
    return "".join(c for c in value[:_TEXT_CHARACTERS] if c.isprintable())


def _is_stated(value: object) -> bool:
    return value > 0 if isinstance(value, float) else value not in (None, "")

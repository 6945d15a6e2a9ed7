"""The resolution tags of TIFF: pixels per unit, which only some programs mean for the specimen."""

from __future__ import annotations

import tifffile

INCH, CENTIMETRE = 2, 3


def per_unit(page: tifffile.TiffPage, axis: str) -> float | None:
    """Return pixels per unit along "X" or "Y"; None where it is not stated."""
    tag = page.tags.get(f"{axis}Resolution")
    if tag is None or not isinstance(tag.value, tuple) or len(tag.value) < 2 or not tag.value[1]:
        return None
    return float(tag.value[0] / tag.value[1]) or None


def unit_code(page: tifffile.TiffPage) -> int:
    """Return the unit's number; an inch where nothing is said, as the standard has it."""
    tag = page.tags.get("ResolutionUnit")
    try:
        return INCH if tag is None else int(tag.value)
    except (TypeError, ValueError):
        return 1

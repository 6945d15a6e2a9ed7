"""Zeiss: the entries of SmartSEM, page by page, and the XML of Atlas."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import tifffile

from core.imaging.scale.makers.text import element, first_text
from core.imaging.scale.statements import AGREEMENT, Statement, whole
from core.imaging.scale.units import iso_date, iso_time, metres, number, scaled

_SEM_TAG, _ATLAS_TAG = 34118, 51023
_HEADER_COLUMNS = 1024  # the block of numbers speaks of a picture of so many columns


def read_zeiss(page: tifffile.TiffPage) -> list[Statement]:
    """Return what the page's own entries of (title, value, unit) state."""
    fields = page.tags[_SEM_TAG].value if _SEM_TAG in page.tags else None
    if not isinstance(fields, Mapping):
        return []

    def entry(key: str) -> tuple[Any, Any]:
        found = fields.get(key)
        if not isinstance(found, tuple) or len(found) < 2:
            return None, None
        return found[1], found[2] if len(found) > 2 else None

    width, height = _stored(str(entry("dp_image_store")[0] or ""))
    distance_m, instrument = metres(*entry("ap_wd")), entry("dp_sem")[0]
    about = {
        "voltage_kv": scaled(entry("ap_actualkv")[0], 1),
        "working_distance_mm": scaled(distance_m, 1e3),
        "magnification": _magnification(*entry("ap_mag")),
        "detector": entry("dp_detector_type")[0],
        "instrument": f"Zeiss {instrument}" if instrument else None,
        "date": iso_date(entry("ap_date")[0], "%d %b %Y"),
        "time": iso_time(entry("ap_time")[0]),
    }
    stated_m = _edge(metres(*entry("ap_image_pixel_size")), fields.get(""), page.imagewidth)
    screen_m = metres(*entry("ap_pixel_size"))
    if stated_m is None and _header_edge(fields.get("")) is None and screen_m:
        stated_m = screen_m * _HEADER_COLUMNS / page.imagewidth
    field_m = metres(*entry("ap_width"))
    by_field_m = field_m / page.imagewidth if field_m else None
    return [
        Statement("Zeiss", stated_m, None, width, height, fields=about),
        Statement("Zeiss' field width", by_field_m, None, width, height, tolerance=AGREEMENT),
    ]


def _stored(text: str) -> tuple[int | None, int | None]:
    """Return width and height from "1024 * 768"."""
    found = re.match(r"\s{0,9}(\d{1,6})\s{0,9}[*x]\s{0,9}(\d{1,6})", text)
    return (int(found[1]), int(found[2])) if found else (None, None)


def _header_edge(numbers: object) -> float | None:
    if not isinstance(numbers, tuple) or len(numbers) < 4:
        return None
    edge_m = number(numbers[3])
    return edge_m if edge_m and edge_m > 0 else None


def _edge(entry_m: float | None, numbers: object, width_px: int) -> float | None:
    """Return the pixel size: that of the entry, with the digits of the block where they agree.

    Without the entry it is that of the block, which is stated for 1024 columns.
    """
    header_m = _header_edge(numbers)
    if header_m is None:
        return entry_m
    own_m = header_m * _HEADER_COLUMNS / width_px
    if not entry_m:
        return own_m
    fitting = [edge for edge in (header_m, own_m) if abs(edge / entry_m - 1) < 5e-3]
    return fitting[0] if fitting else entry_m


def _magnification(value: object, unit: object) -> float | None:
    return scaled(value, 1e3 if str(unit).strip().upper() == "K X" else 1)


def read_atlas(page: tifffile.TiffPage) -> list[Statement]:
    """Return what Atlas states: the steps between columns and rows, and the field of view."""
    value = page.tags[_ATLAS_TAG].value if _ATLAS_TAG in page.tags else None
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str) or "<Fibics" not in value:
        return []
    scan, image = element(value, "Scan", 20_000), element(value, "Image", 20_000)
    width, height = whole(first_text(image, "Width")), whole(first_text(image, "Height"))
    field = re.search(r'<FOV_X\b[^<>]{0,99}units="([^"]{1,20})"[^<>]{0,99}>([^<]{1,60})<', scan)
    unit = field[1] if field else "um"
    x_m, y_m = (_step(scan, axis, unit) for axis in "UV")
    field_m = metres(field[2].strip(), unit) if field else None
    by_field_m = field_m / width if field_m and width else None
    return [
        Statement("Zeiss Atlas", x_m, y_m, width, height),
        Statement("Zeiss Atlas' field width", by_field_m, None, width, height),
    ]


def _step(scan: str, axis: str, unit: str) -> float | None:
    """Return the length of the vector from one column (U) or row (V) to the next."""
    parts = [metres(first_text(scan, f"{axis}{side}"), unit) for side in "xy"]
    length_m = math.hypot(*(part or 0.0 for part in parts))
    return length_m or None

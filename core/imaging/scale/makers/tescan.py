"""TESCAN: the settings in its TIFF, and in the .hdr beside a PNG or TIFF."""

from __future__ import annotations

import re
from collections.abc import Mapping

import tifffile

from core.imaging.scale.makers.ini import entries
from core.imaging.scale.statements import Statement
from core.imaging.scale.units import iso_date, iso_time, number, scaled

_TAG = 50431
_MOST_BYTES = 200_000  # the text that counts is a few kilobytes


def read_tescan(page: tifffile.TiffPage) -> list[Statement]:
    """Return what the page's own lines of key=value, among other bytes, state."""
    if _TAG not in page.tags:
        return []
    value = page.tags[_TAG].value
    raw = value if isinstance(value, bytes) else str(value).encode("latin-1", "replace")
    lines = re.findall(r"\b(\w{1,40})=([^\r\n\0]*)", raw[-_MOST_BYTES:].decode("latin-1"))
    return [_stated({key: text.strip() for key, text in lines})]


def read_tescan_header(text: str) -> list[Statement]:
    """Return what the .hdr beside a picture states."""
    return [_stated(entries(text))]


def _stated(values: Mapping[str, str]) -> Statement:
    """Lengths in metres, voltage in volts."""
    return Statement(
        "TESCAN",
        number(values.get("PixelSizeX")),
        number(values.get("PixelSizeY")),
        fields={
            "voltage_kv": scaled(values.get("HV"), 1e-3),
            "working_distance_mm": scaled(values.get("WD"), 1e3),
            "magnification": number(values.get("Magnification")),
            "detector": values.get("Detector") or values.get("Detector0"),
            "instrument": _with_maker(values.get("Device")),
            "date": iso_date(values.get("Date"), "%Y-%m-%d"),
            "time": iso_time(values.get("Time")),
        },
    )


def _with_maker(model: object) -> str:
    text = str(model or "").strip()
    return text if text.upper().startswith("TESCAN") else f"TESCAN {text}".strip()

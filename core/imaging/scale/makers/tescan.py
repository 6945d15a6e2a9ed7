"""TESCAN: the settings in its TIFF, and in the .hdr beside a PNG or TIFF."""

from __future__ import annotations

import re
from collections.abc import Mapping

import tifffile

from core.imaging.scale.makers.ini import entries, size_px
from core.imaging.scale.statements import Statement, whole
from core.imaging.scale.units import iso_date, iso_time, number, scaled

_TAG = 50431
# How programs name the size of the picture that the pixel size is for, in letters alone.
_WIDTHS = ("imagewidth", "width", "imagesizex", "sizex", "resolutionx", "pixelsx", "xpixels")
_HEIGHTS = ("imageheight", "height", "imagesizey", "sizey", "resolutiony", "pixelsy", "ypixels")
_SIZES = ("imagesize", "framesize", "resolution", "size")
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
        *_frame(values),
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


def _frame(values: Mapping[str, str]) -> tuple[int | None, int | None, int | None]:
    """Return the stated width, height and rows of the strip below, None where nothing is said."""
    plain = {re.sub(r"[^a-z]", "", key.lower()): text for key, text in values.items()}
    width, height = (_first(plain, names) for names in (_WIDTHS, _HEIGHTS))
    for name in _SIZES:
        both = size_px(plain.get(name))
        if both[1] is not None:
            width, height = width or both[0], height or both[1]
    return width, height, whole(plain.get("imagestripsize"))


def _first(values: Mapping[str, str], names: tuple[str, ...]) -> int | None:
    found = (size_px(values[name])[0] for name in names if name in values)
    return next((size for size in found if size), None)


def _with_maker(model: object) -> str:
    text = str(model or "").strip()
    return text if text.upper().startswith("TESCAN") else f"TESCAN {text}".strip()

"""JEOL: SightX's description in a TIFF, and the text beside each picture of an SEM."""

from __future__ import annotations

import re
from typing import Any

import tifffile

from core.imaging.scale.makers.ini import size_px
from core.imaging.scale.makers.resolution import CENTIMETRE, per_unit, unit_code
from core.imaging.scale.statements import AGREEMENT, Statement, whole
from core.imaging.scale.units import iso_date, iso_time, metres, number, scaled

_LENGTH = re.compile(r"\s{0,9}([0-9.]{1,30})\s{0,9}([a-zµμÅ\u212b]{1,12})", re.IGNORECASE)
_PRINT_M = 0.128  # magnification is that of a print so wide
_STATING = ("CM_PIXEL_SIZE", "CM_FIELD_OF_VIEW", "SM_MICRON_BAR")
_BESIDE = "JEOL (settings beside the picture)"


def is_jeol(page: tifffile.TiffPage) -> bool:
    """Tell JEOL's description of the microscope."""
    return "<TemReporter" in page.description


def read_sightx(xml: str, page: tifffile.TiffPage) -> list[Statement]:
    """Return the camera's resolution divided by the magnification, in TEM mode only."""

    def text(name: str) -> str | None:
        found = re.search(rf"<{name}>([^<]{{0,500}})</{name}>", xml)
        return found[1] if found else None

    magnification = number(text("SelectorValue")) if text("SelectorUnitString") == "X" else None
    per, pixel_m = per_unit(page, "X"), None
    unit_m = 0.01 if unit_code(page) == CENTIMETRE else 0.0254
    if magnification and per and text("EosMode") == "eosTEM":
        pixel_m = unit_m / per / magnification
    date, _, time = (text("DateTime") or "").partition("T")
    about = {
        "voltage_kv": scaled(text("AccelerationVoltage"), 1e-3),
        "magnification": magnification,
        "detector": text("ImageSourceDetector"),
        "instrument": text("Instruments"),
        "date": date,
        "time": time[:8],
    }
    return [Statement("JEOL", pixel_m, fields=about)]


def read_jeol_settings(text: str) -> list[Statement]:
    """Return what the "$key value" lines state: pixel size, field of view, bar and its label."""
    lines = re.findall(r"(?m)^\$+(\w{1,60})[ \t]+([^\r\n]{0,500})", text)
    values = {key: value.strip() for key, value in lines}
    width, height = size_px(values.get("CM_IMAGE_SIZE") or values.get("CM_FULL_SIZE"))
    frame: dict[str, Any] = {"width_px": width, "height_px": height}
    frame["bar_px"] = whole(values.get("SM_PNU_HEIGHT"))
    statements = [
        Statement(_BESIDE, _length_m(values.get("CM_PIXEL_SIZE")), **frame),
        Statement(_BESIDE, _by_field(values, width), **frame),
        _by_bar(values, frame),
    ]
    statements = [one for one in statements if one.has_edge]
    magnification = number(values.get("CM_MAG"))
    silent = not any(key in values for key in _STATING) and "SM_MICRON_MARKER" in values
    if silent and magnification and magnification > 0 and width:
        statements = [Statement(_BESIDE, _PRINT_M / magnification / width, **frame)]
    return [*statements, Statement(_BESIDE, fields=_about(values))]


def _length_m(text: str | None) -> float | None:
    """Return a length such as "10.00nm" in metres."""
    match = _LENGTH.match(text or "")
    return metres(match[1], match[2]) if match else None


def _by_field(values: dict[str, str], width_px: int | None) -> float | None:
    field_m = _length_m(values.get("CM_FIELD_OF_VIEW"))
    return field_m / width_px if field_m and width_px else None


def _by_bar(values: dict[str, str], frame: dict[str, Any]) -> Statement:
    """The bar's length in pixels and its label; it is counted in whole pixels."""
    bar_px, bar_m = number(values.get("SM_MICRON_BAR")), _length_m(values.get("SM_MICRON_MARKER"))
    if not bar_px or not bar_m or bar_px <= 0:
        return Statement(_BESIDE)
    return Statement(_BESIDE, bar_m / bar_px, **frame, tolerance=max(AGREEMENT, 1 / bar_px))


def _about(values: dict[str, str]) -> dict[str, Any]:
    return {
        "voltage_kv": number(values.get("CM_ACCEL_VOLT")),
        "working_distance_mm": number(values.get("SM_WD")),
        "magnification": number(values.get("CM_MAG")),
        "detector": values.get("CM_SIGNAL"),
        "instrument": f"JEOL {values.get('CM_INSTRUMENT', '')}".strip(),
        "date": iso_date(values.get("CM_DATE"), "%Y/%m/%d", "%m/%d/%Y"),
        "time": iso_time(values.get("CM_TIME")),
    }

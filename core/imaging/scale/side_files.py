"""What the settings say that Hitachi and JEOL write as text beside each picture."""

from __future__ import annotations

import re

from core.imaging.scale.units import (
    Calibration,
    from_edges,
    iso_date,
    iso_time,
    metres,
    number,
    scaled,
)

_LENGTH = re.compile(r"([0-9.]+)\s*([a-zµμÅ]+)", re.IGNORECASE)


def read_settings(text: str, width_px: int) -> Calibration | None:
    """Return the pixel size and the fields of a settings file; None when it is none.

    Parameters
    ----------
    text : str
    width_px : int
        Of the picture beside it: settings for another width give no pixel size.
    """
    if "[SemImageFile]" in text:
        return _read_hitachi(text, width_px)
    return _read_jeol(text, width_px) if "$CM_" in text else None


def _read_hitachi(text: str, width_px: int) -> Calibration:
    """Hitachi: key=value; pixel size in nm, working distance in µm, voltage in volts."""
    entries = {
        key.strip(): value.strip()
        for key, value in re.findall(r"(?m)^([^=\r\n]+)=([^\r\n]*)", text)
    }
    size_m = metres(number(entries.get("PixelSize")), "nm")
    pixel_size, fields = _if_same_width(size_m, entries.get("DataSize", ""), width_px, "Hitachi")
    model = entries.get("InstructName")
    return pixel_size, fields | {
        "voltage_kv": _leading(entries.get("AcceleratingVoltage"), 1e-3),
        "working_distance_mm": _leading(entries.get("WorkingDistance"), 1e-3),
        "magnification": number(entries.get("Magnification")),
        "detector": entries.get("SignalName"),
        "instrument": f"Hitachi {model}" if model else "Hitachi",
        "date": iso_date(entries.get("Date"), "%m/%d/%Y", "%Y/%m/%d"),
        "time": iso_time(entries.get("Time")),
    }


def _read_jeol(text: str, width_px: int) -> Calibration:
    """JEOL: "$key value" lines; the bar's length in pixels and its label give the scale."""
    entries = {
        key: value.strip() for key, value in re.findall(r"(?m)^\$+(\w+)[ \t]+([^\r\n]*)", text)
    }
    bar_px, label = number(entries.get("SM_MICRON_BAR")), entries.get("SM_MICRON_MARKER", "")
    match = _LENGTH.match(label.strip())
    bar_m = metres(match[1], match[2]) if match else None
    size_m = bar_m / bar_px if bar_m and bar_px else None
    full = entries.get("CM_FULL_SIZE", "").replace(" ", "x")
    pixel_size, fields = _if_same_width(size_m, full, width_px, "JEOL")
    return pixel_size, fields | {
        "voltage_kv": number(entries.get("CM_ACCEL_VOLT")),
        "working_distance_mm": number(entries.get("SM_WD")),
        "magnification": number(entries.get("CM_MAG")),
        "detector": entries.get("CM_SIGNAL"),
        "instrument": f"JEOL {entries.get('CM_INSTRUMENT', '')}".strip(),
        "date": iso_date(entries.get("CM_DATE"), "%Y/%m/%d", "%m/%d/%Y"),
        "time": iso_time(entries.get("CM_TIME")),
    }


def _if_same_width(size_m: float | None, size_px: str, width_px: int, program: str) -> Calibration:
    """Return the scale when the settings are those of a picture as wide as this one."""
    match = re.match(r"(\d+)", size_px)
    if size_m and match and int(match[1]) != width_px:
        return None, {
            "calibration": f"no pixel size: the settings beside the picture are for one "
            f"{match[1]} pixels wide"
        }
    return from_edges(size_m, None, f"{program} (settings beside the picture)")


def _leading(text: str | None, factor: float) -> float | None:
    """Return the number at the start of a text such as "15000 Volt"."""
    match = re.match(r"\s*([0-9.]+)", text or "")
    return scaled(match[1], factor) if match else None

"""Text files with settings that Hitachi and JEOL write beside each picture."""

from __future__ import annotations

import re
from pathlib import PurePath

from core.imaging.reading.frame import Frame, Source
from core.imaging.scale import (
    Calibration,
    from_edges,
    iso_date,
    iso_time,
    metres,
    number,
    only_stated,
    scaled,
)

MAX_SIDECAR_BYTES = 1_000_000
_LENGTH = re.compile(r"([0-9.]+)\s*([a-zµμÅ]+)", re.IGNORECASE)


def with_sidecar(frame: Frame, source: Source) -> Frame:
    """Return a frame with what the text file beside it states; as it is when there is none.

    What the picture itself says about its scale comes first.
    """
    text = _text_beside(source)
    if text is None or frame.pixel_size is not None:
        return frame
    if "[SemImageFile]" in text:
        pixel_size, fields = _read_hitachi(text, frame.pixels.shape[1])
    elif "$CM_" in text:
        pixel_size, fields = _read_jeol(text, frame.pixels.shape[1])
    else:
        return frame
    return Frame(frame.pixels, pixel_size, {**frame.metadata, **only_stated(fields)})


def _text_beside(source: Source) -> str | None:
    wanted = f"{PurePath(source.name).stem}.txt".lower()
    for name, data in source.companions.items():
        if PurePath(name).name.lower() == wanted and len(data) <= MAX_SIDECAR_BYTES:
            return _decoded(data)
    return None


def _decoded(data: bytes) -> str:
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = data.decode("utf-16" if wide else "latin-1", "replace")
    return text.replace("Â", "").lstrip("\ufeff")


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

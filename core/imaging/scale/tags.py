"""What the programs of microscopes write into a TIFF about scale and instrument.

Only statements about the specimen count. The resolution tags of a plain TIFF speak of print and
are ignored, as is any unit that is not a length (a diffraction pattern has none in real space).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import tifffile

from core.imaging.scale.units import (
    Calibration,
    from_axes,
    from_edges,
    iso_date,
    iso_time,
    metres,
    number,
    only_stated,
    rounded,
    scaled,
)

_DM_UNIT, _DM_SCALE_X, _DM_SCALE_Y = 65003, 65009, 65010
_SIS_TAG = 33560
_TESCAN_TAG = 50431
_DESCRIBED_PAGES = 4
_TESCAN_BYTES = 200_000  # the text that counts is a few kilobytes


def read_calibration(tif: tifffile.TiffFile, page: tifffile.TiffPage) -> Calibration:
    """Return pixel size and instrument fields as far as the file states them.

    Parameters
    ----------
    tif : tifffile.TiffFile
    page : tifffile.TiffPage
        The frame asked for.

    Returns
    -------
    pixel_size : PixelSize or None
        None when the file says nothing about the specimen, or its pixels are not square.
    fields : dict
        Of voltage_kv, working_distance_mm, magnification, detector, instrument, date, time
        those that are stated, and calibration: who states the scale, or why there is none.
    """
    pixel_size, fields = _read_vendor(tif, page)
    return pixel_size, only_stated(fields)


def _read_vendor(tif: tifffile.TiffFile, page: tifffile.TiffPage) -> Calibration:
    if tif.is_fei:
        return _read_fei(tif.fei_metadata or {}, page)
    if tif.is_sem:
        return _read_zeiss(tif.sem_metadata or {})
    if _TESCAN_TAG in page.tags:
        return _read_tescan(page.tags[_TESCAN_TAG].value)
    if tif.is_ome:
        return _read_ome(tif.ome_metadata or "")
    if tif.is_imagej:
        return _read_imagej(tif.imagej_metadata or {}, page)
    described = next((other for other in _few(page, tif) if is_jeol(other)), None)
    if described is not None:
        return _read_jeol(described.description, page)
    if _DM_SCALE_X in page.tags:
        return _read_digital_micrograph(page)
    return _read_olympus(tif, page)


def is_jeol(page: tifffile.TiffPage) -> bool:
    """Tell JEOL's description of the microscope."""
    return "<TemReporter" in page.description


def _few(page: tifffile.TiffPage, tif: tifffile.TiffFile) -> list[tifffile.TiffPage]:
    """Return a page and the first ones of its file: a description may stand on another page."""
    found = [page]
    for index in range(_DESCRIBED_PAGES):
        with contextlib.suppress(IndexError):
            other = tif.pages[index]
            found += [other] if isinstance(other, tifffile.TiffPage) else []
    return found


def _read_fei(fields: Mapping[str, Any], page: tifffile.TiffPage) -> Calibration:
    """FEI and Thermo Fisher: sections of an INI file; lengths in metres, voltage in volts."""

    def get(section: str, key: str) -> Any:
        group = fields.get(section)
        return group.get(key) if isinstance(group, Mapping) else None

    beam = str(get("Beam", "Beam") or "EBeam")
    field_width_m = number(get(beam, "HFW"))
    columns = number(get("Image", "ResolutionX"))
    canvas_m = number(get("Image", "MagCanvasRealWidth"))
    x_m, y_m = number(get("Scan", "PixelWidth")), number(get("Scan", "PixelHeight"))
    if x_m is None and field_width_m and columns:
        x_m = field_width_m / columns
    size, source = from_edges(x_m, y_m, "FEI")
    return size, source | {
        "voltage_kv": scaled(get("Beam", "HV"), 1e-3),
        "working_distance_mm": scaled(get(beam, "WD"), 1e3),
        "magnification": rounded(canvas_m / field_width_m) if canvas_m and field_width_m else None,
        "detector": get("Detectors", "Name"),
        "instrument": get("System", "SystemType"),
        "date": iso_date(get("User", "Date"), "%m/%d/%Y"),
        "time": iso_time(get("User", "Time")),
    }


def _read_zeiss(fields: Mapping[str, Any]) -> Calibration:
    """Zeiss: entries of (title, value, unit)."""

    def entry(key: str) -> tuple[Any, Any]:
        found = fields.get(key)
        if not isinstance(found, tuple) or len(found) < 2:
            return None, None
        return found[1], found[2] if len(found) > 2 else None

    size_m = metres(*entry("ap_image_pixel_size")) or metres(*entry("ap_pixel_size"))
    size_m = _unrounded(size_m, fields.get(""))
    distance_m, magnification = metres(*entry("ap_wd")), _zeiss_magnification(*entry("ap_mag"))
    instrument = entry("dp_sem")[0]
    size, source = from_edges(size_m, None, "Zeiss")
    return size, source | {
        "voltage_kv": scaled(entry("ap_actualkv")[0], 1),
        "working_distance_mm": scaled(distance_m, 1e3),
        "magnification": magnification,
        "detector": entry("dp_detector_type")[0],
        "instrument": f"Zeiss {instrument}" if instrument else None,
        "date": iso_date(entry("ap_date")[0], "%d %b %Y"),
        "time": iso_time(entry("ap_time")[0]),
    }


def _unrounded(size_m: float | None, numbers: object) -> float | None:
    """Return the pixel size from the block of numbers where it agrees with the rounded entry."""
    if size_m is None or not isinstance(numbers, tuple) or len(numbers) < 4:
        return size_m
    full_m = number(numbers[3])
    return full_m if full_m and abs(full_m / size_m - 1) < 5e-3 else size_m


def _zeiss_magnification(value: object, unit: object) -> float | None:
    return scaled(value, 1e3 if str(unit).strip().upper() == "K X" else 1)


def _read_tescan(value: object) -> Calibration:
    """TESCAN: lines of key=value among other bytes; lengths in metres, voltage in volts."""
    raw = value if isinstance(value, bytes) else str(value).encode("latin-1", "replace")
    lines = re.findall(r"\b(\w{1,40})=([^\r\n\0]*)", raw[-_TESCAN_BYTES:].decode("latin-1"))
    entries = {key: text.strip() for key, text in lines}
    x_m, y_m = number(entries.get("PixelSizeX")), number(entries.get("PixelSizeY"))
    size, source = from_edges(x_m, y_m, "TESCAN")
    return size, source | {
        "voltage_kv": scaled(entries.get("HV"), 1e-3),
        "working_distance_mm": scaled(entries.get("WD"), 1e3),
        "magnification": number(entries.get("Magnification")),
        "detector": entries.get("Detector") or entries.get("Detector0"),
        "instrument": _with_maker("TESCAN", entries.get("Device")),
        "date": iso_date(entries.get("Date"), "%Y-%m-%d"),
        "time": iso_time(entries.get("Time")),
    }


def _with_maker(maker: str, model: object) -> str:
    text = str(model or "").strip()
    return text if text.upper().startswith(maker) else f"{maker} {text}".strip()


def _read_ome(xml: str) -> Calibration:
    """OME-TIFF: attributes of the first Pixels element; micrometres unless another unit is said."""
    element = re.search(r"<(?:\w{1,9}:)?Pixels\b[^<>]{0,5000}>", xml)
    attributes = dict(re.findall(r'\b([\w:]{1,60})\s?=\s?"([^"]*)"', element[0])) if element else {}

    def size_m(axis: str) -> float | None:
        unit = attributes.get(f"PhysicalSize{axis}Unit", "µm").replace("&#181;", "µ")
        return metres(attributes.get(f"PhysicalSize{axis}"), unit)

    return from_edges(size_m("X"), size_m("Y"), "OME")


def _read_imagej(fields: Mapping[str, Any], page: tifffile.TiffPage) -> Calibration:
    """ImageJ: pixels per unit in the resolution tags, the unit in the description."""
    per_x, per_y = (_resolution(page, axis) for axis in "XY")
    x, y = (1 / per if per else None for per in (per_x, per_y))
    return from_axes(x, y, fields.get("unit"), "ImageJ")


def _resolution(page: tifffile.TiffPage, axis: str) -> float | None:
    """Return pixels per unit from a resolution tag."""
    tag = page.tags.get(f"{axis}Resolution")
    if tag is None or not isinstance(tag.value, tuple) or not tag.value[1]:
        return None
    return float(tag.value[0] / tag.value[1]) or None


def _read_jeol(xml: str, page: tifffile.TiffPage) -> Calibration:
    """JEOL SightX: the camera's resolution divided by the magnification, in TEM mode only."""

    def text(name: str) -> str | None:
        found = re.search(rf"<{name}>([^<]*)</{name}>", xml)
        return found[1] if found else None

    magnification = number(text("SelectorValue")) if text("SelectorUnitString") == "X" else None
    per_inch, pixel_m = _resolution(page, "X"), None
    if magnification and per_inch and text("EosMode") == "eosTEM":
        pixel_m = 0.0254 / per_inch / magnification
    date, _, time = (text("DateTime") or "").partition("T")
    size, source = from_edges(pixel_m, None, "JEOL")
    return size, source | {
        "voltage_kv": scaled(text("AccelerationVoltage"), 1e-3),
        "magnification": magnification,
        "detector": text("ImageSourceDetector"),
        "instrument": text("Instruments"),
        "date": date,
        "time": time[:8],
    }


def _read_digital_micrograph(page: tifffile.TiffPage) -> Calibration:
    """DigitalMicrograph's export: private tags with scale and unit of each axis."""

    def value(code: int) -> Any:
        tag = page.tags.get(code)
        return None if tag is None else tag.value

    return from_axes(value(_DM_SCALE_X), value(_DM_SCALE_Y), value(_DM_UNIT), "DigitalMicrograph")


def _read_olympus(tif: tifffile.TiffFile, page: tifffile.TiffPage) -> Calibration:
    """Olympus SIS: metres, on the page measured; a preview of the same shape shares them."""
    for other in _few(page, tif):
        tag = other.tags.get(_SIS_TAG)
        if tag is None or not isinstance(tag.value, Mapping) or other.shape[:2] != page.shape[:2]:
            continue
        moment = tag.value.get("datetime")
        x_m, y_m = number(tag.value.get("pixelsizex")), number(tag.value.get("pixelsizey"))
        size, source = from_edges(x_m, y_m, "Olympus SIS")
        return size, source | {
            "magnification": number(tag.value.get("magnification")),
            "instrument": tag.value.get("cameraname"),
            "date": moment.date().isoformat() if isinstance(moment, datetime) else None,
            "time": moment.time().isoformat() if isinstance(moment, datetime) else None,
        }
    return None, {}

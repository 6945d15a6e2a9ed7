"""What the programs of microscopes write into a TIFF about scale and instrument.

Only statements about the specimen count. The resolution tags of a plain TIFF speak of print and
are ignored, as is any unit that is not a length (a diffraction pattern has none in real space).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import tifffile

from core.micrograph import PixelSize

Fields = dict[str, Any]
Calibration = tuple[PixelSize | None, Fields]

_SQUARE_TOLERANCE = 0.01  # above it, one edge length would misstate areas
_METRES = {
    "pm": 1e-12,
    "å": 1e-10,
    "angstrom": 1e-10,
    "nm": 1e-9,
    "nanometer": 1e-9,
    "nanometers": 1e-9,
    "um": 1e-6,
    "micron": 1e-6,
    "microns": 1e-6,
    "micrometer": 1e-6,
    "micrometers": 1e-6,
    "mm": 1e-3,
    "millimeter": 1e-3,
    "m": 1.0,
}
_DM_UNIT, _DM_SCALE_X, _DM_SCALE_Y = 65003, 65009, 65010
_SIS_TAG = 33560


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
        those that are stated, and calibration, which names the source of the scale.
    """
    pixel_size, fields = _read_vendor(tif, page)
    fields = {key: value for key, value in fields.items() if _is_stated(value)}
    if pixel_size is None:
        fields.pop("calibration", None)
    return pixel_size, fields


def _read_vendor(tif: tifffile.TiffFile, page: tifffile.TiffPage) -> Calibration:
    if tif.is_fei:
        return _read_fei(tif.fei_metadata or {}, page)
    if tif.is_sem:
        return _read_zeiss(tif.sem_metadata or {})
    if tif.is_ome:
        return _read_ome(tif.ome_metadata or "")
    if tif.is_imagej:
        return _read_imagej(tif.imagej_metadata or {}, page)
    if "<TemReporter" in page.description:
        return _read_jeol(page.description, page)
    if _DM_SCALE_X in page.tags:
        return _read_digital_micrograph(page)
    return _read_olympus(tif, page)


def _is_stated(value: object) -> bool:
    """Tell a statement from an empty field or a number that cannot be one (not above zero)."""
    return value > 0 if isinstance(value, float) else value not in (None, "")


def _square(x_m: float | None, y_m: float | None) -> PixelSize | None:
    """Return the edge of a square pixel in a unit that reads well; None when there is none."""
    if not x_m or not 0 < x_m < 1:
        return None
    if y_m and abs(y_m / x_m - 1) > _SQUARE_TOLERANCE:
        return None
    for unit, metres in (("nm", 1e-9), ("µm", 1e-6)):
        if x_m < 1000 * metres:
            return PixelSize(float(f"{x_m / metres:.12g}"), unit)
    return PixelSize(float(f"{x_m * 1e3:.12g}"), "mm")


def _number(value: object) -> float | None:
    """Return a finite number, None for anything else."""
    if isinstance(value, bool):
        return None
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


def _scaled(value: object, factor: float) -> float | None:
    """Return a number in another unit, without the noise of the conversion."""
    number = _number(value)
    return None if number is None else float(f"{number * factor:.9g}")


def _rounded(number: float) -> float:
    """Return six significant digits, what the instruments state."""
    return float(f"{number:.6g}")


def _metres(value: object, unit: object) -> float | None:
    """Return a length in metres; None when the unit is not one."""
    plain = str(unit).strip().replace("\\u00B5", "u").replace("µ", "u").replace("μ", "u")
    number = _number(value)
    factor = _METRES.get(plain.replace("Â", "").lower())
    return None if number is None or factor is None else number * factor


def _date(text: object, *patterns: str) -> str | None:
    """Return a date as year-month-day; as written when it fits no pattern."""
    for pattern in patterns:
        try:
            return datetime.strptime(str(text).strip(), pattern).date().isoformat()
        except ValueError:
            continue
    return str(text) if text else None


def _time(text: object) -> str | None:
    """Return a time of day as hours:minutes:seconds; as written when it is none."""
    for pattern in ("%I:%M:%S %p", "%H:%M:%S"):
        try:
            return datetime.strptime(str(text).strip(), pattern).time().isoformat()
        except ValueError:
            continue
    return str(text) if text else None


def _read_fei(fields: Mapping[str, Any], page: tifffile.TiffPage) -> Calibration:
    """FEI and Thermo Fisher: sections of an INI file; lengths in metres, voltage in volts."""

    def get(section: str, key: str) -> Any:
        group = fields.get(section)
        return group.get(key) if isinstance(group, Mapping) else None

    beam = str(get("Beam", "Beam") or "EBeam")
    field_width_m = _number(get(beam, "HFW"))
    columns = _number(get("Image", "ResolutionX"))
    canvas_m = _number(get("Image", "MagCanvasRealWidth"))
    x_m, y_m = _number(get("Scan", "PixelWidth")), _number(get("Scan", "PixelHeight"))
    if x_m is None and field_width_m and columns:
        x_m = field_width_m / columns
    return _square(x_m, y_m), {
        "calibration": "FEI",
        "voltage_kv": _scaled(get("Beam", "HV"), 1e-3),
        "working_distance_mm": _scaled(get(beam, "WD"), 1e3),
        "magnification": _rounded(canvas_m / field_width_m) if canvas_m and field_width_m else None,
        "detector": get("Detectors", "Name"),
        "instrument": get("System", "SystemType"),
        "date": _date(get("User", "Date"), "%m/%d/%Y"),
        "time": _time(get("User", "Time")),
    }


def _read_zeiss(fields: Mapping[str, Any]) -> Calibration:
    """Zeiss: entries of (title, value, unit)."""

    def entry(key: str) -> tuple[Any, Any]:
        found = fields.get(key)
        if not isinstance(found, tuple) or len(found) < 2:
            return None, None
        return found[1], found[2] if len(found) > 2 else None

    size_m = _metres(*entry("ap_image_pixel_size")) or _metres(*entry("ap_pixel_size"))
    size_m = _unrounded(size_m, fields.get(""))
    distance_m, magnification = _metres(*entry("ap_wd")), _zeiss_magnification(*entry("ap_mag"))
    instrument = entry("dp_sem")[0]
    return _square(size_m, None), {
        "calibration": "Zeiss",
        "voltage_kv": _scaled(entry("ap_actualkv")[0], 1),
        "working_distance_mm": _scaled(distance_m, 1e3),
        "magnification": magnification,
        "detector": entry("dp_detector_type")[0],
        "instrument": f"Zeiss {instrument}" if instrument else None,
        "date": _date(entry("ap_date")[0], "%d %b %Y"),
        "time": _time(entry("ap_time")[0]),
    }


def _unrounded(size_m: float | None, numbers: object) -> float | None:
    """Return the pixel size from the block of numbers where it agrees with the rounded entry."""
    if size_m is None or not isinstance(numbers, tuple) or len(numbers) < 4:
        return size_m
    full_m = _number(numbers[3])
    return full_m if full_m and abs(full_m / size_m - 1) < 5e-3 else size_m


def _zeiss_magnification(value: object, unit: object) -> float | None:
    return _scaled(value, 1e3 if str(unit).strip().upper() == "K X" else 1)


def _read_ome(xml: str) -> Calibration:
    """OME-TIFF: attributes of the first Pixels element; micrometres unless another unit is said."""
    element = re.search(r"<(?:\w+:)?Pixels\b[^>]*>", xml)
    attributes = dict(re.findall(r'([\w:]+)\s*=\s*"([^"]*)"', element[0])) if element else {}

    def size_m(axis: str) -> float | None:
        unit = attributes.get(f"PhysicalSize{axis}Unit", "µm").replace("&#181;", "µ")
        return _metres(attributes.get(f"PhysicalSize{axis}"), unit)

    return _square(size_m("X"), size_m("Y")), {"calibration": "OME"}


def _read_imagej(fields: Mapping[str, Any], page: tifffile.TiffPage) -> Calibration:
    """ImageJ: pixels per unit in the resolution tags, the unit in the description."""
    per_x, per_y = (_resolution(page, axis) for axis in "XY")
    unit = fields.get("unit")
    x_m, y_m = (_metres(1 / per, unit) if per else None for per in (per_x, per_y))
    return _square(x_m, y_m), {"calibration": "ImageJ"}


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

    magnification = _number(text("SelectorValue")) if text("SelectorUnitString") == "X" else None
    per_inch, pixel_m = _resolution(page, "X"), None
    if magnification and per_inch and text("EosMode") == "eosTEM":
        pixel_m = 0.0254 / per_inch / magnification
    date, _, time = (text("DateTime") or "").partition("T")
    return _square(pixel_m, None), {
        "calibration": "JEOL",
        "voltage_kv": _scaled(text("AccelerationVoltage"), 1e-3),
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

    unit = value(_DM_UNIT)
    size = _square(_metres(value(_DM_SCALE_X), unit), _metres(value(_DM_SCALE_Y), unit))
    return size, {"calibration": "DigitalMicrograph"}


def _read_olympus(tif: tifffile.TiffFile, page: tifffile.TiffPage) -> Calibration:
    """Olympus SIS: metres, on the page measured; a preview of the same shape shares them."""
    for other in tif.pages:
        tag = other.tags.get(_SIS_TAG) if isinstance(other, tifffile.TiffPage) else None
        if tag is None or not isinstance(tag.value, Mapping) or other.shape[:2] != page.shape[:2]:
            continue
        moment = tag.value.get("datetime")
        size = _square(_number(tag.value.get("pixelsizex")), _number(tag.value.get("pixelsizey")))
        return size, {
            "calibration": "Olympus SIS",
            "magnification": _number(tag.value.get("magnification")),
            "instrument": tag.value.get("cameraname"),
            "date": moment.date().isoformat() if isinstance(moment, datetime) else None,
            "time": moment.time().isoformat() if isinstance(moment, datetime) else None,
        }
    return None, {}

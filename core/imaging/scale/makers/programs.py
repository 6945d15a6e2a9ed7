"""Programs rather than makers: ImageJ, DigitalMicrograph, SIS, TVIPS, SerialEM, OpenFIBSEM."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import tifffile

from core.imaging.scale.makers.resolution import CENTIMETRE, per_unit, unit_code
from core.imaging.scale.statements import Statement, calibrated, whole
from core.imaging.scale.units import from_axes, metres, number, scaled
from core.micrograph import plain_unit

_DM_UNIT, _DM_UNIT_Y, _DM_SCALE_X, _DM_SCALE_Y = 65003, 65004, 65009, 65010
_SIS_TAG, _TVIPS_TAG = 33560, 37706
_MAX_JSON = 1_000_000
_PRINT_UNITS = ("cm", "in", "inch")  # ImageJ takes the resolution of any TIFF for a scale
_FINEST_PRINT_M = 5e-6  # above 4800 dots per inch nobody prints or scans
_OF_A_PRINT = (
    "no pixel size: the resolution is that of a print or scan (per cm or inch), not of the specimen"
)
_SERIALEM_PER_CM = 1e4  # fewer pixels a centimetre are those of a print


def read_imagej(fields: Mapping[str, Any], page: tifffile.TiffPage) -> list[Statement]:
    """Return pixels per unit in the resolution tags, with the unit in the description."""
    per_x, per_y = (per_unit(page, axis) for axis in "XY")
    x, y = (1 / per if per else None for per in (per_x, per_y))
    unit = fields.get("unit")
    if plain_unit(unit) in _PRINT_UNITS and (metres(x, unit) or 0) > _FINEST_PRINT_M:
        return [Statement("ImageJ", fields={"calibration": _OF_A_PRINT})]
    return [calibrated("ImageJ", from_axes(x, y, unit, "ImageJ", fields.get("yunit")))]


def read_digital_micrograph(page: tifffile.TiffPage) -> list[Statement]:
    """Return what DigitalMicrograph's private tags say: scale and unit of each axis."""

    def value(code: int) -> Any:
        tag = page.tags.get(code)
        return None if tag is None else tag.value

    if _DM_SCALE_X not in page.tags:
        return []
    unit_y = value(_DM_UNIT_Y)
    found = from_axes(
        value(_DM_SCALE_X),
        value(_DM_SCALE_Y),
        value(_DM_UNIT),
        "DigitalMicrograph",
        unit_y if isinstance(unit_y, str) else None,
    )
    return [calibrated("DigitalMicrograph", found)]


def read_olympus(pages: list[tifffile.TiffPage], page: tifffile.TiffPage) -> list[Statement]:
    """Olympus SIS: metres, on the page measured; a preview of the same shape shares them."""
    for other in pages:
        tag = other.tags.get(_SIS_TAG)
        if tag is None or not isinstance(tag.value, Mapping) or other.shape[:2] != page.shape[:2]:
            continue
        moment: Any = tag.value.get("datetime")
        is_moment = isinstance(moment, datetime)
        about = {
            "magnification": number(tag.value.get("magnification")),
            "instrument": tag.value.get("cameraname"),
            "date": moment.date().isoformat() if is_moment else None,
            "time": moment.time().isoformat() if is_moment else None,
        }
        edges = number(tag.value.get("pixelsizex")), number(tag.value.get("pixelsizey"))
        return [Statement("Olympus SIS", *edges, fields=about)]
    return []


def read_tvips(page: tifffile.TiffPage) -> list[Statement]:
    """TVIPS: the camera's pixel size divided by the magnification, in nm."""
    values = page.tags[_TVIPS_TAG].value if _TVIPS_TAG in page.tags else None
    if not isinstance(values, Mapping):
        return []
    plain = {key: _first(value) for key, value in values.items()}
    x_m, y_m = (metres(plain.get(f"PixelSize{axis}"), "nm") for axis in "XY")
    return [
        Statement(
            "TVIPS",
            x_m or None,
            y_m or None,
            whole(plain.get("ImageSizeX")),
            whole(plain.get("ImageSizeY")),
            0,
            fields={
                "magnification": number(plain.get("TemMagnification")),
                "voltage_kv": _kilovolts(plain.get("TemHighTension")),
                "instrument": plain.get("MicroscopeName") or None,
                "detector": plain.get("CameraName") or plain.get("CameraType") or None,
            },
        )
    ]


def _first(value: Any) -> Any:
    with contextlib.suppress(TypeError, IndexError, KeyError):
        if not isinstance(value, str | bytes):
            return value[0]
    return value


def _kilovolts(value: object) -> float | None:
    volts = number(value)
    return None if volts is None else scaled(volts, 1e-3 if volts > 1000 else 1)


def read_serialem(page: tifffile.TiffPage) -> list[Statement]:
    """SerialEM: pixels per centimetre in the resolution tags, as the only program."""
    per = per_unit(page, "X")
    if not page.description.lstrip().startswith("SerialEM") or unit_code(page) != CENTIMETRE:
        return []
    x_m, y_m = (
        0.01 / n if n and n > _SERIALEM_PER_CM else None for n in (per, per_unit(page, "Y"))
    )
    return [Statement("SerialEM", x_m, y_m)]


def read_openfibsem(page: tifffile.TiffPage) -> list[Statement]:
    """OpenFIBSEM: a description in JSON; lengths in metres."""
    text = page.description
    if not text.lstrip().startswith("{") or '"pixel_size"' not in text or len(text) > _MAX_JSON:
        return []
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return []
    edges = _at(values, "pixel_size")
    image, frame = _at(values, "image"), _at(values, "image", "resolution")
    width, height = frame[:2] if isinstance(frame, list) and len(frame) >= 2 else (None, None)
    field_m = number(image.get("hfw")) if isinstance(image, Mapping) else None
    if not isinstance(edges, Mapping):
        return []
    size: dict[str, Any] = {"width_px": whole(width), "height_px": whole(height), "bar_px": 0}
    by_field_m = field_m / size["width_px"] if field_m and size["width_px"] else None
    return [
        Statement("OpenFIBSEM", number(edges.get("x")), number(edges.get("y")), **size),
        Statement("OpenFIBSEM's field width", by_field_m, None, **size),
    ]


def _at(tree: object, *keys: str) -> Any:
    for key in keys:
        tree = tree.get(key) if isinstance(tree, Mapping) else None
    return tree

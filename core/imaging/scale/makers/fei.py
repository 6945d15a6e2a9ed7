"""FEI and Thermo Fisher: the INI of SEMs, the XML of Titan, Talos and Tecnai; Phenom's XML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import tifffile

from core.imaging.scale.makers.text import attributes, element, first_text
from core.imaging.scale.statements import Statement, whole
from core.imaging.scale.units import iso_date, iso_time, metres, number, rounded, scaled

_INI_TAGS = (34682, 34680)
_XML_TAG = 34683
_BEAM_SCANS = ("EScan", "IScan")


def read_fei(page: tifffile.TiffPage) -> list[Statement]:
    """Return what the page's own settings state; nothing where it has none."""
    for code in _INI_TAGS:
        value = page.tags[code].value if code in page.tags else None
        if isinstance(value, Mapping):
            return _ini(value)
    return []


def read_fei_xml(page: tifffile.TiffPage) -> list[Statement]:
    """Return what the XML of a transmission microscope, or of a Phenom, states."""
    value = page.tags[_XML_TAG].value if _XML_TAG in page.tags else None
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return []
    return read_phenom(value) if "<FeiImage" in value else _titan(value)


def _ini(fields: Mapping[str, Any]) -> list[Statement]:
    """Sections of an INI file; lengths in metres, voltage in volts."""

    def get(section: str, key: str) -> Any:
        group = fields.get(section)
        return group.get(key) if isinstance(group, Mapping) else None

    beam = str(get("Beam", "Beam") or "EBeam")
    field_m = number(get(beam, "HFW"))
    # A bar of 0 rows is stated by some files that have one all the same, and then counts as unsaid.
    canvas_m = number(get("Image", "MagCanvasRealWidth"))
    size: dict[str, Any] = {
        "width_px": whole(get("Image", "ResolutionX")),
        "height_px": whole(get("Image", "ResolutionY")),
        "bar_px": whole(get("PrivateFei", "DatabarHeight") or get("PrivateFei", "DataBarHeight")),
    }
    about = {
        "voltage_kv": scaled(get("Beam", "HV"), 1e-3),
        "working_distance_mm": scaled(get(beam, "WD"), 1e3),
        "magnification": rounded(canvas_m / field_m) if canvas_m and field_m else None,
        "detector": get("Detectors", "Name"),
        "instrument": get("System", "SystemType"),
        "date": iso_date(get("User", "Date"), "%m/%d/%Y"),
        "time": iso_time(get("User", "Time")),
    }
    scans = ("Scan", str(get("Beam", "Scan") or ""), *_BEAM_SCANS)
    x_m, y_m, scan_m = next(
        (
            (edge, number(get(scan, "PixelHeight")), number(get(scan, "HorFieldsize")))
            for scan in scans
            if (edge := number(get(scan, "PixelWidth"))) is not None
        ),
        (None, None, None),
    )
    columns = size["width_px"]
    by_field_m, by_scan_m = (
        width_m / columns if width_m and columns else None for width_m in (field_m, scan_m)
    )
    return [
        Statement("FEI", x_m, y_m, **size, fields=about),
        Statement("FEI" if x_m is None else "FEI's field width", by_field_m, **size),
        Statement("FEI's scan width", by_scan_m, **size),
    ]


def _titan(xml: str) -> list[Statement]:
    size = element(xml, "PixelSize", 2000)
    edges = []
    for axis in "XY":
        found = re.search(rf"<{axis}\b([^<>]{{0,200}})>([^<]{{1,60}})</{axis}>", size)
        unit = attributes(found[1]).get("unit", "m") if found else "m"
        edges.append(metres(found[2].strip(), unit) if found else None)
    frame = element(xml, "ImageSize", 2000)
    kilovolts = scaled(first_text(element(xml, "Optics", 20_000), "AccelerationVoltage"), 1e-3)
    return [
        Statement(
            "FEI",
            edges[0],
            edges[1],
            whole(first_text(frame, "X")),
            whole(first_text(frame, "Y")),
            fields={
                "instrument": first_text(xml, "Microscope") or first_text(xml, "InstrumentModel"),
                "voltage_kv": kilovolts,
            },
        )
    ]


def read_phenom(xml: str) -> list[Statement]:
    """Return what a Phenom writes into its TIFF, or behind the end of its JPEG."""
    edges = []
    for axis in ("Width", "Height"):
        found = re.search(rf"<pixel{axis}\b([^<>]{{0,200}})>([^<]{{1,60}})<", xml)
        unit = attributes(found[1]).get("unit", "") if found else ""
        edges.append(metres(found[2].strip(), unit) if found else None)
    return [
        Statement(
            "Phenom",
            edges[0],
            edges[1],
            fields={
                "instrument": first_text(xml, "type") or "Phenom",
                "voltage_kv": _kilovolts(first_text(xml, "acceleratingVoltage")),
            },
        )
    ]


def _kilovolts(text: str) -> float | None:
    volts = number(text)
    return None if volts is None else scaled(abs(volts), 1e-3)

"""Hitachi: the text beside each picture, of scanning and of transmission microscopes."""

from __future__ import annotations

import re

from core.imaging.scale.makers.ini import entries, leading_number, size_px
from core.imaging.scale.statements import Statement
from core.imaging.scale.units import iso_date, iso_time, metres, number, scaled

SECTIONS = ("[SemImageFile]", "[TemImageFile]")
_POLAROID_M = 0.127  # magnification is that of a print so wide
_WITHOUT_PIXEL_SIZE = re.compile(r"S-4700", re.IGNORECASE)


def read_hitachi(text: str) -> list[Statement]:
    """Return what the lines of key=value state; pixel size in nm, distance in µm, voltage in V."""
    values = entries(text)
    width, height = size_px(values.get("DataSize"))
    model, magnification = values.get("InstructName"), number(values.get("Magnification"))
    x_m = metres(number(values.get("PixelSize")), "nm")
    known = _WITHOUT_PIXEL_SIZE.search(model or "")
    if x_m is None and known and magnification and magnification > 0 and width:
        x_m = _POLAROID_M / magnification / width
    return [
        Statement(
            "Hitachi (settings beside the picture)",
            x_m,
            None,
            width,
            height,
            fields={
                "voltage_kv": scaled(leading_number(values.get("AcceleratingVoltage")), 1e-3),
                "working_distance_mm": scaled(leading_number(values.get("WorkingDistance")), 1e-3),
                "magnification": magnification,
                "detector": values.get("SignalName"),
                "instrument": f"Hitachi {model}" if model else "Hitachi",
                "date": iso_date(values.get("Date"), "%m/%d/%Y", "%Y/%m/%d"),
                "time": iso_time(values.get("Time")),
            },
        )
    ]

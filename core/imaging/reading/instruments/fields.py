"""What a file of an instrument says about microscope, voltage, date: as plain values."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

_INSTRUMENT = ("Acquisition_instrument.TEM", "Acquisition_instrument.SEM")
_FIELDS = {  # ours: where RosettaSciIO puts it below the instrument, factor to our unit
    "voltage_kv": ("beam_energy", 1.0),
    "magnification": ("magnification", 1.0),
    "working_distance_mm": ("working_distance", 1.0),
    "camera_length_mm": ("camera_length", 1.0),
}
_TEXTS = {"instrument": "microscope", "detector": "Detector.Camera.Name"}
_DM_TAGS = "ImageList.TagGroup0.ImageTags"
_DM_MICROSCOPE = ("Session Info.Microscope", "Microscope Info.Name", "Microscope Info.Microscope")


def instrument_fields(signal: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of our metadata fields that a signal states.

    Parameters
    ----------
    signal : mapping
        With metadata, original_metadata and mapping, as RosettaSciIO returns them.

    Returns
    -------
    dict
        Of voltage_kv, magnification, working_distance_mm, camera_length_mm, instrument, detector,
        date and time.
    """
    stated = _mapped(signal)
    fields: dict[str, Any] = {}
    for instrument in _INSTRUMENT:
        for ours, (theirs, factor) in _FIELDS.items():
            fields.setdefault(ours, _positive(stated(f"{instrument}.{theirs}"), factor))
        for ours, theirs in _TEXTS.items():
            fields.setdefault(ours, _text(stated(f"{instrument}.{theirs}")))
        fields = {key: value for key, value in fields.items() if value is not None}
    fields.setdefault("instrument", _dm_instrument(signal))
    fields["date"] = _day_month_order(signal, _text(stated("General.date")))
    fields["time"] = _text(stated("General.time"))
    return {key: value for key, value in fields.items() if value is not None}


def _mapped(signal: Mapping[str, Any]) -> Any:
    """Return a function from a place in RosettaSciIO's common metadata to the value there."""
    values: dict[str, Any] = {}
    for source, (target, convert) in (signal.get("mapping") or {}).items():
        value = _at(signal["original_metadata"], source)
        with contextlib.suppress(Exception):  # a converter of theirs on a value it did not expect
            if value is not None:
                values[target] = convert(value) if convert else value

    def stated(path: str) -> Any:
        found = values.get(path)
        return _at(signal["metadata"], path) if found is None else found

    return stated


def _at(tree: Any, path: str) -> Any:
    """Return what lies at a path of keys; "_" stands for a blank where the key has one."""
    for key in path.split("."):
        if not isinstance(tree, Mapping):
            return None
        plain = {str(other).replace(" ", "_"): other for other in tree}
        found = key if key in tree else plain.get(key.replace(" ", "_"))
        if found is None:
            return None
        tree = tree[found]
    return tree


def _dm_instrument(signal: Mapping[str, Any]) -> str | None:
    """Return the first name of the microscope that DigitalMicrograph has, wherever it put it."""
    names = (_text(_at(signal["original_metadata"], f"{_DM_TAGS}.{at}")) for at in _DM_MICROSCOPE)
    return next((name for name in names if name), None)


def _positive(value: object, factor: float) -> float | None:
    try:
        number = float(str(value)) * factor
    except ValueError:
        return None
    return float(f"{number:.9g}") if 0 < number < math.inf else None


def _text(value: object) -> str | None:
    text = "".join(c for c in str(value or "").strip() if c.isprintable())[:100]
    return text if text not in ("", "[]", "{}", "None") else None


def _day_month_order(signal: Mapping[str, Any], found: str | None) -> str | None:
    """Return a date with day and month as the clock of the computer says.

    DigitalMicrograph writes dates in the order of the country. Beside them stands the time since
    1601 in steps of 100 ns, which has no such doubt.
    """
    bar = _at(signal["original_metadata"], f"{_DM_TAGS}.DataBar")
    ticks = _positive(bar.get("Acquisition Time (OS)"), 1.0) if isinstance(bar, Mapping) else None
    if found is None or ticks is None:
        return found
    with contextlib.suppress(ValueError, OverflowError):
        clock = (datetime(1601, 1, 1) + timedelta(microseconds=ticks / 10)).date()
        year, month, day = (int(part) for part in found.split("-"))
        swapped = date(year, day, month)
        if abs(swapped - clock).days <= 1 < abs(date(year, month, day) - clock).days:
            return swapped.isoformat()
    return found

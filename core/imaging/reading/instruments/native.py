"""Files of Gatan, Thermo Fisher (FEI) and others, opened in a process of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from core.errors import UnreadableMicrograph
from core.imaging.reading.archive import is_panta_rhei
from core.imaging.reading.frame import Decoder, Frame, Source
from core.imaging.reading.instruments.mrc import is_mrc
from core.imaging.reading.instruments.worker import WORKER
from core.imaging.reading.limits import listed
from core.imaging.reading.stores import is_store
from core.imaging.scale import Calibration, from_axes

_HDF5, _SER, _EMI = b"\x89HDF\r\n\x1a\n", b"II\x97\x01", b"JK\0\2"
_MAGIC: dict[str, tuple[bytes, ...]] = {
    "bcf": (b"AAMVHFSS",),
    "jeol": (b"\x34\0\0\0",),
    "elid": (b"BZh",),
    "czi": (b"ZISRAWFILE",),
    "jp2": (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"),
}
_SERIES = re.compile(r"^(.*)_([1-9])\.ser$", re.IGNORECASE | re.DOTALL)
_NAMES = {
    "dm": "Gatan DigitalMicrograph",
    "tia": "FEI TIA",
    "mrc": "MRC",
    "bcf": "Bruker Esprit",
    "jeol": "JEOL Analysis Station",
    "elid": "Phenom ELID",
    "prz": "CEOS Panta Rhei",
    "hdf5": "HDF5",
    "emd": "EMD",
    "hspy": "HyperSpy",
    "zspy": "HyperSpy",
    "h5oina": "Oxford H5OINA",
    "nexus": "NeXus",
    "delmic": "Delmic HDF5",
    "jp2": "JPEG 2000",
    "czi": "Zeiss CZI",
    "dm5": "Gatan DigitalMicrograph",
}
_SUFFIXES = {"dm": "dm4", "bcf": "bcf", "jeol": "img", "elid": "elid", "prz": "prz"}
_NO_SERIES = (
    "An .emi file holds settings only; give it together with the .ser files that were saved with "
    "it."
)


def _kind(head: bytes) -> str | None:
    """Return one of `signals.KINDS`, None for anything else."""
    if head.startswith(_HDF5):
        return "hdf5"
    if head.startswith((_SER, _EMI)):
        return "tia"
    if _is_digital_micrograph(head):
        return "dm"
    for kind, magic in _MAGIC.items():
        if head.startswith(magic):
            return kind
    if is_store(head):
        return "zspy"
    if is_panta_rhei(head):
        return "prz"
    return "mrc" if is_mrc(head) else None


def _is_digital_micrograph(head: bytes) -> bool:
    """Version 3 or 4, the file's length, then 0 or 1 for the byte order."""
    order = {b"\0\0\0\3": head[8:12], b"\0\0\0\4": head[12:16]}.get(head[:4])
    return order in (b"\0\0\0\0", b"\0\0\0\1")


def _recognises(head: bytes) -> bool:
    return _kind(head) is not None


def _labels(source: Source) -> list[str]:
    kind, files, opened = _request(source)
    answer, _ = WORKER.decode(kind, files, opened, None)
    return [str(label) for label in answer["labels"]]


def _decode(source: Source, frame: int) -> tuple[Frame, int]:
    kind, files, opened = _request(source)
    answer, values = WORKER.decode(kind, files, opened, frame)
    assert values is not None
    program = _NAMES[str(answer.get("kind", kind))]
    pixel_size, scale = _calibration(answer["axes"], program)
    metadata: dict[str, Any] = {"format": program, "bit_depth": str(answer["stored"])}
    metadata |= answer["fields"] | scale
    label = answer["labels"][frame]
    if answer["frames"] > 1 or not label.startswith("image "):
        metadata["signal"] = label
    if answer["notes"]:
        metadata["conversion"] = "; ".join(answer["notes"])
    return Frame(values, pixel_size, metadata), listed(answer["frames"])


def _calibration(axes: list[list[Any]] | None, program: str) -> Calibration:
    """Return the scale of rows and columns; nothing where the file is not to be trusted."""
    if axes is None:
        return None, {}
    (y, unit_y), (x, unit_x) = axes
    return from_axes(x, y, unit_x, program, unit_y)


def _request(source: Source) -> tuple[str, Mapping[str, bytes], str]:
    """Return the kind of file, what to hand over under names of ours, and which of it to open."""
    kind = _kind(source.data[:256])
    if kind is None:
        raise ValueError("not a file of an instrument")
    if kind != "tia":
        name = f"picture.{_SUFFIXES.get(kind, kind)}"
        return kind, {name: source.data}, name
    if source.data.startswith(_SER):
        return kind, *_ser_files(source)
    return kind, *_emi_files(source)


def _ser_files(source: Source) -> tuple[dict[str, bytes], str]:
    """A .ser, with its .emi where that is known: the unit of its scale stands there."""
    match = _SERIES.match(PurePath(source.name).name)
    if match:
        wanted = f"{match[1]}.emi".lower()
        for name, data in source.companions.items():
            if PurePath(name).name.lower() == wanted and data.startswith(_EMI):
                series = f"picture_{match[2]}.ser"
                return {"picture.emi": data, series: source.data}, "picture.emi"
    return {"picture_1.ser": source.data}, "picture_1.ser"


def _emi_files(source: Source) -> tuple[dict[str, bytes], str]:
    files = {"picture.emi": source.data}
    for number, data in series_of(source).items():
        files[f"picture_{number}.ser"] = data
    if len(files) == 1:
        raise UnreadableMicrograph(_NO_SERIES)
    return files, "picture.emi"


def series_of(source: Source) -> dict[str, bytes]:
    """Return the .ser files that belong to an .emi by their number; none for other files."""
    if not source.data.startswith(_EMI):
        return {}
    stem = PurePath(source.name).stem.lower()
    found = {}
    for name, data in source.companions.items():
        match = _SERIES.match(PurePath(name).name)
        if match and match[1].lower() == stem and data.startswith(_SER):
            found[match[2]] = data
    return dict(sorted(found.items()))


NATIVE = Decoder(_recognises, _labels, _decode)

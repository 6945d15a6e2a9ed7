"""The images in a file of an instrument, as RosettaSciIO understands it.

Runs in the decoding process only (`process`). RosettaSciIO is imported when
it is needed and by name, so that nothing else depends on it.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import math
import sys
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UnreadableMicrograph
from core.imaging.reading.instruments.fields import instrument_fields
from core.imaging.reading.instruments.hdf5_guard import check_hdf5
from core.imaging.reading.limits import MAX_FRAMES

READERS = {
    "dm": "rsciio.digitalmicrograph",
    "tia": "rsciio.tia",
    "emd": "rsciio.emd",
    "mrc": "rsciio.mrc",
}
_NO_IMAGE = (
    "There is no image in the file, only a spectrum or spectra; export a map or the survey image."
)
_IMOD, _SINCE_STANDARD = 1146047817, 20140  # marks in the header of an MRC file
_MRC_BYTES = {0: 1, 1: 2, 2: 4, 3: 4, 4: 8, 6: 2, 12: 2}  # of one value, by mode
_ENERGY = ("ev", "kev")
_UNTRUSTED = (
    "no pixel size: a .ser alone may state a wrong unit; give the .emi that was saved with it"
)


def load_readers() -> None:
    """Import what reads the formats, once and before any file comes."""
    for name in READERS.values():
        importlib.import_module(name)
    if importlib.util.find_spec("sparse") is None:
        # Files with spectra beside the images are refused as a whole without this package, though
        # only the spectra would need it; they are never asked for here.
        stand_in = types.ModuleType("sparse")
        stand_in.__spec__ = importlib.machinery.ModuleSpec("sparse", None)
        sys.modules["sparse"] = stand_in


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One image in a file, not decoded yet.

    Parameters
    ----------
    label : str
        For the choice among several.
    signal : mapping
        As RosettaSciIO returns it: data, axes, metadata, original_metadata, mapping.
    at : tuple of int
        Position among the images of a stack; empty for a single one.
    kind : str
        A key of `READERS`.
    has_signed_bytes : bool
        Whether bytes that come as unsigned are signed.
    """

    label: str
    signal: Mapping[str, Any]
    at: tuple[int, ...]
    kind: str
    has_signed_bytes: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        rows, columns = self.signal["data"].shape[-2:]
        return int(rows), int(columns)

    @property
    def stored_bytes(self) -> int:
        """What it takes in memory as stored."""
        rows, columns = self.shape
        return rows * columns * int(self.signal["data"].dtype.itemsize)

    def load(self) -> NDArray[Any]:
        """Decode to (H, W) or (H, W, C) of numbers, as stored."""
        values = self.signal["data"][self.at] if self.at else self.signal["data"]
        if hasattr(values, "compute"):
            values = values.compute(scheduler="synchronous")
        values = np.asarray(values)
        if values.dtype.names:
            return np.stack([values[name] for name in values.dtype.names], axis=-1)
        return values.view(np.int8) if self.has_signed_bytes else values

    def described(self) -> dict[str, Any]:
        """Return plain values: the scale of rows and columns, and what is known of the instrument.

        Scales are (edge, unit); None where the file is not to be trusted, with the reason.
        """
        axes: list[Any] | None = [_scale(axis) for axis in self.signal["axes"][-2:]]
        fields = instrument_fields(self.signal)
        if self.kind == "tia" and not _is_as_the_mode_says(self.signal):
            axes, fields = None, fields | {"calibration": _UNTRUSTED}
        return {"axes": axes, "fields": fields, "stored": _in_words(self.signal["data"].dtype)}


def find_pictures(kind: str, path: Path) -> list[Picture]:
    """Return the images of a file, real ones before complex ones.

    Parameters
    ----------
    kind : str
        A key of `READERS`.
    path : Path

    Raises
    ------
    UnreadableMicrograph
        If there is no image in it.
    """
    signals = _read(kind, path)
    images = [signal for signal in signals if _is_image(signal)]
    images.sort(key=lambda signal: signal["data"].dtype.kind == "c")
    signed = kind == "mrc" and _has_signed_bytes(path)
    pictures = [
        Picture(label, signal, at, kind, signed)
        for number, signal in enumerate(images, 1)
        for label, at in _members(signal, number, path.stem)
    ]
    if not pictures:
        raise UnreadableMicrograph(_NO_IMAGE)
    return pictures


def count_images(pictures: Sequence[Picture]) -> int:
    """Return how many images there are, also beyond those that are offered."""
    stacks = {id(picture.signal): picture.signal["data"].shape[:-2] for picture in pictures}
    return sum(math.prod(stack) for stack in stacks.values())


def _read(kind: str, path: Path) -> list[dict[str, Any]]:
    reader: Any = importlib.import_module(READERS[kind])
    if kind == "emd":
        check_hdf5(path)
        options = {"select_type": "images"}
        signals = reader.file_reader(str(path), lazy=True, **options)
    elif kind == "tia":
        signals = reader.file_reader(str(path))  # reads everything in any case
    else:
        if kind == "mrc":
            _check_mrc(path)
        signals = _read_lazily(reader, path)
    found: list[dict[str, Any]] = signals
    return found


def _read_lazily(reader: Any, path: Path) -> Any:
    try:
        return reader.file_reader(str(path), lazy=True)
    except ValueError:  # colours of DigitalMicrograph
        return reader.file_reader(str(path))


def _check_mrc(path: Path) -> None:
    """Refuse a file that announces more sections than it holds: billions take minutes to list."""
    with path.open("rb") as file:
        header = file.read(1024)
    columns, rows, sections, mode = (_int32(header, at) for at in (0, 4, 8, 12))
    values_bytes = columns * rows * sections * _MRC_BYTES.get(mode, 1)
    if min(columns, rows, sections) < 1 or values_bytes > path.stat().st_size:
        raise UnreadableMicrograph("The MRC file is cut short or damaged; copy or export it again.")


def _int32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little", signed=True)


def _has_signed_bytes(path: Path) -> bool:
    """Tell signed from unsigned 8-bit MRC: the standard says signed, IMOD says which.

    Files older than the standard and not from IMOD are unsigned by custom.
    """
    with path.open("rb") as file:
        header = file.read(160)
    mode, version, stamp, flags = (_int32(header, at) for at in (12, 108, 152, 156))
    if mode != 0:
        return False
    return bool(flags & 1) if stamp == _IMOD else version >= _SINCE_STANDARD


def _is_image(signal: Mapping[str, Any]) -> bool:
    """Tell images from spectra: two axes of the signal, neither of them an energy."""
    axes, shape = signal["axes"], signal["data"].shape
    if len(shape) < 2 or len(axes) != len(shape) or math.prod(shape) == 0:
        return False
    last = axes[-2:]
    energies = any(str(axis.get("units")).strip().lower() in _ENERGY for axis in last)
    return not energies and not any(axis.get("navigate") for axis in last)


def _members(
    signal: Mapping[str, Any], number: int, file_name: str
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield a label and a position for each image of a signal."""
    title = str(signal["metadata"].get("General", {}).get("title") or "")[:60]
    known = title.isprintable() and title not in ("", file_name, "__unnamed__")
    name = title if known else f"image {number}"
    stack = signal["data"].shape[:-2]
    frames = math.prod(stack)
    if frames == 1:
        yield name, (0,) * len(stack)
        return
    for frame in range(min(frames, MAX_FRAMES)):
        at = tuple(int(i) for i in np.unravel_index(frame, stack))
        yield f"{name}, frame {frame + 1}", at


def _scale(axis: Mapping[str, Any]) -> tuple[float | None, str]:
    """Return the edge of a pixel along an axis and its unit, as stated."""
    edge = abs(float(axis.get("scale") or 0))
    return (edge if math.isfinite(edge) else None), str(axis.get("units") or "")[:40]


def _in_words(dtype: np.dtype[Any]) -> str:
    return f"{8 * dtype.itemsize}-bit colour" if dtype.names else str(dtype.name)


def _is_as_the_mode_says(signal: Mapping[str, Any]) -> bool:
    """Tell whether the unit of a .ser agrees with the mode that its own .emi entry states."""
    unit = str(signal["axes"][-1].get("units"))
    info = signal["original_metadata"].get("ObjectInfo", {})
    mode = str(info.get("ExperimentalDescription", {}).get("Mode", ""))
    if not mode:
        return False
    by_camera = "STEM" in mode and "CameraNamePath" in info.get("AcquireInfo", {})
    diffraction = by_camera or ("Diffraction" in mode and "STEM" not in mode)
    return diffraction == unit.replace(" ", "").startswith("1/")

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
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UnreadableMicrograph
from core.imaging.reading.instruments.czi import read_czi
from core.imaging.reading.instruments.fields import instrument_fields
from core.imaging.reading.instruments.hdf5_guard import check_hdf5
from core.imaging.reading.instruments.hdf5_kinds import hdf5_kind, is_prismatic
from core.imaging.reading.instruments.hdf5_pictures import read_hdf5
from core.imaging.reading.instruments.mrc import read_mrc
from core.imaging.reading.instruments.packed_pictures import read_jpeg_2000
from core.imaging.reading.instruments.zarr_guard import check_zarr
from core.imaging.reading.limits import MAX_FRAMES

READERS = {
    "dm": "rsciio.digitalmicrograph",
    "tia": "rsciio.tia",
    "emd": "rsciio.emd",
    "hspy": "rsciio.hspy",
    "zspy": "rsciio.zspy",
    "bcf": "rsciio.bruker",
    "jeol": "rsciio.jeol",
    "elid": "rsciio.phenom",
    "prz": "rsciio.pantarhei",
}
KINDS = (*READERS, "hdf5", "mrc", "jp2", "czi")
_AT_ONCE = ("emd", "dm", "tia")  # imported before any file comes, the others when one does
_NO_IMAGE = (
    "There is no image in the file, only a spectrum or spectra; export a map or the survey image."
)
_ENERGY = ("ev", "kev")
_UNTRUSTED = (
    "no pixel size: a .ser alone may state a wrong unit; give the .emi that was saved with it"
)


def load_readers() -> None:
    """Import what reads the formats, once and before any file comes."""
    for kind in _AT_ONCE:
        importlib.import_module(READERS[kind])
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
        One of `KINDS`.
    """

    label: str
    signal: Mapping[str, Any]
    at: tuple[int, ...]
    kind: str

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
        return values

    def described(self) -> dict[str, Any]:
        """Return plain values: the scale of rows and columns, and what is known of the instrument.

        Scales are (edge, unit); None where the file is not to be trusted, with the reason.
        """
        axes: list[Any] | None = [_scale(axis) for axis in self.signal["axes"][-2:]]
        fields = instrument_fields(self.signal) | self.signal.get("fields", {})
        if self.kind == "tia" and not _is_as_the_mode_says(self.signal):
            axes, fields = None, fields | {"calibration": _UNTRUSTED}
        return {"axes": axes, "fields": fields, "stored": _in_words(self.signal["data"].dtype)}


def find_pictures(kind: str, path: Path) -> list[Picture]:
    """Return the images of a file, real ones before complex ones.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    path : Path

    Raises
    ------
    UnreadableMicrograph
        If there is no image in it.
    """
    signals = _read(kind, path)
    images = [signal for signal in signals if _is_image(signal)]
    images.sort(key=lambda signal: signal["data"].dtype.kind == "c")
    pictures = [
        Picture(label, signal, at, str(signal.get("kind", kind)))
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
    if kind in _OWN:
        return _OWN[kind](path)
    if kind == "hdf5":
        check_hdf5(path)
        kind = hdf5_kind(path)
        if kind not in READERS:
            return read_hdf5(kind, path)
    if kind == "zspy":
        check_zarr(path)
    reader: Any = importlib.import_module(READERS[kind])
    if kind == "emd":
        signals = reader.file_reader(str(path), lazy=True, select_type="images")
        signals = [_upright(signal, is_prismatic(path)) for signal in signals]
    else:
        signals = _OPENERS.get(kind, _read_lazily)(reader, path)
    return [signal | {"kind": kind} for signal in signals]


def _read_lazily(reader: Any, path: Path) -> Any:
    try:
        return reader.file_reader(str(path), lazy=True)
    except ValueError:  # colours of DigitalMicrograph
        return reader.file_reader(str(path))


def _read_at_once(reader: Any, path: Path) -> Any:
    return reader.file_reader(str(path))


_OWN: dict[str, Callable[[Path], list[dict[str, Any]]]] = {
    "mrc": read_mrc,
    "jp2": read_jpeg_2000,
    "czi": read_czi,
}
_OPENERS: dict[str, Callable[[Any, Path], Any]] = {
    "tia": _read_at_once,  # reads everything in any case
    "elid": _read_at_once,
    "prz": _read_at_once,
    "jeol": _read_at_once,
    "bcf": lambda reader, path: reader.file_reader(str(path), select_type="image"),
}


def _upright(signal: dict[str, Any], in_angstrom: bool) -> dict[str, Any]:
    """Put the axes named y and x last, in this order; Prismatic's real axes are in ångström.

    RosettaSciIO takes the first axis of a Berkeley EMD for columns whatever it is called.
    """
    axes = list(signal["axes"])
    names = [str(axis.get("name", "")).strip().lower() for axis in axes]
    if names.count("x") == names.count("y") == 1 and len(names) == signal["data"].ndim:
        rest = [i for i, name in enumerate(names) if name not in ("x", "y")]
        order = [*rest, names.index("y"), names.index("x")]
        if order != list(range(len(order))):
            signal = signal | {"data": signal["data"].transpose(order)}
            axes = [axes[i] for i in order]
    if in_angstrom:
        axes = [axis | {"units": "Å"} if axis.get("units") == "nm" else axis for axis in axes]
    return signal | {"axes": axes}


def _is_image(signal: Mapping[str, Any]) -> bool:
    """Tell images from spectra: two axes of the signal, neither of them an energy."""
    axes, shape = signal["axes"], signal["data"].shape
    if signal["data"].dtype.kind not in "biufcV":
        return False
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

"""Pictures in HDF5 files of Oxford, Delmic, Gatan (DM5) and NeXus, by their public layouts.

Layouts: H5OINA file specification (Oxford Instruments, public); Delmic: SVI's HDF5 as Odemis writes
it; NeXus: manual of NXdata; DM5: the tags of a DM4 as groups. Values stay in the file until one
picture is asked for.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.imaging.reading.instruments.hdf5_kinds import text

_MOST_OBJECTS = 20_000
_UNEVEN = 0.01  # steps of an axis that differ by more have no one pixel size

Signal = dict[str, Any]


def read_hdf5(kind: str, path: Path) -> list[Signal]:
    """Return the pictures of a file in the form of RosettaSciIO's signals; none when there is none.

    Parameters
    ----------
    kind : str
        "h5oina", "delmic", "dm5" or "nexus".
    path : Path
        Checked by `check_hdf5` before.
    """
    h5py: Any = importlib.import_module("h5py")
    file = h5py.File(path, "r")
    readers = {"h5oina": _oxford, "delmic": _delmic, "dm5": _gatan, "nexus": _nexus}
    return [signal | {"kind": kind} for signal in readers[kind](file, h5py)]


class Reshaped:
    """A list of values as rows and columns, read when it is asked for."""

    def __init__(self, dataset: Any, rows: int, columns: int) -> None:
        self._dataset, self.dtype = dataset, dataset.dtype
        self.shape = (rows, columns)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        values = np.asarray(self._dataset[()]).reshape(self.shape)
        return values if dtype is None else values.astype(dtype)


def _signal(data: Any, title: str, y: tuple[Any, str], x: tuple[Any, str]) -> Signal:
    stack = [{"navigate": True} for _ in data.shape[:-2]]
    axes = [*stack, {"scale": y[0], "units": y[1]}, {"scale": x[0], "units": x[1]}]
    metadata = {"General": {"title": title}}
    return {"data": data, "axes": axes, "metadata": metadata, "original_metadata": {}}


def _datasets(group: Any, h5py: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (path, dataset) below a group, at most so many."""
    waiting, seen = [(where, group)], 0
    while waiting:
        path, current = waiting.pop(0)
        for name in current:
            seen += 1
            member = current.get(name)
            if seen > _MOST_OBJECTS:
                return
            if isinstance(member, h5py.Dataset):
                yield f"{path}/{name}", member
            elif isinstance(member, h5py.Group) and path.count("/") < 8:
                waiting.append((f"{path}/{name}", member))


def _number(group: Any, *names: str) -> float | None:
    """Return the first attribute or single value of these names that is a finite number."""
    for name in names:
        value = group.attrs.get(name)
        if value is None and name in group and getattr(group[name], "size", 0) == 1:
            value = group[name][()]
        try:
            found = float(np.asarray(value).ravel()[0])
        except (TypeError, ValueError, IndexError):
            continue
        if math.isfinite(found):
            return found
    return None


def _oxford(file: Any, h5py: Any) -> Iterator[Signal]:
    """Electron images: lists of values with cells and steps (µm) in the header beside them."""
    for number in sorted(file):
        image: Any = file[number].get("Electron Image") if hasattr(file[number], "get") else None
        header: Any = image.get("Header") if image is not None else None
        if header is None or "Data" not in image:
            continue
        columns, rows = (_number(header, f"{axis} Cells") for axis in "XY")
        x_um, y_um = (_number(header, f"{axis} Step") for axis in "XY")
        for path, dataset in _datasets(image["Data"], h5py):
            title = path.rpartition("/")[2]
            if dataset.ndim == 2:
                yield _signal(dataset, title, (y_um, "um"), (x_um, "um"))
            elif columns and rows and dataset.size == columns * rows:
                data = Reshaped(dataset, int(rows), int(columns))
                yield _signal(data, title, (y_um, "um"), (x_um, "um"))


def _delmic(file: Any, h5py: Any) -> Iterator[Signal]:
    """Images of (C, T, Z, Y, X): those whose first three axes are one long; edges in metres."""
    for name in sorted(file):
        group = file[name].get("ImageData") if hasattr(file[name], "get") else None
        image = group.get("Image") if group is not None else None
        if (
            not isinstance(image, h5py.Dataset)
            or image.ndim < 2
            or image.shape[:-2].count(1) != (image.ndim - 2)
        ):
            continue
        edges = [(_number(group, f"DimensionScale{axis}"), "m") for axis in "YX"]
        physical = file[name].get("PhysicalData")
        title = _title(physical) or name
        yield _signal(image, title, *edges)


def _title(physical: Any) -> str:
    if physical is None or "Title" not in physical:
        return ""
    return text(np.asarray(physical["Title"][()]).ravel()[:1])


def _gatan(file: Any, h5py: Any) -> Iterator[Signal]:
    """DM5: groups named like the tags of a DM4; the first of several images is a preview."""
    images = file["ImageList"]
    names = sorted(images)
    for name in names[1:] if len(names) > 1 else names:
        group = images[name].get("ImageData") if hasattr(images[name], "get") else None
        data = group.get("Data") if group is not None else None
        if not isinstance(data, h5py.Dataset) or data.ndim < 2:
            continue
        sizes = [_gatan_axis(group, number) for number in (1, 0)]
        yield _signal(data, _gatan_title(images[name]), *sizes)


def _gatan_title(group: Any) -> str:
    stated = group.attrs.get("Name")
    if stated is None and "Name" in group:
        stated = group["Name"][()]
    return "" if stated is None else text(stated)


def _gatan_axis(group: Any, number: int) -> tuple[float | None, str]:
    axis = group.get(f"Calibrations/Dimension/[{number}]")
    if axis is None:
        return None, ""
    unit = axis.attrs.get("Units")
    if unit is None and "Units" in axis:
        unit = axis["Units"][()]
    return _number(axis, "Scale"), "" if unit is None else text(unit)


def _nexus(file: Any, h5py: Any) -> Iterator[Signal]:
    """The signal of each NXdata group; its axes say where rows and columns lie."""
    seen: set[int] = set()
    for group in _groups(file, h5py):
        if text(group.attrs.get("NX_class", "")) != "NXdata":
            continue
        name = text(group.attrs.get("signal", "data"))
        data = group.get(name)
        if not isinstance(data, h5py.Dataset) or data.ndim < 2:
            continue
        address = int(h5py.h5o.get_info(data.id).addr)
        if address in seen:
            continue
        seen.add(address)
        axes = _axis_names(group, data)
        title = text(group.attrs.get("title", "")) or group.name.rpartition("/")[2]
        steps = [_step(group, axis, size) for axis, size in zip(axes, data.shape, strict=False)]
        steps += [(None, "")] * (data.ndim - len(steps))
        yield _signal(data, title, steps[-2], steps[-1])


def _groups(file: Any, h5py: Any) -> Iterator[Any]:
    waiting, seen = [file], 0
    while waiting and seen < _MOST_OBJECTS:
        group = waiting.pop(0)
        yield group
        for name in group:
            seen += 1
            member = group.get(name)
            if isinstance(member, h5py.Group) and group.name.count("/") < 8:
                waiting.append(member)


def _axis_names(group: Any, data: Any) -> list[str]:
    stated = group.attrs.get("axes", data.attrs.get("axes"))
    if stated is None:
        return []
    if isinstance(stated, bytes | str):
        return text(stated).replace(":", ",").split(",")
    return [text(name) for name in np.asarray(stated).ravel()]


def _step(group: Any, name: str, size: int) -> tuple[float | None, str]:
    """Return the step of an axis and its unit; none where the steps are not even."""
    axis: Any = group.get(name) if name not in ("", ".") else None
    if axis is None or getattr(axis, "shape", None) != (size,) or size < 2 or size > 1_000_000:
        return None, ""
    places = np.asarray(axis[()], np.float64)
    steps = np.diff(places)
    mean = float(steps.mean())
    if not math.isfinite(mean) or not mean or np.abs(steps / mean - 1).max() > _UNEVEN:
        return None, ""
    return mean, text(axis.attrs.get("units", ""))

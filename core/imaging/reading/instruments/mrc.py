"""MRC and CCP4 maps: both byte orders, with or without a stamp, and only a scale that is stated.

Read here rather than by RosettaSciIO, which takes 1 nm where a header states no cell, reads no
big-endian files and none of modes 3, 16 and 101. Layout: Cheng et al. (2015), MRC2014,
doi:10.1016/j.jsb.2015.04.002; modes 16 and 101 and signed bytes: the documentation of IMOD.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UnreadableMicrograph

HEADER_BYTES = 1024
_TYPES = {0: "u1", 1: "i2", 2: "f4", 3: "i2", 4: "c8", 6: "u2", 12: "f2", 16: "u1", 101: "u1"}
_SHORTS_COMPLEX, _RGB, _HALF_BYTES = 3, 16, 101
_IMOD, _SINCE_STANDARD = 1146047817, 20140  # marks in the header
_MOST_SIDE = 2**20
_FEI_ENTRY_BYTES, _FEI_EDGE_AT = 128, 44  # of the old extended header; the edge is in metres
_CUT_SHORT = "The MRC file is cut short or damaged; copy or export it again."
_PLACEHOLDER = (
    "no pixel size: the cell equals the grid (1 Å a pixel), which programs write that know none"
)
_NOT_CALIBRATED = "no pixel size: the cell is below zero, which says that it is not calibrated"


@dataclass(frozen=True, slots=True)
class Header:
    """What counts of the first 1024 bytes; `order` is "<" or ">"."""

    order: str
    columns: int
    rows: int
    sections: int
    mode: int
    grid: tuple[int, int]
    cell_angstrom: tuple[float, float]
    extended_bytes: int
    has_signed_bytes: bool

    @property
    def section_bytes(self) -> int:
        """What one section takes in the file."""
        if self.mode == _HALF_BYTES:
            return self.rows * ((self.columns + 1) // 2)
        values = {_SHORTS_COMPLEX: 2, _RGB: 3}.get(self.mode, 1)
        return self.rows * self.columns * values * np.dtype(_TYPES[self.mode]).itemsize


def is_mrc(head: bytes) -> bool:
    """Tell an MRC from its first 256 bytes, stamped or not."""
    if head[208:212] in (b"MAP ", b"MAP\0"):
        return True
    return len(head) >= 224 and any(_is_plausible(head, order) for order in "<>")


def _is_plausible(head: bytes, order: str) -> bool:
    """Tell whether the numbers of an unstamped file make sense together in one byte order."""
    columns, rows, sections, mode = struct.unpack_from(f"{order}4i", head)
    axes = struct.unpack_from(f"{order}3i", head, 64)
    angles = struct.unpack_from(f"{order}3f", head, 52)
    grid = struct.unpack_from(f"{order}3i", head, 28)
    extended = struct.unpack_from(f"{order}i", head, 92)[0]
    return (
        all(0 < side < _MOST_SIDE for side in (columns, rows, sections))
        and mode in _TYPES
        and sorted(axes) in ([1, 2, 3], [0, 0, 0])
        and all(angle in (0.0, 90.0, 120.0) for angle in angles)
        and all(0 <= side < _MOST_SIDE for side in grid)
        and 0 <= extended < 2**30
    )


def read_header(head: bytes) -> Header:
    """Return the header; raises UnreadableMicrograph when it makes no sense in either order."""
    if len(head) < HEADER_BYTES:
        raise UnreadableMicrograph(_CUT_SHORT)
    order = _byte_order(head)
    columns, rows, sections, mode = struct.unpack_from(f"{order}4i", head)
    if mode not in _TYPES or not all(side > 0 for side in (columns, rows, sections)):
        raise UnreadableMicrograph(_CUT_SHORT)
    version, imod, flags = (struct.unpack_from(f"{order}i", head, at)[0] for at in (108, 152, 156))
    signed = bool(flags & 1) if imod == _IMOD else version >= _SINCE_STANDARD
    return Header(
        order,
        columns,
        rows,
        sections,
        mode,
        struct.unpack_from(f"{order}2i", head, 28),
        struct.unpack_from(f"{order}2f", head, 40),
        struct.unpack_from(f"{order}i", head, 92)[0],
        mode == 0 and signed,
    )


def _byte_order(head: bytes) -> str:
    """Return the order in which the mode is one; the stamp is missing or wrong in many files."""
    stamped = ">" if head[212:214] == b"\x11\x11" else "<"
    for order in (stamped, "<" if stamped == ">" else ">"):
        mode = struct.unpack_from(f"{order}i", head, 12)[0]
        if mode in _TYPES and struct.unpack_from(f"{order}i", head, 4)[0] < _MOST_SIDE:
            return order
    raise UnreadableMicrograph(_CUT_SHORT)


class Sections:
    """The sections of a file as an array (sections, H, W), decoded one at a time."""

    def __init__(self, path: Path, header: Header) -> None:
        self._path, self._header = path, header
        names = {_SHORTS_COMPLEX: "c8", _RGB: "u1", _HALF_BYTES: "u1"}
        self.dtype: np.dtype[Any] = np.dtype(names.get(header.mode, _TYPES[header.mode]))
        if header.has_signed_bytes:
            self.dtype = np.dtype("i1")
        self.shape: tuple[int, ...] = (header.sections, header.rows, header.columns)
        if header.sections == 1:
            self.shape = self.shape[1:]

    def __getitem__(self, at: tuple[int, ...]) -> NDArray[Any]:
        return self._section(at[0] if at else 0)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        values = self._section(0)
        return values if dtype is None else values.astype(dtype)

    def _section(self, number: int) -> NDArray[Any]:
        header = self._header
        start = HEADER_BYTES + header.extended_bytes + number * header.section_bytes
        with self._path.open("rb") as file:
            file.seek(start)
            data = file.read(header.section_bytes)
        if len(data) != header.section_bytes:
            raise UnreadableMicrograph(_CUT_SHORT)
        stored = np.dtype(header.order + _TYPES[header.mode])
        values = np.frombuffer(data, stored).astype(stored.newbyteorder("="), copy=False)
        return self._shaped(values)

    def _shaped(self, values: NDArray[Any]) -> NDArray[Any]:
        rows, columns, mode = self._header.rows, self._header.columns, self._header.mode
        if mode == _RGB:
            return values.reshape(rows, columns, 3)
        if mode == _SHORTS_COMPLEX:
            pairs = values.astype(np.float32).reshape(rows, columns, 2)
            return pairs[..., 0] + np.complex64(1j) * pairs[..., 1]
        if mode == _HALF_BYTES:
            packed = values.reshape(rows, -1)
            both = np.stack([packed & 15, packed >> 4], axis=-1).reshape(rows, -1)
            return both[:, :columns]  # the lower half of a byte is the pixel further left
        shaped = values.reshape(rows, columns)
        return shaped.view(np.int8) if self._header.has_signed_bytes else shaped


def read_mrc(path: Path) -> list[dict[str, Any]]:
    """Return a file's images in the form of RosettaSciIO's signals.

    Raises
    ------
    UnreadableMicrograph
        If the header makes no sense, or announces more than the file holds.
    """
    with path.open("rb") as file:
        head = file.read(HEADER_BYTES + _FEI_ENTRY_BYTES)
    header = read_header(head[:HEADER_BYTES])
    room = path.stat().st_size - HEADER_BYTES - header.extended_bytes
    if header.extended_bytes < 0 or header.sections * header.section_bytes > room:
        raise UnreadableMicrograph(_CUT_SHORT)
    data = Sections(path, header)
    (y, x), reason = _edges_angstrom(head, header)
    stack = [{"navigate": True}] if header.sections > 1 else []
    axes = [*stack, {"scale": y, "units": "Å"}, {"scale": x, "units": "Å"}]
    extra = {"calibration": reason} if reason else {}
    signal = {"data": data, "axes": axes, "metadata": {}, "original_metadata": {}, "fields": extra}
    return [signal]


def _edges_angstrom(head: bytes, header: Header) -> tuple[tuple[float, float], str]:
    """Return (height, width) of a pixel, 0 where none is stated, and why there is none."""
    fei_m = _fei_edge_m(head, header)
    if fei_m:
        return (fei_m * 1e10, fei_m * 1e10), ""
    edges = []
    for cell, grid in zip(header.cell_angstrom, header.grid, strict=True):
        if not math.isfinite(cell) or cell <= 0 or grid <= 0:
            return (0.0, 0.0), _NOT_CALIBRATED if cell < 0 else ""
        edges.append(cell / grid)
    if edges[0] == edges[1] == 1:
        return (0.0, 0.0), _PLACEHOLDER
    return (edges[1], edges[0]), ""


def _fei_edge_m(head: bytes, header: Header) -> float | None:
    """Return the pixel size of FEI's extended header of 1024 entries of 128 bytes."""
    if header.extended_bytes != 1024 * _FEI_ENTRY_BYTES or head[104:108] in (b"FEI1", b"FEI2"):
        return None
    at = HEADER_BYTES + _FEI_EDGE_AT
    if len(head) < at + 4:
        return None
    edge_m = float(struct.unpack_from(f"{header.order}f", head, at)[0])
    return edge_m if math.isfinite(edge_m) and 1e-13 < edge_m < 1e-4 else None

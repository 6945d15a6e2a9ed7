"""NumPy files (.npy) of plain numbers: never pickled, never evaluated."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UnreadableMicrograph
from core.imaging.reading.frame import Decoder, Frame, Source, to_grey
from core.imaging.reading.limits import check_frame, check_frame_number, listed

_MAGIC = b"\x93NUMPY"
_MAX_HEADER_BYTES = 10_000
_DTYPE = re.compile(r"'descr':\s*'([<>|=]?[biufc][0-9]{1,2})'")
_ORDER = re.compile(r"'fortran_order':\s*(True|False)")
_SHAPE = re.compile(r"'shape':\s*\(([0-9, ]{0,200})\)")
_UNREADABLE = "The .npy file is damaged or holds no plain numbers; save it with numpy.save again."
_MAX_DIMENSIONS = 8


class _Header:
    """Dtype, shape and order of an array, and where its values start."""

    def __init__(self, data: bytes) -> None:
        wide = data[6:7] >= b"\x02"
        first = 12 if wide else 10
        length = int.from_bytes(data[8:first], "little")
        text = data[first : first + min(length, _MAX_HEADER_BYTES)].decode("latin-1")
        found = [pattern.search(text) for pattern in (_DTYPE, _ORDER, _SHAPE)]
        if length > _MAX_HEADER_BYTES or not all(found):
            raise UnreadableMicrograph(_UNREADABLE)
        dtype, order, shape = (match[1] for match in found if match)
        try:
            self.dtype = np.dtype(dtype)
        except TypeError as error:
            raise UnreadableMicrograph(_UNREADABLE) from error
        self.shape = tuple(int(word) for word in re.findall(r"[0-9]{1,12}", shape))
        self.order = order == "True"
        self.start = first + length
        _check(self, len(data))


def _check(header: _Header, file_bytes: int) -> None:
    shape = header.shape
    if len(shape) < 2:
        raise UnreadableMicrograph(
            "The .npy file holds no image but a list of numbers; save an array of rows and columns."
        )
    if len(shape) > _MAX_DIMENSIONS or 0 in shape:
        raise UnreadableMicrograph("The .npy file holds no image; save an array (rows, columns).")
    if header.start + math.prod(shape) * header.dtype.itemsize > file_bytes:
        raise UnreadableMicrograph("The .npy file is cut short; copy or save it again.")


def _is_color(header: _Header) -> bool:
    """Tell colours from a stack: three or four 8- or 16-bit values as the last axis."""
    return len(header.shape) == 3 and header.shape[2] in (3, 4) and header.dtype.kind == "u"


def _frames(header: _Header) -> int:
    return 1 if _is_color(header) else math.prod(header.shape[:-2])


def _labels(source: Source) -> list[str]:
    frames = _frames(_Header(source.data))
    return [f"slice {i + 1}" for i in range(listed(frames))] if frames > 1 else ["array"]


def _recognises(head: bytes) -> bool:
    return head.startswith(_MAGIC)


def _decode(source: Source, frame: int) -> tuple[Frame, int]:
    header = _Header(source.data)
    frames = _frames(header)
    check_frame_number(frame, frames)
    check_frame(*(header.shape[:2] if _is_color(header) else header.shape[-2:]))
    pixels, notes = to_grey(_values(header, source.data, frame))
    metadata = {"format": "NPY", "bit_depth": str(header.dtype.name)}
    if notes:
        metadata["conversion"] = "; ".join(notes)
    return Frame(pixels, None, metadata), listed(frames)


def _values(header: _Header, data: bytes, frame: int) -> NDArray[Any]:
    """Return one frame (H, W), or all of a colour picture (H, W, C), in native byte order."""
    flat = np.frombuffer(data, header.dtype, math.prod(header.shape), header.start)
    values = flat.reshape(header.shape, order="F" if header.order else "C")
    if not _is_color(header) and len(header.shape) > 2:
        values = values[np.unravel_index(frame, header.shape[:-2])]
    return np.asarray(values.astype(header.dtype.newbyteorder("=")))


NPY = Decoder(_recognises, _labels, _decode)

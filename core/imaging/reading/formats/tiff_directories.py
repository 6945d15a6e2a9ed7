"""What the directories of a TIFF announce, read before any library does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UnreadableMicrograph
from core.imaging.reading.limits import MAX_FRAMES

_CLASSIC, _BIG = (2, 4), (8, 8)  # bytes of a directory's length, and of a count or a place
_TYPE_BYTES = np.array([0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 8, 4, 8, 8, 8], np.uint64)
_PLACES = (273, 279, 324, 325)  # where the pieces of the picture lie, and how long they are
_UNREAD = (700, 33723, 34377, 34675, 37724)  # XMP, IPTC, Photoshop, colour profile: never looked at
_DESCRIPTION, _IMAGEJ = 270, 50839
_MAX_ENTRIES = 4_000  # of a directory; instruments write at most 100
_MAX_PIECES = 1_000_000
_MAX_VALUE_BYTES = 1_000_000  # of one tag; settings of instruments take 0.1 MB
_ZEISS, _MAX_ZEISS_BYTES = 34118, 150_000  # 30,000 are usual; its reader takes the lines squared
_MAX_TEXT_BYTES = 8_000_000  # names, tables of colours and outlines of a stack's planes
_MAX_XML_BYTES = 40_000_000  # OME describes each of thousands of planes
_TOO_MUCH = (
    "The TIFF carries far more about itself than instruments and programs write; export it again."
)


def check_directories(data: bytes) -> None:
    """Refuse a TIFF whose tags are longer than anyone has reason to write them.

    Libraries make Python objects of every line and number in them.

    Raises
    ------
    UnreadableMicrograph
    """
    for entries in _directories(data):
        if len(entries) > _MAX_ENTRIES:
            raise UnreadableMicrograph(_TOO_MUCH)
        kinds = np.minimum(entries["type"], len(_TYPE_BYTES) - 1)
        counts = entries["count"].astype(np.uint64)
        sizes = np.minimum(counts, 1 << 40) * _TYPE_BYTES[kinds]
        for code, count, size, place in zip(
            entries["code"].tolist(),
            counts.tolist(),
            sizes.tolist(),
            entries["place"].tolist(),
            strict=True,
        ):
            if size > _most_bytes(code, data, place) or (code in _PLACES and count > _MAX_PIECES):
                raise UnreadableMicrograph(_TOO_MUCH)


def _most_bytes(code: int, data: bytes, place: int) -> int:
    if code in _UNREAD or code in _PLACES:
        return len(data)
    if (
        code == _DESCRIPTION
        and data[place : place + 100].lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"<"
    ):
        return _MAX_XML_BYTES
    longer = {_DESCRIPTION: _MAX_TEXT_BYTES, _IMAGEJ: _MAX_TEXT_BYTES, _ZEISS: _MAX_ZEISS_BYTES}
    return longer.get(code, _MAX_VALUE_BYTES)


def _directories(data: bytes) -> Iterator[NDArray[Any]]:
    """Yield the entries (code, type, count, place) of each directory, up to the listed frames."""
    order = "<" if data[:2] == b"II" else ">"
    length_bytes, bytes_ = _BIG if 43 in data[2:4] else _CLASSIC
    length, place = np.dtype(f"{order}u{length_bytes}"), np.dtype(f"{order}u{bytes_}")
    entry = np.dtype(
        [("code", f"{order}u2"), ("type", f"{order}u2"), ("count", place), ("place", place)]
    )
    at = _number(data, bytes_, place)  # behind the magic, which is as long
    seen: set[int] = set()
    while at and at not in seen and len(seen) < MAX_FRAMES:
        seen.add(at)
        entries, start = _number(data, at, length), at + length_bytes
        end = start + entries * entry.itemsize
        if end > len(data):
            return  # cut short, which the library says
        yield np.frombuffer(data, entry, entries, start)
        at = _number(data, end, place)


def _number(data: bytes, at: int, dtype: np.dtype[Any]) -> int:
    """Return a number in the file; 0 behind its end."""
    piece = data[at : at + dtype.itemsize]
    return int(np.frombuffer(piece, dtype)[0]) if len(piece) == dtype.itemsize else 0

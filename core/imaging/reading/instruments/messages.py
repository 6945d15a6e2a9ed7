"""How the app and its decoding process talk: JSON and raw bytes, nothing that could run.

A message is the length of its header (4 bytes), the header (JSON, with the sizes of what
follows), and as many blocks of bytes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Protocol

_MAX_HEADER_BYTES = 1_000_000
_MAX_BLOCK_BYTES = 2_000_000_000


class Stream(Protocol):
    """A pipe of bytes, unbuffered."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Read some bytes."""
        ...

    def write(self, data: memoryview, /) -> int | None:
        """Write some bytes."""
        ...


def send(stream: Stream, header: dict[str, Any], blocks: Sequence[Any] = ()) -> None:
    """Write one message; blocks are anything with a contiguous buffer."""
    views = [memoryview(block).cast("B") for block in blocks]
    text = json.dumps(header | {"sizes": [view.nbytes for view in views]}).encode()
    for view in (memoryview(len(text).to_bytes(4, "little")), memoryview(text), *views):
        _write(stream, view)


def receive(stream: Stream) -> tuple[dict[str, Any], list[bytearray]]:
    """Read one message.

    Raises
    ------
    EOFError
        If the other side is gone, or does not speak like this.
    """
    length = int.from_bytes(_read(stream, 4), "little")
    if length > _MAX_HEADER_BYTES:
        raise EOFError("the header is too long")
    header = json.loads(_read(stream, length))
    sizes = header.pop("sizes")
    if any(not 0 <= size <= _MAX_BLOCK_BYTES for size in sizes):
        raise EOFError("a block is too long")
    return header, [_read(stream, size) for size in sizes]


def _write(stream: Stream, view: memoryview) -> None:
    while view.nbytes:
        view = view[stream.write(view) or 0 :]


def _read(stream: Stream, size: int) -> bytearray:
    data = bytearray(size)
    view, done = memoryview(data), 0
    while done < size:
        count = stream.readinto(view[done:])
        if not count:
            raise EOFError("the other side is gone")
        done += count
    return data

"""JPEG 2000: its decoder can be made to work for minutes, so it works where time and memory end."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UnreadableMicrograph

_CODESTREAM = b"\xff\x4f\xff\x51"  # start of a JPEG 2000 stream, and its size
_SEARCHED_BYTES = 200_000
_CUT_SHORT = "The picture is cut short or damaged; copy or export it again."


class Unread:
    """A picture that is decoded when it is asked for."""

    def __init__(
        self, shape: tuple[int, int], dtype: Any, decode: Callable[[], NDArray[Any]]
    ) -> None:
        self.shape, self.dtype, self._decode = shape, np.dtype(dtype), decode

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        values = self._decode()
        if values.shape[:2] != self.shape:
            raise UnreadableMicrograph(_CUT_SHORT)
        return values if dtype is None else values.astype(dtype)


def _signal(picture: Unread, title: str) -> dict[str, Any]:
    axes = [{"scale": None, "units": ""}] * 2
    metadata = {"General": {"title": title}}
    return {"data": picture, "axes": axes, "metadata": metadata, "original_metadata": {}}


def read_jpeg_2000(path: Path) -> list[dict[str, Any]]:
    """Return the one picture of a JPEG 2000 file in the form of RosettaSciIO's signals."""
    codecs: Any = importlib.import_module("imagecodecs")
    data = path.read_bytes()
    at = data[:_SEARCHED_BYTES].find(_CODESTREAM)
    if at < 0 or at + 44 > len(data):
        raise UnreadableMicrograph(_CUT_SHORT)
    right, lower, left, upper = (
        int.from_bytes(data[at + i : at + i + 4], "big") for i in (8, 12, 16, 20)
    )
    bits = (data[at + 42] & 127) + 1
    shape = lower - upper, right - left
    decoded = Unread(shape, "u1" if bits <= 8 else "u2", lambda: codecs.jpeg2k_decode(data))
    return [_signal(decoded, "picture")]

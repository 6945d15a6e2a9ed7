"""Ordinary pictures whose decoding is not bounded by what their headers say.

Small ones are decoded where they are asked for: their pixels, scans and pieces are counted first.
Others go to the process that has limits of memory and time of its own.
"""

from __future__ import annotations

import importlib
from typing import Any

from core.errors import UnreadableMicrograph
from core.imaging.reading.frame import Frame, Source
from core.imaging.reading.instruments.worker import WORKER
from core.micrograph import PixelSize

LARGE_PX = 20_000_000  # a packed picture of this size takes at most 2 s
_MODULES = {  # each has a `decode_here`
    "raster": "core.imaging.reading.formats.raster",
    "tiff": "core.imaging.reading.formats.tiff",
}
KINDS = tuple(_MODULES)


def decode_bounded(kind: str, source: Source, frame: int) -> tuple[Frame, int]:
    """Return a frame and the number of frames; the process decodes.

    Raises
    ------
    UnreadableMicrograph
        Also where the process had to be ended.
    """
    answer, pixels = WORKER.decode(kind, {"picture": source.data}, "picture", frame)
    if pixels is None:
        raise UnreadableMicrograph("The file holds no picture; export it again.")
    size, stored = answer["pixel_size"], answer["stored_shape"]
    pixel_size = None if size is None else PixelSize(float(size[0]), str(size[1]))
    shape = None if stored is None else (int(stored[0]), int(stored[1]))
    return Frame(pixels, pixel_size, answer["metadata"], shape), int(answer["frames"])


def decode_here(kind: str, data: bytes, frame: int) -> tuple[Frame, dict[str, Any]]:
    """In the process: return a frame and, in plain values, what is to be said of it."""
    module: Any = importlib.import_module(_MODULES[kind])
    found, frames = module.decode_here(Source(data), frame)
    size = found.pixel_size
    said = {
        "frames": frames,
        "pixel_size": None if size is None else [size.value, size.unit],
        "stored_shape": found.stored_shape,
        "metadata": dict(found.metadata),
    }
    return found, said

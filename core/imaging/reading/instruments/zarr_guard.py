"""What a zarr store may hold: numbers, packed in ways that run no code of the file's.

The format names the codecs of every array, and one of them is pickle.
"""

from __future__ import annotations

import json
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import UnreadableMicrograph
from core.imaging.reading.limits import MAX_FRAME_MB

_MOST_FILES = 20_000
_MOST_JSON = 2_000_000
_CODECS = {
    *("blosc", "zlib", "gzip", "zstd", "lz4", "bz2", "lzma", "shuffle", "delta"),
    *("vlen-utf8", "vlen-bytes", "vlen-array", "json2", "msgpack2"),
}
_VERSION_3 = (
    "The zarr store is of version 3, which is not read here; save it as .hspy, or export its "
    "picture as TIFF."
)
_NOT_OURS = (
    "The zarr store was not written by HyperSpy, so that its scale is not known; export its "
    "picture as TIFF."
)
_UNKNOWN = "The zarr store is packed in a way that is not read here; export its picture as TIFF."
_DAMAGED = "The zarr store is cut short or damaged; save it again, or export its picture as TIFF."


def check_zarr(path: Path) -> None:
    """Refuse a packed store that is no HyperSpy's, or whose arrays need a codec that runs code.

    Parameters
    ----------
    path : Path
        A ZIP of a store of version 2.

    Raises
    ------
    UnreadableMicrograph
    """
    with zipfile.ZipFile(path) as packed:
        entries = packed.infolist()
        if len(entries) > _MOST_FILES:
            raise UnreadableMicrograph("The zarr store is too intricate; save the picture alone.")
        names = {entry.filename for entry in entries}
        if "zarr.json" in names:
            raise UnreadableMicrograph(_VERSION_3)
        if not any(name.startswith("Experiments/") for name in names):
            raise UnreadableMicrograph(_NOT_OURS)
        for entry in entries:
            if entry.filename.rsplit("/", 1)[-1] == ".zarray":
                _check_array(_described(packed, entry))


def _described(packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> dict[str, Any]:
    if entry.file_size > _MOST_JSON:
        raise UnreadableMicrograph(_UNKNOWN)
    try:
        said = json.loads(packed.read(entry))
    except (ValueError, RecursionError) as error:
        raise UnreadableMicrograph(_DAMAGED) from error
    if not isinstance(said, dict):
        raise UnreadableMicrograph(_DAMAGED)
    return said


def _check_array(said: dict[str, Any]) -> None:
    """Refuse codecs that are not known to be harmless, and parts larger than any picture."""
    codecs = [said.get("compressor"), *(said.get("filters") or [])]
    for codec in codecs:
        known = isinstance(codec, dict) and codec.get("id") in _CODECS
        if codec is not None and not known:
            raise UnreadableMicrograph(_UNKNOWN)
    try:
        kind = np.dtype(str(said["dtype"]))
        values = math.prod(int(side) for side in said["chunks"])
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableMicrograph(_DAMAGED) from error
    if values * max(kind.itemsize, 1) > MAX_FRAME_MB * 1_000_000:
        raise UnreadableMicrograph(
            "The zarr store is cut into parts too large to be opened; export its picture as TIFF."
        )

"""A picture as a pyramid of tiles, of which a viewer fetches what it shows.

All tiles of a pyramid lie one after the other in one run of bytes, whose offsets are known: a
browser asks for a stretch of it (an HTTP range), so that a frame of any size costs what is seen of
it. Tiles hold the pixels in their own depth; what becomes black and white is decided where they are
shown. Each level has half the rows and columns of the one below, rounded up.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

TILE_PX = 512  # an eighth of a screen: little is fetched in vain, and few requests fill a view
_DTYPES = {"uint8": "u8", "uint16": "u16", "float32": "f32"}


@dataclass(frozen=True, slots=True)
class Pyramid:
    """Tiles of every level, the finest first, row by row.

    Attributes
    ----------
    data : bytes
        The tiles; little-endian pixels, row by row, without padding at the frame's edges.
    shapes : tuple of (int, int)
        Rows and columns of each level.
    offsets : tuple of int
        Where each tile begins in `data`, and where the last one ends.
    dtype : str
        "u8", "u16", "f32", or "rgb" for three bytes a pixel.
    deflated : bool
        Whether each tile is a zlib stream.
    """

    data: bytes
    shapes: tuple[tuple[int, int], ...]
    offsets: tuple[int, ...]
    dtype: str
    deflated: bool = False


def build_pyramid(pixels: NDArray[Any]) -> Pyramid:
    """Return the pyramid of a picture, whose coarse levels are means.

    Parameters
    ----------
    pixels : ndarray of shape (H, W), uint8, uint16 or float32; or (H, W, 3), uint8
    """
    levels = _levels(pixels, cv2.INTER_AREA)
    dtype = "rgb" if pixels.ndim == 3 else _DTYPES[pixels.dtype.name]
    return _pack(levels, dtype, deflated=False)


def build_layer(values: NDArray[np.uint8], *, smooth: bool) -> Pyramid:
    """Return the pyramid of a layer of eight bits, compressed.

    Parameters
    ----------
    values : ndarray of shape (H, W), uint8
    smooth : bool
        Whether values may be averaged (a heat map) or are names of classes (labels), of which the
        coarse levels keep one each.
    """
    return _pack(
        _levels(values, cv2.INTER_AREA if smooth else cv2.INTER_NEAREST), "u8", deflated=True
    )


def _levels(pixels: NDArray[Any], interpolation: int) -> list[NDArray[Any]]:
    levels = [pixels]
    while max(levels[-1].shape[:2]) > TILE_PX:
        height, width = levels[-1].shape[:2]
        size_wh = (-(-width // 2), -(-height // 2))
        levels.append(cv2.resize(levels[-1], size_wh, interpolation=interpolation))
    return levels


def _pack(levels: list[NDArray[Any]], dtype: str, *, deflated: bool) -> Pyramid:
    tiles = [tile for level in levels for tile in _tiles(level)]
    if deflated:
        tiles = [zlib.compress(tile, 1) for tile in tiles]
    offsets = np.cumsum([0, *(len(tile) for tile in tiles)])
    shapes = tuple((int(level.shape[0]), int(level.shape[1])) for level in levels)
    return Pyramid(b"".join(tiles), shapes, tuple(map(int, offsets)), dtype, deflated)


def _tiles(level: NDArray[Any]) -> list[bytes]:
    if level.dtype.byteorder == ">":
        level = level.astype(level.dtype.newbyteorder("<"))
    height, width = level.shape[:2]
    return [
        level[top : top + TILE_PX, left : left + TILE_PX].tobytes()
        for top in range(0, height, TILE_PX)
        for left in range(0, width, TILE_PX)
    ]

"""Watersheds from seeds, worked out only where parts meet."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import skimage
from numpy.typing import NDArray

Labels = NDArray[np.int32]
_BOX = (cv2.CC_STAT_TOP, cv2.CC_STAT_LEFT, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_WIDTH)
_SPARE_PX = 1 << 16  # so small a frame is flooded at once


def flood(
    depth: NDArray[Any] | list[NDArray[Any]],
    seeds: Labels,
    inside: NDArray[np.bool_],
    connectivity: int = 8,
) -> Labels:
    """Return scikit-image's watershed of a mask from its seeds, to the pixel.

    Connected pieces do not meet, so that each is flooded by itself: one with a single seed belongs
    to it without a flood, and others are flooded in their own boxes while these are no more
    than the frame. A flood takes twenty bytes a pixel on top of what it is given.

    Parameters
    ----------
    depth : ndarray of shape (H, W), floats
        Low places are reached first. In a list of its own it is let go before the flood.
    seeds : ndarray of shape (H, W), int32
        0, or the number of a part; only those inside count.
    inside : ndarray of shape (H, W), bool
    connectivity : int
        4 or 8.

    Returns
    -------
    ndarray of shape (H, W), int32
        0 outside, and in pieces without a seed.
    """
    held = depth if isinstance(depth, list) else [depth]
    del depth
    if inside.size <= _SPARE_PX:
        return _flooded(held, seeds, inside, connectivity)
    found: Any = cv2.connectedComponentsWithStats(
        inside.view(np.uint8), connectivity=connectivity, ltype=cv2.CV_32S
    )
    count, pieces, boxes, _ = found
    del found
    least, most = _seeds_of(pieces, seeds, count)
    several = np.flatnonzero(most > least)
    sizes = boxes[several].astype(np.int64)
    if int((sizes[:, cv2.CC_STAT_HEIGHT] * sizes[:, cv2.CC_STAT_WIDTH]).sum()) > inside.size:
        del pieces
        return _flooded(held, seeds, inside, connectivity)
    result: Labels = np.where(most > least, 0, most).astype(np.int32)[pieces]
    for piece, box in zip(several.tolist(), sizes.tolist(), strict=True):
        top, left, height, width = (box[each] for each in _BOX)
        part = np.s_[top : top + height, left : left + width]
        own = pieces[part] == piece
        flooded = _flooded([held[0][part]], seeds[part], own, connectivity)
        result[part][own] = flooded[own]
    return result


def _seeds_of(pieces: Labels, seeds: Labels, count: int) -> tuple[Labels, Labels]:
    """Return the lowest and the highest seed of each piece; 0 where there is none, and outside."""
    places = np.flatnonzero(seeds)
    number, owner = seeds.ravel()[places], pieces.ravel()[places]
    least, most = np.full(count, np.iinfo(np.int32).max, np.int32), np.zeros(count, np.int32)
    np.minimum.at(least, owner, number)
    np.maximum.at(most, owner, number)
    least[most == 0] = 0
    least[0] = most[0] = 0
    return least, most


def _flooded(
    held: list[NDArray[Any]], seeds: Labels, inside: NDArray[np.bool_], connectivity: int
) -> Labels:
    ski: Any = skimage  # it loads its parts when they are first used; these are untyped
    steps = 1 if connectivity == 4 else 2
    found = ski.segmentation.watershed(held.pop(), seeds, connectivity=steps, mask=inside)
    return np.asarray(found, np.int32)

"""A frame -> what the network answers at each of its pixels, at the sizes it knows."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from core.learning.particles.network import COARSEST, MAPS, ParticleNetwork

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

SIDES_PX = (384, 256)  # of the shorter side as it is shown; answers of both are averaged
LONGEST_PX = 3072  # of the longer side
_TILE_PX, _MARGIN_PX = 1024, 64  # larger pictures are answered in tiles that overlap


def sized(shape: tuple[int, int], side_px: int) -> tuple[int, int]:
    """Return the shape at which a frame is shown: whole steps of the network, nearly its aspect."""
    factor = min(side_px / min(shape), LONGEST_PX / max(shape))
    rows, cols = (max(1, round(side * factor / COARSEST)) * COARSEST for side in shape)
    return rows, cols


def answer(
    network: ParticleNetwork, pixels: Floats, hidden: Mask, sides_px: tuple[int, ...] = SIDES_PX
) -> Floats:
    """Return inside and rim (probabilities) and depth, averaged over sizes.

    Parameters
    ----------
    network : ParticleNetwork
        Answering, shared by threads: nothing in it changes.
    pixels : ndarray of shape (H, W), float32
        Finite.
    hidden : ndarray of shape (H, W), bool
        What does not count in mean and spread.
    sides_px : tuple of int
        Shorter sides at which the frame is shown; the first gives the size of the answer.

    Returns
    -------
    ndarray of shape (3, h, w), float32
    """
    shape = sized(pixels.shape, sides_px[0])
    kept = pixels[~hidden]
    grey = (pixels - kept.mean()) / (kept.std() + np.float32(1e-3))
    total = np.zeros((len(MAPS), *shape), np.float32)
    for side in sides_px:
        for mean, found in zip(total, _at(network, grey, side), strict=True):
            size_wh = shape[1], shape[0]
            mean += cv2.resize(found, size_wh, interpolation=cv2.INTER_LINEAR) / len(sides_px)
    return total


def _at(network: ParticleNetwork, grey: Floats, side_px: int) -> Floats:
    """Return the answers at one size, half as fine as the frame is shown."""
    rows, cols = sized(grey.shape, side_px)
    how = cv2.INTER_AREA if rows < grey.shape[0] else cv2.INTER_LINEAR
    shown = np.asarray(cv2.resize(grey, (cols, rows), interpolation=how), np.float32)
    found = np.zeros((len(MAPS), rows // 2, cols // 2), np.float32)
    for down, kept_down in _tiles(rows):
        for right, kept_right in _tiles(cols):
            maps = _ask(network, np.ascontiguousarray(shown[down, right]))
            top, left = (part.start // 2 for part in (kept_down, kept_right))
            bottom, end = (part.stop // 2 for part in (kept_down, kept_right))
            above, before = down.start // 2, right.start // 2
            found[:, top:bottom, left:end] = maps[
                :, top - above : bottom - above, left - before : end - before
            ]
    return found


def _tiles(length: int) -> list[tuple[slice, slice]]:
    """Return pieces of a side with their margins, and what of each is kept."""
    if length <= _TILE_PX:
        return [(slice(0, length), slice(0, length))]
    step = _TILE_PX - 2 * _MARGIN_PX
    pieces = []
    for start in range(0, length, step):
        end = min(start + step, length)
        around = slice(max(start - _MARGIN_PX, 0), min(end + _MARGIN_PX, length))
        pieces.append((around, slice(start, end)))
    return pieces


@torch.inference_mode()
def _ask(network: ParticleNetwork, shown: Floats) -> Floats:
    maps = network(torch.from_numpy(shown)[None, None])[0]
    maps[:2] = torch.sigmoid(maps[:2])
    return np.asarray(maps.numpy(), np.float32)

"""A mask -> numbered parts: what is connected, cut at its necks.

Here because thresholds, networks and regions all need it, and those of `learning` and of
`measuring` never import each other.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import cv2
import numpy as np
import skimage
from numpy.typing import NDArray

from core.imaging.distances import distance_inside
from core.imaging.parting.flooding import flood

Labels = NDArray[np.int32]
Mask = NDArray[np.bool_]
NECK = 0.8  # width of a neck by that of the narrower part; two discs that overlap a third in
_ROUGH_PX = 1.0  # added to widths before they are compared: one pixel of roughness is no neck
_MOST_ROUNDS = 400  # over the whole frame; what needs more work is left to skimage
_UNSEEN = 8  # rounds of a tile at most between two looks at whether it still changes
_TILE_PX = 128  # stays in the processor's cache
_SQUARE = np.ones((3, 3), np.uint8)


def without_holes(inside: Mask, connectivity: int = 8) -> Mask:
    """Return a bool (H, W) mask with its holes filled; 4 or 8 neighbours hold it together."""
    ground = (~inside).astype(np.uint8)
    count, holes = cv2.connectedComponents(ground, connectivity=12 - connectivity, ltype=cv2.CV_32S)
    fill = np.ones(count, np.bool_)
    fill[np.concatenate([holes[0], holes[-1], holes[:, 0], holes[:, -1]])] = False
    fill[0] = True
    return np.asarray(fill[holes]) if np.count_nonzero(fill) > 1 else inside


def part_at_necks(
    inside: Mask,
    connectivity: int = 8,
    depth_px: float = 0.0,
    whole: Labels | None = None,
    neck: float = NECK,
) -> Labels:
    """Number the parts of a mask between its necks, in reading order.

    On a logarithmic scale "narrower than 0.8 of" is the same depth for large and small parts. What
    lies outside the frame is unknown, so that a border is no outline. `whole` are the connected
    pixels, where they are numbered already; `neck` stands for 0.8 where necks count sooner or
    later.
    """
    if whole is None:
        whole = number_connected(inside, connectivity)
    if inside.all() or not inside.any():  # there is no outline to measure a distance from
        return whole
    distance = distance_inside(inside)
    # The last digits of a logarithm depend on where an array lies in memory, and with them the cut.
    height = np.round(np.log(distance.astype(np.float64) + _ROUGH_PX), 6).astype(np.float32)
    floor = np.where(inside, np.maximum(height + np.float32(np.log(neck)), 0), np.float32(0))
    if depth_px > 0:
        deep = np.log(np.maximum(distance.astype(np.float64) + _ROUGH_PX - depth_px, 1))
        floor = np.minimum(floor, np.round(deep, 6).astype(np.float32))
    ski: Any = skimage  # it loads its parts when they are first used; these are untyped
    peaks = ski.morphology.local_maxima(reconstruct(floor, height), connectivity=2) & inside
    seeds = number_connected(peaks)
    if depth_px > 0:  # a region that is nowhere so deep is one part
        without = np.ones(int(whole.max()) + 1, np.bool_)
        without[whole[peaks]] = without[0] = False
        seeds = np.where(without[whole], whole + seeds.max(), seeds)
    return in_reading_order(flood(-height, seeds, inside, connectivity))


def reconstruct(
    floor: NDArray[np.float32], height: NDArray[np.float32], most_rounds: int = _MOST_ROUNDS
) -> NDArray[np.float32]:
    """Return the reconstruction by dilation of `floor` under `height`, over 8 neighbours.

    Tiles of the frame are dilated until nothing changes in them, and again when a neighbour did:
    any order ends at the same bits. Ridges that wind take long; after the work of `most_rounds`
    dilations of the whole frame scikit-image goes on, which visits pixels in turn.

    References
    ----------
    Vincent (1993), Morphological grayscale reconstruction in image analysis, IEEE Transactions on
    Image Processing 2:176, doi:10.1109/83.217222.
    """
    now = np.minimum(floor, height)
    rows, cols = (-(-side // _TILE_PX) for side in now.shape)
    waiting = dict.fromkeys(product(range(rows), range(cols)))
    work = most_rounds * len(waiting)
    while waiting and work > 0:
        row, col = next(iter(waiting))
        del waiting[row, col]
        rounds, changed = _grow_tile(now, height, row, col, work)
        work -= rounds
        for down, right in changed:
            if 0 <= row + down < rows and 0 <= col + right < cols:
                waiting[row + down, col + right] = None
    if not waiting:
        return now
    ski: Any = skimage
    return np.asarray(ski.morphology.reconstruction(now, height), np.float32)


def _grow_tile(
    now: NDArray[np.float32], height: NDArray[np.float32], row: int, col: int, most: int
) -> tuple[int, list[tuple[int, int]]]:
    """Dilate one tile in place; return the rounds it took, and which neighbours must follow.

    A tile that is not done after so many rounds is itself among these.
    """
    tile = tuple(slice(place * _TILE_PX, (place + 1) * _TILE_PX) for place in (row, col))
    wide = tuple(slice(max(0, each.start - 1), each.stop + 1) for each in tile)
    inner = tuple(
        slice(t.start - w.start, t.stop - w.start) for t, w in zip(tile, wide, strict=True)
    )
    around, before = now[wide].copy(), now[tile].copy()
    inside, top = around[inner], height[tile]
    rounds, is_done = 0, False
    while not is_done and rounds < most:
        for _ in range(min(rounds // 2, _UNSEEN, most - rounds - 1)):  # to compare takes as long
            np.minimum(cv2.dilate(around, _SQUARE)[inner], top, out=inside)
            rounds += 1
        grown = np.minimum(cv2.dilate(around, _SQUARE)[inner], top)
        is_done = np.array_equal(grown, inside)
        inside[...] = grown
        rounds += 1
    now[tile] = inside
    moved = inside != before
    sides = {-1: 0, 0: slice(None), 1: -1}
    follow = [
        (down, right)
        for down, right in product(sides, sides)
        if (down or right) and np.any(moved[sides[down], sides[right]])
    ]
    return rounds, follow if is_done else [*follow, (0, 0)]


def in_reading_order(labels: NDArray[Any]) -> Labels:
    """Return (H, W) labels as int32, numbered from 1 by their first pixel; 0 stays 0."""
    flat = labels.ravel()
    first = np.full(int(flat.max()) + 1, flat.size)
    first[flat[::-1]] = np.arange(flat.size)[::-1]  # the last one written stays
    first[0] = -1
    numbers = np.zeros(first.size, np.int32)
    numbers[np.argsort(first, kind="stable")] = np.arange(first.size)
    return np.asarray(numbers[labels])


def number_connected(inside: Mask, connectivity: int = 8) -> Labels:
    """Return the connected pieces of a bool (H, W) mask, numbered from 1, as int32; 0 outside."""
    label: Any = skimage.measure.label  # untyped
    return np.asarray(label(inside, connectivity=1 if connectivity == 4 else 2), dtype=np.int32)

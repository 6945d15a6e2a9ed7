"""Exact outlines of labels along the edges of their pixels, and back from outlines to pixels.

Coordinates are those of ImageJ, QuPath and COCO: x to the right and y down, 0 at the outer corner
of the first pixel, so that pixel (row, col) covers x from col to col + 1 and y from row to row + 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import skimage
from numpy.typing import NDArray

from core.imaging.display import checked_labels

Ring = NDArray[np.int32]  # (corners, 2) of x, y; the last corner is not the first one again
Corners = NDArray[np.float64]
Integers = NDArray[np.int64]
_CROSSINGS_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """One label's polygons.

    Parameters
    ----------
    label : int
    polygons : tuple of tuples of ndarray of shape (corners, 2), int32
        For each part of the label (connected over edges) its outer ring, then its holes. No ring
        meets itself; parts and holes meet others in corners only. Outer rings run clockwise as seen
        on a screen, holes the other way.
    """

    label: int
    polygons: tuple[tuple[Ring, ...], ...]

    @property
    def is_simple(self) -> bool:
        """Whether one ring says it all."""
        return len(self.polygons) == 1 and len(self.polygons[0]) == 1

    @property
    def rings(self) -> list[Ring]:
        """All rings; by the even-odd rule they hold the label's pixels."""
        return [ring for polygon in self.polygons for ring in polygon]


def trace_labels(labels: NDArray[np.integer]) -> list[Outline]:
    """Return the outline of every label, in ascending order; linear in pixels.

    Parameters
    ----------
    labels : ndarray of shape (H, W), integers
        0 where there is nothing. Parts of one label need not hang together.

    Raises
    ------
    ValueError
        If the labels are not (H, W) integers from 0.
    """
    given = checked_labels(labels)
    label: Any = skimage.measure.label  # untyped
    parts = np.asarray(label(given, connectivity=1, background=0), np.int32)
    count = int(parts.max())
    owner = np.zeros(count + 1, np.int64)
    owner[parts.ravel()] = given.ravel()
    polygons: list[list[Ring]] = [[] for _ in range(count + 1)]
    for part, is_outer, ring in _rings(parts):
        polygons[part].insert(0 if is_outer else len(polygons[part]), ring)
    found: dict[int, list[tuple[Ring, ...]]] = {}
    for part in range(1, count + 1):
        found.setdefault(int(owner[part]), []).append(tuple(polygons[part]))
    return [Outline(number, tuple(found[number])) for number in sorted(found)]


def fill_rings(
    rings: Sequence[NDArray[Any]], shape: tuple[int, int]
) -> tuple[slice, slice, NDArray[np.bool_]]:
    """Return which pixels have their centre within rings, by the even-odd rule.

    Parameters
    ----------
    rings : sequence of ndarray of shape (corners, 2)
        x and y, finite; they may lie outside of the frame.
    shape : (H, W)
        Of the frame.

    Returns
    -------
    rows, cols : slice
        The part of the frame that the mask is of; only that much memory is taken.
    mask : ndarray of bool
        A centre on a left edge is inside, one on a right edge is not, as in ImageJ.
    """
    height, width = shape
    corners = np.concatenate(rings).astype(np.float64)
    (left, top), (right, bottom) = np.floor(corners.min(0)), np.ceil(corners.max(0))
    rows = slice(int(np.clip(top, 0, height)), int(np.clip(bottom, 0, height)))
    cols = slice(int(np.clip(left, 0, width)), int(np.clip(right, 0, width)))
    high, wide = rows.stop - rows.start, cols.stop - cols.start
    toggles = np.zeros((high, wide + 1), np.uint8)
    for row, x in _crossings(corners, _next_corners(corners, rings), rows):
        first = np.clip(np.ceil(x - 0.5), cols.start, cols.stop).astype(np.int64) - cols.start
        np.add.at(toggles, (row, first), 1)
    return rows, cols, (np.cumsum(toggles, axis=1, dtype=np.uint8)[:, :-1] & 1).astype(np.bool_)


def filling_work(rings: Sequence[NDArray[Any]], shape: tuple[int, int]) -> int:
    """Return how many pixels and crossings `fill_rings` would look at, at most."""
    corners = np.concatenate(rings).astype(np.float64)
    ends = _next_corners(corners, rings)
    limits = (shape[1], shape[0])
    corners, ends = corners.clip(0, limits), ends.clip(0, limits)
    wide, high = np.ptp(corners, axis=0) + 1
    return int(wide * high + np.abs(ends - corners)[:, 1].sum())


def _next_corners(corners: Corners, rings: Sequence[NDArray[Any]]) -> Corners:
    """Return the corner that follows each one in its ring."""
    sizes = np.array([len(ring) for ring in rings])
    ends = np.cumsum(sizes)
    following = np.arange(1, len(corners) + 1)
    following[ends - 1] = ends - sizes
    return corners[following]


def _crossings(ring: Corners, ends: Corners, rows: slice) -> Iterator[tuple[Integers, Corners]]:
    """Yield where edges cross the middle of rows, in parts: row within `rows`, and x."""
    limits = (rows.start, rows.stop)
    top = np.ceil(np.minimum(ring[:, 1], ends[:, 1]) - 0.5).clip(*limits).astype(np.int64)
    stop = np.ceil(np.maximum(ring[:, 1], ends[:, 1]) - 0.5).clip(*limits).astype(np.int64)
    part = np.cumsum(stop - top) // _CROSSINGS_AT_ONCE
    for chosen in np.split(np.arange(part.size), np.flatnonzero(np.diff(part)) + 1):
        (x, y), (next_x, next_y) = ring[chosen].T, ends[chosen].T
        crossed = (stop - top)[chosen]
        edge = np.repeat(np.arange(x.size), crossed)
        row = top[chosen][edge] + np.arange(edge.size)
        row -= np.repeat(np.cumsum(crossed) - crossed, crossed)
        share = (row + 0.5 - y[edge]) / (next_y - y)[edge]
        yield row - rows.start, x[edge] + share * (next_x - x)[edge]


def _rings(parts: NDArray[np.int32]) -> Iterator[tuple[int, bool, Ring]]:
    """Yield part, whether it is the outer one, and ring, for all closed ways along pixel edges."""
    start, heading, part = _edges(parts)
    width = parts.shape[1] + 1
    following = _followers(start, heading, part, width).tolist()
    owners, outer, rings = [], [], []
    for first, corners in _ways(start.tolist(), heading.tolist(), following):
        for ring in _without_repeats(corners):
            place = ring.index(min(ring))  # topmost, then leftmost: outer rings go on to the right
            outer.append(0 < ring[(place + 1) % len(ring)] - ring[place] < width)
            owners.append(first)
            rings.append(ring)
    if not rings:
        return
    y, x = np.divmod(np.concatenate([np.array(ring) for ring in rings]), width)
    bounds = np.cumsum([len(ring) for ring in rings])
    split = np.split(np.stack([x, y], axis=1).astype(np.int32), bounds[:-1])
    yield from zip(part[owners].tolist(), outer, split, strict=True)


def _ways(
    start: list[int], heading: list[int], following: list[int]
) -> Iterator[tuple[int, list[int]]]:
    """Yield the first edge and the corners of each closed way."""
    unseen = bytearray(b"\1") * len(start)
    first = unseen.find(1)
    while first >= 0:
        corners, place = [], first
        while unseen[place]:
            unseen[place] = 0
            after = following[place]
            if heading[after] != heading[place]:
                corners.append(start[after])
            place = after
        yield first, corners
        first = unseen.find(1, first)


def _edges(parts: NDArray[np.int32]) -> tuple[Integers, Integers, Integers]:
    """Return pixel edges between parts: corner they start from, heading, and part on their right.

    Headings are 0 east (the part lies below), 1 south, 2 west and 3 north.
    """
    framed = np.pad(parts, 1)
    width = parts.shape[1] + 1
    middle = framed[1:-1, 1:-1]
    beside = (framed[:-2, 1:-1], framed[1:-1, 2:], framed[2:, 1:-1], framed[1:-1, :-2])
    found = []
    for heading, (other, (down, right)) in enumerate(
        zip(beside, ((0, 0), (0, 1), (1, 1), (1, 0)), strict=True)
    ):
        row, col = np.nonzero((middle != other) & (middle > 0))
        corner = (row + down) * width + col + right
        found.append((corner, np.full(corner.size, heading), middle[row, col].astype(np.int64)))
    start, headings, part = (np.concatenate(each) for each in zip(*found, strict=True))
    return start, headings, part


def _followers(start: Integers, heading: Integers, part: Integers, width: int) -> Integers:
    """Return the edge that follows each one: keep to the same pixel, else go straight, else left.

    Turning right first keeps parts apart that meet in a corner.
    """
    step = np.array([1, width, -1, -width])
    end = start + step[heading]
    keys = start * 4 + heading
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    following = np.full(start.size, -1)
    for turn in (1, 0, 3):
        wanted = end * 4 + (heading + turn) % 4
        place = np.minimum(np.searchsorted(keys, wanted), keys.size - 1)
        edge = order[place]
        good = (following < 0) & (keys[place] == wanted) & (part[edge] == part)
        following[good] = edge[good]
    return following


def _without_repeats(corners: list[int]) -> Iterator[list[int]]:
    """Yield rings that visit no corner twice."""
    if len(set(corners)) == len(corners):
        yield corners
        return
    way: list[int] = []
    at: dict[int, int] = {}
    for corner in corners:
        if corner in at:
            ring = way[at[corner] :]
            del way[at[corner] :]
            for each in ring:
                del at[each]
            yield ring
        at[corner] = len(way)
        way.append(corner)
    yield way

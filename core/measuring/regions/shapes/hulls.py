"""Convex hulls of regions: how far across they are, and how many pixels fit in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.measuring.regions.runs import Labels, Runs, find_runs

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_FEW_RUNS = 6  # regions of up to so many rows of pixels are looked up among those already seen
_TOO_LONG = 1e-4  # what OpenCV adds to the radius of a circle


@dataclass(frozen=True, slots=True, eq=False)
class Hulls:
    """What is measured of convex hulls; every array has shape (regions,), lengths are in px.

    `longest` and `shortest` are distances across, `around` is the length of the outline, `circle`
    the diameter of the smallest circle around it, `pixels` how many pixels fit in.
    """

    longest: Floats
    shortest: Floats
    around: Floats
    circle: Floats
    pixels: Floats


def measure_filling(labels: Labels) -> tuple[Floats, Floats]:
    """Return how many pixels each label has, and how many its convex hull."""
    runs = find_runs(labels)
    hulls, which = _find_hulls(runs)
    return runs.area, _count_pixels(hulls)[which]


def measure_hulls(runs: Runs) -> Hulls:
    """Measure the convex hull of each region, which the middles of its outer pixel edges span."""
    hulls, which = _find_hulls(runs)
    found = np.array([_measure_hull(hull) for hull in hulls]).reshape(-1, 4).T[:, which] / 2
    longest, shortest, around, circle = found
    return Hulls(longest, shortest, around, circle, _count_pixels(hulls)[which])


def _find_hulls(runs: Runs) -> tuple[list[Floats], Integers]:
    """Return the hulls that are different, and which of them each region has.

    Coordinates are doubled (x, y), so that middles of edges are whole. Rows have all that matter at
    their ends.
    """
    runs = runs.rows()
    x, y = 2 * np.stack([runs.first, runs.last]), 2 * np.stack([runs.row, runs.row])
    outwards = np.array([[-1], [1]])
    points = np.stack(
        [np.concatenate([x + outwards, x, x]), np.concatenate([y, y - 1, y + 1])], axis=-1
    ).astype(np.int32)
    bounds = np.searchsorted(runs.owner, np.arange(runs.count + 1))
    models, which = _shapes(runs, bounds)
    hulls = []
    for index in models:
        part = points[:, bounds[index] : bounds[index + 1]].reshape(-1, 2)
        hulls.append(cv2.convexHull(np.ascontiguousarray(part)).reshape(-1, 2).astype(np.float64))
    return hulls, which


def _shapes(runs: Runs, bounds: Integers) -> tuple[Integers, Integers]:
    """Return a region for each different shape, and which of these each region has.

    Specks are many and alike: only those of a few rows are compared, all others are their own.
    """
    sizes = np.diff(bounds)
    few = np.flatnonzero(sizes <= _FEW_RUNS)
    slot = np.minimum(bounds[few, None] + np.arange(_FEW_RUNS), bounds[few + 1, None] - 1)
    start = bounds[few]
    rows = runs.row[slot] - runs.row[start][:, None]
    left = runs.first[start][:, None]
    keys = np.concatenate([rows, runs.first[slot] - left, runs.last[slot] - left], axis=1)
    digest = _digest(keys)
    _, model, which_few = np.unique(digest, return_index=True, return_inverse=True)
    alone = np.flatnonzero(sizes > _FEW_RUNS)
    which = np.empty(runs.count, np.int64)
    which[few], which[alone] = which_few, model.size + np.arange(alone.size)
    return np.concatenate([few[model], alone]), which


def _digest(keys: Integers) -> NDArray[Any]:
    """Return rows of whole numbers as single values that are equal where the rows are."""
    rows = np.ascontiguousarray(keys)
    return rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()


def _measure_hull(hull: Floats) -> tuple[float, float, float, float]:
    """Return a convex polygon's longest and shortest distance across, its length, and its circle.

    The shortest lies between one of its edges and the corner furthest from it.
    """
    apart = hull[:, None, :] - hull[None, :, :]
    edges = np.roll(hull, -1, axis=0) - hull
    lengths = np.hypot(*edges.T)
    across = apart[..., 0] * edges[None, :, 1] - apart[..., 1] * edges[None, :, 0]
    heights = np.abs(across).max(axis=0) / lengths
    longest = float(np.sqrt((apart**2).sum(axis=2).max()))
    _, radius = cv2.minEnclosingCircle(hull.astype(np.float32))
    circle = max(longest, 2 * (radius - _TOO_LONG))
    return longest, float(heights.min()), float(lengths.sum()), circle


def _count_pixels(hulls: list[Floats]) -> Floats:
    """Count the pixel centres in or on convex polygons given in doubled (x, y) coordinates.

    Every edge is followed through the pixel rows it crosses; the outermost crossings of a row
    bound the pixels that count.
    """
    if not hulls:
        return np.zeros(0)
    owner = np.repeat(np.arange(len(hulls)), [len(hull) for hull in hulls])
    x, y = np.concatenate(hulls).T
    next_x, next_y = np.concatenate([np.roll(hull, -1, axis=0) for hull in hulls]).T
    top, bottom = np.ceil(np.minimum(y, next_y) / 2), np.floor(np.maximum(y, next_y) / 2)
    crossed = np.maximum(bottom - top + 1, 0).astype(np.int64)  # 0 for edges between two rows
    edge = np.repeat(np.arange(owner.size), crossed)
    row = top[edge] + np.arange(edge.size) - np.repeat(np.cumsum(crossed) - crossed, crossed)
    slope = (next_x - x)[edge] / (next_y - y)[edge]
    column = (x[edge] + (2 * row - y[edge]) * slope) / 2
    rows = int(row.max()) + 1
    lines, line = np.unique(owner[edge] * rows + row.astype(np.int64), return_inverse=True)
    left, right = np.full(lines.size, np.inf), np.full(lines.size, -np.inf)
    np.minimum.at(left, line, column)
    np.maximum.at(right, line, column)
    inside = np.floor(right + 1e-9) - np.ceil(left - 1e-9) + 1  # within rounding of the edge
    return np.bincount(lines // rows, weights=inside).astype(np.float64)

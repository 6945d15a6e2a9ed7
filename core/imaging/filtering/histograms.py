"""Histograms that keep every grey level, at any bit depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

MAX_LEVELS = 65_536  # as many as 16 bits can hold
_ROW, _PART_ROWS = 4096, 2048

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GreyHistogram:
    """Occupied grey levels of a set of pixels, from dark to bright.

    Parameters
    ----------
    levels : ndarray of shape (n,), float64
        Mean grey of the pixels in each level.
    counts : ndarray of shape (n,), int64
        Number of pixels, at least 1.
    lower, upper : ndarray of shape (n,), float64
        Darkest and brightest pixel of each level; both equal to `levels` when `exact`.
    scatter : ndarray of shape (n,), float64
        Sum of squared differences from the mean inside each level; 0 when `exact`.
    exact : bool
        False when more than 65,536 different values had to share equal bins.
    """

    levels: Floats
    counts: NDArray[np.int64]
    lower: Floats
    upper: Floats
    scatter: Floats
    exact: bool

    def __len__(self) -> int:
        return self.levels.size


def grey_histogram(values: NDArray[Any]) -> GreyHistogram:
    """Count the pixels at each grey level.

    Exact for 8 and 16 bits, and for any type with at most 65,536 different values; beyond that,
    values share 65,536 equal bins between the darkest and the brightest.

    Parameters
    ----------
    values : ndarray of any shape, integers or floats
        Values that are not finite do not count.

    Returns
    -------
    GreyHistogram
        Without any level when there is no finite value.
    """
    flat = np.asarray(values).ravel()
    if flat.dtype in (np.uint8, np.uint16):
        every = _count_bytes(flat) if flat.dtype == np.uint8 else np.bincount(flat)
        occupied = np.flatnonzero(every)
        return _exact(occupied.astype(np.float64), every[occupied])
    if flat.dtype.kind == "f":
        flat = flat[np.isfinite(flat)]
    unique, counts = np.unique(flat, return_counts=True)
    if unique.size <= MAX_LEVELS:
        return _exact(unique.astype(np.float64), counts)
    return _binned(unique.astype(np.float64), counts)


def _count_bytes(flat: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Count each of 256 levels, exactly: OpenCV counts in floats, hence in parts below 2^24."""
    whole = flat.size // _ROW * _ROW
    counts = np.bincount(flat[whole:], minlength=256).astype(np.int64)
    rows = flat[:whole].reshape(-1, _ROW)
    for start in range(0, len(rows), _PART_ROWS):
        part = cv2.calcHist([rows[start : start + _PART_ROWS]], [0], None, [256], [0, 256])
        counts += part.ravel().astype(np.int64)
    return counts


def _exact(levels: Floats, counts: NDArray[np.int64]) -> GreyHistogram:
    """Return a histogram with one level per value."""
    return GreyHistogram(levels, counts, levels, levels, np.zeros(levels.size), True)


def _binned(unique: Floats, counts: NDArray[np.int64]) -> GreyHistogram:
    """Merge sorted values into equal bins, leaving out the empty ones."""
    position = (unique - unique[0]) / (unique[-1] - unique[0])
    bins = np.minimum((position * MAX_LEVELS).astype(np.int64), MAX_LEVELS - 1)
    starts = np.flatnonzero(np.diff(bins, prepend=-1))
    totals = np.add.reduceat(counts, starts)
    levels = np.add.reduceat(unique * counts, starts) / totals
    members = np.diff(starts, append=unique.size)
    scatter = np.add.reduceat(counts * (unique - np.repeat(levels, members)) ** 2, starts)
    lower, upper = unique[starts], unique[starts + members - 1]
    return GreyHistogram(np.clip(levels, lower, upper), totals, lower, upper, scatter, False)

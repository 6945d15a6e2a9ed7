"""Histograms that keep every grey level, at any bit depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

MAX_LEVELS = 65_536  # as many as 16 bits can hold
SPIKE_SHARE = 2e-5  # of the pixels, at either end: hot pixels, not objects
_LEAST_LEVELS = 16  # below, a picture is drawn, and no level of it is a spike
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
    values share 65,536 equal bins between the darkest and the brightest; spikes (see
    `without_spikes`) get bins of their own, so that they do not squeeze all others into one.

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


def without_spikes(histogram: GreyHistogram) -> GreyHistogram:
    """Return the histogram with hot and dead pixels at the nearest grey level that is regular.

    A spike is a level at either end beyond all but 2e-5 of the pixels, by more than the range of
    these: few pixels, whose distance would otherwise set the scale of a picture.
    """
    first, last = _regular(histogram.levels, histogram.counts)
    if first == 0 and last == len(histogram):
        return histogram
    counts, scatter = histogram.counts[first:last].copy(), histogram.scatter[first:last]
    counts[0] += histogram.counts[:first].sum()
    counts[-1] += histogram.counts[last:].sum()
    kept = (each[first:last] for each in (histogram.levels, histogram.lower, histogram.upper))
    levels, lower, upper = kept
    return GreyHistogram(levels, counts, lower, upper, scatter, histogram.exact)


def _regular(levels: Floats, counts: NDArray[np.int64]) -> tuple[int, int]:
    """Return from which level to before which one there are no spikes."""
    most = int(SPIKE_SHARE * counts.sum())
    if levels.size < _LEAST_LEVELS or not most:
        return 0, levels.size
    low = levels[np.searchsorted(np.cumsum(counts), most, side="right")]
    high = levels[::-1][np.searchsorted(np.cumsum(counts[::-1]), most, side="right")]
    first = int(np.searchsorted(levels, low - (high - low), side="left"))
    last = int(np.searchsorted(levels, high + (high - low), side="right"))
    return (first, last) if last - first >= _LEAST_LEVELS else (0, levels.size)


def _binned(unique: Floats, counts: NDArray[np.int64]) -> GreyHistogram:
    """Merge sorted values into equal bins, leaving out the empty ones."""
    first, last = _regular(unique, counts)
    low, high = unique[first], unique[last - 1]
    spiky = last - first < unique.size
    most = MAX_LEVELS - 2 if spiky else MAX_LEVELS
    position = np.clip((unique - low) / (high - low), -1, 2)
    bins = np.minimum((position * most).astype(np.int64), most - 1)
    bins[:first], bins[last:] = -1, most
    starts = np.flatnonzero(np.diff(bins, prepend=-2))
    totals = np.add.reduceat(counts, starts)
    levels = np.add.reduceat(unique * counts, starts) / totals
    members = np.diff(starts, append=unique.size)
    scatter = np.add.reduceat(counts * (unique - np.repeat(levels, members)) ** 2, starts)
    lower, upper = unique[starts], unique[starts + members - 1]
    return GreyHistogram(np.clip(levels, lower, upper), totals, lower, upper, scatter, False)

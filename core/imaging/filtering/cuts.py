"""The best cuts of a histogram of grey levels into runs, found exactly.

In one dimension the best k clusters are k runs of neighbouring grey levels, so dynamic programming
finds the global optimum that iterative k-means only approaches from random starts. The same cuts
are Otsu's for several classes.

References
----------
Fisher (1958), On grouping for maximum homogeneity, Journal of the American Statistical Association
53, 789-798, doi:10.1080/01621459.1958.10501479. Wang, Song (2011), Ckmeans.1d.dp: optimal k-means
clustering in one dimension by dynamic programming, The R Journal 3(2), 29-33,
doi:10.32614/RJ-2011-015.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.imaging.filtering.histograms import GreyHistogram

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """Runs of grey levels, dark to bright: where they part, pixels and mean of each, inertia."""

    thresholds: Floats
    sizes: Integers
    centers: Floats
    inertia: float


def cut_levels(histogram: GreyHistogram, k: int) -> Cut:
    """Return the best way to cut a histogram into k runs of levels.

    Raises
    ------
    UserError
        If there are fewer levels than runs.
    """
    _check_levels(histogram, k)
    breaks = _best_breaks(histogram, k)
    starts = np.concatenate([[0], breaks])
    sizes = np.add.reduceat(histogram.counts, starts)
    centers, inertia = _centers(histogram, starts, sizes)
    return Cut(_thresholds(histogram, breaks), sizes, centers, inertia)


def _check_levels(histogram: GreyHistogram, k: int) -> None:
    """Refuse to make more clusters than there are grey levels."""
    levels = len(histogram)
    if levels == 0:
        raise UserError(
            "Every pixel is excluded, so there is nothing to cluster. "
            "Switch the exclusion of overlays off or load another micrograph."
        )
    if levels == 1:
        raise UserError(
            f"All pixels have the same grey level, so they cannot form {k} clusters. "
            "Check the filters or load another micrograph."
        )
    if levels < k:
        raise UserError(
            f"The image has only {levels} different grey levels, too few for {k} clusters. "
            f"Choose at most {levels} clusters."
        )


def _best_breaks(histogram: GreyHistogram, k: int) -> Integers:
    """Return the k - 1 level indices at which the best clusters begin.

    Least inertia is the same as most "gain": the sum over clusters of (sum of greys)² / count.
    Layer q holds the best gain of the first j levels in q clusters; the last layer is needed for
    all levels only.
    """
    weight, grey = _prefix_sums(histogram)
    n = len(histogram)
    gain = np.full(n + 1, -np.inf)
    gain[1:] = grey[1:] ** 2 / weight[1:]
    choices = []
    for q in range(2, k):
        gain, choice = _next_layer(gain, weight, grey, q)
        choices.append(choice)
    last = np.arange(k - 1, n)
    end = int(last[np.argmax(gain[last] + _gain(weight, grey, last, n))])
    breaks = [end]
    for choice in reversed(choices):
        breaks.append(int(choice[breaks[-1]]))
    return np.array(breaks[::-1], np.int64)


def _prefix_sums(histogram: GreyHistogram) -> tuple[Floats, Floats]:
    """Return cumulative counts and greys, each (n + 1,), around a central level.

    Centring keeps the sums small; doing so on a level keeps sums of whole greys exact.
    """
    counts = histogram.counts.astype(np.float64)
    mean = np.average(histogram.levels, weights=counts)
    centred = histogram.levels - histogram.levels[np.argmin(np.abs(histogram.levels - mean))]
    start = np.zeros(1)
    return (
        np.concatenate([start, np.cumsum(counts)]),
        np.concatenate([start, np.cumsum(counts * centred)]),
    )


def _gain(weight: Floats, grey: Floats, start: Integers, end: Integers | int) -> Floats:
    """Return (sum of greys)² / count for the levels from `start` up to before `end`."""
    return np.asarray((grey[end] - grey[start]) ** 2 / (weight[end] - weight[start]))


def _next_layer(gain: Floats, weight: Floats, grey: Floats, q: int) -> tuple[Floats, Integers]:
    """Add one cluster: best gain of the first j levels in q clusters, and where the last begins.

    The best beginning never moves left as j grows, so the answer for a middle j bounds those on
    either side (divide and conquer). All middles of one depth are worked out together:
    O(n log n) in about 10 log n numpy calls.
    """
    n = weight.size - 1
    best = np.full(n + 1, -np.inf)
    choice = np.zeros(n + 1, np.int64)
    low, high = np.array([q]), np.array([n])
    first, last = np.array([q - 1]), np.array([n - 1])
    while low.size:
        middle = (low + high) // 2
        best[middle], found = _best_starts(gain, weight, grey, middle, first, last)
        choice[middle] = found
        low, high = _interleave(low, middle + 1), _interleave(middle - 1, high)
        first, last = _interleave(first, found), _interleave(found, last)
        alive = low <= high
        low, high, first, last = low[alive], high[alive], first[alive], last[alive]
    return best, choice


def _best_starts(
    gain: Floats, weight: Floats, grey: Floats, end: Integers, first: Integers, last: Integers
) -> tuple[Floats, Integers]:
    """Return for each `end` the best gain, and the leftmost start in first..last that gives it."""
    lengths = np.minimum(last, end - 1) - first + 1
    offsets = np.cumsum(lengths) - lengths
    owner = np.repeat(np.arange(end.size), lengths)
    start = np.arange(owner.size) + (first - offsets)[owner]
    scores = gain[start] + _gain(weight, grey, start, end[owner])
    best = np.maximum.reduceat(scores, offsets)
    hits = np.flatnonzero(scores == best[owner])
    return best, start[hits[np.searchsorted(hits, offsets)]]


def _interleave(left: Integers, right: Integers) -> Integers:
    """Return left[0], right[0], left[1], right[1] and so on."""
    return np.column_stack([left, right]).ravel()


def _thresholds(histogram: GreyHistogram, breaks: Integers) -> Floats:
    """Return greys halfway between the brightest of one cluster and the darkest of the next."""
    below, above = histogram.upper[breaks - 1], histogram.lower[breaks]
    halfway = below + (above - below) / 2
    return np.where(halfway < above, halfway, below)


def _centers(histogram: GreyHistogram, starts: Integers, sizes: Integers) -> tuple[Floats, float]:
    """Return the mean grey of each run of levels and the inertia around these means."""
    centers = np.add.reduceat(histogram.levels * histogram.counts, starts) / sizes
    runs = np.diff(starts, append=len(histogram))
    spread = histogram.counts * (histogram.levels - np.repeat(centers, runs)) ** 2
    return centers, float(spread.sum() + histogram.scatter.sum())

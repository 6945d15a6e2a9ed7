"""Where a histogram parts into dark and bright: one function per criterion, for every depth alike.

A criterion that needs bins (triangle, Yen, minimum, isodata) sees at most 256 of them, whatever the
depth: among 65,536 a spike at black or at saturation would decide. What it finds is a bin, and the
threshold is the brightest grey level in it that occurs, so that no pixel of the bin is cut off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.errors import UserError
from core.imaging.filtering.histograms import GreyHistogram
from core.imaging.filtering.operations.base import Floats, ski

BINS = 256
_LATTICE_ERROR = 1e-3  # of a step: how far floats may lie beside even steps and still be on them
_MOST_ROUNDS = 1000
_USUAL_TOPS = (1.0, 255.0, 65_535.0)  # of floats, 8 and 16 bits


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """A histogram in even bins: pixels and middle of each, and its brightest grey that occurs.

    Parameters
    ----------
    counts, centres : ndarray of shape (n,), float64
        n is at most 256; centres rise by one step.
    brightest : ndarray of shape (n,), float64
        The brightest level that occurs in a bin or below it.
    """

    counts: Floats
    centres: Floats
    brightest: Floats


def into_bins(histogram: GreyHistogram) -> Bins:
    """Return the histogram in even bins: one per level where 256 suffice, else at most 256.

    Levels that lie on even steps (8 bits in any depth, scaled or shifted) get a bin each, hence the
    same answer at every depth. Others that fill most of a usual scale get the bins that the picture
    would have in 8 bits; all others those that it would have if it were stretched to 8 bits.
    """
    low, high = float(histogram.lower[0]), float(histogram.upper[-1])
    step, start = _even_step(histogram), low
    if not step:
        usual = _usual_step(low, high)
        step, start = (usual, usual * round(low / usual)) if usual else ((high - low) / 255, low)
    slot = np.rint((histogram.levels - start) / step).astype(np.int64)
    centres = start + step * np.arange(slot[-1] + 1)
    counts = np.asarray(np.bincount(slot, histogram.counts, centres.size), np.float64)
    brightest = np.full(centres.size, low)
    brightest[slot] = histogram.upper  # sorted: the last one in a bin stays
    return Bins(counts, centres, np.maximum.accumulate(brightest))


def _usual_step(low: float, high: float) -> float:
    """Return what one 8-bit level is on the usual scale that the levels fill, else 0."""
    return _usual_top(low, high) / (BINS - 1)


def _usual_top(low: float, high: float) -> float:
    top = next((top for top in _USUAL_TOPS if high <= top), 0.0)
    return top if low >= 0 and high - low >= top / 2 else 0.0


def _even_step(histogram: GreyHistogram) -> float:
    """Return the step on which all levels lie, 0 where they need more than 256 of it."""
    levels = histogram.levels
    if not histogram.exact or levels.size > BINS:
        return 0.0
    if levels.size == 1:
        return 1.0
    # Two neighbours of 32-bit floats may each be half of their resolution off.
    rounded = float(np.spacing(np.float32(np.abs(levels).max())))
    step = _common_step(np.diff(levels), float(levels[-1] - levels[0]) / (BINS - 1), rounded)
    return step if step and round((levels[-1] - levels[0]) / step) < BINS else 0.0


def _common_step(gaps: Floats, least: float, rounded: float) -> float:
    """Return the largest step of which all gaps are multiples, 0 if it is below `least`.

    Gaps may be off by `rounded`, which is no gap itself.
    """
    if rounded > least / 4:
        rounded = 0.0  # so coarse a lattice is that of the floats
    step = float(gaps.min())
    for _ in range(_MOST_ROUNDS):
        rest = np.abs(gaps - step * np.rint(gaps / step))
        off = rest > rounded + _LATTICE_ERROR * step * np.maximum(np.rint(gaps / step), 1)
        if not off.any():
            return float(gaps.sum() / np.rint(gaps / step).sum())
        step = float(rest[off].min())  # Euclid: the rest has the same common step
        if step < least * (1 - _LATTICE_ERROR):
            return 0.0
    return 0.0


def by_bins(histogram: GreyHistogram, criterion: Callable[[Bins], float]) -> float:
    """Return the brightest level of the bin in which a criterion's answer lies.

    A histogram of one level returns it.
    """
    if len(histogram) == 1:
        return float(histogram.levels[0])
    bins = into_bins(histogram)
    found = int(np.argmin(np.abs(bins.centres - criterion(bins))))
    return float((bins.brightest if bins.counts[found] else bins.centres)[found])


def yen(bins: Bins) -> float:
    """Return Yen's threshold (Yen, Chang, Chang 1995, doi:10.1109/83.366472)."""
    return float(ski.filters.threshold_yen(hist=(bins.counts, bins.centres)))


def isodata(bins: Bins) -> float:
    """Return the lowest level halfway between the means of what it parts (Ridler, Calvard 1978)."""
    return float(ski.filters.threshold_isodata(hist=(bins.counts, bins.centres)))


def valley(bins: Bins) -> float:
    """Return the valley between the two peaks of the smoothed histogram (Prewitt, Mendelsohn 1966).

    Raises
    ------
    UserError
        If there are no two peaks.
    """
    occupied = bins.centres[bins.counts > 0]
    if occupied.size <= 2:  # nothing to smooth: the darker of the two is dark
        return float(occupied[0])
    try:
        return float(ski.filters.threshold_minimum(hist=(bins.counts, bins.centres)))
    except RuntimeError:
        return float(bins.centres[_second_look(bins.counts)])


def _second_look(counts: Floats) -> int:
    """Return the valley where scikit-image finds none: it is blind to a peak in the last bin.

    Its running sums also leave traces of rounding between far peaks, which count as peaks.
    """
    smooth = np.concatenate([[0.0], counts, [0.0]])
    for _ in range(_MOST_ROUNDS):
        smooth[1:-1] = (smooth[:-2] + smooth[1:-1] + smooth[2:]) / 3
        slopes = np.diff(smooth)
        steep = np.flatnonzero(slopes)
        turns = np.flatnonzero((slopes[steep[:-1]] > 0) & (slopes[steep[1:]] < 0))
        if turns.size < 3:
            break
    if turns.size != 2:
        raise UserError(
            "The histogram does not have two peaks with a valley between them. "
            "Choose another threshold, such as Otsu's."
        )
    first, second = steep[turns] + 1
    return int(first + np.argmin(smooth[first : second + 1])) - 1


def triangle(bins: Bins) -> float:
    """Return the level farthest below the line from the peak to the farther end of the histogram.

    Zack, Rogers, Latt (1977), Journal of Histochemistry and Cytochemistry 25, 741-753,
    doi:10.1177/25.7.70454.
    """
    peak, last = int(np.argmax(bins.counts)), bins.counts.size - 1
    flipped = peak < last - peak  # the longer tail is the bright one: mirror it
    counts = bins.counts[::-1] if flipped else bins.counts
    width = last - peak if flipped else peak
    below = counts[width] * np.arange(width) - width * counts[:width]  # times the line's length
    found = int(np.argmax(below))
    return float(bins.centres[last - found if flipped else found])


def least_cross_entropy(histogram: GreyHistogram) -> float:
    """Return the threshold of least cross-entropy, iterated until no pixel changes sides.

    References
    ----------
    Li, Lee (1993), Pattern Recognition 26, 617-625, doi:10.1016/0031-3203(93)90115-D. Li, Tam
    (1998), Pattern Recognition Letters 19, 771-776, doi:10.1016/S0167-8655(98)00057-9.
    """
    levels = histogram.levels - histogram.levels[0]
    weight = np.cumsum(histogram.counts, dtype=np.float64)
    grey = np.cumsum(histogram.counts * levels)
    cut, threshold = -1, grey[-1] / weight[-1]
    for _ in range(_MOST_ROUNDS):
        now = int(np.searchsorted(levels, threshold, side="right")) - 1
        if now == cut or now + 1 >= levels.size:
            break
        cut = now
        dark = grey[cut] / weight[cut]
        bright = (grey[-1] - grey[cut]) / (weight[-1] - weight[cut])
        if dark == 0:
            break
        threshold = (bright - dark) / (np.log(bright) - np.log(dark))
    return float(threshold + histogram.levels[0])

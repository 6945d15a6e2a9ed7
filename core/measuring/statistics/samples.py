"""Two samples compared: fields of view are the units, never pooled regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from core.measuring.statistics.intervals import Interval

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two samples differ.

    Attributes
    ----------
    difference : Interval
        Mean of the second less mean of the first, with Welch's limits (NaN with fewer than two
        fields in a sample); n is the number of fields of both.
    p : float
        Of the Mann-Whitney rank test, two-sided; NaN without a field in either sample.
    """

    difference: Interval
    p: float


def compare_samples(
    first: Sequence[float] | NDArray[Any],
    second: Sequence[float] | NDArray[Any],
    confidence: float = 0.95,
) -> Comparison:
    """Return how far the mean of a second sample lies from that of the first.

    Parameters
    ----------
    first, second : sequence of float
        One value per field of view; NaN (not measured) is left out.
    confidence : float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If the confidence is not between 0 and 1.

    References
    ----------
    Welch (1947), The generalization of Student's problem, Biometrika 34:28,
    doi:10.1093/biomet/34.1-2.28. Mann, Whitney (1947), On a test of whether one of two random
    variables is stochastically larger than the other, Annals of Mathematical Statistics 18:50,
    doi:10.1214/aoms/1177730491.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence}")
    a, b = _known(first), _known(second)
    nothing, n = float("nan"), a.size + b.size
    if not a.size or not b.size:
        return Comparison(Interval(nothing, nothing, nothing, n), nothing)
    gap = float(b.mean() - a.mean())
    half = _half_width(a, b, confidence) if min(a.size, b.size) > 1 else nothing
    p = float(scipy.stats.mannwhitneyu(a, b, alternative="two-sided").pvalue)
    return Comparison(Interval(gap, gap - half, gap + half, n), p)


def holm(p_values: Sequence[float] | NDArray[Any]) -> Floats:
    """Return p-values (N,) that hold for all of N comparisons together; NaN stays NaN.

    References
    ----------
    Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal of
    Statistics 6:65.
    """
    given = np.asarray(p_values, np.float64)
    known = np.flatnonzero(~np.isnan(given))
    order = known[np.argsort(given[known], kind="stable")]
    found = np.full(given.shape, np.nan)
    scaled = given[order] * np.arange(order.size, 0, -1)
    found[order] = np.minimum(np.maximum.accumulate(scaled), 1) if order.size else scaled
    return found


def _known(values: Sequence[float] | NDArray[Any]) -> Floats:
    given = np.asarray(values, np.float64)
    return np.asarray(given[np.isfinite(given)])


def _half_width(a: Floats, b: Floats, confidence: float) -> float:
    """Return half the width of Welch's interval."""
    errors = np.array([a.var(ddof=1) / a.size, b.var(ddof=1) / b.size])
    total = float(errors.sum())
    if total == 0:
        return 0.0
    freedom = total**2 / (errors**2 / [a.size - 1, b.size - 1]).sum()
    return float(scipy.special.stdtrit(freedom, (1 + confidence) / 2) * np.sqrt(total))

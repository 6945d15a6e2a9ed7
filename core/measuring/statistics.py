"""Confidence intervals over fields of view: how far a number from a few micrographs can be off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit


class Interval(NamedTuple):
    """An estimate with its confidence limits, in the unit of the values."""

    estimate: float
    low: float
    high: float
    n: int


def mean_interval(values: Sequence[float] | NDArray[Any], confidence: float = 0.95) -> Interval:
    """Return the mean of independent values with its t-interval.

    Parameters
    ----------
    values : sequence of float
        One per field of view; NaN (not measured) is left out.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    Interval
        (mean, low, high, n). With one value the limits are NaN: nothing is known about the
        spread. With none the mean is NaN, too.

    Raises
    ------
    ValueError
        If the confidence is not between 0 and 1.

    References
    ----------
    Student (1908), The probable error of a mean, Biometrika 6:1, doi:10.2307/2331554.
    """
    _check_confidence(confidence)
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    if known.size < 2:
        mean = float(known[0]) if known.size else float("nan")
        return Interval(mean, float("nan"), float("nan"), int(known.size))
    mean = float(known.mean())
    error = float(known.std(ddof=1)) / np.sqrt(known.size)
    half = float(stdtrit(known.size - 1, (1 + confidence) / 2)) * error
    return Interval(mean, mean - half, mean + half, int(known.size))


def wilson_interval(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Return a proportion with its Wilson score interval, which stays within 0 and 1.

    Parameters
    ----------
    successes, n : int
        0 <= successes <= n.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    Interval
        (proportion, low, high, n); with n = 0 the proportion is NaN and the limits 0 and 1.

    Raises
    ------
    ValueError
        If the counts are impossible or the confidence is not between 0 and 1.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA
    22:158, doi:10.1080/01621459.1927.10502953.
    """
    _check_confidence(confidence)
    if not 0 <= successes <= n:
        raise ValueError(f"need 0 <= successes <= n, got {successes} and {n}")
    if n == 0:
        return Interval(float("nan"), 0.0, 1.0, 0)
    z = float(ndtri((1 + confidence) / 2))
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # At the ends one limit equals the proportion in theory; rounding must not push it past.
    low = 0.0 if successes == 0 else max(0.0, float(centre - half))
    high = 1.0 if successes == n else min(1.0, float(centre + half))
    return Interval(share, low, high, n)


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence}")

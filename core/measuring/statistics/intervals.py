"""Confidence intervals: how far a number from one field of view, or from a few, can be off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from core.measuring.statistics.masks import both_masks
from core.measuring.statistics.tiles import (
    DRAWS,
    FEWEST_TILES,
    SEED,
    TILES,
    draw_again,
    limits,
    tile_sums,
)

POINTS = 400  # of a grid over one field; ASTM E562 lays 16 to 100 over each of many
MOST_FIELDS = 100_000
# Of the structure length by the field's side, tried in tests/benchmarks/bench_coverage.py.
MERGE_ABOVE, FEW_TILES = 1 / 14, 36
MOST_LENGTH = 0.3  # above, the field counts as a few pieces of structure
PIECE_AREA = 3.0  # of a piece, in squared structure lengths


class Interval(NamedTuple):
    """An estimate with its confidence limits.

    Attributes
    ----------
    estimate : float
        In the unit of the values; a share from 0 to 1 for `area_fraction`.
    low : float
        Lower limit, in the same unit; NaN where the data allow no interval.
    high : float
        Upper limit.
    n : int
        How many values, points or tiles it rests on.
    """

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
    half = float(scipy.special.stdtrit(known.size - 1, (1 + confidence) / 2)) * error
    return Interval(mean, mean - half, mean + half, int(known.size))


def median_interval(values: Sequence[float] | NDArray[Any], confidence: float = 0.95) -> Interval:
    """Return the median of independent values between two of them that hold it, whatever they are.

    Parameters
    ----------
    values : sequence of float
        NaN is left out.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    Interval
        (median, low, high, n). Below six values no two of them hold it with 95 %: the limits are
        NaN.

    Raises
    ------
    ValueError
        If the confidence is not between 0 and 1.

    References
    ----------
    Thompson (1936), On confidence ranges for the median, Annals of Mathematical Statistics 7:122,
    doi:10.1214/aoms/1177732502.
    """
    _check_confidence(confidence)
    known = np.sort(np.asarray(values, dtype=np.float64))
    known = known[np.isfinite(known)]
    nothing = float("nan")
    if not known.size:
        return Interval(nothing, nothing, nothing, 0)
    below = scipy.special.bdtr(np.arange(known.size), known.size, 0.5)  # P(at most so many)
    rank = int(np.searchsorted(below, (1 - confidence) / 2, side="right"))
    middle = float(np.median(known))
    if rank == 0:
        return Interval(middle, nothing, nothing, int(known.size))
    return Interval(middle, float(known[rank - 1]), float(known[-rank]), int(known.size))


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
    share = successes / n
    low, high = _wilson(share, n, confidence)
    # At the ends one limit equals the proportion in theory; rounding must not push it past.
    return Interval(share, low if successes else 0.0, high if successes < n else 1.0, n)


def _wilson(share: float, n: float, confidence: float) -> tuple[float, float]:
    """Return Wilson's limits of a share of n pieces, which need not be a whole number."""
    z = float(scipy.special.ndtri((1 + confidence) / 2))
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def area_fraction(
    mask: NDArray[Any],
    included: NDArray[Any] | None = None,
    *,
    confidence: float = 0.95,
    tiles: int = TILES,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Interval:
    """Return which share of a field a mask covers, with an interval from drawing its tiles again.

    It says how much the share may change from one field of this size to the next in a uniform
    specimen. Tiles are merged where the structure is large. Where it is about as large as the field
    tiles say nothing, and the limits become those of the few pieces that fit, hence very wide: such
    structure needs several fields (`mean_interval`).

    Parameters
    ----------
    mask : ndarray of shape (H, W), bool
    included : ndarray of shape (H, W), bool, optional
        Pixels that count; all by default. The tiles lie over the smallest box around them.
    confidence : float
        Between 0 and 1.
    tiles, draws, seed : int
        See `core.measuring.statistics.tiles`.

    Returns
    -------
    Interval
        (share, low, high, n), all within 0 and 1; n is the number of tiles that hold pixels. The
        limits are worked out on the logit scale; for a share of 0 or 1 they are Wilson's for n
        tiles, right only if structures are no larger than a tile. With fewer than four tiles they
        are NaN (`why_no_interval`). Without any pixel the share is NaN.

    Raises
    ------
    ValueError
        If the shapes differ or the confidence is not between 0 and 1.

    References
    ----------
    Hall (1985), see `draw_again`; Conley (1999), see `limits`; Debye, Anderson, Brumberger (1957),
    see `structure_length`. Coverage on simulated fields: tests/benchmarks/bench_coverage.py.
    """
    _check_confidence(confidence)
    inside, counted = both_masks(mask, included)
    length = relative_length(inside, counted)
    tiles = tiles_for(length, tiles)
    hits, pixels = tile_sums(np.stack([inside & counted, counted]), tiles, counted)
    filled = pixels > 0
    used = int(np.count_nonzero(filled))
    total = pixels.sum()
    if used == 0:
        return Interval(float("nan"), 0.0, 1.0, 0)
    share = float(hits.sum() / total)
    if used < FEWEST_TILES:
        return Interval(share, float("nan"), float("nan"), used)
    if share in (0.0, 1.0):
        low, high = wilson_interval(round(share * used), used, confidence)[1:3]
        return Interval(share, low, high, used)
    drawn = draw_again(np.stack([hits, pixels]), draws=draws, seed=seed, used=filled)
    known = drawn[:, drawn[1] > 0]
    half_a_pixel = 0.5 / total
    shares = np.clip(known[0] / known[1], half_a_pixel, 1 - half_a_pixel)
    low, high = limits(
        scipy.special.logit(share),
        scipy.special.logit(shares),
        hits - share * pixels,
        confidence,
        used=filled,
    )
    low, high = float(scipy.special.expit(low)), float(scipy.special.expit(high))
    return Interval(share, *of_few_pieces(share, (low, high), length, confidence), used)


def relative_length(inside: NDArray[np.bool_], counted: NDArray[np.bool_]) -> float:
    """Return the length of structure (`structure_length`) by the side of a square field."""
    return structure_length(inside, counted) / max(1.0, float(np.sqrt(counted.sum())))


def tiles_for(length: float, tiles: int = TILES) -> int:
    """Return how many tiles are drawn where structure has such a length by the field's side."""
    return min(tiles, FEW_TILES) if length > MERGE_ABOVE else tiles


def of_few_pieces(
    share: float, ends: tuple[float, float], length: float, confidence: float = 0.95
) -> tuple[float, float]:
    """Return limits of a share, as wide as those of the few pieces where only few fit in a field.

    Parameters
    ----------
    share : float
        Above 0 and below 1.
    ends : tuple of float
        What drawing tiles again says.
    length : float
        Of structure, by the field's side.
    confidence : float
        Between 0 and 1.
    """
    longest = _longest(length, share)
    if longest <= MOST_LENGTH:
        return ends
    few = _wilson(share, 1 / (PIECE_AREA * longest**2), confidence)
    return min(ends[0], few[0]), max(ends[1], few[1])


def structure_length(mask: NDArray[Any], included: NDArray[Any] | None = None) -> float:
    """Return over which length in px two points of a mask forget each other, from its edges.

    That of a random two-phase medium with as much edge, whose correlation falls as exp(-r / a):
    a = 2 s (1 - s) / (edges per px along rows and columns). Local, hence not fooled by a field that
    is smaller than the structure; short where a mask is speckled. 0 without an edge.

    References
    ----------
    Debye, Anderson, Brumberger (1957), Scattering by an inhomogeneous solid II, Journal of Applied
    Physics 28:679, doi:10.1063/1.1722830.
    """
    inside, counted = both_masks(mask, included)
    edges = pairs = 0
    for one, next_ in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1])):
        both = counted[one] & counted[next_]
        pairs += int(np.count_nonzero(both))
        edges += int(np.count_nonzero(both & (inside[one] != inside[next_])))
    if not edges:
        return 0.0
    share = np.count_nonzero(inside & counted) / np.count_nonzero(counted)
    return float(2 * share * (1 - share) * pairs / edges)


def _longest(length: float, share: float) -> float:
    """Return the longest structure that a field with this share may come from, by its side.

    A fragment at the rim of a small field has a small share and hence seems short: the share is
    put as near to one half as Wilson's limits allow for as many pieces as fit in the field.
    """
    if not length:
        return 0.0
    low, high = _wilson(share, 1 / length**2, 0.95)
    likely = min(max(0.5, low), high)
    return float(length * likely * (1 - likely) / (share * (1 - share)))


def count_points(
    mask: NDArray[Any],
    included: NDArray[Any] | None = None,
    *,
    points: int = POINTS,
    confidence: float = 0.95,
) -> Interval:
    """Return a mask's share of a field by counting the points of a square grid that fall on it.

    The grid of the manual way to estimate a volume fraction, laid over one field by the machine.
    It holds as an interval only where the points lie further apart than the structure is large, and
    is not that of ASTM E562, which comes from the spread over many fields (`mean_interval`).

    Parameters
    ----------
    mask, included, confidence
        As in `area_fraction`.
    points : int
        About how many points the whole frame gets.

    Returns
    -------
    Interval
        (share of the points, low, high, points counted) with Wilson's limits.

    Raises
    ------
    ValueError
        If there is not at least one point, or as in `area_fraction`.

    References
    ----------
    Cochran (1977), Sampling techniques, 3rd ed., chapter 3.
    """
    if points < 1:
        raise ValueError(f"need at least one point, got {points}")
    inside, counted = both_masks(mask, included)
    step = max(1.0, float(np.sqrt(inside.size / points)))
    rows, cols = (_middles(side, step) for side in inside.shape)
    grid = np.ix_(rows, cols)
    hit = int(np.count_nonzero(inside[grid] & counted[grid]))
    return wilson_interval(hit, int(np.count_nonzero(counted[grid])), confidence)


def _middles(side: int, step: float) -> NDArray[np.int64]:
    """Return the pixels in the middle of equal parts of a side."""
    count = max(1, round(side / step))
    return ((np.arange(count) + 0.5) * side / count).astype(np.int64)


def points_needed(share: float, relative: float, confidence: float = 0.95) -> int:
    """Return how many independent points give a share to within a part of itself.

    Parameters
    ----------
    share : float
        Expected share, above 0 and up to 1.
    relative : float
        Half width of the interval as a part of the share, such as 0.1 for ± 10 %.
    confidence : float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If an argument is out of range.

    References
    ----------
    Cochran (1977), Sampling techniques, 3rd ed., section 4.4.
    """
    _check_confidence(confidence)
    if not 0 < share <= 1 or not relative > 0:
        raise ValueError(f"need 0 < share <= 1 and relative > 0, got {share} and {relative}")
    z = float(scipy.special.ndtri((1 + confidence) / 2))
    return max(1, int(np.ceil((z / relative) ** 2 * (1 - share) / share)))


def relative_accuracy(interval: Interval) -> float:
    """Return the half width of an interval as a part of its estimate (E562's % RA, divided by 100).

    NaN without limits or with an estimate of 0.
    """
    if interval.estimate == 0:
        return float("nan")
    return (interval.high - interval.low) / 2 / abs(interval.estimate)


def fields_needed(
    values: Sequence[float] | NDArray[Any], relative: float, confidence: float = 0.95
) -> int | None:
    """Return how many fields of view give the mean to within a part of itself.

    Parameters
    ----------
    values : sequence of float
        What the fields measured so far gave; NaN is left out.
    relative : float
        Wished half width of the mean's interval as a part of the mean, such as 0.1 for ± 10 %.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    int or None
        The smallest n, at least 2, for which Student's factor times spread / sqrt(n) is within the
        wish. None with fewer than two values, with a mean of 0, or beyond 100,000.

    Raises
    ------
    ValueError
        If `relative` is not positive or the confidence not between 0 and 1.

    References
    ----------
    ASTM E562-19, section 12, with Student's factor for the number asked for.
    """
    _check_confidence(confidence)
    if not relative > 0:
        raise ValueError(f"relative must be above 0, got {relative}")
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    if known.size < 2 or known.mean() == 0:
        return None
    n = np.arange(2, MOST_FIELDS + 1)
    half = scipy.special.stdtrit(n - 1, (1 + confidence) / 2) * known.std(ddof=1) / np.sqrt(n)
    enough = np.flatnonzero(half <= relative * abs(known.mean()))
    return int(n[enough[0]]) if enough.size else None


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence}")

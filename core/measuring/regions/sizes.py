"""How the sizes of regions are distributed: percentiles, a log-normal fit, number per area."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from core.measuring.statistics import (
    TILES,
    Interval,
    draw_again,
    limits,
    tile_starts,
    tile_sums,
)

Floats = NDArray[np.float64]
DIAMETER = "equivalent_diameter_"
FEWEST_BINS, MOST_BINS = 6, 40
FEWEST_TO_TILE, FEWEST_TILES_OF_COUNTS = 20, 25  # below, tiles tell little of how regions lie


@dataclass(frozen=True, slots=True)
class LogNormal:
    """A log-normal distribution fitted to sizes.

    Attributes
    ----------
    median : float
        In the unit of the sizes.
    spread : float
        Geometric standard deviation, at least 1: two thirds of the sizes lie between
        median / spread and median x spread.
    gap : float
        Largest distance between the fitted and the counted cumulative curve, 0 to 1
        (Kolmogorov-Smirnov); the smaller, the better the fit.
    """

    median: float
    spread: float
    gap: float

    def cumulative(self, sizes: NDArray[Any]) -> Floats:
        """Return the share of regions up to each size."""
        return np.asarray(
            scipy.special.ndtr(np.log(np.asarray(sizes) / self.median) / np.log(self.spread))
        )


@dataclass(frozen=True, slots=True, eq=False)
class SizeDistribution:
    """Sizes of regions and what describes them.

    Attributes
    ----------
    sizes : ndarray of shape (N,), float64
        Ascending and above 0.
    unit : str
        "nm", "µm" or "px".
    d10, d50, d90 : float
        Sizes below which 10, 50 and 90 % of the regions lie, by number; NaN without any.
    mean : Interval
        Mean size and the number of regions; its limits are NaN: regions of one field are not
        drawn independently.
    fit : LogNormal or None
        None with fewer than three different sizes.
    weights : ndarray of shape (N,), float64, or None
        How many regions each stands for, where cut ones are made up for; None: for itself.
    """

    sizes: Floats
    unit: str
    d10: float
    d50: float
    d90: float
    mean: Interval
    fit: LogNormal | None
    weights: Floats | None = None

    def __post_init__(self) -> None:
        if self.sizes.ndim != 1 or self.sizes.dtype != np.float64:
            raise ValueError(
                f"sizes must be (N,) float64, got {self.sizes.shape} {self.sizes.dtype}"
            )
        if self.sizes.size and (self.sizes[0] <= 0 or np.any(np.diff(self.sizes) < 0)):
            raise ValueError("sizes must be positive and ascend")

    @property
    def span(self) -> float:
        """(D90 - D10) / D50: how wide the distribution is; NaN without any region."""
        return (self.d90 - self.d10) / self.d50

    def cumulative(self) -> Floats:
        """Return the share of regions up to each size, shape (N,)."""
        if self.weights is not None and self.weights.size:
            reached = np.cumsum(self.weights)
            return np.asarray(reached / reached[-1])
        return np.arange(1, self.sizes.size + 1) / max(self.sizes.size, 1)

    def histogram(self) -> pd.DataFrame:
        """Return counts in bins of one ratio, with the unit in every column of lengths.

        Columns from_U, to_U, regions. About the square root of N bins, 6 to 40; none without any
        region.
        """
        edges = _edges(self.sizes)
        counts = np.histogram(self.sizes, edges)[0] if edges.size else np.zeros(0, np.int64)
        lows, highs = edges[:-1], edges[1:]
        return pd.DataFrame(
            {f"from_{self.unit}": lows, f"to_{self.unit}": highs, "regions": counts}
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row: regions, d10_U, d50_U, d90_U, mean_U, span, fitted median and spread."""
        unit, fit = self.unit, self.fit
        return pd.DataFrame(
            {
                "regions": [self.sizes.size],
                f"d10_{unit}": [self.d10],
                f"d50_{unit}": [self.d50],
                f"d90_{unit}": [self.d90],
                f"mean_{unit}": [self.mean.estimate],
                "span": [self.span],
                f"lognormal_median_{unit}": [fit.median if fit else np.nan],
                "lognormal_spread": [fit.spread if fit else np.nan],
                "lognormal_gap": [fit.gap if fit else np.nan],
            }
        )


def size_distribution(regions: pd.DataFrame, *, make_up_for_cut: bool = False) -> SizeDistribution:
    """Return how the equivalent diameters of a table of regions are distributed, by number.

    Parameters
    ----------
    regions : DataFrame
        As `measure_regions` returns it; zero rows are valid.
    make_up_for_cut : bool
        Leave out regions that are cut and count the others by their ``weight``: large ones are cut
        more often (Miles, Lantuéjoul).

    Raises
    ------
    ValueError
        If the table has no equivalent diameter.

    References
    ----------
    ISO 9276-2:2014, Representation of results of particle size analysis. Limpert, Stahel, Abbt
    (2001), Log-normal distributions across the sciences, BioScience 51:341,
    doi:10.1641/0006-3568(2001)051[0341:LNDATS]2.0.CO;2.
    """
    column = next((str(c) for c in regions.columns if str(c).startswith(DIAMETER)), None)
    if column is None:
        raise ValueError(f"the table needs an equivalent diameter, got {list(regions.columns)}")
    if make_up_for_cut:
        regions = regions[~regions["touches_border"].astype(bool)]
    values = regions[column].to_numpy(np.float64)
    order = np.argsort(values, kind="stable")
    order = order[np.isfinite(values[order]) & (values[order] > 0)]
    sizes = values[order]
    weights = regions["weight"].to_numpy(np.float64)[order] if make_up_for_cut else None
    nothing = float("nan")
    d10, d50, d90 = _tenths(sizes, weights) if sizes.size else 3 * (nothing,)
    mean = float(np.average(sizes, weights=weights)) if sizes.size else nothing
    return SizeDistribution(
        sizes,
        column.removeprefix(DIAMETER),
        d10,
        d50,
        d90,
        Interval(mean, nothing, nothing, sizes.size),
        fit_lognormal(sizes, weights),
        weights,
    )


def _tenths(sizes: Floats, weights: Floats | None) -> tuple[float, float, float]:
    """Return the sizes that a tenth, half and nine tenths of the regions stay below."""
    shares = np.array([0.1, 0.5, 0.9])
    if weights is None:
        d10, d50, d90 = (float(value) for value in np.quantile(sizes, shares))
        return d10, d50, d90
    reached = np.cumsum(weights)
    places = np.searchsorted(reached, shares * reached[-1] * (1 - 1e-12))
    d10, d50, d90 = (float(value) for value in sizes[places])
    return d10, d50, d90


def fit_lognormal(sizes: NDArray[Any], weights: Floats | None = None) -> LogNormal | None:
    """Return the log-normal distribution of greatest likelihood.

    Parameters
    ----------
    sizes : ndarray of shape (N,)
        Above 0.
    weights : ndarray of shape (N,), float64, optional
        How many regions each stands for.

    Returns
    -------
    LogNormal or None
        None with fewer than three different sizes: any curve would fit.
    """
    order = np.argsort(np.asarray(sizes, dtype=np.float64), kind="stable")
    values = np.asarray(sizes, dtype=np.float64)[order]
    if np.unique(values).size < 3:
        return None
    logs = np.log(values)
    by = np.ones(values.size) if weights is None else weights[order]
    middle = float(np.average(logs, weights=by))
    spread = float(np.sqrt(np.average((logs - middle) ** 2, weights=by)))
    found = LogNormal(float(np.exp(middle)), float(np.exp(spread)), 0.0)
    counted = np.concatenate([[0.0], np.cumsum(by) / by.sum()])
    fitted = found.cumulative(values)
    gap = max(np.abs(counted[1:] - fitted).max(), np.abs(counted[:-1] - fitted).max())
    return LogNormal(found.median, found.spread, float(gap))


def number_per_area(
    regions: pd.DataFrame,
    area: float,
    confidence: float = 0.95,
    *,
    included: NDArray[Any] | None = None,
) -> Interval:
    """Return how many regions there are per unit of area, with limits.

    Parameters
    ----------
    regions : DataFrame
        As `measure_regions` returns it, border regions included: each counts half, since it
        belongs to the neighbouring field as well.
    area : float
        Examined area, above 0, in the unit wanted, such as µm².
    confidence : float
        Between 0 and 1.
    included : ndarray of shape (H, W), bool, optional
        Pixels that were examined. The limits then come from the counts in tiles and know of regions
        that cluster or keep apart.

    Returns
    -------
    Interval
        (number per area, low, high, regions). Without `included`, or with fewer than 20 regions or
        25 tiles, limits of a Poisson count: too narrow where regions cluster and too wide where
        they keep apart.

    Raises
    ------
    ValueError
        If the area is not positive or the confidence not between 0 and 1.

    References
    ----------
    Garwood (1936), Fiducial limits for the Poisson distribution, Biometrika 28:437,
    doi:10.1093/biomet/28.3-4.437. ASTM E112-13, section 11 (halves on the border). Hall (1985), see
    `draw_again`.
    """
    if not area > 0 or not 0 < confidence < 1:
        raise ValueError(f"need area > 0 and confidence between 0 and 1, got {area}, {confidence}")
    halves = regions["touches_border"].to_numpy(np.bool_)
    count = float(len(regions) - 0.5 * halves.sum())
    if included is not None and count >= FEWEST_TO_TILE:
        low, high = _limits_over_tiles(regions, 1 - 0.5 * halves, included, confidence)
        if not np.isnan(low):
            return Interval(count / area, low * count / area, high * count / area, len(regions))
    tail = (1 - confidence) / 2
    low = scipy.special.chdtri(2 * count, 1 - tail) / 2 if count else 0.0
    high = scipy.special.chdtri(2 * count + 2, tail) / 2
    return Interval(count / area, float(low) / area, float(high) / area, len(regions))


def _limits_over_tiles(
    regions: pd.DataFrame, weights: Floats, included: NDArray[Any], confidence: float
) -> tuple[float, float]:
    """Return limits of a number per area by its estimate, from the counts in tiles."""
    counted = np.asarray(included, np.bool_)
    pixels = tile_sums(counted, included=counted)
    used = pixels > 0
    if np.count_nonzero(used) < FEWEST_TILES_OF_COUNTS:
        return float("nan"), float("nan")
    ends = [np.append(starts[1:], np.inf) for starts in tile_starts(counted.shape, TILES, counted)]
    rows, cols = (
        np.searchsorted(end, regions[f"centroid_{axis}_px"].to_numpy(np.float64), side="right")
        for end, axis in zip(ends, ("row", "col"), strict=True)
    )
    counts = np.zeros(pixels.shape)
    np.add.at(counts, (rows, cols), weights)
    used |= counts > 0  # a ring may have its centroid where nothing counts
    drawn = draw_again(np.stack([counts, pixels]), used=used)
    known = drawn[:, (drawn > 0).all(axis=0)]
    density = counts.sum() / pixels.sum()
    low, high = limits(
        0.0,
        np.log(known[0] / known[1] / density),
        counts - density * pixels,
        confidence,
        used=used,
    )
    return float(np.exp(low)), float(np.exp(high))


def _edges(sizes: Floats) -> Floats:
    """Return edges of bins of one ratio around all sizes; empty without any."""
    if not sizes.size:
        return np.zeros(0)
    low, high = sizes[0], sizes[-1]
    if low == high:
        return np.array([low / 1.1, high * 1.1])
    bins = int(np.clip(np.ceil(np.sqrt(sizes.size)), FEWEST_BINS, MOST_BINS))
    edges = np.geomspace(low, high, bins + 1)
    edges[0], edges[-1] = low, high
    return np.asarray(edges, dtype=np.float64)

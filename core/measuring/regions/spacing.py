"""Where regions lie: gaps between their edges, and pairs of centres against chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from core.imaging.distances import distance_inside
from core.measuring.regions.border import as_included
from core.measuring.regions.neighbours import ClarkEvans, clark_evans
from core.micrograph import PixelSize

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

SIMULATIONS, SEED = 99, 0
BANDS = 30  # distances at which g(r) is worked out
REACH = 6.0  # farthest pair, in mean spacings sqrt(area / n)
_MOST_SIDE = 256  # px; the overlap of what counts with itself is known well enough from so many


@dataclass(frozen=True, slots=True, eq=False)
class Gaps:
    """Edge-to-edge distance of each region to the nearest other one.

    Attributes
    ----------
    gaps : ndarray of shape (N,), float64
        In order of the labels; NaN for a single region.
    seen : ndarray of shape (N,), float64
        Distance of each region to the edge of what counts; 0 for regions that are cut.
    unit : str
        "nm", "µm" or "px".
    """

    gaps: Floats
    seen: Floats
    unit: str

    @property
    def is_sure(self) -> Mask:
        """Whether no neighbour can be hidden that is nearer, shape (N,)."""
        return np.asarray(self.gaps <= self.seen)

    @property
    def median(self) -> float:
        """Median gap; unsure ones count as at least as long as the way to the edge.

        Where too few are sure, such as layers that all leave the frame, the median of what shows.
        """
        found = kaplan_meier_median(np.minimum(self.gaps, self.seen), self.is_sure)
        if np.isnan(found) and not np.isnan(self.gaps).all():
            return float(np.nanmedian(self.gaps))
        return found


def edge_gaps(
    labels: NDArray[Any],
    pixel_size: PixelSize | None = None,
    *,
    included: NDArray[Any] | None = None,
) -> Gaps:
    """Return how far each region is from the nearest other one, from edge to edge.

    Parameters
    ----------
    labels : ndarray of shape (H, W), integers
        0 where there is nothing, else 1 to N; labels may touch (a gap of 0).
    pixel_size : PixelSize, optional
    included : ndarray of shape (H, W), bool, optional
        True for what counts.

    References
    ----------
    Kaplan, Meier (1958), Nonparametric estimation from incomplete observations, JASA 53:457,
    doi:10.1080/01621459.1958.10501452; Baddeley, Gill (1997), Kaplan-Meier estimators of distance
    distributions for spatial point processes, Annals of Statistics 25:263.
    """
    numbers = np.asarray(labels)
    count = int(numbers.max(initial=0))
    counted = as_included(included, numbers.shape)
    scale, unit = _scale(pixel_size)
    gaps = np.full(count + 1, np.inf)
    if count > 1:
        nearest = scipy.ndimage.distance_transform_edt(
            numbers == 0, return_distances=False, return_indices=True
        )
        owner = numbers[nearest[0], nearest[1]]
        for one, other in _neighbouring():
            _shorten(gaps, owner[one], owner[other], nearest[:, *one], nearest[:, *other])
    to_edge = np.full(count + 1, np.inf)
    np.minimum.at(to_edge, numbers.ravel(), _way_out(numbers.shape, counted).ravel())
    found = np.where(np.isfinite(gaps[1:]), gaps[1:], np.nan)
    return Gaps(found * scale, to_edge[1:] * scale, unit)


def _neighbouring() -> list[tuple[tuple[slice, slice], tuple[slice, slice]]]:
    """Return pairs of slices that lay an image over itself, shifted to each neighbour once."""
    every, first, last = slice(None), slice(None, -1), slice(1, None)
    return [
        ((every, first), (every, last)),
        ((first, every), (last, every)),
        ((first, first), (last, last)),
        ((first, last), (last, first)),
    ]


def _shorten(gaps: Floats, a: Any, b: Any, at_a: Any, at_b: Any) -> None:
    """Take over the distances between the nearest pixels of two regions that meet."""
    meet = a != b
    if not meet.any():
        return
    apart = (at_a[:, meet].astype(np.int64) - at_b[:, meet]).astype(np.float64)
    # Between the middles of pixels; half a pixel on either side belongs to the regions.
    away = np.maximum(np.hypot(*apart) - 1, 0)
    np.minimum.at(gaps, a[meet], away)
    np.minimum.at(gaps, b[meet], away)


def _way_out(shape: tuple[int, ...], counted: Mask | None) -> NDArray[np.float32]:
    """Return how far each pixel's edge is from what is not seen."""
    seen = np.ones(shape, np.uint8) if counted is None else counted.astype(np.uint8)
    framed = np.pad(seen, 1)
    away = distance_inside(framed)
    return np.maximum(away[1:-1, 1:-1] - 1, 0)


def kaplan_meier_median(values: Floats, is_sure: Mask) -> float:
    """Return the median of values of which some are only known to be at least so large."""
    known = ~np.isnan(values)
    order = np.lexsort((~is_sure[known], values[known]))
    ascending, sure = values[known][order], is_sure[known][order]
    at_risk = np.arange(ascending.size, 0, -1)
    left = np.cumprod(np.where(sure, 1 - 1 / at_risk, 1.0)) if ascending.size else np.ones(0)
    below = np.flatnonzero(left <= 0.5 + 1e-12)
    return float(ascending[below[0]]) if below.size else float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class PairCorrelation:
    """How many pairs of points lie so far apart, by the number that chance gives.

    Attributes
    ----------
    distances, values, low, high : ndarray of shape (N,), float64
        Distances in the unit of the points; g(r), 1 for points scattered at random; and the central
        95 % of that many points scattered at random over the same area, point by point.
    p : float
        Of the largest departure from chance over all distances, among the simulations: the smallest
        possible is 1 / (simulations + 1). NaN with fewer than ten points.
    """

    distances: Floats
    values: Floats
    low: Floats
    high: Floats
    p: float

    def to_frame(self, unit: str = "px") -> pd.DataFrame:
        """Return distance_U, g, low and high."""
        columns = {f"distance_{unit}": self.distances, "g": self.values}
        return pd.DataFrame({**columns, "chance_low": self.low, "chance_high": self.high})


FEWEST_POINTS = 10


def pair_correlation(
    points_px: NDArray[Any],
    shape: tuple[int, int],
    *,
    included: NDArray[Any] | None = None,
    simulations: int = SIMULATIONS,
    seed: int = SEED,
) -> PairCorrelation:
    """Return g(r) of points in a field, corrected for its edges, with what chance gives.

    Each pair counts by the inverse of the area in which such a pair could have lain; what does not
    count takes no part. Simulations scatter as many points over what counts.

    Parameters
    ----------
    points_px : ndarray of shape (N, 2)
        (row, column), such as centroids.
    shape : (H, W)
    included : ndarray of shape (H, W), bool, optional
        True for what counts.
    simulations, seed : int

    References
    ----------
    Ohser, Stoyan (1981), On the second-order and orientation analysis of planar stationary point
    processes, Biometrical Journal 23:523 (translation correction). Stoyan, Stoyan (1994), Fractals,
    random shapes and point fields, Wiley, 15.4 (kernel). Diggle (2013), Statistical analysis of
    spatial and spatio-temporal point patterns, 3rd ed., 2.3 (envelopes and test).
    """
    counted = as_included(included, shape)
    points = np.asarray(points_px, np.float64).reshape(-1, 2)
    inside = np.ones(shape, np.bool_) if counted is None else counted
    area, n = float(np.count_nonzero(inside)), len(points)
    if n < FEWEST_POINTS:
        nothing = np.zeros(0)
        return PairCorrelation(nothing, nothing, nothing, nothing, float("nan"))
    spacing = float(np.sqrt(area / n))
    reach = min(REACH * spacing, min(shape) / 2)
    distances = reach * (np.arange(BANDS) + 1) / BANDS
    width = 0.15 * spacing  # Stoyan's rule for the kernel
    overlap, step = _overlap(inside)
    args = (distances, width, overlap, step, area)
    found = _g(points, *args)
    random = np.random.default_rng(seed)
    chance = np.stack([_g(_scatter(inside, n, random), *args) for _ in range(simulations)])
    low, high = np.quantile(chance, [0.025, 0.975], axis=0)
    every = np.vstack([found, chance])  # one more of them by chance: all are treated alike
    departures = np.abs(every - every.mean(axis=0)) / np.maximum(every.std(axis=0), 1e-9)
    largest = departures.max(axis=1)
    p = float(np.count_nonzero(largest >= largest[0]) / (simulations + 1))
    return PairCorrelation(distances, found, low, high, p)


def _scatter(inside: Mask, n: int, random: np.random.Generator) -> Floats:
    """Return points at random over what counts."""
    places = np.flatnonzero(inside)[random.integers(np.count_nonzero(inside), size=n)]
    at = np.stack(np.unravel_index(places, inside.shape), axis=1)
    return np.asarray(at + random.uniform(-0.5, 0.5, (n, 2)))


def _overlap(inside: Mask) -> tuple[Floats, float]:
    """Return by how much what counts overlaps itself, shifted by whole steps, in px²."""
    step = max(1, -(-max(inside.shape) // _MOST_SIDE))
    height, width = (-(-side // step) for side in inside.shape)
    padded = np.pad(
        inside.astype(np.float64),
        ((0, height * step - inside.shape[0]), (0, width * step - inside.shape[1])),
    )
    coarse = padded.reshape(height, step, width, step).mean(axis=(1, 3))
    power = np.abs(scipy.fft.rfft2(coarse, s=(2 * height, 2 * width))) ** 2
    return np.asarray(scipy.fft.irfft2(power, s=(2 * height, 2 * width))) * step**2, float(step)


def _g(
    points: Floats, distances: Floats, width: float, overlap: Floats, step: float, area: float
) -> Floats:
    """Return g(r) by Epanechnikov's kernel."""
    pairs = scipy.spatial.cKDTree(points).query_pairs(distances[-1] + width, output_type="ndarray")
    apart = points[pairs[:, 0]] - points[pairs[:, 1]]
    away = np.hypot(apart[:, 0], apart[:, 1])
    shared = scipy.ndimage.map_coordinates(
        overlap, (apart / step).T, order=1, mode="grid-wrap", prefilter=False
    )
    weights = 1 / np.maximum(shared, area / 1000)
    found = np.empty(distances.size)
    order = np.argsort(away)
    away, weights = away[order], weights[order]
    for place, distance in enumerate(distances):
        first, last = np.searchsorted(away, [distance - width, distance + width])
        kernel = 0.75 / width * (1 - ((away[first:last] - distance) / width) ** 2)
        # Nothing lies below a distance of 0: the kernel is as wide there as there is room.
        room = 1.0 if distance >= width else _room(distance / width)
        found[place] = (kernel * weights[first:last]).sum() / (np.pi * distance * room)
    return found * area**2 / (len(points) * (len(points) - 1))


def _room(part: float) -> float:
    """Return how much of the kernel, weighted with distance, lies above 0."""

    # Integral of 0.75 (1 - x²) (part + x) from -part to 1, by that from -1 to 1, which is part.
    def upto(x: float) -> float:
        return 0.75 * (part * x + x**2 / 2 - part * x**3 / 3 - x**4 / 4)

    return (upto(1.0) - upto(-part)) / part


def centres_against_chance(
    regions: pd.DataFrame, shape: tuple[int, int], included: NDArray[Any] | None = None
) -> ClarkEvans:
    """Return Clark and Evans' index of the centroids of a table of regions.

    Parameters
    ----------
    regions : DataFrame
        As `measure_regions` returns it.
    shape : (H, W)
    included : ndarray of shape (H, W), bool, optional
        True for what counts: its area and the length of its edge.
    """
    points = regions[["centroid_row_px", "centroid_col_px"]].to_numpy(np.float64)
    counted = as_included(included, shape)
    inside = np.ones(shape, np.bool_) if counted is None else counted
    framed = np.pad(inside, 1)
    steps = sum(np.count_nonzero(np.diff(framed.astype(np.int8), axis=axis)) for axis in (0, 1))
    area = float(np.count_nonzero(inside))
    return clark_evans(points, area, float(steps)) if area else ClarkEvans(np.nan, np.nan)


def _scale(pixel_size: PixelSize | None) -> tuple[float, str]:
    """Return how long a pixel is, and in which unit."""
    if pixel_size is None:
        return 1.0, "px"
    return pixel_size.to(pixel_size.length_unit), pixel_size.length_unit

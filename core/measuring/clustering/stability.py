"""How far fractions move when the frame had shown other places: tiles drawn again, and clustered.

Each draw is clustered anew (but for mixtures), so that the bands hold for thresholds and centres as
well as for areas.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.imaging.filtering import GreyHistogram, cut_levels, grey_histogram, without_hot
from core.measuring.clustering.frame import describe_frame
from core.measuring.clustering.pixels import MIXTURE, FeatureClustering
from core.measuring.clustering.result import Clustering
from core.measuring.clustering.rows import refine
from core.measuring.statistics import (
    FEWEST_TILES,
    SEED,
    of_few_pieces,
    relative_length,
    tile_numbers,
    tile_starts,
    tiles_for,
    widening,
)
from core.micrograph import Micrograph

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
GREY_DRAWS, FEATURE_DRAWS = 200, 60
LEVELS = 512  # deeper images share as many bins: thresholds then move by less than the bands
FEATURE_ROWS, FEATURE_STEPS = 1 << 13, 15
BAND_PCT = (2.5, 97.5)


def fraction_bands(
    image: Micrograph | NDArray[Any],
    clustering: Clustering,
    *,
    exclude: Mask | None = None,
    seed: int = SEED,
) -> pd.DataFrame:
    """Return how far the fractions of a clustering move over drawn tiles of its frame.

    What counts is cut into about 8 x 8 tiles (6 x 6 where structure is large); as many are drawn
    with replacement, and what they hold is clustered again: 200 times for grey levels, 60 times for
    k-means of features (8,192 pixels, from the centres that were found). A mixture is not fitted
    again: its pixels keep their clusters.

    Parameters
    ----------
    image : Micrograph, or ndarray of shape (H, W)
        What was clustered.
    clustering : Clustering
        As it was found, not smoothed.
    exclude : ndarray of shape (H, W), bool, optional
        What shows something else than specimen, as it was given to `cluster_features`.
    seed : int

    Returns
    -------
    DataFrame
        One row per cluster: cluster, fraction_pct, low_pct, high_pct (central 95 % of the draws,
        widened for few tiles, alike neighbours and structure about as large as the field, as
        `area_fraction` does; NaN with fewer than four tiles that hold pixels).

    References
    ----------
    Hall (1985), see `core.measuring.statistics.tiles`.
    """
    pixels = image.pixels if isinstance(image, Micrograph) else np.asarray(image)
    included = clustering.labels >= 0
    lengths = [relative_length(clustering.labels == each, included) for each in range(clustering.k)]
    tiles = tiles_for(max(lengths))
    tile = tile_numbers(pixels.shape, tiles, included)[included]
    present, owner = np.unique(tile, return_inverse=True)
    random = np.random.default_rng(seed)
    if present.size < FEWEST_TILES:
        drawn = np.empty((0, clustering.k))
    elif isinstance(clustering, FeatureClustering) and clustering.method == MIXTURE:
        drawn = _label_draws(clustering.labels[included], owner, present.size, clustering.k, random)
    elif isinstance(clustering, FeatureClustering):
        drawn = _feature_draws(pixels, clustering, exclude, included, owner, present.size, random)
    else:
        drawn = _grey_draws(
            without_hot(pixels, ~included)[included], owner, present.size, clustering.k, random
        )
    bands = np.full((2, clustering.k), np.nan)
    if len(drawn) > 1:
        rows, cols = tile_starts(pixels.shape, tiles, included)
        bands = 100 * _widen(drawn, clustering, tile, (rows.size, cols.size), lengths)
    return pd.DataFrame(
        {
            "cluster": np.arange(clustering.k),
            "fraction_pct": 100 * clustering.fractions,
            "low_pct": bands[0],
            "high_pct": bands[1],
        }
    )


def _widen(
    drawn: Floats,
    clustering: Clustering,
    tile: NDArray[np.int64],
    grid: tuple[int, int],
    lengths: list[float],
) -> Floats:
    """Return limits (2, k): percentiles of draws, moved away from the fractions as by `limits`.

    Where structure has so great a length that only few pieces fit, they are at least as wide as
    theirs.
    """
    labels, tiles, k = clustering.labels[clustering.labels >= 0], grid[0] * grid[1], clustering.k
    counts = np.bincount(tile * k + labels, minlength=tiles * k).reshape(*grid, k)
    pixels = counts.sum(axis=2)
    used = pixels > 0
    ends = np.percentile(drawn, BAND_PCT, axis=0)
    for number, share in enumerate(clustering.fractions):
        factor = widening(counts[..., number] - share * pixels, used=used)
        low, high = (float(end) for end in share + factor * (ends[:, number] - share))
        if 0 < share < 1:
            low, high = of_few_pieces(float(share), (low, high), lengths[number])
        ends[:, number] = max(0.0, min(low, share)), min(1.0, max(high, share))
    return np.asarray(ends)


def _grey_draws(
    greys: NDArray[Any], owner: NDArray[np.int64], tiles: int, k: int, random: np.random.Generator
) -> Floats:
    """Return fractions (draws, k) of grey levels clustered again."""
    levels, place = _levels(greys)
    counts = np.bincount(owner * levels.size + place, minlength=tiles * levels.size)
    counts = counts.reshape(tiles, levels.size)
    found = []
    for times in random.multinomial(tiles, np.full(tiles, 1 / tiles), size=GREY_DRAWS):
        drawn = times @ counts  # whole numbers: exact in any order
        occupied = drawn > 0
        if np.count_nonzero(occupied) >= k:
            sizes = cut_levels(_histogram(levels[occupied], drawn[occupied]), k).sizes
            found.append(sizes / sizes.sum())
    return np.asarray(found).reshape(-1, k)


def _label_draws(
    labels: NDArray[np.int16],
    owner: NDArray[np.int64],
    tiles: int,
    k: int,
    random: np.random.Generator,
) -> Floats:
    """Return fractions (draws, k) of the labels that pixels have."""
    counts = np.bincount(owner * k + labels, minlength=tiles * k).reshape(tiles, k)
    times = random.multinomial(tiles, np.full(tiles, 1 / tiles), size=GREY_DRAWS)
    drawn = times @ counts
    return np.asarray(drawn / drawn.sum(axis=1, keepdims=True))


def _levels(greys: NDArray[Any]) -> tuple[Floats, NDArray[np.int64]]:
    """Return levels and the number of each pixel's; at most 512, by equal steps where more."""
    histogram = grey_histogram(greys)
    if len(histogram) <= LEVELS and histogram.exact:
        return histogram.levels, np.searchsorted(histogram.levels, greys).astype(np.int64)
    low, high = float(greys.min()), float(greys.max())
    share = (greys.astype(np.float64) - low) / (high - low)
    place = np.minimum((share * LEVELS).astype(np.int64), LEVELS - 1)
    return low + (np.arange(LEVELS) + 0.5) * (high - low) / LEVELS, place


def _histogram(levels: Floats, counts: NDArray[np.int64]) -> GreyHistogram:
    return GreyHistogram(levels, counts, levels, levels, np.zeros(levels.size), True)


def _feature_draws(
    pixels: NDArray[Any],
    clustering: FeatureClustering,
    exclude: Mask | None,
    included: Mask,
    owner: NDArray[np.int64],
    tiles: int,
    random: np.random.Generator,
) -> Floats:
    """Return fractions (draws, k) of sampled pixels clustered again from the centres found."""
    frame = describe_frame(pixels, clustering.features, exclude=exclude, region=included)
    chosen = frame.draw(FEATURE_ROWS, random)
    planes, owner = frame.at(chosen), owner[chosen]
    members = [np.flatnonzero(owner == number) for number in range(tiles)]
    found = []
    for _ in range(FEATURE_DRAWS):
        drawn = random.integers(tiles, size=tiles)
        rows = np.concatenate([members[number] for number in drawn])
        if rows.size >= clustering.k:
            again = np.ascontiguousarray(planes[:, rows])
            groups = refine(again, clustering.feature_centers, most_steps=FEATURE_STEPS)
            found.append(groups.counts / groups.counts.sum())
    return np.asarray(found).reshape(-1, clustering.k)

"""Contrast: how grey levels are spread, bent, equalised and matched."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.imaging.filtering.histograms import GreyHistogram, grey_histogram
from core.imaging.filtering.operations.bands import row_bands
from core.imaging.filtering.operations.base import (
    Floats,
    Mask,
    Pixels,
    blur,
    by_level,
    counted,
    full_range,
    grey_range,
    to_depth_of,
)
from core.imaging.filtering.operations.cells import count_tiles, map_cells

CLAHE_BINS = 256
_PLACES_AT_ONCE = 1 << 17  # few enough to stay in the processor's cache

Integers = NDArray[np.int64]
Curves = Callable[[Pixels], Callable[[Integers], Floats]]


def equalise(pixels: Pixels, exclude: Mask = None) -> Pixels:
    """Give every grey level its share of the full range: an even histogram, at any depth.

    The darkest counted level becomes black and the brightest white, of an integer depth or of a
    float image's own range.
    """
    levels, shares = _cumulative(grey_histogram(counted(pixels, exclude)))
    if len(levels) == 1:
        return pixels.copy()
    low, high = full_range(pixels, exclude)
    spread = low + (high - low) * (shares - shares[0]) / (1 - shares[0])
    return by_level(pixels, lambda grey: np.interp(grey, levels, spread))


def match_histogram(
    pixels: Pixels,
    exclude: Mask = None,
    *,
    other: Pixels,
) -> Pixels:
    """Give the image the grey levels of another one, rank by rank.

    As scikit-image's `match_histograms`, but with the counted pixels' ranks only. The levels of an
    image of another depth are scaled by the ratio of the two full ranges.
    """
    target, target_shares = _cumulative(grey_histogram(counted(other, None)))
    if pixels.dtype.kind == other.dtype.kind == "u":
        target = target * (np.iinfo(pixels.dtype).max / np.iinfo(other.dtype).max)
    levels, shares = _cumulative(grey_histogram(counted(pixels, exclude)))
    matched = np.interp(shares, target_shares, target)
    return by_level(pixels, lambda grey: np.interp(grey, levels, matched))


def unsharp(pixels: Pixels, exclude: Mask = None, *, sigma_px: float, amount: float) -> Pixels:
    """Add back what a Gaussian takes away: edges become steeper, and noise stronger."""
    grey = pixels.astype(np.float32)
    return to_depth_of(pixels, grey + amount * (grey - blur(grey, sigma_px)))


def _cumulative(histogram: GreyHistogram) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the occupied grey levels and which share of pixels lies at or below each."""
    counts = np.cumsum(histogram.counts, dtype=np.float64)
    return histogram.levels, counts / counts[-1]


def invert(pixels: Pixels, exclude: Mask = None) -> Pixels:
    """Swap dark and bright: about the full range of an integer depth, or a float image's own."""
    if pixels.dtype.kind == "u":
        return np.asarray(np.iinfo(pixels.dtype).max - pixels)
    low, high = grey_range(pixels, exclude)
    return to_depth_of(pixels, low + high - pixels.astype(np.float64))


def gamma(pixels: Pixels, exclude: Mask = None, *, exponent: float) -> Pixels:
    """Bend the grey scale by a power, with its ends fixed (full range, or a float image's own)."""
    low, high = full_range(pixels, exclude)
    if low == high:
        return pixels.copy()

    def bend(levels: Pixels) -> Floats:
        share = np.clip((levels.astype(np.float64) - low) / (high - low), 0, 1)
        return np.asarray(low + (high - low) * share**exponent)

    return by_level(pixels, bend)


def stretch(pixels: Pixels, exclude: Mask = None, *, low_pct: float, high_pct: float) -> Pixels:
    """Spread the greys between two percentiles over the full range; floats come out in [0, 1]."""
    if low_pct >= high_pct:
        raise UserError(
            f"The low percentile ({low_pct:g}) must be below the high one ({high_pct:g}). "
            "Move them apart."
        )
    low, high = np.percentile(counted(pixels, exclude), [low_pct, high_pct]).astype(np.float64)
    if low == high:
        return pixels.copy()
    top = np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 1
    return by_level(
        pixels, lambda levels: np.clip((levels.astype(np.float64) - low) / (high - low), 0, 1) * top
    )


def clahe(pixels: Pixels, exclude: Mask = None, *, clip_limit: float, tile_px: int) -> Pixels:
    """Equalise the histogram around every pixel, with limited gain, at any depth.

    The image's own range is cut into 256 bins; greys inside a bin are mapped linearly, so that a
    16-bit image keeps its fine steps. (OpenCV spreads 16 bits over 65,536 bins, where a tile has
    too few pixels for the clip limit to mean anything.)
    """
    low, high = grey_range(pixels, exclude)
    if low == high:
        return pixels.copy()
    grid = [max(1, round(length / tile_px)) for length in pixels.shape]
    gains = _tile_gains(pixels, exclude, grid, clip_limit, (low, high))
    starts = np.cumsum(gains, axis=2)
    starts -= gains
    down, right = (_nearest_tiles(*each) for each in zip(pixels.shape, grid, strict=True))
    if pixels.dtype == np.uint8:
        bins, within = _into_bins(np.arange(256), (low, high))
        if not np.array_equal(bins, np.arange(256)):
            starts, gains = starts[:, :, bins], gains[:, :, bins]
        gains *= within
        gains += starts
        gains *= high - low
        gains += low
        curves = gains.astype(np.float32)
        return map_cells(pixels, curves, down, right)
    by_bin = _by_bin(starts.reshape(-1, CLAHE_BINS), gains.reshape(-1, CLAHE_BINS), (low, high))
    result = np.empty_like(pixels)
    for band in row_bands(pixels.shape, _PLACES_AT_ONCE):
        read = by_bin(pixels[band])
        mapped = np.zeros(pixels[band].shape)
        for rows, row_weight in down:
            for cols, col_weight in right:
                tile = (rows[band] * grid[1])[:, None] + cols
                mapped += (row_weight[band][:, None] * col_weight) * read(tile)
        result[band] = to_depth_of(pixels, low + (high - low) * mapped)
    return result


def _by_bin(starts: Floats, gains: Floats, ends: tuple[float, float]) -> Curves:
    """Return what looks tiles' curves up for all depths: straight within each bin."""

    def at(pixels: Pixels) -> Callable[[Integers], Floats]:
        bins, within = _into_bins(pixels, ends)

        def read(tile: Integers) -> Floats:
            place = tile * CLAHE_BINS + bins
            return np.asarray(starts.ravel()[place] + within * gains.ravel()[place])

        return read

    return at


def _into_bins(pixels: Pixels, ends: tuple[float, float]) -> tuple[Integers, Floats]:
    """Return the bin of each pixel, and how far in it lies."""
    low, high = ends
    share = np.clip((pixels.astype(np.float64) - low) / (high - low), 0, 1)
    bins = np.minimum((share * CLAHE_BINS).astype(np.int64), CLAHE_BINS - 1)
    return bins, share * CLAHE_BINS - bins


def _tile_gains(
    pixels: Pixels,
    exclude: Mask,
    grid: list[int],
    clip_limit: float,
    ends: tuple[float, float],
) -> Floats:
    """Return each tile's clipped histogram, (tile rows, tile columns, bins), summing to 1.

    What is clipped off is shared out evenly. A tile without counted pixels gets an even histogram.
    """
    rows, cols = (
        np.arange(length) * tiles // length
        for length, tiles in zip(pixels.shape, grid, strict=True)
    )
    if pixels.dtype == np.uint8:
        counts = count_tiles(pixels, exclude, rows, cols)
        used, first = np.unique(_into_bins(np.arange(256), ends)[0], return_index=True)
        folded = np.zeros((len(counts), CLAHE_BINS))
        folded[:, used] = np.add.reduceat(counts, first, axis=1)
        return _clipped(folded.reshape(*grid, CLAHE_BINS), clip_limit)
    counts = np.zeros(grid[0] * grid[1] * CLAHE_BINS, np.int64)
    for band in row_bands(pixels.shape):
        slot = (rows[band][:, None] * grid[1] + cols[None, :]) * CLAHE_BINS
        slot += _into_bins(pixels[band], ends)[0]
        kept = slot.ravel() if exclude is None else slot[~exclude[band]]
        counts += np.bincount(kept, minlength=counts.size)
    return _clipped(counts.reshape(*grid, CLAHE_BINS).astype(np.float64), clip_limit)


def _clipped(histograms: Floats, clip_limit: float) -> Floats:
    """Return histograms that sum to 1, with what is clipped off shared out evenly."""
    histograms[histograms.sum(axis=2) == 0] = 1
    histograms /= histograms.sum(axis=2, keepdims=True)
    clipped = np.minimum(histograms, clip_limit / CLAHE_BINS, out=histograms)
    clipped += (1 - clipped.sum(axis=2, keepdims=True)) / CLAHE_BINS
    return clipped


def _nearest_tiles(length: int, tiles: int) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Return along one axis the tile before and after each pixel, each with its weight."""
    position = np.clip((np.arange(length) + 0.5) * tiles / length - 0.5, 0, tiles - 1)
    before = position.astype(np.int64)
    after = np.minimum(before + 1, tiles - 1)
    weight = position - before
    return [(before, 1 - weight), (after, weight)]

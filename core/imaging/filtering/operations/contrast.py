"""Contrast: how grey levels are spread, bent, equalised and matched."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.imaging.filtering.histograms import GreyHistogram, grey_histogram
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

CLAHE_BINS = 256


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
    share = np.clip((pixels.astype(np.float64) - low) / (high - low), 0, 1)
    bins = np.minimum((share * CLAHE_BINS).astype(np.int64), CLAHE_BINS - 1)
    grid = [max(1, round(length / tile_px)) for length in pixels.shape]
    gains = _tile_gains(bins, exclude, grid, clip_limit)
    starts = np.cumsum(gains, axis=2) - gains
    within = share * CLAHE_BINS - bins
    mapped = np.zeros(pixels.shape)
    for rows, row_weight in _nearest_tiles(pixels.shape[0], grid[0]):
        for cols, col_weight in _nearest_tiles(pixels.shape[1], grid[1]):
            where = (rows[:, None], cols[None, :], bins)
            weight = row_weight[:, None] * col_weight[None, :]
            mapped += weight * (starts[where] + within * gains[where])
    return to_depth_of(pixels, low + (high - low) * mapped)


def _tile_gains(
    bins: NDArray[np.int64], exclude: Mask, grid: list[int], clip_limit: float
) -> NDArray[np.float64]:
    """Return each tile's clipped histogram, (tile rows, tile columns, bins), summing to 1.

    What is clipped off is shared out evenly. A tile without counted pixels gets an even histogram.
    """
    rows, cols = (
        np.arange(length) * tiles // length for length, tiles in zip(bins.shape, grid, strict=True)
    )
    slot = (rows[:, None] * grid[1] + cols[None, :]) * CLAHE_BINS + bins
    slot = slot if exclude is None else slot[~exclude]
    counts = np.bincount(slot.ravel(), minlength=grid[0] * grid[1] * CLAHE_BINS)
    histograms = counts.reshape(*grid, CLAHE_BINS).astype(np.float64)
    histograms[histograms.sum(axis=2) == 0] = 1
    histograms /= histograms.sum(axis=2, keepdims=True)
    clipped = np.minimum(histograms, clip_limit / CLAHE_BINS)
    return np.asarray(clipped + (1 - clipped.sum(axis=2, keepdims=True)) / CLAHE_BINS)


def _nearest_tiles(length: int, tiles: int) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Return along one axis the tile before and after each pixel, each with its weight."""
    position = np.clip((np.arange(length) + 0.5) * tiles / length - 0.5, 0, tiles - 1)
    before = position.astype(np.int64)
    after = np.minimum(before + 1, tiles - 1)
    weight = position - before
    return [(before, 1 - weight), (after, weight)]

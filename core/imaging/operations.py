"""What each filter does to an array: one function per filter, free of names and settings.

Every function takes pixels of shape (H, W), uint8, uint16 or finite float32, and `exclude`, a mask
that is True where a pixel must not count in statistics (thresholds, ranges), or None. It returns a
new array of the same depth unless its docstring says otherwise, and leaves the input alone.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.errors import UserError
from core.imaging.histograms import grey_histogram
from core.imaging.texture import glcm_map

CLAHE_BINS = 256
OPENCV_MEDIAN_PX = 5  # beyond this, OpenCV's median takes 8 bits only

Pixels = NDArray[Any]
Mask = NDArray[np.bool_] | None


def gaussian(pixels: Pixels, exclude: Mask = None, *, sigma_px: float) -> Pixels:
    """Smooth with a Gaussian, cut at four sigma; computed in floats at every depth."""
    if sigma_px == 0:
        return pixels.copy()
    edge = 2 * int(np.ceil(4 * sigma_px)) + 1
    smooth = cv2.GaussianBlur(pixels.astype(np.float32), (edge, edge), sigma_px)
    return _to_depth_of(pixels, smooth)


def median(pixels: Pixels, exclude: Mask = None, *, size_px: int) -> Pixels:
    """Replace each pixel by the median of its square neighbourhood; edges are repeated."""
    if pixels.dtype == np.uint8 or size_px <= OPENCV_MEDIAN_PX:
        return np.asarray(cv2.medianBlur(np.ascontiguousarray(pixels), size_px))
    return np.asarray(ndimage.median_filter(pixels, size_px, mode="nearest"))


def bilateral(
    pixels: Pixels, exclude: Mask = None, *, sigma_px: float, sigma_grey_pct: float
) -> Pixels:
    """Smooth without crossing edges; the grey sigma is a percentage of the image's own range."""
    low, high = grey_range(pixels, exclude)
    if low == high:
        return pixels.copy()
    scaled = ((pixels - low) / (high - low)).astype(np.float32)
    diameter_px = 2 * int(np.ceil(2 * sigma_px)) + 1
    smooth = cv2.bilateralFilter(scaled, diameter_px, sigma_grey_pct / 100, sigma_px)
    return _to_depth_of(pixels, smooth * (high - low) + low)


def white_tophat(pixels: Pixels, exclude: Mask = None, *, radius_px: int) -> Pixels:
    """Keep bright detail smaller than a disc and drop the background under it."""
    steps = np.arange(-radius_px, radius_px + 1)
    # Not OpenCV's own ellipse, which a quarter turn changes.
    disc = (np.add.outer(steps**2, steps**2) <= radius_px**2).astype(np.uint8)
    return np.asarray(cv2.morphologyEx(pixels, cv2.MORPH_TOPHAT, disc))


def invert(pixels: Pixels, exclude: Mask = None) -> Pixels:
    """Swap dark and bright: about the full range of an integer depth, or a float image's own."""
    if pixels.dtype.kind == "u":
        return np.asarray(np.iinfo(pixels.dtype).max - pixels)
    low, high = grey_range(pixels, exclude)
    return _to_depth_of(pixels, low + high - pixels.astype(np.float64))


def gamma(pixels: Pixels, exclude: Mask = None, *, exponent: float) -> Pixels:
    """Bend the grey scale by a power, with its ends fixed (full range, or a float image's own)."""
    low, high = _full_range(pixels, exclude)
    if low == high:
        return pixels.copy()
    share = np.clip((pixels.astype(np.float64) - low) / (high - low), 0, 1)
    return _to_depth_of(pixels, low + (high - low) * share**exponent)


def stretch(pixels: Pixels, exclude: Mask = None, *, low_pct: float, high_pct: float) -> Pixels:
    """Spread the greys between two percentiles over the full range; floats come out in [0, 1]."""
    if low_pct >= high_pct:
        raise UserError(
            f"The low percentile ({low_pct:g}) must be below the high one ({high_pct:g}). "
            "Move them apart."
        )
    low, high = np.percentile(_counted(pixels, exclude), [low_pct, high_pct]).astype(np.float64)
    if low == high:
        return pixels.copy()
    top = np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 1
    share = np.clip((pixels.astype(np.float64) - low) / (high - low), 0, 1)
    return _to_depth_of(pixels, share * top)


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
    return _to_depth_of(pixels, low + (high - low) * mapped)


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


def sobel(pixels: Pixels, exclude: Mask = None) -> Pixels:
    """Return the size of the grey-level gradient, as 32-bit floats in grey levels per pixel."""
    grey = pixels.astype(np.float32)
    down, right = (cv2.Sobel(grey, cv2.CV_32F, *order, scale=1 / 8) for order in ((0, 1), (1, 0)))
    return np.hypot(down, right)


def otsu_threshold(pixels: Pixels, exclude: Mask = None) -> float:
    """Return the grey level that best parts dark from bright: pixels above it are bright.

    Exact at 8 and 16 bits, and for floats up to 65,536 different values (see `grey_histogram`).
    A constant image returns its one level, above which there is nothing.

    Parameters
    ----------
    pixels : ndarray of shape (H, W), uint8, uint16 or float32
        Values that are not finite do not count.
    exclude : ndarray of shape (H, W), bool, optional
        True where a pixel must not count.

    Raises
    ------
    UserError
        If no pixel is left to count.

    References
    ----------
    Otsu (1979), A threshold selection method from gray-level histograms, IEEE Transactions on
    Systems, Man, and Cybernetics 9, 62-66, doi:10.1109/TSMC.1979.4310076
    """
    histogram = grey_histogram(_counted(pixels, exclude))
    if len(histogram) == 0:
        raise UserError("The micrograph holds no valid pixel. Check the file or load another one.")
    counts = histogram.counts.astype(np.float64)
    centred = histogram.levels - np.average(histogram.levels, weights=counts)
    weight, grey = np.cumsum(counts), np.cumsum(counts * centred)
    dark, bright = weight[:-1], weight[-1] - weight[:-1]
    between = grey[:-1] ** 2 / dark + (grey[-1] - grey[:-1]) ** 2 / bright
    return float(histogram.upper[np.argmax(between) if between.size else 0])


def otsu(pixels: Pixels, exclude: Mask = None) -> Pixels:
    """Return an 8-bit mask: 255 where a pixel is brighter than Otsu's threshold, else 0."""
    return np.where(pixels > otsu_threshold(pixels, exclude), 255, 0).astype(np.uint8)


def glcm_texture(
    pixels: Pixels,
    exclude: Mask = None,
    *,
    prop: str,
    window_px: int,
    levels: int,
    distance_px: int,
    angle_deg: int,
) -> Pixels:
    """Return a texture map as 32-bit floats: of Otsu's mask, or of more equal grey levels."""
    if distance_px >= window_px:
        raise UserError(
            f"The pair distance ({distance_px} px) must be smaller than the window "
            f"({window_px} px). Enlarge the window or shorten the distance."
        )
    image = otsu(pixels, exclude) // 255 if levels == 2 else _quantise(pixels, exclude, levels)
    texture = glcm_map(
        image, prop, window=window_px, levels=levels, distance=distance_px, angle_deg=angle_deg
    )
    return texture.astype(np.float32)


def _quantise(pixels: Pixels, exclude: Mask, levels: int) -> Pixels:
    """Sort the image's own range into equal levels, 0 to levels - 1."""
    low, high = grey_range(pixels, exclude)
    if low == high:
        return np.zeros(pixels.shape, np.uint8)
    share = np.clip((pixels.astype(np.float64) - low) / (high - low), 0, 1)
    return np.minimum(share * levels, levels - 1).astype(np.uint8)


def grey_range(pixels: Pixels, exclude: Mask = None) -> tuple[float, float]:
    """Return the darkest and brightest counted grey level."""
    counted = _counted(pixels, exclude)
    return float(counted.min()), float(counted.max())


def _full_range(pixels: Pixels, exclude: Mask) -> tuple[float, float]:
    """Return the range that an integer depth can hold, or that a float image does hold."""
    if pixels.dtype.kind == "u":
        return 0.0, float(np.iinfo(pixels.dtype).max)
    return grey_range(pixels, exclude)


def _counted(pixels: Pixels, exclude: Mask) -> Pixels:
    """Return the pixels that statistics may use, or say why there are none."""
    counted = pixels if exclude is None else pixels[~exclude]
    if counted.size == 0:
        raise UserError(
            "Every pixel is excluded, so the filter has nothing to measure. "
            "Switch the exclusion of overlays off or load another micrograph."
        )
    return counted


def _to_depth_of(pixels: Pixels, values: NDArray[Any]) -> Pixels:
    """Round and clip values to the dtype of `pixels`."""
    if pixels.dtype.kind == "u":
        top = np.iinfo(pixels.dtype).max
        return np.asarray(np.clip(np.rint(values), 0, top), dtype=pixels.dtype)
    return values.astype(np.float32)

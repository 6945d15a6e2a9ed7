"""Thresholds: at which grey level bright parts from dark, for the image or around each pixel.

Global thresholds come in two halves: a function that returns the levels (to be shown on the
histogram), and one that cuts there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.imaging.filtering.cuts import cut_levels
from core.imaging.filtering.histograms import GreyHistogram, grey_histogram, without_spikes
from core.imaging.filtering.operations import criteria
from core.imaging.filtering.operations.bands import in_bands
from core.imaging.filtering.operations.base import (
    Floats,
    Mask,
    Pixels,
    blur,
    counted,
    full_range,
    ski,
    to_mask,
)
from core.imaging.filtering.operations.criteria import Bins
from core.imaging.filtering.operations.hot import without_hot

_CAMERAS = (4095, 16_383, 65_535)  # brightest levels of 12, 14 and 16 bits
Levels = tuple[float, ...]
Surface = Callable[[Floats, Floats], Floats]  # from local mean and deviation


def otsu_threshold(pixels: Pixels, exclude: Mask = None) -> float:
    """Return the grey level that best parts dark from bright: pixels above it are bright.

    Exact at 8 and 16 bits, and for floats up to 65,536 different values (see `grey_histogram`),
    once hot pixels count as what is around them (see `without_hot`, `without_spikes`).
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
    histogram = _histogram(pixels, exclude)
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
    return above(pixels, exclude, levels=(otsu_threshold(pixels, exclude),))


def above(pixels: Pixels, exclude: Mask = None, *, levels: Levels, **_: Any) -> Pixels:
    """Return an 8-bit mask: 255 where a pixel is brighter than the level, else 0."""
    return to_mask(pixels > levels[0])


def classes_between(pixels: Pixels, exclude: Mask = None, *, levels: Levels, **_: Any) -> Pixels:
    """Return 8-bit classes, from dark to bright evenly spread over 0 to 255."""
    greys = np.rint(np.arange(len(levels) + 1) * (255 / max(len(levels), 1))).astype(np.uint8)
    ends = np.asarray(levels)
    return in_bands(pixels, 0, lambda band: greys[np.searchsorted(ends, band, side="left")])


def connected_above(pixels: Pixels, exclude: Mask = None, *, levels: Levels, **_: Any) -> Pixels:
    """Return an 8-bit mask: what is above the lower level and touches what is above the higher."""
    found = ski.filters.apply_hysteresis_threshold(pixels, levels[0], levels[1])
    return to_mask(found & (pixels > levels[0]))


def _histogram(pixels: Pixels, exclude: Mask) -> GreyHistogram:
    """Return the counted pixels by grey level; hot ones count as what surrounds them."""
    return without_spikes(grey_histogram(counted(without_hot(pixels, exclude), exclude)))


def otsu_levels(pixels: Pixels, exclude: Mask = None) -> Levels:
    """Return Otsu's threshold, exact at every depth."""
    return (otsu_threshold(pixels, exclude),)


def multi_otsu_levels(pixels: Pixels, exclude: Mask = None, *, classes: int) -> Levels:
    """Return the levels between several classes: exact at every depth, as `cut_levels`.

    An image with fewer grey levels than classes gets a class for each level.
    """
    histogram = _histogram(pixels, exclude)
    most = min(classes, len(histogram))
    if most < 2:
        return ()
    return tuple(float(level) for level in cut_levels(histogram, most).thresholds)


def fixed_levels(pixels: Pixels, exclude: Mask = None, *, level: float) -> Levels:
    """Return the level that a person chose."""
    return (level,)


def percentile_levels(
    pixels: Pixels, exclude: Mask = None, *, low_pct: float, high_pct: float
) -> Levels:
    """Return the grey levels at two percentiles."""
    if low_pct > high_pct:
        raise UserError(
            f"The low percentile ({low_pct:g}) must not be above the high one ({high_pct:g}). "
            "Swap them."
        )
    low, high = np.percentile(counted(pixels, exclude), [low_pct, high_pct])
    return float(low), float(high)


def li_levels(pixels: Pixels, exclude: Mask = None) -> Levels:
    """Return the threshold of least cross-entropy (Li and Lee), iterated to the end."""
    return (criteria.least_cross_entropy(_histogram(pixels, exclude)),)


def triangle_levels(pixels: Pixels, exclude: Mask = None) -> Levels:
    """Return the threshold farthest from the line between the histogram's peak and its end."""
    return _by_bins(pixels, exclude, criteria.triangle)


def yen_levels(pixels: Pixels, exclude: Mask = None) -> Levels:
    """Return Yen's threshold."""
    return _by_bins(pixels, exclude, criteria.yen)


def isodata_levels(pixels: Pixels, exclude: Mask = None) -> Levels:
    """Return the lowest threshold halfway between the means of what it parts (Ridler, Calvard)."""
    return _by_bins(pixels, exclude, criteria.isodata)


def minimum_levels(pixels: Pixels, exclude: Mask = None) -> Levels:
    """Return the valley between the two peaks of the smoothed histogram.

    Raises
    ------
    UserError
        If the histogram has no two peaks.
    """
    return _by_bins(pixels, exclude, criteria.valley)


def _by_bins(pixels: Pixels, exclude: Mask, criterion: Callable[[Bins], float]) -> Levels:
    """Return what a criterion finds in at most 256 bins; a constant image's is its level."""
    return (criteria.by_bins(_histogram(pixels, exclude), criterion),)


def local_mean(
    pixels: Pixels,
    exclude: Mask = None,
    *,
    levels: Levels = (),
    window_px: int,
    offset: float,
    weights: str,
) -> Pixels:
    """Return an 8-bit mask: 255 where a pixel is brighter than its surroundings' mean - offset."""
    regular = without_hot(pixels, exclude)
    return to_mask(regular > _mean_surface(regular, exclude, window_px, weights) - offset)


def local_mean_levels(
    pixels: Pixels, exclude: Mask = None, *, window_px: int, offset: float, weights: str
) -> Levels:
    """Return the median of the local thresholds."""
    surface = _mean_surface(without_hot(pixels, exclude), exclude, window_px, weights) - offset
    return (float(np.median(counted(surface, exclude))),)


def _mean_surface(pixels: Pixels, exclude: Mask, window_px: int, weights: str) -> Floats:
    """Return the mean around each pixel: of a square, or Gaussian of the same extent.

    As in scikit-image the Gaussian's sigma is a sixth of the window.
    """
    if weights == "equal":
        return local_moments(pixels, exclude, window_px)[0]
    sigma_px = (window_px - 1) / 6
    middle = float(np.mean(counted(pixels, exclude), dtype=np.float64))
    grey = (pixels - np.float64(middle)).astype(np.float32)
    if exclude is None:
        return blur(grey, sigma_px) + np.float64(middle)
    kept = (~exclude).astype(np.float32)
    share = np.maximum(blur(kept, sigma_px), 1e-6)
    return np.asarray(blur(grey * kept, sigma_px) / share + np.float64(middle))


def niblack(
    pixels: Pixels, exclude: Mask = None, *, levels: Levels = (), window_px: int, k: float
) -> Pixels:
    """Return an 8-bit mask: 255 where brighter than the local mean - k local deviations."""
    regular = without_hot(pixels, exclude)
    return _brighter(regular, exclude, window_px, lambda mean, spread: mean - k * spread)


def niblack_levels(pixels: Pixels, exclude: Mask = None, *, window_px: int, k: float) -> Levels:
    """Return the median of Niblack's local thresholds."""
    surface = _niblack_surface(without_hot(pixels, exclude), exclude, window_px, k)
    return (float(np.median(counted(surface, exclude))),)


def _brighter(pixels: Pixels, exclude: Mask, window_px: int, surface: Surface) -> Pixels:
    """Return an 8-bit mask: 255 where brighter than a surface of local mean and deviation."""
    return from_moments(
        pixels, exclude, window_px, lambda band, *each: to_mask(band > surface(*each))
    )


def _niblack_surface(pixels: Pixels, exclude: Mask, window_px: int, k: float) -> Floats:
    return from_moments(pixels, exclude, window_px, lambda band, mean, spread: mean - k * spread)


def from_moments(
    pixels: Pixels, exclude: Mask, window_px: int, finish: Callable[..., NDArray[Any]]
) -> NDArray[Any]:
    """Return finish(pixels, mean, deviation) with the moments of `local_moments`, in bands."""
    middle = float(np.mean(counted(pixels, exclude), dtype=np.float64))

    def work(band: Pixels, mask: Mask = None) -> NDArray[Any]:
        return finish(band, *local_moments(band, mask, window_px, middle))

    return in_bands(pixels, window_px, work, exclude=exclude)


def sauvola(
    pixels: Pixels, exclude: Mask = None, *, levels: Levels = (), window_px: int, k: float
) -> Pixels:
    """Return an 8-bit mask: 255 where brighter than mean × (1 + k (deviation / R - 1)).

    R is half the range that an integer depth can hold (of a camera with 12 or 14 bits where 16 are
    no fuller), or half a float image's own range; greys count from black, which is 0 at an integer
    depth and a float image's own darkest level, so that an offset changes nothing.
    """
    regular = without_hot(pixels, exclude)
    return _brighter(regular, exclude, window_px, _sauvola(regular, exclude, k))


def sauvola_levels(pixels: Pixels, exclude: Mask = None, *, window_px: int, k: float) -> Levels:
    """Return the median of Sauvola's local thresholds."""
    surface = _sauvola_surface(without_hot(pixels, exclude), exclude, window_px, k)
    return (float(np.median(counted(surface, exclude))),)


def _sauvola_surface(pixels: Pixels, exclude: Mask, window_px: int, k: float) -> Floats:
    surface = _sauvola(pixels, exclude, k)
    return from_moments(pixels, exclude, window_px, lambda band, *each: surface(*each))


def _sauvola(pixels: Pixels, exclude: Mask, k: float) -> Surface:
    low, high = full_range(pixels, exclude)
    if pixels.dtype == np.uint16:
        brightest = int(counted(pixels, exclude).max())
        high = float(next(top for top in _CAMERAS if brightest <= top))
    half = (high - low) / 2 or 1.0
    return lambda mean, spread: low + (mean - low) * (1 + k * (spread / half - 1))


def local_moments(
    pixels: Pixels, exclude: Mask, window_px: int, middle: float | None = None
) -> tuple[Floats, Floats]:
    """Return mean and standard deviation of the counted pixels in the square around each pixel.

    Edges are mirrored. A square without a counted pixel takes the mean of the image, or `middle`.
    """
    if middle is None:
        middle = float(np.mean(counted(pixels, exclude), dtype=np.float64))
    grey = pixels.astype(np.float64) - middle  # small numbers: less is lost between the squares
    if exclude is None:
        mean, squares = _box(grey, window_px), _box(grey * grey, window_px)
    else:
        kept = (~exclude).astype(np.float64)
        share = _box(kept, window_px)
        some = share > 0.5 / window_px**2  # less than a pixel is what running sums leave behind
        share[~some] = 1
        mean = np.where(some, _box(grey * kept, window_px) / share, 0)
        squares = np.where(some, _box(grey * grey * kept, window_px) / share, 0)
    return mean + middle, np.sqrt(np.maximum(squares - mean * mean, 0))


def _box(values: Floats, window_px: int) -> NDArray[np.float64]:
    """Return the mean over a square; edges are mirrored."""
    border = cv2.BORDER_REFLECT if min(values.shape) >= window_px else cv2.BORDER_REPLICATE
    return np.asarray(cv2.blur(values, (window_px, window_px), borderType=border))

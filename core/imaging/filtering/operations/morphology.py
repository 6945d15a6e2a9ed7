"""Morphology: shapes of bright regions, of grey images and of masks.

Operations on masks take a grey image too: its pixels above Otsu's threshold are then the mask.
"""

from __future__ import annotations

import cv2
import numpy as np
import scipy
from numpy.typing import NDArray

from core.imaging.distances import distance_inside
from core.imaging.filtering.histograms import grey_histogram
from core.imaging.filtering.operations.bands import in_bands
from core.imaging.filtering.operations.base import (
    Mask,
    Pixels,
    close_disc,
    dilate_disc,
    erode_disc,
    open_disc,
    ski,
    to_mask,
)
from core.imaging.filtering.operations.thresholds import otsu_threshold
from core.imaging.parting import flood

Bools = NDArray[np.bool_]
_SMOOTH_PX = 1.0  # sigma, so that the steps of an outline are no maxima
_MOST_BEHIND_PX = 64
_EIGHT = np.ones((3, 3), bool)  # touching at a corner is touching


def erode(pixels: Pixels, exclude: Mask = None, *, radius_px: int) -> Pixels:
    """Shrink what is bright by a disc."""
    return erode_disc(pixels, radius_px)


def dilate(pixels: Pixels, exclude: Mask = None, *, radius_px: int) -> Pixels:
    """Grow what is bright by a disc."""
    return dilate_disc(pixels, radius_px)


def opening(pixels: Pixels, exclude: Mask = None, *, radius_px: int) -> Pixels:
    """Erode, then dilate by a disc: bright detail smaller than it goes, the rest keeps its size."""
    return open_disc(pixels, radius_px)


def closing(pixels: Pixels, exclude: Mask = None, *, radius_px: int) -> Pixels:
    """Dilate, then erode by a disc: dark gaps smaller than it close, the rest keeps its size."""
    return close_disc(pixels, radius_px)


def foreground(pixels: Pixels, exclude: Mask = None) -> Bools:
    """Return the mask that an image is, or what is brighter than its Otsu threshold."""
    if pixels.dtype == np.uint8 and set(grey_histogram(pixels).levels) <= {0, 255}:
        return np.asarray(pixels == 255)
    return np.asarray(pixels > otsu_threshold(pixels, exclude))


def fill_holes(pixels: Pixels, exclude: Mask = None) -> Pixels:
    """Fill what is dark and wholly enclosed; return an 8-bit mask."""
    return to_mask(scipy.ndimage.binary_fill_holes(foreground(pixels, exclude)))


def remove_small(pixels: Pixels, exclude: Mask = None, *, area_px: int) -> Pixels:
    """Remove regions (and fill holes) of fewer pixels; return an 8-bit mask."""
    bright = foreground(pixels, exclude)
    bright &= ~_small(bright, area_px)
    return to_mask(bright | _small(~bright, area_px, holes=True))


def _small(bright: Bools, area_px: int, *, holes: bool = False) -> Bools:
    """Return the regions that have fewer than so many pixels; holes do not touch the frame."""
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(bright.view(np.uint8), connectivity=8)
    small = boxes[:, cv2.CC_STAT_AREA] < area_px
    small[0] = False
    if holes:
        for side in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
            small[side] = False
    return np.asarray(small[labels])


def clear_border(pixels: Pixels, exclude: Mask = None) -> Pixels:
    """Remove regions that the frame cuts, or what is excluded; return an 8-bit mask."""
    bright = foreground(pixels, exclude)
    edge = np.zeros(bright.shape, bool)
    edge[[0, -1], :] = edge[:, [0, -1]] = True
    if exclude is not None:
        bright &= ~exclude
        edge |= scipy.ndimage.binary_dilation(exclude, _EIGHT)
    labels, count = scipy.ndimage.label(bright, _EIGHT)
    cut = np.zeros(count + 1, bool)
    cut[labels[edge]] = True
    return to_mask(bright & ~cut[labels])


def skeleton(pixels: Pixels, exclude: Mask = None) -> Pixels:
    """Thin regions to lines of one pixel that keep their connections; return an 8-bit mask."""
    return to_mask(ski.morphology.skeletonize(foreground(pixels, exclude)))


def skeleton_to_edges(pixels: Pixels, exclude: Mask = None) -> Pixels:
    """Thin regions as if they went on behind the frame's edge; return an 8-bit mask.

    Lines then reach the edge: boundaries that stopped short of it would let the grains there run
    together.
    """
    bright = foreground(pixels, exclude)
    reach = _half_width(bright)
    thin = skeleton(to_mask(np.pad(bright, reach, mode="edge")))[reach:-reach, reach:-reach]
    return to_mask((thin > 0) if exclude is None else (thin > 0) & ~exclude)


def _half_width(bright: Bools) -> int:
    """Return how far in px lines go on behind the frame, so that their ends have no part in it."""
    strips = (bright, bright[::-1], bright.T, bright.T[::-1])
    cut = max(float(distance_inside(strip[: _MOST_BEHIND_PX + 1])[0].max()) for strip in strips)
    return min(_MOST_BEHIND_PX, int(np.ceil(cut)) + 1)


def distance_map(pixels: Pixels, exclude: Mask = None) -> Pixels:
    """Return each bright pixel's distance to the nearest dark one, as 32-bit floats in px.

    A mask without a dark pixel has no such distance: 0 everywhere.
    """
    bright = foreground(pixels, exclude)
    if bright.all():
        return np.zeros(bright.shape, np.float32)
    return distance_inside(bright)


def watershed_split(pixels: Pixels, exclude: Mask = None, *, separation_px: int) -> Pixels:
    """Cut touching regions apart at their necks; return an 8-bit mask with dark lines.

    Regions are parted between maxima of the distance map that lie at least `separation_px` apart.
    """
    bright = foreground(pixels, exclude)
    if bright.all() or not bright.any():
        return to_mask(bright)
    smooth = _smooth_distance(bright)
    markers = _summits(smooth, bright, separation_px)
    held = [np.negative(smooth, out=smooth)]
    del smooth
    # Labels, and lines where they meet: scikit-image's own lines take twenty times as long.
    parts = flood(held, markers, bright)
    del markers
    line = in_bands(
        parts, 1, lambda band: (band > 0) & (scipy.ndimage.maximum_filter(band, 3) > band)
    )
    return to_mask(bright & ~line)


def _smooth_distance(bright: Bools) -> NDArray[np.float64]:
    """Return the distance of each bright pixel to the nearest dark one, smoothed a little.

    In doubles: 32 bits are rounded to the whole number of squared pixels that they stand for.
    """
    short = distance_inside(bright)

    def smooth(band: Pixels) -> NDArray[np.float64]:
        exact = np.sqrt(np.rint(np.square(band, dtype=np.float64)))
        return np.asarray(scipy.ndimage.gaussian_filter(exact, _SMOOTH_PX))

    return in_bands(np.asarray(short), int(4 * _SMOOTH_PX) + 1, smooth)


def _summits(smooth: NDArray[np.float64], bright: Bools, apart_px: int) -> NDArray[np.int32]:
    """Number the maxima inside a mask that lie so far apart, the highest first.

    `peak_local_max` is given ranks, of single maxima alone: of a large frame they take half the
    room.
    """

    def is_highest(band: Pixels, dark: Mask = None) -> Bools:
        heights = band if dark is None else np.where(dark, 0, band)
        around = scipy.ndimage.maximum_filter(heights, 2 * apart_px + 1, mode="nearest")
        return np.asarray((heights == around) & (heights > 0))

    places = np.nonzero(in_bands(smooth, apart_px, is_highest, exclude=~bright))
    ranks = np.zeros(bright.shape, np.int32)
    ranks[places] = np.unique(smooth[places], return_inverse=True)[1] + 1
    peaks = ski.feature.peak_local_max(
        ranks, min_distance=apart_px, threshold_abs=0, exclude_border=False
    )
    ranks[...] = 0
    ranks[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return ranks

"""Exact k-means on grey levels: the best possible clusters, the same ones every time.

The cuts are those of `core.imaging.filtering.cut_levels`.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.filtering import cut_levels, grey_histogram, without_hot
from core.measuring.clustering.result import EXCLUDED, Clustering, Mask, check_k, counted_pixels
from core.micrograph import Micrograph


def cluster_gray(
    image: Micrograph | NDArray[Any], k: int, *, exclude: NDArray[np.bool_] | None = None
) -> Clustering:
    """Group the pixels of an image into k clusters of grey level with the least possible inertia.

    Exact to rounding (1e-10 of the total scatter) for 8 and 16 bits and for floats with at most
    65,536 different values. Other floats share 65,536 equal bins of width b between the darkest and
    the brightest, and thresholds lie between bins; the inertia then exceeds the optimum by at most
    2 b (brightest - darkest) n, with n the number of pixels in the fullest bin. Hot and dead pixels
    count as what is around them.

    Parameters
    ----------
    image : Micrograph, or ndarray of shape (H, W) of integers or floats
        Its native grey levels. Pixels that are not finite are excluded.
    k : int
        Number of clusters, 2 to 20.
    exclude : ndarray of shape (H, W), bool, optional
        True where a pixel must not count, such as the info bar.

    Returns
    -------
    Clustering
        The same one every time: among equally good cuts, the search takes the darkest.

    Raises
    ------
    UserError
        If every pixel is excluded or there are fewer grey levels than clusters.
    ValueError, TypeError
        If `k`, the image or the mask is not as described.

    References
    ----------
    Fisher (1958), On grouping for maximum homogeneity, Journal of the American Statistical
    Association 53, 789-798, doi:10.1080/01621459.1958.10501479. Wang, Song (2011),
    Ckmeans.1d.dp: optimal k-means clustering in one dimension by dynamic programming, The R
    Journal 3(2), 29-33, doi:10.32614/RJ-2011-015.
    """
    pixels = image.pixels if isinstance(image, Micrograph) else np.asarray(image)
    check_k(k)
    included = counted_pixels(pixels, exclude)
    return cut_pixels(without_hot(pixels, None if included is None else ~included), k, included)


def cut_pixels(pixels: NDArray[Any], k: int, included: Mask | None) -> Clustering:
    """Return the clusters of `cluster_gray` of pixels as they are, hot ones like all others.

    Parameters
    ----------
    pixels : ndarray of shape (H, W)
    k : int
    included : ndarray of shape (H, W), bool, optional
        True where a pixel counts, as `counted_pixels` says; None for all.
    """
    cut = cut_levels(grey_histogram(pixels if included is None else pixels[included]), k)
    labels = _label(pixels, cut.thresholds)
    if included is not None:
        labels[~included] = EXCLUDED
    counted = int(cut.sizes.sum())
    return Clustering(
        labels,
        cut.centers,
        cut.sizes / counted,
        cut.inertia,
        cut.thresholds,
        counted / pixels.size,
        int(k),
    )


def _label(pixels: NDArray[Any], thresholds: NDArray[np.float64]) -> NDArray[np.int16]:
    """Count the thresholds below each pixel; small integers by table."""
    if pixels.dtype == np.uint8:
        bytewise = np.searchsorted(thresholds, np.arange(256)).astype(np.int16)
        return np.asarray(cv2.LUT(np.ascontiguousarray(pixels), bytewise), np.int16)
    if pixels.dtype == np.uint16:
        table = np.searchsorted(thresholds, np.arange(int(pixels.max()) + 1)).astype(np.int16)
        return np.asarray(table[pixels])
    return np.asarray(np.searchsorted(thresholds, pixels), dtype=np.int16)

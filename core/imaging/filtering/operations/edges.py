"""Edges and ridges: where grey levels change, and along which lines."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import scipy
from numpy.typing import NDArray

from core.errors import UserError
from core.imaging.filtering.operations.bands import in_bands
from core.imaging.filtering.operations.base import (
    Mask,
    Pixels,
    at_least,
    grey_range,
    painted_over,
    share_of_range,
    ski,
    to_mask,
)

_LEAST_PX = 9  # Hessians need neighbours
_SATO_REACH = 12  # sigmas: scikit-image cuts each of two derivatives at 8 / √2
_SOBEL_SUM = 8  # scikit-image's Canny does not divide Sobel's sum by its weights


def sobel(pixels: Pixels, exclude: Mask = None) -> Pixels:
    """Return the size of the grey-level gradient, as 32-bit floats in grey levels per pixel."""
    grey = pixels.astype(np.float32)
    down, right = (cv2.Sobel(grey, cv2.CV_32F, *order, scale=1 / 8) for order in ((0, 1), (1, 0)))
    return np.hypot(down, right)


def scharr(pixels: Pixels, exclude: Mask = None) -> Pixels:
    """Return the size of the gradient with less dependence on direction than Sobel's."""
    grey = pixels.astype(np.float32)
    down, right = (cv2.Scharr(grey, cv2.CV_32F, *order, scale=1 / 32) for order in ((0, 1), (1, 0)))
    return np.hypot(down, right)


def canny(
    pixels: Pixels,
    exclude: Mask = None,
    *,
    sigma_px: float,
    low_pct: float,
    high_pct: float,
) -> Pixels:
    """Return thin closed edges as an 8-bit mask.

    The two thresholds are slopes, in percent of the image's own grey range per pixel (after
    smoothing). Excluded pixels and their border show no edge.
    """
    if low_pct > high_pct:
        raise UserError(
            f"The low threshold ({low_pct:g}) must not be above the high one ({high_pct:g}). "
            "Swap them."
        )
    low, high = grey_range(pixels, exclude)
    if low == high or min(pixels.shape) < 3:
        return np.zeros(pixels.shape, np.uint8)
    found = ski.feature.canny(
        share_of_range(pixels, low, high).astype(np.float64),
        sigma=sigma_px,
        low_threshold=low_pct / 100 * _SOBEL_SUM,
        high_threshold=high_pct / 100 * _SOBEL_SUM,
        mask=None if exclude is None else ~exclude,
    )
    return to_mask(found)


def laplacian_of_gaussian(pixels: Pixels, exclude: Mask = None, *, sigma_px: float) -> Pixels:
    """Return how bright a blob of radius 1.4 sigma stands out, as 32-bit floats in grey levels.

    The negative Laplacian times sigma squared, so that all sizes compare: bright blobs are
    positive, dark ones negative.
    """
    laplacian = scipy.ndimage.gaussian_laplace(pixels.astype(np.float32), sigma_px, mode="nearest")
    return np.asarray(-(sigma_px**2) * laplacian, np.float32)


def ridges(
    pixels: Pixels,
    exclude: Mask = None,
    *,
    method: str,
    lines: str,
    smallest_px: float,
    largest_px: float,
) -> Pixels:
    """Return how much each pixel looks like part of a line, as 32-bit floats from 0.

    Tried at four sigmas from the smallest to the largest; the best counts. The scale is set by the
    strongest line, so excluded pixels are painted over with their neighbours first.
    """
    if smallest_px > largest_px:
        raise UserError(
            f"The smallest width ({smallest_px:g} px) must not be above the largest one "
            f"({largest_px:g} px). Swap them."
        )
    low, high = grey_range(pixels, exclude)
    if low == high:
        return np.zeros(pixels.shape, np.float32)
    sigmas = np.unique(np.geomspace(smallest_px, largest_px, 4))
    search = getattr(ski.filters, method)

    def find(share: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(
            search(share, sigmas=sigmas, black_ridges=lines == "dark", mode="nearest")
        )

    share = share_of_range(painted_over(pixels, exclude), low, high)
    if method == "sato" and min(pixels.shape) >= _LEAST_PX:  # the others ask for the whole frame
        reach = int(_SATO_REACH * largest_px) + _LEAST_PX
        return in_bands(share, reach, lambda band: np.nan_to_num(find(band)), kind=np.float32)
    found = at_least(share, _LEAST_PX, find)
    return np.asarray(np.nan_to_num(found), np.float32)

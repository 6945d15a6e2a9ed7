"""Edges and ridges: where grey levels change, and along which lines."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import cv2
import numpy as np
import scipy
from numpy.typing import NDArray

from core.errors import UserError
from core.imaging.filtering.operations.bands import in_bands, row_bands
from core.imaging.filtering.operations.base import (
    Mask,
    Pixels,
    at_least,
    gaussian_edge,
    grey_range,
    painted_over,
    share_of_range,
    to_mask,
)

_LEAST_PX = 9  # Hessians need neighbours
_CANNY_BAND_PX = 1 << 19  # its ten frames of doubles are small then
_RIDGE_BAND_PX = 1 << 20  # Hessians and their eigenvalues take a hundred bytes a pixel
_RIDGE_REACH = 12  # sigmas: more than two derivatives see
_CUT = 6.5  # standard deviations of a derivative's Gaussian
_BLOB = 0.5  # Frangi's beta: how much curvature along a line, by that across, still is a line
_PLUS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
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
    slopes = (low_pct / 100 * _SOBEL_SUM, high_pct / 100 * _SOBEL_SUM)

    def mark(band: Pixels, mask: Mask = None) -> NDArray[np.uint8]:
        return crests(share_of_range(band, low, high).astype(np.float64), mask, sigma_px, slopes)

    reach = gaussian_edge(sigma_px) // 2 + 3
    marks = in_bands(pixels, reach, mark, exclude=exclude, band_px=_CANNY_BAND_PX)
    return to_mask(_strong_ones(marks))


def crests(
    share: NDArray[np.float64], exclude: Mask, sigma_px: float, slopes: tuple[float, float]
) -> NDArray[np.uint8]:
    """Return 1 where the slope is steepest along its own direction, 2 where it is also steep.

    Equal to what scikit-image's `canny` marks before it follows edges: bilinear between the
    neighbours along the gradient; nothing at the frame's border and beside excluded pixels.

    Parameters
    ----------
    share : ndarray of shape (H, W), float64
    exclude : ndarray of shape (H, W), bool, optional
    sigma_px : float
        Of the Gaussian before.
    slopes : tuple of float
        Least size of Sobel's sum for 1 and for 2.

    References
    ----------
    Canny (1986), A computational approach to edge detection, IEEE TPAMI 8:679,
    doi:10.1109/TPAMI.1986.4767851.
    """
    smooth = _smooth_counted(share, exclude, sigma_px)
    right: Any = cv2.Sobel(smooth, cv2.CV_64F, 1, 0, borderType=cv2.BORDER_REFLECT)
    down: Any = cv2.Sobel(smooth, cv2.CV_64F, 0, 1, borderType=cv2.BORDER_REFLECT)
    size = np.sqrt(down * down + right * right)
    found = np.zeros(share.shape, np.uint8)
    possible = size[1:-1, 1:-1] >= slopes[0]
    if exclude is not None:
        possible &= ~cv2.dilate(exclude.astype(np.uint8), _PLUS).astype(bool)[1:-1, 1:-1]
    rows, cols = np.nonzero(possible)
    places = (rows + 1) * share.shape[1] + cols + 1
    steepest = _is_crest(size.ravel(), down.ravel()[places], right.ravel()[places], places, share)
    places = places[steepest & (size.ravel()[places] > 0)]
    found.ravel()[places] = 1 + (size.ravel()[places] >= slopes[1])
    return found


def _smooth_counted(
    share: NDArray[np.float64], exclude: Mask, sigma_px: float
) -> NDArray[np.float64]:
    """Return the Gaussian mean of the counted pixels within the frame around each pixel."""
    edge = 2 * int(4 * sigma_px + 0.5) + 1  # as scipy cuts it
    counted = np.ones(share.shape) if exclude is None else (~exclude).astype(np.float64)
    given = share * counted
    both = (
        cv2.GaussianBlur(each, (edge, edge), sigma_px, borderType=cv2.BORDER_CONSTANT)
        for each in (given, counted)
    )
    total, weight = both
    return np.asarray(total / (weight + np.finfo(np.float64).eps))


def _is_crest(
    size: NDArray[np.float64],
    down: NDArray[np.float64],
    right: NDArray[np.float64],
    places: NDArray[np.int64],
    frame: NDArray[Any],
) -> NDArray[np.bool_]:
    """Return where the slope is at least that on both sides along the gradient."""
    row = frame.shape[1]
    steep, flat = np.abs(down), np.abs(right)
    is_down = steep > flat  # more along the rows' axis than along the columns'
    slanting = np.where(down * right >= 0, 1, -1)  # which diagonal lies beside the gradient
    straight = np.where(is_down, row, 1)
    diagonal = np.where(is_down, row + slanting, 1 + slanting * row)
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(is_down, flat / steep, steep / flat)
    own = size[places]
    ahead = size[places + diagonal] * weight + size[places + straight] * (1 - weight)
    behind = size[places - diagonal] * weight + size[places - straight] * (1 - weight)
    return np.asarray((ahead <= own) & (behind <= own))


def _strong_ones(marks: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return the marks that hang together with a 2."""
    count, labels = cv2.connectedComponents(np.minimum(marks, 1), connectivity=8)
    strong = np.zeros(count, np.bool_)
    for band in row_bands(marks.shape):
        strong[labels[band][marks[band] == 2]] = True
    strong[0] = False
    return np.asarray(strong[labels])


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
    painted = painted_over(pixels, exclude)
    if min(pixels.shape) < _LEAST_PX:
        share = share_of_range(painted, low, high)
        whole = at_least(share, _LEAST_PX, lambda a: _ridges(a, method, lines, sigmas))
        return np.asarray(np.nan_to_num(whole), np.float32)
    reach = int(_RIDGE_REACH * largest_px) + _LEAST_PX

    def work(operation: Callable[[Pixels], NDArray[Any]]) -> NDArray[Any]:
        return in_bands(
            painted,
            reach,
            lambda band: operation(share_of_range(band, low, high)),
            kind=np.float32,
            band_px=_RIDGE_BAND_PX,
        )

    if method == "meijering":
        return _meijering(pixels.shape, lines, sigmas, work)
    gamma = 0.0
    if method == "frangi":  # as scikit-image: half of the strongest curvature at the first sigma
        sizes = work(partial(_strength, lines=lines, sigma=float(sigmas[0])))
        gamma = float(sizes.max()) / 2 or 1
        del sizes
    return work(lambda share: np.nan_to_num(_ridges(share, method, lines, sigmas, gamma)))


def _ridges(
    share: NDArray[Any], method: str, lines: str, sigmas: NDArray[Any], gamma: float | None = None
) -> NDArray[Any]:
    """Return what scikit-image's filter of this name does; `gamma` is the scale of Frangi's."""
    if method == "meijering":
        return _meijering(share.shape, lines, sigmas, lambda operation: operation(share))
    best = np.zeros(share.shape, np.float32)
    for sigma in sigmas.tolist():
        larger, smaller = _curvatures(share, lines, sigma)
        if method == "sato":
            found = np.maximum(larger, 0) * np.float32(sigma**2)
        else:
            gamma = gamma or float(_size(larger, smaller).max()) / 2 or 1
            found = _like_a_line(larger, smaller, gamma)
        np.maximum(best, found, out=best)
    return best


def _like_a_line(larger: NDArray[Any], smaller: NDArray[Any], gamma: float) -> NDArray[Any]:
    """Return how strongly greys curve across a line, and how little along it, as Frangi does."""
    across = larger > -smaller  # else what curves most is a line of the other kind
    along = np.where(across, smaller / np.maximum(larger, np.float32(1e-10)), 0)
    found = np.exp(-(along**2) / (2 * _BLOB**2))
    found *= 1 - np.exp(-(_size(larger, smaller) ** 2) / np.float32(2 * gamma**2))
    return np.where(across, found, 0)


def _size(larger: NDArray[Any], smaller: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.sqrt(larger**2 + smaller**2))


def _curvatures(share: NDArray[Any], lines: str, sigma: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the eigenvalues of the Hessian, the larger and the smaller one, (H, W) each.

    From two derivatives of Gaussians each, as scikit-image takes them, but for tails that add less
    than 1e-8: it goes on for 100 sigmas at small ones, which takes ten times as long.
    """
    signed = share if lines == "dark" else -share
    slope = partial(
        scipy.ndimage.gaussian_filter, sigma=sigma / np.sqrt(2), mode="nearest", truncate=_CUT
    )
    down, right = slope(signed, order=(1, 0)), slope(signed, order=(0, 1))
    rows, both, cols = (
        slope(down, order=(1, 0)),
        slope(down, order=(0, 1)),
        slope(right, order=(0, 1)),
    )
    del down, right
    mean = (rows + cols) / 2
    apart = np.sqrt(both**2 + ((rows - cols) / 2) ** 2)
    return mean + apart, mean - apart


def _strength(share: NDArray[Any], lines: str, sigma: float) -> NDArray[Any]:
    """Return the size of the Hessian."""
    return _size(*_curvatures(share, lines, sigma))


def _meijering(
    shape: tuple[int, ...],
    lines: str,
    sigmas: NDArray[Any],
    work: Callable[[Callable[[Pixels], NDArray[Any]]], NDArray[Any]],
) -> Pixels:
    """Return scikit-image's `meijering` in bands: each sigma is scaled to its own maximum."""
    best = np.zeros(shape, np.float32)
    for sigma in sigmas.tolist():
        found = work(partial(_curved, lines=lines, sigma=sigma))
        most = found.max()
        found /= most if most > 0 else 1
        np.maximum(best, found, out=best)
    return np.asarray(np.nan_to_num(best, copy=False), np.float32)


def _curved(share: NDArray[Any], lines: str, sigma: float) -> NDArray[Any]:
    """Return the larger one of the mixed curvatures, not below 0."""
    larger, smaller = _curvatures(share, lines, sigma)
    third = np.float32(1 / 3)
    return np.where(larger > -smaller, np.maximum(larger + third * smaller, 0), 0)

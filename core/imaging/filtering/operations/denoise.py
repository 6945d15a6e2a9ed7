"""Denoising: from a Gaussian to non-local means, and what the noise is."""

from __future__ import annotations

import cv2
import numpy as np
import scipy
from numpy.typing import NDArray

from core.imaging.filtering.operations.base import (
    Mask,
    Pixels,
    blur,
    counted,
    grey_range,
    in_own_range,
    ski,
    to_depth_of,
)

OPENCV_MEDIAN_PX = 5  # beyond this, OpenCV's median takes 8 bits only
_LEAST_WEIGHT = 1e-6  # below, nothing changes and divisions overflow
_TO_SIGMA = 1.4826  # a normal distribution's sigma per median absolute deviation
_SPLINE = np.array([1, 4, 6, 4, 1], np.float32) / 16
_SECOND_DIFFERENCES = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6


def gaussian(pixels: Pixels, exclude: Mask = None, *, sigma_px: float) -> Pixels:
    """Smooth with a Gaussian, cut at four sigma; computed in floats at every depth."""
    middle = np.mean(pixels, dtype=np.float64) if pixels.dtype.kind == "f" else np.float64(0)
    smooth = blur((pixels - middle).astype(np.float32), sigma_px)  # small: sums lose less
    return to_depth_of(pixels, smooth + middle)


def median(pixels: Pixels, exclude: Mask = None, *, size_px: int) -> Pixels:
    """Replace each pixel by the median of its square neighbourhood; edges are repeated."""
    if pixels.dtype == np.uint8 or size_px <= OPENCV_MEDIAN_PX:
        return np.asarray(cv2.medianBlur(np.ascontiguousarray(pixels), size_px))
    return np.asarray(scipy.ndimage.median_filter(pixels, size_px, mode="nearest"))


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
    return to_depth_of(pixels, smooth * (high - low) + low)


def non_local_means(
    pixels: Pixels,
    exclude: Mask = None,
    *,
    patch_px: int,
    search_px: int,
    strength: float,
) -> Pixels:
    """Average each pixel with those whose surroundings look alike, however far apart.

    The cut-off distance is `strength` times the estimated noise.
    """

    def smooth(share: NDArray[np.float32]) -> NDArray[np.float32]:
        sigma = noise_sigma(share, exclude)
        if strength * sigma < _LEAST_WEIGHT:
            return share
        return np.asarray(
            ski.restoration.denoise_nl_means(
                share,
                patch_size=patch_px,
                patch_distance=search_px,
                h=strength * sigma,
                sigma=sigma,
                fast_mode=True,
            )
        )

    return in_own_range(pixels, exclude, smooth)


def total_variation(pixels: Pixels, exclude: Mask = None, *, weight: float) -> Pixels:
    """Flatten regions and keep their edges: least total variation near the image.

    The weight is in units of the image's own grey range.
    """
    if weight < _LEAST_WEIGHT:
        return pixels.copy()
    return in_own_range(
        pixels,
        exclude,
        lambda share: ski.restoration.denoise_tv_chambolle(share, weight=weight),
    )


def wavelet(pixels: Pixels, exclude: Mask = None, *, strength: float, scales: int) -> Pixels:
    """Shrink the detail at each scale by the noise expected there.

    An undecimated B-spline wavelet (starlet), soft thresholds of `strength` sigma: no blocks, and
    a shifted image gives the shifted result.
    """
    grey = pixels.astype(np.float32)
    sigma = noise_sigma(pixels, exclude)
    result = np.zeros_like(grey)
    for scale, share in enumerate(_noise_per_scale(scales)):
        smooth = _spline_blur(grey, 2**scale)
        detail = grey - smooth
        threshold = strength * sigma * share
        result += np.sign(detail) * np.maximum(np.abs(detail) - threshold, 0)
        grey = smooth
    return to_depth_of(pixels, result + grey)


def _spline_blur(grey: NDArray[np.float32], step_px: int) -> NDArray[np.float32]:
    """Smooth with a B-spline whose five points lie `step_px` apart; edges are mirrored."""
    kernel = np.zeros(4 * step_px + 1, np.float32)
    kernel[::step_px] = _SPLINE
    smooth = scipy.ndimage.correlate1d(grey, kernel, axis=0, mode="mirror")
    return np.asarray(scipy.ndimage.correlate1d(smooth, kernel, axis=1, mode="mirror"))


def _noise_per_scale(scales: int) -> list[float]:
    """Return how much of white noise of sigma 1 is left in the detail of each scale."""
    side = 2 ** (scales + 3) + 1
    impulse = np.zeros((side, side), np.float32)
    impulse[side // 2, side // 2] = 1
    shares = []
    for scale in range(scales):
        smooth = _spline_blur(impulse, 2**scale)
        shares.append(float(np.sqrt(np.sum((impulse - smooth) ** 2, dtype=np.float64))))
        impulse = smooth
    return shares


def diffusion(
    pixels: Pixels,
    exclude: Mask = None,
    *,
    iterations: int,
    edge_pct: float,
) -> Pixels:
    """Let grey levels flow between neighbours, except across edges (Perona and Malik).

    Differences well above `edge_pct` of the image's grey range count as edges. Each of the
    iterations moves a quarter of what would level all four neighbours out.
    """

    def flow(share: NDArray[np.float32]) -> NDArray[np.float32]:
        grey = share.copy()
        for _ in range(iterations):
            change = np.zeros_like(grey)
            for axis in (0, 1):
                step = np.diff(grey, axis=axis)
                step *= np.exp(-np.square(step * (100 / edge_pct)))
                before, after = _sides(change, axis)
                before += step
                after -= step
            grey += np.float32(0.25) * change
        return grey

    return in_own_range(pixels, exclude, flow)


def _sides(array: NDArray[np.float32], axis: int) -> tuple[NDArray[np.float32], ...]:
    """Return views of all lines but the last, and of all but the first, along an axis."""
    return (array[:-1], array[1:]) if axis == 0 else (array[:, :-1], array[:, 1:])


def hot_pixels(pixels: Pixels, exclude: Mask = None, *, threshold: float) -> Pixels:
    """Replace single pixels that stick out of their neighbours by those neighbours' median.

    A pixel sticks out when it differs from the 3 × 3 median by more than `threshold` times the
    typical (robust) difference. All others stay exactly as they are.
    """
    middle = np.asarray(cv2.medianBlur(np.ascontiguousarray(pixels), 3))
    difference = np.abs(pixels.astype(np.float32) - middle)
    typical = _TO_SIGMA * float(np.median(counted(difference, exclude)))
    if typical == 0:
        typical = float(np.mean(counted(difference, exclude)))
    return np.where(difference > threshold * typical, middle, pixels)


def noise_sigma(pixels: Pixels, exclude: Mask = None) -> float:
    """Return the standard deviation of the noise, in grey levels.

    Taken from second differences in both directions, which planes and straight edges leave at
    zero, by their median: texture and overlays hardly move it.

    Parameters
    ----------
    pixels : ndarray of shape (H, W)
        Finite; at least 3 × 3, else the answer is 0.
    exclude : ndarray of shape (H, W), bool, optional
        True where a pixel must not count.

    References
    ----------
    Immerkær (1996), Fast noise variance estimation, Computer Vision and Image Understanding 64,
    300-302, doi:10.1006/cviu.1996.0060; Donoho, Johnstone (1994), Biometrika 81, 425-455,
    doi:10.1093/biomet/81.3.425 (the median)
    """
    if min(pixels.shape) < 3:
        return 0.0
    detail = np.abs(cv2.filter2D(pixels.astype(np.float32), cv2.CV_32F, _SECOND_DIFFERENCES))
    inner = detail[1:-1, 1:-1]
    kept = inner if exclude is None else inner[~exclude[1:-1, 1:-1]]
    return _TO_SIGMA * float(np.median(kept)) if kept.size else 0.0

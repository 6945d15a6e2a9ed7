"""Denoising: from a Gaussian to non-local means, and what the noise is."""

from __future__ import annotations

from itertools import product
from typing import Any

import cv2
import numpy as np
import scipy
from numpy.typing import NDArray

from core.imaging.filtering.operations.bands import in_bands, row_bands
from core.imaging.filtering.operations.base import (
    Mask,
    Pixels,
    blur,
    counted,
    gaussian_edge,
    grey_range,
    in_own_range,
    to_depth_of,
)

OPENCV_MEDIAN_PX = 5  # beyond this, OpenCV's median takes 8 bits only
_LEAST_WEIGHT = 1e-6  # below, nothing changes and divisions overflow
_FARTHEST = 5.0  # beyond, patches are not alike at all
_EXP_SLOPE, _EXP_OFFSET = 12_102_203.0, 1_064_866_808.0  # 2^23 / ln 2, and 127 * 2^23 less 486,408
_PLACES_AT_ONCE = 1 << 17  # few enough to stay in the processor's cache
_SINGLE = np.float32
_TAU = 0.25  # step of Chambolle's iteration in two dimensions
_TO_SIGMA = 1.4826  # a normal distribution's sigma per median absolute deviation
_SPLINE = np.array([1, 4, 6, 4, 1], np.float32) / 16
_SECOND_DIFFERENCES = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6


def gaussian(pixels: Pixels, exclude: Mask = None, *, sigma_px: float) -> Pixels:
    """Smooth with a Gaussian, cut at four sigma; computed in floats at every depth."""
    middle = np.mean(pixels, dtype=np.float64) if pixels.dtype.kind == "f" else np.float64(0)

    def smooth(band: Pixels) -> Pixels:
        small = (band - middle).astype(np.float32)  # sums of small numbers lose less
        return to_depth_of(band, blur(small, sigma_px) + middle)

    return in_bands(pixels, gaussian_edge(sigma_px) // 2, smooth)


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

    low, high = grey_range(pixels, exclude)
    if low == high:
        return pixels.copy()
    share = in_bands(pixels, 0, lambda band: (band - np.float64(low)) / (high - low), kind=_SINGLE)
    sigma = noise_sigma(share, exclude)
    if strength * sigma < _LEAST_WEIGHT:
        return pixels.copy()

    def smooth(band: NDArray[np.float32]) -> Pixels:
        means = alike_means(band, patch_px, search_px, strength * sigma, sigma)
        return to_depth_of(pixels, means.astype(np.float64) * (high - low) + low)

    return in_bands(share, search_px + patch_px, smooth, band_px=_PLACES_AT_ONCE)


def alike_means(
    share: NDArray[np.float32], patch_px: int, search_px: int, h: float, sigma: float
) -> NDArray[np.float32]:
    """Return each pixel's mean with those around it, weighted by how alike their patches are.

    The weight is exp(-d), with d the mean squared difference of two patches, less the 2 sigma² that
    noise makes, over h²; nothing beyond 5. All pixels are compared with those at one shift at a
    time, and each pair counts for both; edges are mirrored. Equal to scikit-image's
    `denoise_nl_means` in its fast mode (its exponential included) to 1e-5 of the range.

    References
    ----------
    Darbon et al. (2008), Fast nonlocal filtering applied to electron cryomicroscopy, IEEE
    International Symposium on Biomedical Imaging, 1331, doi:10.1109/ISBI.2008.4541250. Schraudolph
    (1999), A fast, compact approximation of the exponential function, Neural Computation 11:853,
    doi:10.1162/089976699300016467.
    """
    margin = search_px + patch_px // 2
    wide = np.pad(share, margin, mode="reflect" if min(share.shape) > margin else "symmetric")
    own = np.array(_EXP_OFFSET, np.int32).view(np.float32)  # what stands for exp(0)
    total, weights = wide * own, np.full_like(wide, own)
    for down, right in product(range(search_px + 1), range(-search_px, search_px + 1)):
        if down == 0 and right <= 0:
            continue
        here, there = _shifted(wide.shape, down, right)
        weight = _likeness(wide[here], wide[there], patch_px, h, sigma)
        for one, other in ((here, there), (there, here)):
            cv2.accumulate(weight, weights[one])
            cv2.accumulateProduct(weight, wide[other], total[one])
    inner = np.s_[margin:-margin, margin:-margin]
    return np.asarray(total[inner] / weights[inner])


def _shifted(shape: tuple[int, ...], down: int, right: int) -> tuple[Any, Any]:
    """Return where two images overlap that are shifted against each other, in either."""
    height, width = shape
    left, apart = max(0, -right), abs(right)
    here = np.s_[: height - down, left : left + width - apart]
    return here, np.s_[down:, left + right : left + right + width - apart]


def _likeness(
    here: NDArray[np.float32], there: NDArray[np.float32], patch_px: int, h: float, sigma: float
) -> NDArray[np.float32]:
    apart = np.subtract(here, there)
    apart *= apart
    half = patch_px // 2  # scikit-image's patches lack their first row and column: so do these
    side, place = (2 * half,) * 2, (half - 1,) * 2
    mirrored = cv2.BORDER_REFLECT_101
    patches: Any = cv2.boxFilter(apart, cv2.CV_64F, side, anchor=place, borderType=mirrored)
    slope = _EXP_SLOPE * (2 * half / (2 * half + 1)) ** 2 / h**2
    patches *= -slope
    patches += _EXP_OFFSET + 2 * sigma**2 * slope
    cv2.threshold(patches, _EXP_OFFSET, 0, cv2.THRESH_TRUNC, dst=patches)
    least = _EXP_OFFSET - _FARTHEST * _EXP_SLOPE
    cv2.threshold(patches, least, 0, cv2.THRESH_TOZERO, dst=patches)
    weight: NDArray[np.float32] = patches.astype(np.int32).view(np.float32)
    return weight


def total_variation(pixels: Pixels, exclude: Mask = None, *, weight: float) -> Pixels:
    """Flatten regions and keep their edges: least total variation near the image.

    The weight is in units of the image's own grey range.
    """
    if weight < _LEAST_WEIGHT:
        return pixels.copy()
    return in_own_range(
        pixels,
        exclude,
        lambda share: least_variation(share, weight),
    )


def least_variation(
    image: NDArray[np.float32], weight: float, eps: float = 2e-4, most_rounds: int = 200
) -> NDArray[np.float32]:
    """Return Chambolle's answer as scikit-image's `denoise_tv_chambolle`, in bands of rows.

    The same steps and the same end, with one copy of the image and two of the dual variable in
    memory instead of twelve. Within a band nothing differs; the energy that ends it is added up
    band by band, in doubles.

    References
    ----------
    Chambolle (2004), An algorithm for total variation minimization and applications, Journal of
    Mathematical Imaging and Vision 20:89, doi:10.1023/B:JMIV.0000011325.36760.1e.
    """
    down, right, out = (np.zeros_like(image) for _ in range(3))
    bands = list(row_bands(image.shape, _PLACES_AT_ONCE))
    first = before = 0.0
    for turn in range(most_rounds):
        energy = sum(_diverge(image, down, right, out, band) for band in bands)
        energy += weight * sum(_step_dual(out, down, right, band, weight) for band in bands)
        energy /= image.size
        if turn == 0:
            first = energy
        elif abs(before - energy) < eps * first:
            break
        before = energy
    return out


def _diverge(
    image: NDArray[np.float32],
    down: NDArray[np.float32],
    right: NDArray[np.float32],
    out: NDArray[np.float32],
    band: slice,
) -> float:
    """Write the image with the dual variable's divergence into a band; return that squared."""
    change = -(down[band] + right[band])
    start = max(band.start, 1)
    change[start - band.start :] += down[start - 1 : band.stop - 1]
    change[:, 1:] += right[band, :-1]
    np.add(image[band], change, out=out[band])
    return float(np.sum(change * change, dtype=np.float64))


def _step_dual(
    out: NDArray[np.float32],
    down: NDArray[np.float32],
    right: NDArray[np.float32],
    band: slice,
    weight: float,
) -> float:
    """Move the dual variable of a band along the gradient; return the sum of its sizes."""
    steps_down, steps_right = np.zeros_like(out[band]), np.zeros_like(out[band])
    stop = min(band.stop, len(out) - 1)
    if stop > band.start:
        rows = slice(band.start, stop)
        np.subtract(out[band.start + 1 : stop + 1], out[rows], out=steps_down[: stop - band.start])
    np.subtract(out[band, 1:], out[band, :-1], out=steps_right[:, :-1])
    size = np.sqrt(steps_down * steps_down + steps_right * steps_right)
    total = float(np.sum(size, dtype=np.float64))
    size *= np.float32(_TAU / weight)
    size += np.float32(1)
    for dual, steps in ((down, steps_down), (right, steps_right)):
        dual[band] -= np.float32(_TAU) * steps
        dual[band] /= size
    return total


def wavelet(pixels: Pixels, exclude: Mask = None, *, strength: float, scales: int) -> Pixels:
    """Shrink the detail at each scale by the noise expected there.

    An undecimated B-spline wavelet (starlet), soft thresholds of `strength` sigma: no blocks, and
    a shifted image gives the shifted result.
    """
    sigma = noise_sigma(pixels, exclude)
    shares = _noise_per_scale(scales)

    def shrink(band: Pixels) -> Pixels:
        grey = band.astype(np.float32)
        result = np.zeros_like(grey)
        for scale, share in enumerate(shares):
            smooth = _spline_blur(grey, 2**scale)
            detail = grey - smooth
            threshold = strength * sigma * share
            result += np.sign(detail) * np.maximum(np.abs(detail) - threshold, 0)
            grey = smooth
        return to_depth_of(band, result + grey)

    return in_bands(pixels, 2 ** (scales + 1), shrink)


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

    return in_own_range(pixels, exclude, lambda share: in_bands(share, iterations, flow))


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

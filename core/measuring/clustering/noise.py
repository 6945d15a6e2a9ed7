"""How much a picture's noise asks to average its greys before they are grouped."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import pi, sqrt
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.imaging.filtering import blur, cut_levels, grey_histogram, noise_sigma, without_hot
from core.measuring.clustering.grain import Grain, find_grain
from core.measuring.clustering.grey import cut_pixels
from core.measuring.clustering.result import Clustering, Mask, counted_pixels

# How many standard deviations of noise must fit between a cluster's mean and the middle to the
# next: the one pixel in 90 beyond 2.3 is alone and no region, but averaged noise has wider grains.
_ENOUGH = {0.0: 2.3, 1.0: 2.7, 1.5: 3.2, 2.0: 3.5, 3.0: 4.0}  # by the sigma of a Gaussian in px
_ENOUGH_ALIKE = 3.5  # where noise is alike in neighbours
_ALIKE = 1.15  # as large as that of single pixels, or larger, is noise that is alike in neighbours
_ALIKE_LEFT = 1.6  # of noise with a correlation of about a pixel, whose size is underestimated
_NO_SPLIT = 2.5  # noise between means: halves of one noisy phase are 1.6 apart, thirds 1.2
_GRAIN_SIGMAS_PX = (2.0, 3.0, 4.0, 5.0)
_GRAIN_ENOUGH = 2.3  # what is beyond is smaller than the smallest region
_GRAIN_PX = 0.7  # noise of a smaller reach is left to the Gaussians above
_GRAIN_PART = 0.57  # of what noise alone would have for the spread within its clusters
_ALONE, _ALONE_EACH = 0.4, 0.63  # times that spread is its own: 1.66 in two clusters, 2.29 in three
_TWO_PEAKS = 1.7  # half the distance of two means by the spread: 1.3 where noise is alone
_FLAT_SIGMA_PX = 6.0  # averaged by so much, a frame shows where it is flat
_SAMPLE_PX = 1 << 20
_LEVELS = 4096  # that floats share where only means of clusters are asked for
_LEAST_WEIGHT = 1e-3


@dataclass(frozen=True, slots=True)
class NoiseFound:
    """What speaks for averaging greys.

    Attributes
    ----------
    noise : float
        Standard deviation of the noise, in grey levels.
    gap : float
        Between the means of the clusters that noise mixes up first, in grey levels.
    sigma_px : float
        Of the Gaussian that keeps noise from moving pixels between them; 0 where it does not.
    """

    noise: float
    gap: float
    sigma_px: float


def average_greys(pixels: NDArray[Any], exclude: Mask | None, sigma_px: float) -> NDArray[Any]:
    """Return greys averaged by a Gaussian over the pixels that count.

    Parameters
    ----------
    pixels : ndarray of shape (H, W)
    exclude : ndarray of shape (H, W), bool, optional
        True where a pixel adds nothing to its neighbours' means.
    sigma_px : float
        0 returns the pixels as they are.

    Returns
    -------
    ndarray of shape (H, W), float32
        The pixel itself where nothing around it counts; NaN and infinities stay.
    """
    if sigma_px == 0:
        return pixels
    counted = counted_pixels(pixels, exclude)
    values = pixels.astype(np.float32)
    if counted is None:
        middle = float(np.float32(np.mean(values, dtype=np.float64)))  # small sums lose less
        return np.asarray(blur(values - middle, sigma_px) + middle, np.float32)
    middle = float(np.float32(np.mean(values[counted], dtype=np.float64))) if counted.any() else 0.0
    weight = counted.astype(np.float32)
    sums = blur(np.where(counted, values - middle, np.float32(0)), sigma_px)
    weight = blur(weight, sigma_px)
    mean = sums / np.maximum(weight, _LEAST_WEIGHT) + middle
    return np.asarray(np.where((weight > _LEAST_WEIGHT) & np.isfinite(values), mean, values))


def find_noise(pixels: NDArray[Any], k: int, exclude: Mask | None = None) -> NoiseFound:
    """Return how far greys must be averaged so that noise makes no regions of its own.

    Noise is taken from second differences, of single pixels and of means of 2 x 2, since that of
    many detectors is alike in neighbours. It is compared with the distance between neighbouring
    clusters of grey level; where half of that is less than 2.3 standard deviations (3.5 of noise
    that is alike in neighbours), the least of a few Gaussians is taken that leaves 2.7 to 4, the
    more the wider it is. Noise with a grain of a pixel and more is looked for in flat places (see
    `find_grain`); where it explains most of the spread within clusters, greys are averaged over 2
    to 5 px, until half the distance is 2.3 standard deviations, or as far as that distance gains by
    it. Of a large frame the middle decides.

    Parameters
    ----------
    pixels : ndarray of shape (H, W)
    k : int
        Number of clusters.
    exclude : ndarray of shape (H, W), bool, optional
        True where a pixel does not count.

    References
    ----------
    Immerkær (1996), Fast noise variance estimation, Computer Vision and Image Understanding 64,
    300-302, doi:10.1006/cviu.1996.0060. Max (1960), Quantizing for minimum distortion, IRE
    Transactions on Information Theory 6, 7-12, doi:10.1109/TIT.1960.1057548 (noise in clusters).
    """
    part = _middle(pixels.shape)
    pixels = pixels[part]
    counted = counted_pixels(pixels, None if exclude is None else exclude[part])
    left_out = None if counted is None else ~counted
    pixels = without_hot(pixels, left_out)
    found = _find_fine(pixels, left_out, k)
    if found.sigma_px and _has_two_peaks(pixels, left_out):
        return found
    grain = _coarse_grain(pixels, left_out, k)
    if grain is None:
        return found
    wanted = _sigma_for(pixels, left_out, k, grain)
    return NoiseFound(grain.sigma, found.gap, wanted) if wanted > found.sigma_px else found


def _find_fine(pixels: NDArray[Any], left_out: Mask | None, k: int) -> NoiseFound:
    """Return what noise of single pixels, or a little wider, asks for."""
    noise, alike = _noise(pixels, left_out)
    found = NoiseFound(noise, 0.0, 0.0)
    for sigma_px, enough in _ENOUGH.items():
        averaged = average_greys(pixels, left_out, sigma_px)
        try:
            gaps = _gaps(averaged, left_out, k)
        except UserError:  # fewer greys than clusters: nothing to mix up
            return found
        gap = _real_gap(gaps, noise)
        if sigma_px == 0:
            found = NoiseFound(noise, gap, 0.0)
        rest = _rest(averaged, left_out, noise, sigma_px, alike > _ALIKE)
        if gap >= 2 * rest * max(enough, min(enough * alike, _ENOUGH_ALIKE)):
            return NoiseFound(noise, found.gap, sigma_px)
    return NoiseFound(noise, found.gap, max(_ENOUGH))


def _gaps(pixels: NDArray[Any], left_out: Mask | None, k: int) -> NDArray[np.float64]:
    """Return the distances between the means of neighbouring clusters of grey level, (k - 1,).

    Of more than 8 bits to 1/4096 of their range: far finer than they are compared with noise.

    Raises
    ------
    UserError
        If there are fewer grey levels than clusters.
    """
    greys, step = _in_steps(pixels, left_out)
    counted = greys if left_out is None else greys[~left_out]
    return step * np.diff(cut_levels(grey_histogram(counted), k).centers)


def _in_steps(pixels: NDArray[Any], left_out: Mask | None) -> tuple[NDArray[Any], float]:
    """Return greys above the least as whole numbers of steps, and a step, in grey levels.

    Eight bits stay as they are.
    """
    if pixels.dtype == np.uint8:
        return pixels, 1.0
    values = pixels.astype(np.float32)
    counted = values if left_out is None else values[~left_out]
    if not counted.size:
        return np.zeros(pixels.shape, np.uint16), 1.0
    low = counted.min()
    step = float(counted.max() - low) / _LEVELS or 1.0
    if left_out is not None:
        values[left_out] = low
    return np.rint((values - low) / np.float32(step)).astype(np.uint16), step


def _real_gap(gaps: NDArray[np.float64], noise: float) -> float:
    """Return the least distance between means that is none between parts of one noisy phase."""
    real = gaps[gaps >= _NO_SPLIT * noise]
    return float(real.min() if real.size else gaps.max())


def _has_two_peaks(pixels: NDArray[Any], left_out: Mask | None) -> bool:
    """Tell whether greys lie about two levels: what is between them is structure, too."""
    found = _cut(pixels, left_out, 2)
    return bool(np.diff(found.centers)[0] / 2 > _TWO_PEAKS * _spread(found))


def _cut(pixels: NDArray[Any], left_out: Mask | None, k: int) -> Clustering:
    """Return clusters as far as noise needs them: their centres lie above the least grey."""
    greys, step = _in_steps(pixels, left_out)
    found = cut_pixels(greys, k, None if left_out is None else ~left_out)
    return replace(found, centers=step * found.centers, inertia=step**2 * found.inertia)


def _spread(found: Clustering) -> float:
    """Return the standard deviation within clusters."""
    return sqrt(max(found.inertia, 0.0) / max(1, int(np.count_nonzero(found.labels >= 0))))


def _coarse_grain(pixels: NDArray[Any], left_out: Mask | None, k: int) -> Grain | None:
    """Return noise of a coarse grain where it, not structure, is why clusters mix; else None."""
    try:
        found = _cut(pixels, left_out, k)
        averaged = average_greys(pixels, left_out, _FLAT_SIGMA_PX)
        labels = _cut(averaged, left_out, k).labels
    except UserError:
        return None
    spread = _spread(found)
    if np.diff(found.centers).min() >= 2 * _ENOUGH_ALIKE * spread:
        return None
    grain = find_grain(_filled(pixels, left_out), labels)
    least = _GRAIN_PART * (_ALONE + _ALONE_EACH * k)
    if grain is None or grain.reach_px < _GRAIN_PX or grain.sigma < least * spread:
        return None
    return grain


def _sigma_for(pixels: NDArray[Any], left_out: Mask | None, k: int, grain: Grain) -> float:
    """Return the least Gaussian that parts clusters from such noise, else the widest."""
    for sigma_px in _GRAIN_SIGMAS_PX[:-1]:
        averaged = average_greys(pixels, left_out, sigma_px)
        rest = grain.sigma * grain.reach_px / sqrt(grain.reach_px**2 + sigma_px**2)
        gaps = _gaps(averaged, left_out, k)
        if _real_gap(gaps, rest) >= 2 * _GRAIN_ENOUGH * rest:
            return sigma_px
    return _GRAIN_SIGMAS_PX[-1]


def _noise(pixels: NDArray[Any], left_out: Mask | None) -> tuple[float, float]:
    """Return the noise of a pixel, and how many times that of single pixels it is."""
    values = _filled(pixels, left_out)
    alone = noise_sigma(values, left_out)
    height, width = (side // 2 for side in values.shape)
    if min(height, width) < 3:
        return alone, 1.0
    halved = cv2.resize(
        values[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA
    )
    hidden: Mask | None = None
    if left_out is not None:
        quads = left_out[: 2 * height, : 2 * width].reshape(height, 2, width, 2)
        hidden = np.asarray(quads.any((1, 3)), np.bool_)
    noise = max(alone, 2 * noise_sigma(halved, hidden))
    return noise, min(noise / alone, 10.0) if alone > 0 else 10.0


def _rest(
    averaged: NDArray[Any], left_out: Mask | None, noise: float, sigma_px: float, is_alike: bool
) -> float:
    """Return what averaging leaves of the noise.

    Of noise that is alike in neighbours it is measured, in samples so far apart that they differ;
    structure counts among them, hence it is at most what a correlation of about a pixel leaves.
    """
    if sigma_px == 0:
        return noise
    least = noise / (2 * sqrt(pi) * sigma_px)
    if not is_alike:
        return least
    step = round(2 * sigma_px) + 2
    values = _filled(averaged, left_out)[::step, ::step]
    measured = noise_sigma(values, None if left_out is None else left_out[::step, ::step])
    most = noise * min(1.0, _ALIKE_LEFT / sqrt(1 + sigma_px**2))
    return float(np.clip(measured, least, most))


def _filled(pixels: NDArray[Any], left_out: Mask | None) -> NDArray[np.float32]:
    """Return pixels as 32-bit floats, with the mean where they do not count."""
    values = pixels.astype(np.float32)
    if left_out is None:
        return values - np.float32(np.mean(values, dtype=np.float64))
    middle = np.float32(np.mean(values[~left_out], dtype=np.float64)) if not left_out.all() else 0
    return np.where(left_out, np.float32(0), values - middle)


def _middle(shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Return the central part of a frame, at most about a megapixel of it."""
    share = min(1.0, sqrt(_SAMPLE_PX / (shape[0] * shape[1])))
    kept = [max(1, round(side * share)) for side in shape]
    return tuple(
        slice((side - length) // 2, (side - length) // 2 + length)
        for side, length in zip(shape, kept, strict=True)
    )

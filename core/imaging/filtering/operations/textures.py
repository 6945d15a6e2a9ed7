"""Texture: co-occurrence maps, local patterns, directions and their order."""

from __future__ import annotations

from collections.abc import Callable
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
    counted,
    gaussian_edge,
    grey_range,
    share_of_range,
    ski,
    structure_tensor,
)
from core.imaging.filtering.operations.thresholds import from_moments, otsu
from core.imaging.filtering.texture.maps import FOUR_ANGLES, glcm_map

_ENTROPY_LEVELS = 64
Singles = NDArray[np.float32]
_GABOR_REACH = 5  # periods: beyond nine sigmas of the wave's envelope
_NO_DIRECTION = np.float32(1e-12)  # slope squared, of a grey range of 1: rounding alone


def glcm_texture(
    pixels: Pixels,
    exclude: Mask = None,
    *,
    prop: str,
    window_px: int,
    levels: int,
    distance_px: int,
    angle_deg: int | str,
    symmetric: str = "yes",
) -> Pixels:
    """Return a texture map as 32-bit floats: of Otsu's mask, or of more equal grey levels."""
    if distance_px >= window_px:
        raise UserError(
            f"The pair distance ({distance_px} px) must be smaller than the window "
            f"({window_px} px). Enlarge the window or shorten the distance."
        )
    image = otsu(pixels, exclude) // 255 if levels == 2 else quantise(pixels, exclude, levels)
    texture = glcm_map(
        image,
        prop,
        window=window_px,
        levels=levels,
        distance=distance_px,
        angle_deg=FOUR_ANGLES if angle_deg == FOUR_ANGLES else int(angle_deg),
        symmetric=symmetric == "yes",
    )
    return texture.astype(np.float32)


def quantise(pixels: Pixels, exclude: Mask, levels: int) -> NDArray[np.uint8]:
    """Sort the image's own range into equal levels, 0 to levels - 1."""
    low, high = grey_range(pixels, exclude)
    if low == high:
        return np.zeros(pixels.shape, np.uint8)

    def sort(band: Pixels) -> NDArray[np.uint8]:
        share = np.clip((band.astype(np.float64) - low) / (high - low), 0, 1)
        return np.minimum(share * levels, levels - 1).astype(np.uint8)

    return in_bands(pixels, 0, sort)


def local_binary_pattern(
    pixels: Pixels, exclude: Mask = None, *, radius_px: float, points: int
) -> Pixels:
    """Return the number of the pattern of brighter and darker neighbours on a circle.

    Uniform patterns, whichever way they are turned (0 to `points`, and `points` + 1 for all
    others), as 32-bit floats.
    """
    found = ski.feature.local_binary_pattern(_comparable(pixels), points, radius_px, "uniform")
    return np.asarray(found, np.float32)


def _comparable(pixels: Pixels) -> NDArray[np.generic]:
    """Return integers where interpolated neighbours may be compared: floats as 16-bit levels."""
    if pixels.dtype.kind == "u":
        return pixels
    low, high = float(pixels.min()), float(pixels.max())
    if low == high:
        return np.zeros(pixels.shape, np.uint16)
    return np.asarray(np.rint(share_of_range(pixels, low, high) * 65_535), np.uint16)


def gabor_bank(
    pixels: Pixels, exclude: Mask = None, *, period_px: float, directions: int
) -> Pixels:
    """Return the strongest response to a pattern of one period, over evenly spread directions.

    As 32-bit floats in grey levels: the amplitude of a wave of that period. One octave wide.
    """
    mean = np.float64(np.mean(counted(pixels, exclude), dtype=np.float64))

    def respond(band: Pixels, mask: Mask = None) -> Singles:
        grey = (band - mean).astype(np.float32)
        if mask is not None:
            grey[mask] = 0
        return _strongest_wave(grey, period_px, directions)

    reach = int(_GABOR_REACH * period_px) + 1
    return in_bands(pixels, reach, respond, exclude=exclude)


def _strongest_wave(grey: Singles, period_px: float, directions: int) -> Singles:
    """Return the largest amplitude of a wave over directions; edges are mirrored."""
    pad = min(int(2 * period_px) + 1, 256)
    padded = cv2.copyMakeBorder(grey, pad, pad, pad, pad, cv2.BORDER_REFLECT)
    shape = [scipy.fft.next_fast_len(side, real=True) for side in padded.shape]
    transform = scipy.fft.fft2(padded, shape, overwrite_x=True)
    height, width = grey.shape
    best = np.zeros((height, width), np.float32)
    for number in range(directions):
        angle = np.pi * number / directions
        response = np.empty_like(transform)
        for band in row_bands(transform.shape):
            response[band] = transform[band] * _gabor_gain(shape, period_px, angle, band)
        whole: NDArray[Any] = np.asarray(scipy.fft.ifft2(response, overwrite_x=True))
        back = whole[pad : pad + height, pad : pad + width]
        for band in row_bands(best.shape):
            np.maximum(best[band], 2 * np.abs(back[band]), out=best[band])
    return best


def _gabor_gain(shape: list[int], period_px: float, angle: float, rows: slice) -> Singles:
    """Return a Gaussian around one frequency; half its height is an octave wide."""
    down, right = (scipy.fft.fftfreq(side)[:, None] for side in shape)
    down = down[rows]
    along = right.T * np.cos(angle) + down * np.sin(angle)
    across = down * np.cos(angle) - right.T * np.sin(angle)
    centre = 1 / period_px
    width = centre / 3 / np.sqrt(2 * np.log(2))
    away = np.square(along - centre) + np.square(across)
    return np.asarray(np.exp(-away / (2 * width**2)), np.float32)


def local_deviation(pixels: Pixels, exclude: Mask = None, *, window_px: int) -> Pixels:
    """Return the standard deviation in a square around each pixel, as 32-bit floats."""
    return from_moments(
        pixels, exclude, window_px, lambda band, mean, spread: spread.astype(np.float32)
    )


def local_entropy(pixels: Pixels, exclude: Mask = None, *, radius_px: int) -> Pixels:
    """Return the entropy of 64 equal grey levels in a disc around each pixel, in bits.

    As 32-bit floats; excluded pixels do not count.
    """
    levels = quantise(pixels, exclude, _ENTROPY_LEVELS)
    footprint = ski.morphology.disk(radius_px)
    kept = None if exclude is None else (~exclude).astype(np.uint8) * np.uint8(255)
    found = ski.filters.rank.entropy(levels, footprint, mask=kept)
    return np.asarray(np.nan_to_num(found), np.float32)


def orientation(pixels: Pixels, exclude: Mask = None, *, sigma_px: float) -> Pixels:
    """Return the direction of lines around each pixel, as 32-bit floats from 0 to below 180°.

    0° is along the rows, 90° along the columns, counted anticlockwise as seen. NaN where there
    is no direction (flat ground, all directions alike) and where pixels are excluded.
    """
    return _from_tensor(pixels, exclude, sigma_px, _directions)


def _directions(mask: Mask, xx: Singles, xy: Singles, yy: Singles) -> Singles:
    across = 0.5 * np.arctan2(2 * xy, xx - yy)  # of the steepest change, rows counted downwards
    degrees = np.asarray((np.degrees(-across) + 90) % 180, np.float32) % np.float32(180)
    none = np.hypot(xx - yy, 2 * xy) <= _NO_DIRECTION
    degrees[none if mask is None else none | mask] = np.nan
    return np.asarray(degrees)


def coherence(pixels: Pixels, exclude: Mask = None, *, sigma_px: float) -> Pixels:
    """Return how much one direction prevails: 0 none, 1 parallel lines; as 32-bit floats."""
    return _from_tensor(pixels, exclude, sigma_px, _order)


def _order(mask: Mask, xx: Singles, xy: Singles, yy: Singles) -> Singles:
    total = xx + yy
    spread = np.hypot(xx - yy, 2 * xy)
    share = np.divide(spread, total, out=np.zeros_like(total), where=total > 0)
    return np.asarray(np.clip(share, 0, 1), np.float32)


def _from_tensor(
    pixels: Pixels, exclude: Mask, sigma_px: float, finish: Callable[..., Singles]
) -> Pixels:
    """Return finish(mask, *structure tensor), worked out in bands."""
    ends = grey_range(pixels, exclude)

    def work(band: Pixels, mask: Mask = None) -> Singles:
        return finish(mask, *_structure_tensor(band, mask, sigma_px, *ends))

    return in_bands(pixels, gaussian_edge(sigma_px) // 2 + 2, work, exclude=exclude)


def _structure_tensor(
    pixels: Pixels, exclude: Mask, sigma_px: float, low: float, high: float
) -> tuple[Singles, ...]:
    """Return the products of the gradient, averaged by a Gaussian; excluded pixels add nothing."""
    grey = share_of_range(pixels, low, high) if high > low else np.zeros(pixels.shape, np.float32)

    def gradient(padded: NDArray[np.float32]) -> NDArray[np.float32]:
        right = cv2.Scharr(padded, cv2.CV_32F, 1, 0, scale=1 / 32)
        down = cv2.Scharr(padded, cv2.CV_32F, 0, 1, scale=1 / 32)
        return np.asarray(right + 1j * down, np.complex64)

    slope = at_least(grey, 3, gradient)
    if exclude is not None:
        near = cv2.dilate(exclude.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        slope = np.where(near, np.complex64(0), slope)
    right, down = np.ascontiguousarray(slope.real), np.ascontiguousarray(slope.imag)
    return structure_tensor(right, down, sigma_px)

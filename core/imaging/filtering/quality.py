"""How noisy, how contrasty and how sharp a micrograph is, as numbers that compare across depths."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.display import robust_range
from core.imaging.filtering.operations.denoise import noise_sigma
from core.micrograph import Micrograph

_TAILS_PCT = (0.5, 99.5)
_STEEPEST_PCT = 95
_SAMPLE_PX = 400_000


@dataclass(frozen=True, slots=True)
class Quality:
    """Three measures, each in percent of the grey range between the 0.5 and 99.5 percentiles.

    Parameters
    ----------
    noise_pct : float
        Standard deviation of the noise.
    contrast_pct : float
        Standard deviation of all grey levels.
    sharpness_pct_per_px : float
        How steep the steepest twentieth of the image is, at least; noise counts as steep.
    """

    noise_pct: float
    contrast_pct: float
    sharpness_pct_per_px: float


def measure_quality(micrograph: Micrograph, exclude: NDArray[np.bool_] | None = None) -> Quality:
    """Measure noise, contrast and sharpness.

    Parameters
    ----------
    micrograph : Micrograph
        Pixels that are not finite do not count. Of a large frame the middle is measured.
    exclude : ndarray of shape (H, W), bool, optional
        True where a pixel must not count.

    Returns
    -------
    Quality
        All 0 where nothing counts or all counted pixels share one level.
    """
    part = _centre(micrograph.shape)
    pixels = micrograph.pixels[part].astype(np.float32)
    left_out = ~np.isfinite(pixels)
    if exclude is not None:
        left_out |= exclude[part]
    counted = pixels[~left_out]
    if counted.size == 0:
        return Quality(0.0, 0.0, 0.0)
    low, high = robust_range(counted, *_TAILS_PCT)
    span = high - low
    if span <= 0:
        return Quality(0.0, 0.0, 0.0)
    pixels[left_out] = float(counted.mean())
    slope = np.hypot(*(cv2.Sobel(pixels, cv2.CV_32F, *d, scale=1 / 8) for d in ((1, 0), (0, 1))))
    inside = cv2.dilate(left_out.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0
    steepest = float(np.percentile(slope[inside], _STEEPEST_PCT)) if inside.any() else 0.0
    measured = (noise_sigma(pixels, left_out), float(counted.std(dtype=np.float64)), steepest)
    return Quality(*(100 * value / span for value in measured))


def _centre(shape: tuple[int, int]) -> tuple[slice, slice]:
    """Return the central part of a frame, at most about 0.4 megapixels of it."""
    share = min(1.0, (_SAMPLE_PX / (shape[0] * shape[1])) ** 0.5)
    kept = [max(1, round(side * share)) for side in shape]
    starts = [(side - length) // 2 for side, length in zip(shape, kept, strict=True)]
    return (
        slice(starts[0], starts[0] + kept[0]),
        slice(starts[1], starts[1] + kept[1]),
    )

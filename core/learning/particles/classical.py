"""Particles by threshold and shape alone: no network, no setting.

The ground is levelled where that helps, noise smoothed as far as it needs, and Otsu's threshold
cuts. Which side of it holds the objects is found by trying both: objects are whole and compact,
what lies between them is not.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from core.imaging.filtering import (
    blur,
    noise_sigma,
    otsu_threshold,
    painted_over,
    pick_ground,
    subtract_surface,
)
from core.imaging.parting import compactness, in_reading_order, part_at_necks, without_holes

Labels = NDArray[np.int32]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]

SHORTEST_PX = 4  # of a frame's sides
SMALLEST_PX = 12  # area of a disc 4 px wide: below, a speck has no shape
_SPECK_SHARE = 0.05  # of a typical object's area: smaller parts are dirt or noise
_NECK_DEPTH_PX = 1.5
_LEAST_SIGMA_PX, _MOST_SIGMA_PX = 1.2, 4.0
_CONTRAST_TO_NOISE = 12.0  # what smoothing aims at
_BEYOND_NOISE = 2.0  # spread of a frame by that of its smoothed noise: below, it is empty
_LEAST_CONTRAST = 2e-3  # of the grey range, for pictures without noise
_GROUND_SAYS = 0.1  # weight of `pick_ground` beside the shapes of the parts
_AS_IT_IS_SAYS = 0.1  # a frame is levelled where the shapes gain more: most need it not


def by_shape(pixels: Floats, exclude: Mask) -> Labels:
    """Return numbered objects, found without any setting.

    Parameters
    ----------
    pixels : ndarray of shape (H, W), float32
        Finite.
    exclude : ndarray of shape (H, W), bool
        True where nothing shall be found.

    Returns
    -------
    ndarray of shape (H, W), int32
        0 is ground; numbers in reading order. All 0 where nothing stands out from the noise.

    References
    ----------
    Otsu (1979), doi:10.1109/TSMC.1979.4310076. Immerkær (1996), doi:10.1006/cviu.1996.0060.
    """
    best, most = np.zeros(pixels.shape, np.int32), 0.0
    if min(pixels.shape) < SHORTEST_PX or exclude.all():
        return best
    pixels = painted_over(pixels, exclude)
    ground = pick_ground(pixels, exclude)
    for levelled, smooth in _smoothed(pixels, exclude, ground):
        bright = smooth > otsu_threshold(smooth, exclude)
        for side, inside in (("dark", bright), ("bright", ~bright)):
            parts = _parts(inside & ~exclude)
            worth = compactness(parts) + _GROUND_SAYS * (side == ground)
            worth += _AS_IT_IS_SAYS * (not levelled)
            if parts.any() and worth > most:
                best, most = parts, worth
    return best


def stands_out(pixels: Floats, exclude: Mask) -> bool:
    """Return whether anything is there beyond noise and shading."""
    if min(pixels.shape) < SHORTEST_PX or exclude.all():
        return False
    pixels = painted_over(pixels, exclude)
    ground = pick_ground(pixels, exclude)
    return next(_smoothed(pixels, exclude, ground), None) is not None


def _smoothed(pixels: Floats, exclude: Mask, ground: str) -> Iterator[tuple[bool, Floats]]:
    """Yield the frame levelled, then as it is, smoothed; nothing if no object stands out."""
    level = subtract_surface(pixels, exclude, degree=2, ground=ground)
    noise = noise_sigma(pixels, exclude)
    spread = float(np.ptp(pixels[~exclude]))
    for levelled, frame in ((True, level), (False, pixels)):
        smooth = blur(frame, _LEAST_SIGMA_PX)
        left = noise / (2 * np.sqrt(np.pi) * _LEAST_SIGMA_PX)  # of white noise after the Gaussian
        if smooth[~exclude].std() <= max(_BEYOND_NOISE * left, _LEAST_CONTRAST * spread):
            return
        sigma = _enough(smooth, exclude, noise)
        yield levelled, smooth if sigma <= _LEAST_SIGMA_PX else blur(frame, sigma)


def _enough(smooth: Floats, exclude: Mask, noise: float) -> float:
    """Return the Gaussian in px after which bright and dark lie far enough beyond the noise."""
    counted = smooth[~exclude]
    bright = counted > otsu_threshold(smooth, exclude)
    if bright.all() or not bright.any():
        return _LEAST_SIGMA_PX
    contrast = float(counted[bright].mean() - counted[~bright].mean())
    wanted = _CONTRAST_TO_NOISE * noise / (2 * np.sqrt(np.pi) * max(contrast, 1e-12))
    return float(np.clip(wanted, _LEAST_SIGMA_PX, _MOST_SIGMA_PX))


def _parts(inside: Mask) -> Labels:
    """Return the objects of a mask: filled, parted at necks, without specks."""
    return without_specks(part_at_necks(without_holes(inside), 8, _NECK_DEPTH_PX))


def without_specks(parts: Labels, smallest_px: int = SMALLEST_PX) -> Labels:
    """Return labels without what is too small to have a shape or to be one of the objects.

    The typical object is the one in which a typical pixel of the objects lies.
    """
    areas = np.bincount(parts.ravel()).astype(np.float64)
    areas[0] = 0
    if not areas.any():
        return parts
    typical = float((areas**2).sum() / areas.sum())
    kept = areas >= max(smallest_px, _SPECK_SHARE * typical)
    return in_reading_order(np.where(kept[parts], parts, 0))

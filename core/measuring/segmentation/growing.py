"""An object from one click: the nearest closed edge around it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float64]
_RAYS = 96
_SIGMA_PX = 1.2
_SIZES = 1.7  # each circle that is searched is so much wider than the one before
_ENOUGH = 0.72  # of the strongest edge: a nearer one of that strength is the object's own
_STEP = 1  # radii that neighbouring rays may differ by


def grow(
    pixels: NDArray[np.generic], seed: tuple[float, float], most_px: float
) -> tuple[tuple[float, float], ...]:
    """Return the corners of the closed outline around a place that follows the strongest edge.

    Greys are read along rays from the place. The outline is the ring of steps from bright to dark
    (or from dark to bright) that is strongest in all, found exactly by dynamic programming; of
    rings at several distances the nearest that is nearly as strong as the strongest. It is
    star-shaped as seen from the place: click near the middle.

    Parameters
    ----------
    pixels : ndarray of shape (H, W)
    seed : (row, column)
    most_px : float
        Furthest that is looked at.

    Returns
    -------
    tuple of (row, column)
        96 corners; none where there is no edge at all.

    References
    ----------
    Amini, Weymouth, Jain (1990), Using dynamic programming for solving variational problems in
    vision, IEEE Transactions on Pattern Analysis and Machine Intelligence 12:855,
    doi:10.1109/34.57681.
    """
    height, width = pixels.shape
    if not (0 <= seed[0] <= height - 1 and 0 <= seed[1] <= width - 1):
        return ()
    most = int(max(4, min(most_px, max(pixels.shape))))
    greys = _along_rays(pixels, seed, most)
    steps = np.diff(greys, axis=1)  # (rays, radii): from radius r to r + 1
    found: list[tuple[float, float, NDArray[np.intp]]] = []
    for limit in _limits(most):
        for sign in (-1.0, 1.0):
            ring = _strongest_ring(sign * steps[:, :limit])
            if ring.max() >= limit - 1 and limit < most:
                continue  # it would go on beyond what was looked at
            strength = float((sign * steps[np.arange(_RAYS), ring]).mean())
            found.append((float(ring.mean()), strength, ring))
    strongest = max(strength for _, strength, _ in found)
    if strongest <= 1e-9:
        return ()
    enough = [each for each in found if each[1] >= _ENOUGH * strongest]
    ring = min(enough, key=lambda each: each[0])[2]
    return _corners(ring.astype(np.float64) + 1, seed)


def _limits(most: int) -> list[int]:
    """Return how far is looked at in turn."""
    limits, reach = [], 8.0
    while reach < most:
        limits.append(int(reach))
        reach *= _SIZES
    return [*limits, most]


def _along_rays(
    pixels: NDArray[np.generic], seed: tuple[float, float], most: int
) -> NDArray[np.float64]:
    """Return smoothed greys, shape (rays, radii), at whole distances from 0.5 px on."""
    reach = most + 4
    top, left = (max(0, int(place) - reach) for place in seed)
    part = pixels[top : int(seed[0]) + reach + 1, left : int(seed[1]) + reach + 1]
    grey = np.nan_to_num(part.astype(np.float64), posinf=0, neginf=0)
    smooth = ndimage.gaussian_filter(grey, _SIGMA_PX, mode="nearest")
    angles = np.arange(_RAYS) * (2 * np.pi / _RAYS)
    radii = np.arange(most + 1) + 0.5
    rows = seed[0] - top + np.outer(np.sin(angles), radii)
    cols = seed[1] - left + np.outer(np.cos(angles), radii)
    # Beyond the frame the last pixel goes on: there is no edge where nothing is known.
    return np.asarray(ndimage.map_coordinates(smooth, [rows, cols], order=1, mode="nearest"))


def _strongest_ring(strength: Floats) -> NDArray[np.intp]:
    """Return for each ray the radius of the closed ring with the largest sum of strengths.

    An open path is sure of its middle; the ring then begins and ends there.
    """
    half = len(strength) // 2
    middle = int(_strongest_path(strength)[half])
    turned = _strongest_path(np.roll(strength, -half, axis=0), middle)
    return np.roll(turned, half)


def _strongest_path(strength: Floats, ends: int | None = None) -> NDArray[np.intp]:
    """Return the radius at each ray of the strongest path from the first to the last."""
    rays, radii = strength.shape
    every = np.arange(radii)
    closed = np.zeros(radii) if ends is None else np.where(abs(every - ends) <= _STEP, 0, -np.inf)
    total, back = strength[0] + closed, np.zeros((rays, radii), np.intp)
    near = np.full((3, radii), -np.inf)  # what comes from a radius less, the same, and one more
    for ray in range(1, rays):
        near[0, _STEP:], near[1], near[2, :-_STEP] = total[:-_STEP], total, total[_STEP:]
        best = near.argmax(axis=0)
        back[ray] = every + best - _STEP
        total = strength[ray] + near[best, every]
    path = np.zeros(rays, np.intp)
    path[-1] = int((total + closed).argmax())
    for ray in range(rays - 1, 0, -1):
        path[ray - 1] = back[ray, path[ray]]
    return path


def _corners(radii: Floats, seed: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    angles = np.arange(_RAYS) * (2 * np.pi / _RAYS)
    rows, cols = seed[0] + radii * np.sin(angles), seed[1] + radii * np.cos(angles)
    return tuple(zip(np.round(rows, 2).tolist(), np.round(cols, 2).tolist(), strict=True))

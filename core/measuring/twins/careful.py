"""A second reading of a micrograph, whatever the measurement that is judged does.

What was measured is one witness of what is there, and it may be a bad one: noise makes specks of
it, shading moves its threshold. The greys of its larger objects and of the ground say where the
edge lies in between; read by that, after as much averaging as the noise asks for, the micrograph is
a second witness. Twins are drawn by both.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.measuring.regions import label_regions
from core.measuring.twins.look import DEEP_PX, Floats, Look, average
from core.measuring.twins.truth import Labels, Mask, cut_clumps, number_anew

_SIGMAS_PX = (0.0, 0.7, 1.0, 1.4, 2.0, 2.8)
_SURE = 4.0  # standard deviations of noise that half of the contrast shall be
_SMALLEST_PX = 6
_SPECK = 0.02
_FINE = 2  # times finer: outlines between pixels show shallower necks
_LARGE_PX = 1000  # objects about 36 px across show theirs as it is
_NECK, _NECK_PX = 0.93, 0.3  # nearer than for measuring: parts must be convex all the same
_GROUND = 0.4  # of the contrast: what is nearer to the ground is ground
_FAINT = 0.2  # of the contrast above the ground: what objects enclose is theirs
_CONVEX, _MOST_FILLED = 0.9, 0.25  # of the hull; of the frame, for a frame is convex too
_SHADE = 6  # of the frame's side: ground is level within that


def read_carefully(grey: Floats, look: Look, counted: Mask, typical_px: float = 0.0) -> Labels:
    """Return the objects of a micrograph by the greys of its larger objects and of its ground.

    Parameters
    ----------
    grey : ndarray of shape (H, W), float32
    look : Look
        As learned from what was measured.
    counted : ndarray of shape (H, W), bool
    typical_px : float
        Area of an object as half of the area belongs to larger ones; specks of a fiftieth of that
        are texture.

    Returns
    -------
    ndarray of shape (H, W), int32
        From 1 without gaps; nothing where objects are no brighter and no darker than the ground.
    """
    contrast = look.contrast
    if not contrast:
        return np.zeros(grey.shape, np.int32)
    sigma_px = _averaging(look, abs(contrast))
    smooth = average(grey, counted, sigma_px) if sigma_px else grey
    over = np.sign(contrast) * (smooth - _ground(smooth, look, contrast, counted))
    over -= abs(contrast) / 2
    over = np.where(counted, over, -abs(contrast)).astype(np.float32)
    over = _whole(over, (_FAINT - 0.5) * abs(contrast))
    smallest_px = int(max(_SMALLEST_PX, 8 * sigma_px**2, _SPECK * typical_px))
    return _cut_finely(over, smallest_px, _FINE if typical_px < _LARGE_PX else 1)


def _cut_finely(over: Floats, smallest_px: int, times: int) -> Labels:
    """Return where values are positive, cut at necks that are seen between the pixels only."""
    fine = cv2.resize(over, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
    fine = cv2.GaussianBlur(fine, (0, 0), times / 2)
    whole = label_regions(fine > 0, min_area_px=smallest_px * times**2)
    parts = cut_clumps(whole, times * _NECK_PX, _NECK)
    return number_anew(parts[::times, ::times])[0]


def _whole(over: Floats, faint: float) -> Floats:
    """Return values with those of holes made positive, unless they are gaps.

    Many particles are brighter at their edges: a dim middle is no gap, nor is one as dark as the
    ground within a convex outline.
    """
    holes = _cut_off((over <= 0).astype(np.uint8))
    if not holes.any():
        return over
    area = np.bincount(holes.ravel())
    mean = np.bincount(holes.ravel(), weights=over.ravel()) / np.maximum(area, 1)
    fill = (mean > faint)[holes] & (holes > 0) | _convex(over > 0) & (over <= 0)
    return np.where(fill, np.abs(over), over).astype(np.float32)


def _cut_off(ground: NDArray[np.uint8]) -> Labels:
    """Return parts of the ground that touch no border by number; 0 elsewhere."""
    count, parts = cv2.connectedComponents(ground, connectivity=4)
    edges = (parts[0], parts[-1], parts[:, 0], parts[:, -1])
    is_hole = np.ones(count, np.bool_)
    is_hole[np.concatenate([[0], *edges])] = False
    return np.where(is_hole[parts], parts, 0)


def _convex(mask: Mask) -> Mask:
    """Return all that lies within outer outlines that are convex."""
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(mask.shape, np.uint8)
    for each in outlines:
        around = cv2.contourArea(cv2.convexHull(each))
        if 0 < around < _MOST_FILLED * mask.size and cv2.contourArea(each) >= _CONVEX * around:
            cv2.drawContours(filled, [each], -1, 1, cv2.FILLED)
    return filled > 0


def _averaging(look: Look, contrast: float) -> float:
    """Return the least averaging after which noise hardly ever crosses half of the contrast."""
    noise = float(np.median(look.sigmas))
    for sigma_px in _SIGMAS_PX:
        left: NDArray[Any] = look.kernel.astype(np.float64)
        if sigma_px:
            left = cv2.GaussianBlur(np.pad(left, 12), (0, 0), sigma_px)
        if noise * np.sqrt((left**2).sum()) * _SURE <= contrast / 2:
            return sigma_px
    return _SIGMAS_PX[-1]


def _ground(smooth: Floats, look: Look, contrast: float, counted: Mask) -> Floats:
    """Return the level of the ground, which may be shaded, between the objects and under them."""
    level = float(np.median(look.profile[look.steps < -DEEP_PX]))
    dark = np.sign(contrast) * (smooth - level) < _GROUND * abs(contrast)
    ground = counted & (cv2.erode(dark.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)
    if np.count_nonzero(ground) < 0.02 * ground.size:
        return np.full(smooth.shape, level, np.float32)
    middle = float(np.median(smooth[ground]))
    wide = max(smooth.shape) / _SHADE
    shade = _coarse(np.where(ground, smooth - middle, 0).astype(np.float32), ground, wide)
    return (middle + shade).astype(np.float32)


def _coarse(values: Floats, counted: Mask, sigma_px: float) -> Floats:
    """Return a wide Gaussian mean of what counts, found on a coarser grid."""
    step = max(1, int(sigma_px / 8))
    size = tuple(max(2, side // step) for side in values.shape[::-1])
    share, sums = (
        cv2.resize(each.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        for each in (counted, np.where(counted, values, 0))
    )
    weight, total = (cv2.GaussianBlur(each, (0, 0), sigma_px / step) for each in (share, sums))
    found = np.where(weight > 1e-3, total / np.maximum(weight, 1e-3), 0).astype(np.float32)
    return np.asarray(cv2.resize(found, values.shape[::-1], interpolation=cv2.INTER_LINEAR))

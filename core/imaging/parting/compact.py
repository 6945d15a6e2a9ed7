"""Are parts whole and compact, as objects are, or what lies between objects?"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.parting.necks import part_at_necks, without_holes

Labels = NDArray[np.int32]
Mask = NDArray[np.bool_]
_LOOKED_AT_PX = 384  # longer side at which shapes are looked at
_CUT_SIDES = np.array([1.0, 0.7, 0.3, 0.0, 0.0])  # weight of a part by how many sides cut it


def looked_at(mask: Mask) -> Mask:
    """Return a mask (H, W) as it is at the size that shapes are looked at."""
    shrink = _LOOKED_AT_PX / max(mask.shape)
    if shrink >= 1:
        return mask
    size_wh = max(1, round(mask.shape[1] * shrink)), max(1, round(mask.shape[0] * shrink))
    share = cv2.resize(mask.astype(np.float32), size_wh, interpolation=cv2.INTER_AREA)
    return np.asarray(share > 0.5)


def compact_share(side: Mask, neck_depth_px: float) -> float:
    """Return the `compactness` of a mask, its holes filled and parted at its necks.

    Parameters
    ----------
    side : ndarray of shape (H, W), bool
        At the size of `looked_at`.
    neck_depth_px : float
        See `part_at_necks`.
    """
    return compactness(part_at_necks(without_holes(side), 8, neck_depth_px))


def compactness(parts: Labels) -> float:
    """Return how much of the parts' area lies in whole, compact parts, in [0, 1].

    Each part by the share of the ellipse of its own moments that it fills (1 for ellipses, 0.95
    for rectangles, little for rings and webs), and by how many sides of the frame cut it.
    """
    count = int(parts.max())
    if not count:
        return 0.0
    rows, cols = np.nonzero(parts)
    numbers = parts[rows, cols]
    areas = np.bincount(numbers, minlength=count + 1)[1:].astype(np.float64)

    def mean(values: NDArray[Any]) -> NDArray[np.float64]:
        return np.bincount(numbers, values, minlength=count + 1)[1:] / areas

    down, right = mean(rows), mean(cols)
    y, x = rows - down[numbers - 1], cols - right[numbers - 1]
    spread = (mean(y * y) + 1 / 12) * (mean(x * x) + 1 / 12) - mean(y * x) ** 2
    filled = np.minimum(areas / (4 * np.pi * np.sqrt(spread)), 1)
    worth = areas * filled**2 * _CUT_SIDES[_sides_touched(parts, count)]
    return float(worth.sum() / areas.sum())


def _sides_touched(parts: Labels, count: int) -> NDArray[np.int64]:
    """Return by how many sides of the frame each part is cut."""
    touched = np.zeros(count + 1, np.int64)
    for side in (parts[0], parts[-1], parts[:, 0], parts[:, -1]):
        touched[np.unique(side)] += 1
    return touched[1:]

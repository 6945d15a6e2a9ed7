"""Exact Euclidean distances, the same digits on every machine."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_OWN_FROM_PX = 1 << 14


def distance_inside(inside: NDArray[np.uint8] | NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return how far each pixel lies from the nearest one that is 0, in px.

    On one thread, and for small pictures, OpenCV asks Intel's library, whose square roots differ in
    the seventh digit, even from call to call; the squares are whole numbers, so rounding them gives
    what OpenCV computes itself.

    Parameters
    ----------
    inside : ndarray of shape (H, W), uint8 or bool

    Returns
    -------
    ndarray of shape (H, W), float32
        0 where `inside` is.

    References
    ----------
    Felzenszwalb, Huttenlocher (2012), Distance transforms of sampled functions, Theory of Computing
    8:415, doi:10.4086/toc.2012.v008a019.
    """
    away = cv2.distanceTransform(
        np.ascontiguousarray(inside).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )
    if cv2.getNumThreads() <= 1 or inside.size < _OWN_FROM_PX:
        away = np.sqrt(np.rint(np.square(away, dtype=np.float64))).astype(np.float32)
    return np.asarray(away, np.float32)

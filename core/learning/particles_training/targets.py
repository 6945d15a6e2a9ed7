"""Numbered objects -> what the network shall answer at each pixel."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

RIM_PX = 1.5  # half the line that parts an object from what is around it
Labels = NDArray[np.integer[Any]]


def edges(labels: Labels) -> NDArray[np.bool_]:
    """Return where a pixel has a neighbour of another number; the frame's edge is none."""
    found = np.zeros(labels.shape, np.bool_)
    for axis in (0, 1):
        ahead = np.swapaxes(labels, 0, axis)
        differs = ahead[1:] != ahead[:-1]
        marked = np.swapaxes(found, 0, axis)
        marked[1:] |= differs
        marked[:-1] |= differs
    return found


def targets(labels: Labels) -> NDArray[np.float32]:
    """Return inside, rim and depth.

    Parameters
    ----------
    labels : ndarray of shape (H, W), integer
        0 ground, 1.. the objects.

    Returns
    -------
    ndarray of shape (3, H, W), float32 in [0, 1]
        Depth is the distance to the nearest other object or ground, divided by its greatest in the
        object; it is 0 on the ground.
    """
    edge = edges(labels)
    if edge.any():
        away = cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, 5) + np.float32(0.5)
    else:
        away = np.full(labels.shape, np.float32(max(labels.shape)))
    deepest = np.zeros(int(labels.max()) + 1, np.float32)
    np.maximum.at(deepest, labels.ravel(), away.ravel())
    inside = labels > 0
    depth = np.where(inside, away / deepest[labels], 0)
    return np.stack([inside, away < RIM_PX, depth]).astype(np.float32)

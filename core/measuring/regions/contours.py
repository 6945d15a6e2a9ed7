"""Outlines of the regions of a label image, as polygons that can be drawn."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Contour = tuple[int, NDArray[np.float32]]


def trace_regions(
    labels: NDArray[np.integer[Any]], only: Collection[int] | None = None
) -> list[Contour]:
    """Return the outlines and holes of each region.

    Parameters
    ----------
    labels : ndarray of shape (H, W), integers
        0 where there is nothing; regions may touch each other.
    only : collection of int, optional
        The labels that are wanted; all by default.

    Returns
    -------
    list of (label, ndarray of shape (n, 2), float32)
        By label; (row, column) in px of the region's outermost pixels' centres, straight pieces
        given by their ends. A region with holes or of several parts comes several times.
    """
    wanted = None if only is None else set(only)
    found: list[Contour] = []
    for label, box in enumerate(ndimage.find_objects(labels), 1):
        if box is None or (wanted is not None and label not in wanted):
            continue
        inside = np.ascontiguousarray(labels[box] == label).view(np.uint8)
        lines, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        corner = np.array([box[0].start, box[1].start], np.float32)
        found.extend((label, line[:, 0, ::-1].astype(np.float32) + corner) for line in lines)
    return found

"""A mask that something else drew, as an edit that needs nobody to be made again."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.measuring.segmentation.edits import Edit

_MOST_CORNERS = 1_500
_LEAST_AREA = 8.0  # of an outline twice as large: two pixels and more
_AWAY_PX = 0.2  # of the outline's corners at first: less than it lies beyond pixel centres


def add_mask(mask: NDArray[np.bool_]) -> Edit:
    """Return the edit that adds the largest piece of a mask, its holes filled.

    Parameters
    ----------
    mask : ndarray of shape (H, W), bool

    Raises
    ------
    UserError
        If it holds no piece with an area.
    """
    # Twice as large, so that the outline lies a quarter of a pixel beyond the outermost centres.
    large = cv2.resize(mask.astype(np.uint8), None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    outlines, _ = cv2.findContours(large, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    outline = max(outlines, key=cv2.contourArea, default=None)
    if outline is None or cv2.contourArea(outline) < _LEAST_AREA:
        raise UserError(
            "Nothing was found there. Click into the middle of an object, or draw a box around it."
        )
    away = 2 * _AWAY_PX
    corners = cv2.approxPolyDP(outline, away, closed=True)
    while len(corners) > _MOST_CORNERS:
        away *= 2
        corners = cv2.approxPolyDP(outline, away, closed=True)
    places = (corners.reshape(-1, 2) - 0.5) / 2
    return Edit("add", corners=tuple((float(row), float(column)) for column, row in places))

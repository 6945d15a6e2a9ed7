"""Rulers of eleven ticks, as Hitachi's microscopes draw them: ten intervals are the scale."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.uint8]

_TICKS = 11
_LEVEL, _CONTRAST = 170, 70  # of ticks, and above what is left and right of them
_HEIGHTS = 0.006, 0.07  # of the height of the picture
_WIDEST_SHARE = 0.008  # of the width
_SLENDER = 1.4  # heights per width
_LEVEL_PX = 2  # by which tops or bottoms of ticks may differ
_SPACING_SHARE = 0.008, 0.09  # of the width
_MOST = 1500  # more slender marks than this are the specimen


def find_ticks(levels: Levels) -> NDArray[np.int64] | None:
    """Return the eleven ticks of a ruler, from left to right; None without one.

    Parameters
    ----------
    levels : ndarray of shape (H, W), uint8
        Between the extremes; white or black ticks, with or without a plate.

    Returns
    -------
    ndarray of shape (11, 4), int64, or None
        Left, top, right and bottom in px; right and bottom lie just outside.
    """
    for picture in (levels, 255 - levels):
        marks = _slender_marks(picture)
        for column in (3, 1):  # ticks stand on one line, or hang from one
            for edge in np.unique(marks[:, column]):
                row = marks[np.abs(marks[:, column] - edge) <= _LEVEL_PX]
                ruler = _evenly_spaced(row, levels.shape[1]) if len(row) >= _TICKS else None
                if ruler is not None:
                    return ruler
    return None


def tick_ruler(levels: Levels) -> tuple[int, int, int] | None:
    """Return row, left and right end of a ruler of ticks, from its first to its last tick."""
    ticks = find_ticks(levels)
    if ticks is None:
        return None
    centres = (ticks[:, 0] + ticks[:, 2] - 1) / 2
    left = int(np.floor(centres[0]))
    row = int(np.median(ticks[:, 1] + ticks[:, 3])) // 2
    return row, left, left + round(float(centres[-1] - centres[0]))


def _slender_marks(levels: Levels) -> NDArray[np.int64]:
    """Return (N, 4) boxes of upright bright strokes."""
    height, width = levels.shape
    widest = max(4, round(_WIDEST_SHARE * width))
    aside = cv2.morphologyEx(levels, cv2.MORPH_OPEN, np.ones((1, widest + 2), np.uint8))
    ink = (levels >= _LEVEL) & (cv2.subtract(levels, aside) >= _CONTRAST)
    stats = cv2.connectedComponentsWithStats(ink.view(np.uint8), connectivity=8)[2][1:]
    left, top, wide, high, area = stats.T.astype(np.int64)
    kept = (wide <= widest) & (high >= np.maximum(3, _SLENDER * wide)) & (area >= 0.7 * wide * high)
    kept &= (high >= _HEIGHTS[0] * height) & (high <= _HEIGHTS[1] * height)
    boxes = np.stack([left, top, left + wide, top + high], axis=1)[kept]
    return np.asarray(boxes if len(boxes) <= _MOST else boxes[:0], np.int64)


def _evenly_spaced(marks: NDArray[np.int64], width: int) -> NDArray[np.int64] | None:
    """Return eleven of the marks at one spacing that neither end goes on with."""
    marks = marks[np.argsort(marks[:, 0])]
    centres = (marks[:, 0] + marks[:, 2]) / 2
    low, high = (share * width for share in _SPACING_SHARE)
    for first in range(len(marks) - _TICKS + 1):
        last = np.flatnonzero((centres - centres[first]) / (_TICKS - 1) >= low)
        for end in last[last >= first + _TICKS - 1]:
            spacing = (centres[end] - centres[first]) / (_TICKS - 1)
            if spacing > high:
                break
            wanted = centres[first] + spacing * np.arange(-1, _TICKS + 1)
            near = np.abs(centres[:, None] - wanted)
            met = near.min(axis=0) <= max(1.0, 0.05 * spacing)
            if met[1:-1].all() and not met[0] and not met[-1]:
                return np.asarray(marks[near.argmin(axis=0)[1:-1]], np.int64)
    return None

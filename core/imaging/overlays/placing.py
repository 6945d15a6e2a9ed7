"""Where a scale bar of our own may be drawn without covering what the picture already says."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

_MARGIN_SHARE = 0.02  # of the shorter side, between the bar and the edge of the specimen


def place_scale_bar(mask: NDArray[np.bool_], size_hw: tuple[int, int]) -> tuple[int, int]:
    """Return the row and column of the upper left corner of the best place for a scale bar.

    The lower right corner is best; from there the nearest place that covers nothing painted. Where
    every place covers something, the one that covers least.

    Parameters
    ----------
    mask : ndarray of shape (H, W), bool
        True where not specimen, as `find_overlays` returns it.
    size_hw : (int, int)
        Height and width of bar and label together, in px.

    Returns
    -------
    (int, int)
        Row and column; the box lies within the frame where it fits at all.

    Raises
    ------
    ValueError
        If the size is not above zero.
    """
    high, wide = size_hw
    if high < 1 or wide < 1:
        raise ValueError(f"a scale bar needs a size above zero, got {size_hw}")
    height, width = mask.shape
    if high > height or wide > width:
        return max(0, height - high), max(0, width - wide)
    margin = min(round(_MARGIN_SHARE * min(mask.shape)), (height - high) // 2, (width - wide) // 2)
    covered = _sums(mask, high, wide)[margin : height - high + 1 - margin]
    covered = covered[:, margin : width - wide + 1 - margin]
    rows, cols = np.nonzero(covered == covered.min())
    away = (covered.shape[0] - 1 - rows) ** 2 + (covered.shape[1] - 1 - cols) ** 2
    best = int(np.argmin(away))
    return int(rows[best]) + margin, int(cols[best]) + margin


def clear_place(
    mask: NDArray[np.bool_], shape_hw: tuple[int, ...]
) -> Callable[[tuple[int, int]], tuple[int, int]]:
    """Return what `draw_scale_bar` asks for a place in a picture of the masked micrograph.

    Parameters
    ----------
    mask : ndarray of shape (H, W), bool
        True where not specimen, as `find_overlays` returns it.
    shape_hw : tuple of int
        Of the picture, which may have been resized from the micrograph.
    """
    high, wide = shape_hw[:2]
    if mask.shape != (high, wide):
        way = cv2.INTER_AREA if high <= mask.shape[0] else cv2.INTER_NEAREST
        shares = cv2.resize(mask.astype(np.float32), (wide, high), interpolation=way)
        mask = np.asarray(shares > 0, bool)
    return lambda size_hw: place_scale_bar(mask, size_hw)


def _sums(mask: NDArray[np.bool_], high: int, wide: int) -> NDArray[np.int32]:
    """Return how many marked pixels every box of a size holds, by its upper left corner."""
    table = np.asarray(cv2.integral(np.ascontiguousarray(mask).view(np.uint8), sdepth=cv2.CV_32S))
    below, above = table[high:], table[:-high]
    return np.asarray(below[:, wide:] - below[:, :-wide] - above[:, wide:] + above[:, :-wide])

"""A scale bar that was read or pointed at, where the search for what was painted missed it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_ALIKE = 40  # of 255: grey levels of one bar, after compression
_MOST_SHARE = 0.05  # of the height that a bar may be thick, ticks included
_END_PX = 3
_MARGIN_PX = 2
_COVERED = 0.9

Bar = tuple[int, int, int]  # row, left, right in px


def cover_bars(levels: NDArray[np.uint8], bars: Iterable[Bar]) -> NDArray[np.bool_]:
    """Return where bars lie that go through these places, with ticks at their ends and a margin.

    Parameters
    ----------
    levels : ndarray of shape (H, W), uint8
    bars : iterable of (row, left, right)
        In px; `right` lies just outside. What lies outside of the frame is left out.

    Returns
    -------
    ndarray of shape (H, W), bool
    """
    covered = np.zeros(levels.shape, bool)
    height, width = levels.shape
    for row, left, right in bars:
        left, right = max(0, min(left, right)), min(width, max(left, right))
        if not 0 <= row < height or right - left < 1:
            continue
        parts = slice(left, right), slice(left, left + _END_PX), slice(right - _END_PX, right)
        spans = [_span(levels, row, part) for part in parts]
        top = max(0, min(start for start, _ in spans) - _MARGIN_PX)
        stop = max(end for _, end in spans) + _MARGIN_PX
        covered[top:stop, max(0, left - _MARGIN_PX) : right + _MARGIN_PX] = True
    return covered


def is_covered(overlays: NDArray[np.bool_], bar: Bar) -> bool:
    """Tell whether a bar is left out already."""
    row, left, right = bar
    along = overlays[row, left:right] if 0 <= row < len(overlays) else overlays[:0].ravel()
    return bool(along.size == 0 or along.mean() >= _COVERED)


def _span(levels: NDArray[np.uint8], row: int, columns: slice) -> tuple[int, int]:
    """Return the rows around one that look like it in these columns: first, one after the last."""
    most = max(1, round(_MOST_SHARE * len(levels)))
    first = max(0, row - most)
    greys = np.median(levels[first : row + most + 1, columns].astype(float), axis=1)
    alike = np.abs(greys - greys[row - first]) <= _ALIKE
    above, below = alike[: row - first][::-1], alike[row - first :]
    up = int(np.argmin(above)) if not above.all() else above.size
    down = int(np.argmin(below)) if not below.all() else below.size
    return row - up, row + down

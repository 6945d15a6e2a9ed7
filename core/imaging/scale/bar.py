"""Where the scale bar of a picture starts and ends, for a person to check and correct."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.imaging.display import Picture, to_display
from core.imaging.overlays import AS_FOUND, find_bars, ruler_in, search_levels, specimen_rows
from core.micrograph import Micrograph

_SEARCH_PX = 4_000_000
_MIN_SIDE_PX = 48
_CROP_HW = (24, 32)  # px around each end
_ZOOM = 5
_LINE = (240, 148, 90)  # red, green, blue


@dataclass(frozen=True, slots=True)
class ScaleBar:
    """A horizontal scale bar.

    Attributes
    ----------
    row : int
        Through its middle.
    left, right : int
        Its ends in px; `right` lies just outside, so that the difference is its length.
    """

    row: int
    left: int
    right: int


def find_scale_bar(micrograph: Micrograph) -> ScaleBar | None:
    """Return the longest scale bar painted over the specimen, else the one in an info bar.

    Parameters
    ----------
    micrograph : Micrograph
        Of any depth. Above four megapixels the ends are exact to a few pixels.

    Returns
    -------
    ScaleBar or None
        None when none is found. How long it is in nm stands beside it and is not read here.
    """
    levels = search_levels(micrograph.pixels)
    if min(levels.shape) < _MIN_SIDE_PX:
        return None
    inner = specimen_rows(levels, AS_FOUND)
    for rows in (slice(inner.stop, len(levels)), slice(0, inner.start)):
        ruler = ruler_in(levels[rows]) if rows.start < rows.stop else None
        if ruler is not None:
            row, left, right = ruler
            return ScaleBar(rows.start + row, left, right)
    return _over_specimen(levels[inner], inner.start)


def _over_specimen(levels: NDArray[np.uint8], first_row: int) -> ScaleBar | None:
    every = int(np.ceil(np.sqrt(levels.size / _SEARCH_PX)))
    searched = np.ascontiguousarray(levels[::every, ::every])
    bars = find_bars(searched) if min(searched.shape) >= _MIN_SIDE_PX else np.zeros((0, 4))
    if not len(bars):
        return None
    left, top, right, bottom = (int(v) * every for v in bars[np.argmax(bars[:, 2] - bars[:, 0])])
    return ScaleBar(first_row + (top + bottom) // 2, left, right)


def draw_ends(micrograph: Micrograph, bar: ScaleBar) -> Picture:
    """Return the picture around both ends of a scale bar, enlarged, with a line at each end.

    Returns
    -------
    ndarray of shape (h, w, 3), uint8
        Left end and right end side by side, a gap in between.
    """
    picture = to_display(micrograph)
    left, right = (_around_end(picture, bar.row, col) for col in (bar.left, bar.right))
    gap = np.full((left.shape[0], 2 * _ZOOM, 3), 128, np.uint8)
    return np.concatenate([left, gap, right], axis=1)


def _around_end(picture: Picture, row: int, col: int) -> Picture:
    """Return an enlarged crop; black beyond the frame. The line stands left of pixel `col`."""
    high, wide = _CROP_HW
    padded = np.pad(picture, ((high, high), (wide, wide)))
    crop = padded[row + high // 2 : row + high // 2 + high, col + wide // 2 :][:, :wide]
    large = np.repeat(np.repeat(crop, _ZOOM, axis=0), _ZOOM, axis=1)
    painted = np.repeat(large[..., None], 3, axis=2)
    middle = wide // 2 * _ZOOM
    painted[:, middle - 1 : middle + 1] = _LINE
    return painted

"""Where the scale bar of a picture starts and ends, for a person to check and correct."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.imaging.display import Picture, to_display
from core.imaging.overlays import (
    AS_FOUND,
    find_bars,
    ruler_in,
    search_levels,
    specimen_rows,
    tick_ruler,
)
from core.micrograph import Micrograph

_SEARCH_PX = 4_000_000
_MIN_SIDE_PX = 48
_CROP_HW = (24, 32)  # px around each end
_ZOOM = 5
_LOOK = 4  # px on which an end is looked for, either way
_LEAST_STEP = 30  # levels between a bar and what lies beyond it
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
    bar = _over_specimen(levels[inner], inner.start) or _in_info_bars(levels, inner)
    return sharpened(levels, bar) if bar is not None else _of_ticks(levels)


def _in_info_bars(levels: NDArray[np.uint8], inner: slice) -> ScaleBar | None:
    """Return the ruler in the lower info bar, else in the upper one."""
    for rows in (slice(inner.stop, len(levels)), slice(0, inner.start)):
        ruler = ruler_in(levels[rows]) if rows.start < rows.stop else None
        if ruler is not None:
            return ScaleBar(rows.start + ruler[0], *ruler[1:])
    return None


def _of_ticks(levels: NDArray[np.uint8]) -> ScaleBar | None:
    """Return a ruler of eleven ticks, anywhere in the frame."""
    ruler = tick_ruler(levels)
    return ScaleBar(*ruler) if ruler is not None else None


def _over_specimen(levels: NDArray[np.uint8], first_row: int) -> ScaleBar | None:
    every = int(np.ceil(np.sqrt(levels.size / _SEARCH_PX)))
    searched = np.ascontiguousarray(levels[::every, ::every])
    bars = find_bars(searched) if min(searched.shape) >= _MIN_SIDE_PX else np.zeros((0, 4))
    if not len(bars):
        return None
    left, top, right, bottom = (int(v) * every for v in bars[np.argmax(bars[:, 2] - bars[:, 0])])
    return ScaleBar(first_row + (top + bottom) // 2, left, right)


def sharpened(levels: NDArray[np.uint8], bar: ScaleBar) -> ScaleBar:
    """Return a bar with its ends where its level is half-way to what lies beyond them.

    Parameters
    ----------
    levels : ndarray of shape (H, W), uint8
    bar : ScaleBar
        Right to about three pixels, of either polarity.
    """
    rows = levels[max(0, bar.row - 1) : bar.row + 2].astype(np.float64)
    profile = rows[np.argmin(np.ptp(rows[:, bar.left : bar.right], axis=1))]
    ink = float(np.median(profile[bar.left : bar.right]))
    right = bar.right + _beyond(profile[bar.right - _LOOK : bar.right + 2 * _LOOK], ink)
    before = profile[max(0, bar.left - 2 * _LOOK) : bar.left + _LOOK][::-1]
    return ScaleBar(bar.row, bar.left - _beyond(before, ink), right)


def _beyond(profile: NDArray[np.float64], ink: float) -> int:
    """Return how many pixels an end lies beyond the `_LOOK`-th of a profile that leaves the bar."""
    outside = profile[_LOOK + 2 :]
    if len(outside) < 3:
        return 0
    ground = float(np.median(outside))
    gone = np.abs(profile - ink) > np.abs(ground - ink) / 2
    if abs(ground - ink) < _LEAST_STEP or not gone.any():
        return 0
    return int(np.argmax(gone)) - _LOOK


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

"""The scale bar that belongs to a piece of print: near it, and in its ink."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.scale.bar import ScaleBar, sharpened
from core.imaging.scale.text import Print

Levels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_REACH = 1.8  # heights of print between print and bar
_SHORTEST = 0.8  # of the height of the print: letters have shorter horizontal strokes
_LEAST_PX = 8
_THICKEST = 1.1  # of the height of the print
_SLENDER = 2.2  # lengths per thickness
_FULL = 0.85  # of its box that a bar fills
_FREE = 0.35  # at most this share of the rows above and below is ink, too
_DEPTHS = 0.5, 0.3, 0.15  # of the contrast down to which it is ink, over dark and bright ground
_LEAST_CONTRAST = 40
_WIDEST_SHARE = 0.8  # of the picture


@dataclass(frozen=True, slots=True)
class _Line:
    """A straight horizontal piece of ink; right and bottom lie just outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def length(self) -> int:
        return self.right - self.left


def bar_beside(levels: Levels, place: Print) -> ScaleBar | None:
    """Return the scale bar that stands nearest a piece of print, of the print's own ink if any.

    Parameters
    ----------
    levels : ndarray of shape (H, W), uint8
        Between the extremes.
    place : Print
        What is written beside the bar: above it, below, at its side or in a gap of it.
    """
    core = _core(levels, place)
    if min(core.shape) < 4:
        return None
    split, _ = cv2.threshold(core, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    bright = core > split
    if not 0 < bright.mean() < 1:
        return None
    is_bright = bool(bright.mean() < 0.5)
    for polarity in (is_bright, not is_bright):
        picture, inside = (levels, core) if polarity else (255 - levels, 255 - core)
        bar = _nearest(picture, inside, place)
        if bar is not None:
            return bar
    return None


def _core(levels: Levels, place: Print) -> Levels:
    rows = slice(max(0, round(place.top)), max(0, round(place.bottom)))
    return levels[rows, max(0, round(place.left)) : max(0, round(place.right))]


def _nearest(levels: Levels, core: Levels, place: Print) -> ScaleBar | None:
    """Search bright bars around print on which the ink is bright."""
    ink, ground = float(np.percentile(core, 98)), float(np.percentile(core, 25))
    if ink - ground < _LEAST_CONTRAST:
        return None
    for depth in _DEPTHS:
        bar = _at_level(levels, ink - depth * (ink - ground), place)
        if bar is not None:
            return bar
    return None


def _at_level(levels: Levels, least: float, place: Print) -> ScaleBar | None:
    """Search bars that are at least so bright."""
    first = max(0, int(place.top - _REACH * place.height - 3))
    last = min(len(levels), int(place.bottom + _REACH * place.height + 4))
    lines = _lines(levels[first:last] >= least, place.height, first)
    lines = _joined_across([line for line in lines if _is_free(levels, line, least)], place)
    near = [(rank, line) for line in lines if (rank := _rank(line, place, levels.shape)) < np.inf]
    if not near:
        return None
    line = min(near, key=lambda item: item[0])[1]
    return sharpened(levels, ScaleBar((line.top + line.bottom) // 2, line.left, line.right))


def _lines(mask: Mask, height: float, first_row: int) -> list[_Line]:
    """Return straight pieces of ink that are longer than the strokes of letters."""
    shortest = max(_LEAST_PX, round(_SHORTEST * height)) | 1  # odd: no shift
    runs = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((1, shortest), np.uint8))
    stats = cv2.connectedComponentsWithStats(runs, connectivity=4)[2][1:]
    found = []
    for left, top, wide, high, area in stats.tolist():
        straight = high <= _THICKEST * height + 2 and wide >= _SLENDER * high
        if straight and area >= _FULL * wide * high:
            found.append(_Line(left, top + first_row, left + wide, top + high + first_row))
        elif straight:
            found += _longest_rows(np.asarray(runs, np.uint8), left, top, wide, high, first_row)
    return found


def _longest_rows(
    runs: NDArray[np.uint8], left: int, top: int, wide: int, high: int, first_row: int
) -> list[_Line]:
    """Return the rows of an uneven piece that span it: the bar without what touches it."""
    part = runs[top : top + high, left : left + wide]
    full = np.flatnonzero(part.mean(axis=1) >= 0.95)
    if not full.size or np.ptp(full) + 1 != full.size:
        return []
    return [
        _Line(
            left, top + first_row + int(full[0]), left + wide, top + first_row + int(full[-1]) + 1
        )
    ]


def _is_free(levels: Levels, line: _Line, least: float) -> bool:
    """Tell whether what lies above and below a line, and beyond its ends, is not ink."""
    height, width = levels.shape
    rows = [row for row in (line.top - 2, line.bottom + 1) if 0 <= row < height]
    across = [float((levels[row, line.left : line.right] >= least).mean()) for row in rows]
    ends = [col for col in (line.left - 3, line.right + 2) if 0 <= col < width]
    beyond = [float((levels[line.top : line.bottom, col] >= least).mean()) for col in ends]
    cut = line.left <= 0 or line.right >= width
    return not cut and all(s <= _FREE for s in across) and all(s <= 0.5 for s in beyond)


def _joined_across(lines: list[_Line], place: Print) -> list[_Line]:
    """Add the lines that print interrupts: two about equally long pieces in the same rows."""
    middle = (place.left + place.right) / 2
    joined = []
    for a in lines:
        for b in lines:
            level = abs(a.top - b.top) <= 1 and abs(a.bottom - b.bottom) <= 1
            beside = place.top <= (a.top + a.bottom) / 2 <= place.bottom
            around = (
                a.right <= middle <= b.left
                and b.left - a.right < 2 * (place.right - place.left) + place.height
            )
            alike = abs(a.length - b.length) <= 0.35 * max(a.length, b.length)
            if level and beside and around and alike:
                joined.append(_Line(a.left, a.top, b.right, a.bottom))
    return joined or lines


def _rank(line: _Line, place: Print, shape: tuple[int, ...]) -> float:
    """Return how badly a line fits beside print, in heights of print; infinite where it cannot."""
    high = max(1.0, place.height)
    down = max(line.top - place.bottom, place.top - line.bottom, 0.0) / high
    aside = max(line.left - place.right, place.left - line.right, 0.0) / high
    if down > _REACH or aside > _REACH or line.length > _WIDEST_SHARE * shape[1]:
        return float("inf")
    middle = abs(line.left + line.right - place.left - place.right) / 2
    offset = min(middle, abs(line.left - place.left), abs(line.right - place.right)) / high
    return down + aside + 0.3 * offset - 0.3 * float(np.log(line.length / high))

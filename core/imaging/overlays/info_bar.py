"""The band along an edge in which a microscope writes voltage, magnification and scale."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.uint8]

_MAX_SHARE = 0.30  # of the height
_MIN_SHARE, _MIN_PX = 0.02, 8
_MAX_COLUMNS = 2500  # a wider picture is searched on every n-th column; rows stay exact
_SOFT_LEVELS = 10  # spread of a plate that went through JPEG, in 1/255 of the range
_DARKEST_SOFT, _BRIGHTEST_SOFT = 64, 191  # in between, smooth specimen looks like a soft plate
_PLATE_SHARE = 0.30  # of a row that shows the plate even behind the densest text
_RULE_SHARE = 0.90  # of a row that is one line from side to side
_RULE_PX = 4  # thickest line
_CONTRAST_LEVELS = 70  # text against its plate
_RULER_SLENDER = 2.2  # widths per height of a ruler's mark, end ticks included
_RULER_PIECE, _RULER_MOST = 0.02, 0.5  # of the width: shortest piece of a scale bar, longest bar


def info_bar_rows(levels: Levels) -> int:
    """Return the height of the info bar along the first rows, 0 when there is none.

    A bar is a band over the full width whose rows are mostly one flat grey level, with text in
    it, that ends where the next rows are not flat any more or at a line from side to side.

    Parameters
    ----------
    levels : ndarray of shape (H, W), uint8
        With the edge to search first; flip the picture for the bottom edge.
    """
    height, width = levels.shape
    every = -(-width // _MAX_COLUMNS)
    zone = np.ascontiguousarray(levels[: int(height * _MAX_SHARE) + 12, ::every])
    least = max(_MIN_PX, round(height * _MIN_SHARE))
    plate = _plate_level(zone[:least])
    spread = _spread(zone[:least], plate)
    if spread > 2 and _DARKEST_SOFT < plate < _BRIGHTEST_SOFT:
        return 0
    shown = np.abs(zone.astype(np.int16) - plate) <= spread
    share = shown.mean(axis=1)
    rules = _rules(zone, plate)
    for end in _ends(share, rules):
        if least <= end <= height * _MAX_SHARE and _holds_text(zone[:end], shown[:end], plate):
            return end
    return 0


def _plate_level(rows: Levels) -> int:
    """Return the most frequent level."""
    return int(np.bincount(rows.ravel(), minlength=256).argmax())


def _spread(rows: Levels, plate: int) -> int:
    """Return how far a plate's pixels stray from its level: hardly, or as far as JPEG leaves."""
    near = np.abs(rows.astype(np.int16) - plate)
    return int(np.quantile(near[near <= _SOFT_LEVELS], 0.9)) + 1


def _rules(zone: Levels, plate: int) -> NDArray[np.bool_]:
    """Tell for every row whether it belongs to a thin flat line of another level."""
    middle = np.median(zone, axis=1)
    flat = (np.abs(zone - middle[:, None]) <= _SOFT_LEVELS).mean(axis=1) >= _RULE_SHARE
    flat &= np.abs(middle - plate) > _CONTRAST_LEVELS
    kernel = np.ones((_RULE_PX + 1, 1), np.uint8)
    thick = cv2.morphologyEx(flat.astype(np.uint8)[:, None], cv2.MORPH_OPEN, kernel)[:, 0]
    return np.asarray(flat & (thick == 0))


def _ends(share: NDArray[np.float64], rules: NDArray[np.bool_]) -> list[int]:
    """Return where the band may end, the likeliest first: at a break, then at lines within."""
    banded = (share >= _PLATE_SHARE) | rules
    gone = ~banded
    stops = np.flatnonzero(gone[:-2] & gone[1:-1] & gone[2:])
    stop = int(stops[0]) if stops.size else len(share)
    candidates = []
    if 0 < stop <= len(share) - 3 and _breaks_off(share, rules, stop):
        candidates.append(stop)
    lines = np.flatnonzero(rules[:stop] & ~np.append(rules[1:stop], False)) + 1
    return candidates + [int(line) for line in lines[::-1] if line > 3]


def _breaks_off(share: NDArray[np.float64], rules: NDArray[np.bool_], stop: int) -> bool:
    """Tell whether the plate is there in full on one side of the edge and gone on the other."""
    inside = max(share[max(0, stop - 4) : stop].max(), float(rules[max(0, stop - 4) : stop].any()))
    outside = share[stop : stop + 10].mean()
    return bool(inside >= 0.8 and outside <= 0.5 * inside)


def _holds_text(band: Levels, shown: NDArray[np.bool_], plate: int) -> bool:
    """Tell whether the band is a plate with lettering: several crisp marks, plate in between."""
    ink = (np.abs(band.astype(np.int16) - plate) > _CONTRAST_LEVELS).astype(np.uint8)
    if not 0.003 <= ink.mean() <= 0.55 or shown.mean() < 0.45:
        return False
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    heights, widths = stats[1:, cv2.CC_STAT_HEIGHT], stats[1:, cv2.CC_STAT_WIDTH]
    letters = (heights >= 4) & (heights <= 0.9 * len(band)) & (widths <= band.shape[1] / 3)
    return int(np.count_nonzero(letters)) >= 3


def ruler_in(band: Levels) -> tuple[int, int, int] | None:
    """Return row, left and right end of the scale bar drawn in an info bar; None without one.

    The longest thin line wins, in one piece or in two with its label in between.

    Parameters
    ----------
    band : ndarray of shape (h, W), uint8
        The info bar alone.
    """
    width = band.shape[1]
    ink = (np.abs(band.astype(np.int16) - _plate_level(band)) > _CONTRAST_LEVELS).astype(np.uint8)
    kernel = np.ones((1, max(12, round(_RULER_PIECE * width)) | 1), np.uint8)  # odd: no shift
    runs = np.asarray(cv2.morphologyEx(ink, cv2.MORPH_OPEN, kernel), np.uint8)
    stats = cv2.connectedComponentsWithStats(runs, connectivity=4)[2][1:]
    pieces = stats[(stats[:, 3] <= max(3, 0.2 * len(band))) & (stats[:, 2] <= _RULER_MOST * width)]
    pieces = pieces[_are_no_letters(pieces, ink)]
    found = [_joined(piece, pieces) for piece in pieces]
    whole = [(r, a, b) for r, a, b in found if a > 1 and b < width - 1 and b - a <= width / 2]
    return max(whole, key=lambda line: line[2] - line[1], default=None)


def _are_no_letters(pieces: NDArray[np.int32], ink: Levels) -> NDArray[np.bool_]:
    """Tell which lines are more than a stroke of a letter: long for the mark they belong to."""
    labels, stats = cv2.connectedComponentsWithStats(ink, connectivity=8)[1:3]
    marks = [labels[top : top + high, left : left + wide] for left, top, wide, high, _ in pieces]
    heights = [stats[int(np.max(mark)), cv2.CC_STAT_HEIGHT] for mark in marks]
    ruled = [stats[int(np.max(mark)), cv2.CC_STAT_WIDTH] >= 0.9 * ink.shape[1] for mark in marks]
    slender = pieces[:, 2] >= _RULER_SLENDER * np.array(heights, np.int64)
    return np.asarray(slender | np.array(ruled, bool), bool)


def _joined(piece: NDArray[np.int32], pieces: NDArray[np.int32]) -> tuple[int, int, int]:
    """Return row and ends of a line together with the equally long piece in the same rows."""
    left, top, width, height, _ = (int(value) for value in piece)
    same = (np.abs(pieces[:, 1] - top) <= 1) & (np.abs(pieces[:, 2] - width) <= 0.2 * width)
    ends = pieces[same]
    if len(ends) != 2:
        return top + height // 2, left, left + width
    right = (ends[:, 0] + ends[:, 2]).max()
    return top + height // 2, int(ends[:, 0].min()), int(right)

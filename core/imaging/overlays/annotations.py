"""Scale bars, panel letters and labels painted into the picture itself."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.overlays.ticks import find_ticks

Levels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_STROKE_SHARE = 0.035  # widest stroke of lettering and thickest scale bar, of the shorter side
_EXTREME_LEVEL = 205  # paint is at least this bright (or, inverted, this dark), of 255
_STANDS_OUT = 70  # levels between paint and what is around its stroke
_CRISP = 0.62  # share of its contrast that paint gains over two pixels
_GLYPH_HEIGHTS = (0.012, 0.15)  # of the shorter side
_MARGIN_SHARE = 0.0035  # of the shorter side: soft edges around paint
_MAX_GLYPHS = 400
_CROWDED = 25  # more glyph-like marks than lettering has: the specimen itself is made of them
_PLATE_LEVEL = 245
_RIM_SHARE = 0.75  # of each rim of a plate that is flat
_AROUND_PX = 3  # beside a mark, where its ground is seen
_SOLID_SHARE = 0.65  # of its longer side: the widest circle in a blob; in a bold letter 0.4
_MAX_BARS = 2
_BAR_LEVEL = 240  # of flat paint, after JPEG
_INNER_SHARE = 0.3  # of a plate's width that the bar on it has at least
_SOFT_RIM = 10  # levels
_BAR_STANDS_OUT = 45  # levels between a bar and what is above and below it
_BAR_CLEAR, _LONE_BAR_CLEAR = 0.5, 0.85  # of its sides that fall off, with and without a label
_BAR_WIDTHS = (0.04, 0.7)  # of the width of the picture
_LONE_BAR_WIDTH = 0.08
_BAR_ZONES = (0.2, 0.66)  # above the first or below the second share of the height


@dataclass(frozen=True, slots=True, eq=False)
class _Marks:
    """Candidates of one polarity: label image and one row of figures per mark."""

    labels: NDArray[np.int32]
    boxes: NDArray[np.int64]  # (N, 4): left, top, right, bottom; right and bottom exclusive
    area: NDArray[np.float64]
    level: NDArray[np.float64]  # mean grey level
    spread: NDArray[np.float64]  # standard deviation of the grey level
    crisp: NDArray[np.float64]  # contrast over two pixels at the rim / contrast of the stroke

    @property
    def width(self) -> NDArray[np.int64]:
        return self.boxes[:, 2] - self.boxes[:, 0]

    @property
    def height(self) -> NDArray[np.int64]:
        return self.boxes[:, 3] - self.boxes[:, 1]

    @property
    def fill(self) -> NDArray[np.float64]:
        return np.asarray(self.area / (self.width * self.height))


def find_annotations(levels: Levels) -> Mask:
    """Return where lettering, scale bars and their plates were painted over the specimen.

    Parameters
    ----------
    levels : ndarray of shape (H, W), uint8
        Stretched between the extremes; at least 48 px on either side.

    Returns
    -------
    ndarray of shape (H, W), bool
    """
    found = np.zeros(levels.shape, bool)
    for picture in (levels, 255 - levels):
        found |= _find_bright(picture)
    ticks = find_ticks(levels)
    for left, top, right, bottom in [] if ticks is None else ticks.tolist():
        margin = _margin(levels)
        found[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin] = True
    return found


def _margin(levels: Levels) -> int:
    """Return how many pixels around paint its soft edges take."""
    return int(max(1, round(_MARGIN_SHARE * min(levels.shape)))) + 1


def find_bars(levels: Levels) -> NDArray[np.int64]:
    """Return the scale bars painted over the specimen, white or black.

    Parameters
    ----------
    levels : ndarray of shape (H, W), uint8
        As for `find_annotations`.

    Returns
    -------
    ndarray of shape (N, 4), int64
        Left, top, right and bottom in px; right and bottom lie just outside.
    """
    found = [np.zeros((0, 4), np.int64)]
    for picture in (levels, 255 - levels):
        bars = _search_bright(picture)[2]
        found += [_inside(picture, bar)[None] for bar in bars]
    return np.concatenate(found)


def _inside(levels: Levels, bar: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the dark bar on the bright plate or in the bright outline that a "bar" is part of.

    The rims of plates and outlines look like bars themselves. A bar is on nothing: it is returned.
    """
    part = _plate_around(levels, bar)
    left, top, right, bottom = (int(v) for v in part)
    if bottom - top < 5:
        return bar
    within = np.ascontiguousarray(levels[top:bottom, left:right])
    dark = (within < _BAR_LEVEL / 2).view(np.uint8)
    shortest = max(8, round(_INNER_SHARE * (right - left))) | 1
    runs = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((1, shortest), np.uint8))
    boxes = _boxes(np.asarray(runs, np.uint8))
    x, y, wide, high, area = boxes.T
    kept = (x > 0) & (x + wide < right - left) & (y > 0) & (y + high < bottom - top)
    kept &= (wide >= 3 * high) & (area >= 0.85 * wide * high)
    if not kept.any():
        return bar
    x, y, wide, high, _ = boxes[kept][np.argmax(wide[kept])]
    return np.array([left + x, top + y, left + x + wide, top + y + high], np.int64)


def _plate_around(levels: Levels, bar: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the box of everything bright that a bar is connected with."""
    bright = (levels >= _BAR_LEVEL - 2 * _SOFT_RIM).view(np.uint8)
    labels = cv2.connectedComponents(bright, connectivity=4)[1]
    row, col = int(bar[1] + bar[3]) // 2, int(bar[0] + bar[2]) // 2
    if labels[row, col] == 0:
        return bar
    rows, cols = np.nonzero(labels == labels[row, col])
    box = np.array([cols.min(), rows.min(), cols.max() + 1, rows.max() + 1], np.int64)
    # A bar that bright specimen touches is not on a plate: that would end with the bar.
    wider = (box[2] - box[0]) - (bar[2] - bar[0])
    return box if wider <= 0.1 * (bar[2] - bar[0]) + 4 else bar


def _search_bright(levels: Levels) -> tuple[_Marks, NDArray[np.intp], NDArray[np.int64]]:
    """Return the bright marks, which of them are lettering, and the boxes of the scale bars."""
    stands_out = _stands_out(levels)
    marks = _bright_marks(levels, stands_out)
    glyphs = np.flatnonzero(_is_glyph(marks, levels.shape))
    bars, clear = _scale_bars(levels, stands_out)
    if glyphs.size > _CROWDED:
        bars, clear = bars[clear >= _LONE_BAR_CLEAR], clear[clear >= _LONE_BAR_CLEAR]
    lettering, labelled = _choose(levels, marks, glyphs, bars)
    long = (bars[:, 2] - bars[:, 0]) >= _LONE_BAR_WIDTH * levels.shape[1]
    return marks, lettering, bars[labelled | (long & (clear >= _LONE_BAR_CLEAR))]


def _find_bright(levels: Levels) -> Mask:
    """Return where bright marks were painted."""
    marks, lettering, bars = _search_bright(levels)
    painted = (
        np.isin(marks.labels, lettering + 1) if lettering.size else np.zeros_like(levels, bool)
    )
    for left, top, right, bottom in bars:
        painted[top:bottom, left:right] = True
    painted |= _plates(levels)
    margin = _margin(levels)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * margin + 1, 2 * margin + 1))
    return np.asarray(cv2.dilate(painted.astype(np.uint8), kernel), bool)


def _scale_bars(
    levels: Levels, stands_out: Levels
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return boxes of long flat rectangles, and how much of their long sides falls off sharply.

    Runs of bright pixels shorter than a scale bar are taken out first, so that a bar is found
    even where bright specimen or its own label touches it.
    """
    height, width = levels.shape
    run = np.ones((1, max(12, round(_BAR_WIDTHS[0] * width)) | 1), np.uint8)  # odd: no shift
    bright = _both_reach(levels, _BAR_LEVEL, stands_out, _BAR_STANDS_OUT)
    runs = cv2.morphologyEx(bright, cv2.MORPH_OPEN, run)
    left, top, wide, high, area = _boxes(np.asarray(runs, np.uint8)).T
    likely = (high <= _STROKE_SHARE * min(levels.shape) + 1) & (wide >= 3 * high)
    likely &= (area >= 0.85 * wide * high) & (wide <= _BAR_WIDTHS[1] * width)
    middle = (top + high / 2) / height
    likely &= (middle > _BAR_ZONES[1]) | (middle < _BAR_ZONES[0])
    boxes = np.stack([left, top, left + wide, top + high], axis=1)[likely]
    clear = np.array([_clear_share(levels, box) for box in boxes], np.float64)
    best = np.argsort(-clear * (boxes[:, 2] - boxes[:, 0]))[:_MAX_BARS]
    best = best[clear[best] >= _BAR_CLEAR]
    return boxes[best], clear[best]


def _clear_share(levels: Levels, box: NDArray[np.int64]) -> float:
    """Return how much of a bar's length falls off within three pixels above and below."""
    left, top, right, bottom = box
    rows = [row for row in (top - 3, bottom + 2) if 0 <= row < levels.shape[0]]
    fallen = levels[rows, left:right] < _BAR_LEVEL - _BAR_STANDS_OUT
    return float(fallen.mean()) if rows else 0.0


def _stands_out(levels: Levels) -> Levels:
    """Return how far every pixel is above what is left without strokes (a white top hat)."""
    stroke = max(7, round(_STROKE_SHARE * min(levels.shape))) | 1
    opened = cv2.morphologyEx(levels, cv2.MORPH_OPEN, np.ones((stroke, stroke), np.uint8))
    return np.asarray(cv2.subtract(levels, opened), np.uint8)


def _both_reach(levels: Levels, level: int, stands_out: Levels, contrast: int) -> Levels:
    """Return 1 where both reach their thresholds, else 0."""
    return ((levels >= level) & (stands_out >= contrast)).view(np.uint8)


def _boxes(mask: Levels) -> NDArray[np.int64]:
    """Return left, top, width, height and area of every 4-connected part of a mask."""
    left, top, width, height = cv2.boundingRect(mask)
    if width == 0:
        return np.zeros((0, 5), np.int64)
    part = np.ascontiguousarray(mask[top : top + height, left : left + width])
    _, _, stats, _ = cv2.connectedComponentsWithStats(part, connectivity=4)
    return np.asarray(stats[1:] + np.array([left, top, 0, 0, 0]), np.int64)


def _bright_marks(levels: Levels, stands_out: Levels) -> _Marks:
    """Cut out what is extreme and stands out from its surroundings as a stroke does."""
    marked = _both_reach(levels, _EXTREME_LEVEL, stands_out, _STANDS_OUT)
    count, found, stats, _ = cv2.connectedComponentsWithStats(marked, connectivity=8)
    labels: NDArray[np.int32] = np.asarray(found, np.int32)
    left, top, width, height, area = stats[1:].T.astype(np.int64)
    boxes = np.stack([left, top, left + width, top + height], axis=1)
    where = np.flatnonzero(labels)
    of = labels.ravel()[where] - 1
    values = levels.ravel()[where].astype(np.float64)
    size = np.maximum(area, 1)
    mean = np.bincount(of, values, count - 1) / size
    square = np.bincount(of, values**2, count - 1) / size
    crisp = _crispness(levels, marked, stands_out, where, of, count - 1)
    spread = np.sqrt(np.maximum(square - mean**2, 0))
    return _Marks(labels, boxes, area.astype(np.float64), mean, spread, crisp)


def _crispness(
    levels: Levels,
    marked: Levels,
    stands_out: Levels,
    where: NDArray[np.intp],
    of: NDArray[np.int32],
    count: int,
) -> NDArray[np.float64]:
    """Return how much of its contrast each mark gains within two pixels at its rim."""
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    rim = (marked - cv2.erode(marked, cross)).ravel()[where].astype(bool)
    near = cv2.erode(levels, np.ones((5, 5), np.uint8))
    drop = cv2.subtract(levels, near).ravel()[where].astype(np.float64)
    contrast = stands_out.ravel()[where].astype(np.float64)
    gained = np.bincount(of[rim], drop[rim], count)
    whole = np.bincount(of[rim], contrast[rim], count)
    return np.asarray(gained / np.maximum(whole, 1))


def _is_glyph(marks: _Marks, shape: tuple[int, int]) -> Mask:
    """Tell which marks have the size, the stroke and the crispness of a letter."""
    low, high = (share * min(shape) for share in _GLYPH_HEIGHTS)
    sized = (marks.height >= max(5, low)) & (marks.height <= high)
    sized &= (marks.width >= 2) & (marks.width <= 5 * marks.height)
    stroked = (marks.fill >= 0.12) & (marks.fill <= 0.95)
    painted = (marks.level >= 222) & (marks.crisp >= _CRISP)
    return np.asarray(sized & stroked & painted)


def _text_lines(marks: _Marks, glyphs: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Group glyphs that stand side by side at about the same height."""
    glyphs = glyphs[np.argsort(-marks.area[glyphs])][:_MAX_GLYPHS]
    if not glyphs.size:
        return []
    left, top, right, bottom = marks.boxes[glyphs].T
    height = bottom - top
    tall = np.maximum(height[:, None], height)
    overlap = np.minimum(bottom[:, None], bottom) - np.maximum(top[:, None], top)
    gap = np.maximum(left[:, None], left) - np.minimum(right[:, None], right)
    linked = (overlap >= 0.5 * np.minimum(height[:, None], height)) & (gap <= 0.8 * tall)
    linked &= tall <= 2.4 * np.minimum(height[:, None], height)
    return [glyphs[group] for group in _connected(linked)]


def _connected(linked: Mask) -> list[NDArray[np.intp]]:
    """Return the groups that a symmetric table of links makes."""
    left = np.ones(len(linked), bool)
    groups = []
    for start in range(len(linked)):
        if not left[start]:
            continue
        group = np.zeros(len(linked), bool)
        group[start] = True
        while (grown := group | linked[group].any(axis=0)).sum() > group.sum():
            group = grown
        left &= ~group
        groups.append(np.flatnonzero(group))
    return groups


def _choose(
    levels: Levels, marks: _Marks, glyphs: NDArray[np.intp], bars: NDArray[np.int64]
) -> tuple[NDArray[np.intp], Mask]:
    """Return the marks that are lettering, and for every bar whether text stands beside it."""
    shape = levels.shape
    crowded = glyphs.size > _CROWDED
    chosen, labelled = [np.zeros(0, np.intp)], np.zeros(len(bars), bool)
    for line in _text_lines(marks, glyphs):
        box = _around(marks.boxes[line])
        beside = [i for i, bar in enumerate(bars) if _is_close(box, bar)]
        if len(line) > 1:
            labelled[beside] = True
        placed = _is_label(marks, line, box, shape) or _is_letter(marks, line, box, shape)
        placed = placed and not all(_is_solid(levels, marks, mark) for mark in line)
        if (beside and not crowded) or ((beside or placed) and _is_painted(marks, line, crowded)):
            chosen.append(line)
    return np.concatenate(chosen), labelled


def _is_painted(marks: _Marks, line: NDArray[np.intp], crowded: bool) -> bool:
    """Tell whether glyphs are flat and crisp enough, the more so among many alike."""
    level, crisp = (246, 0.85) if crowded else (230, 0.72)
    return bool(np.median(marks.level[line]) >= level and np.median(marks.crisp[line]) >= crisp)


def _is_solid(levels: Levels, marks: _Marks, mark: np.intp) -> bool:
    """Tell a blob, such as a particle, from a letter: strokes are narrow beside their height.

    Noise makes holes in a blob, so greys are averaged first and cut half-way to the surroundings.
    """
    left, top, right, bottom = (int(edge) for edge in marks.boxes[mark])
    rows = slice(max(0, top - _AROUND_PX), bottom + _AROUND_PX)
    cols = slice(max(0, left - _AROUND_PX), right + _AROUND_PX)
    part = cv2.medianBlur(np.ascontiguousarray(levels[rows, cols]), 3)
    ground = float(np.percentile(part, 20))
    solid = cv2.copyMakeBorder(
        (part >= (ground + float(marks.level[mark])) / 2).view(np.uint8), 1, 1, 1, 1, 0
    )
    widest = 2 * float(cv2.distanceTransform(solid, cv2.DIST_L2, 5).max()) - 1
    return widest >= _SOLID_SHARE * max(right - left, bottom - top)


def _around(boxes: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def _is_close(text: NDArray[np.int64], bar: NDArray[np.int64]) -> bool:
    """Tell whether a line of text stands above, below or beside a bar, about its height away."""
    reach = 1.3 * (text[3] - text[1])
    apart = np.maximum(text[:2], bar[:2]) - np.minimum(text[2:], bar[2:])
    return bool(apart.max() <= reach)


def _is_label(
    marks: _Marks, line: NDArray[np.intp], box: NDArray[np.int64], shape: tuple[int, int]
) -> bool:
    """Tell whether three or more glyphs near the upper or lower edge stand as text does."""
    if len(line) < 3:
        return False
    height = marks.height[line]
    even = np.ptp(marks.boxes[line, 3]) <= 0.45 * height.max()
    outer = box[1] >= 0.75 * shape[0] or box[3] <= 0.25 * shape[0]
    stroked = np.median(marks.fill[line]) <= 0.75
    return bool(even and outer and stroked)


def _is_letter(
    marks: _Marks, line: NDArray[np.intp], box: NDArray[np.int64], shape: tuple[int, int]
) -> bool:
    """Tell whether up to four glyphs in a corner stand as a panel letter does."""
    height, width = shape
    tall = box[3] - box[1]
    if len(line) > 4 or tall < 0.025 * min(shape) or box[2] - box[0] > 0.25 * width:
        return False
    aside = min(box[0], width - box[2]) <= 0.09 * width
    outer = min(box[1], height - box[3]) <= 0.09 * height
    stroked = np.median(marks.fill[line]) <= 0.82
    return bool(aside and outer and stroked)


def _plates(levels: Levels) -> Mask:
    """Return flat bright rectangles in a corner that carry dark lettering."""
    flat = (levels >= _PLATE_LEVEL).view(np.uint8)
    found = np.zeros(levels.shape, bool)
    least = max(10, 0.03 * min(levels.shape))
    boxes = _boxes(flat)
    sized = (boxes[:, 2:4].min(axis=1) >= least) & (boxes[:, 4] >= 2 * least**2)
    sized &= boxes[:, 4] >= 0.4 * boxes[:, 2] * boxes[:, 3]
    for left, top, width, height, _ in boxes[sized].tolist():
        rows, cols = slice(top, top + height), slice(left, left + width)
        trimmed = _trimmed(flat[rows, cols])
        box = rows.start + trimmed[0], rows.start + trimmed[1], left + trimmed[2], left + trimmed[3]
        if _is_plate(levels, flat, box):
            found[box[0] : box[1], box[2] : box[3]] = True
    return found


def _trimmed(flat: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Return the rows and columns between the first and the last that are mostly flat."""
    rows = np.flatnonzero(flat.mean(axis=1) >= _RIM_SHARE)
    cols = np.flatnonzero(flat.mean(axis=0) >= _RIM_SHARE)
    if not rows.size or not cols.size:
        return 0, 0, 0, 0
    return int(rows[0]), int(rows[-1]) + 1, int(cols[0]), int(cols[-1]) + 1


def _is_plate(levels: Levels, flat: NDArray[np.uint8], box: tuple[int, int, int, int]) -> bool:
    """Tell whether a box is small, in a corner, flat all round and written on."""
    (height, width), (top, bottom, left, right) = levels.shape, box
    high, wide = bottom - top, right - left
    if not (10 <= high <= 0.25 * height and 10 <= wide <= 0.6 * width):
        return False
    aside = min(left, width - right) <= 0.06 * width
    outer = min(top, height - bottom) <= 0.06 * height
    inside = flat[top:bottom, left:right]
    rims = inside[0], inside[-1], inside[:, 0], inside[:, -1]
    framed = min(float(rim.mean()) for rim in rims) >= _RIM_SHARE
    written = 0.02 <= (levels[top:bottom, left:right] <= 90).mean() <= 0.5
    return bool(aside and outer and framed and written)

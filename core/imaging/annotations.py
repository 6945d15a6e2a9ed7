"""Scale bars, panel letters and labels painted into the picture itself."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_STROKE_SHARE = 0.035  # widest stroke of lettering and thickest scale bar, of the shorter side
_EXTREME_LEVEL = 205  # paint is at least this bright (or, inverted, this dark), of 255
_STANDS_OUT = 70  # levels between paint and what is around its stroke
_CRISP = 0.62  # share of its contrast that paint gains over two pixels
_GLYPH_HEIGHTS = (0.012, 0.15)  # of the shorter side
_MARGIN_SHARE = 0.0035  # of the shorter side: soft edges around paint
_MAX_GLYPHS = 400


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
    return found


def _find_bright(levels: Levels) -> Mask:
    """Return where bright marks were painted."""
    marks = _bright_marks(levels)
    bars = _is_bar(marks, levels.shape)
    glyphs = _is_glyph(marks, levels.shape)
    lines = _text_lines(marks, np.flatnonzero(glyphs))
    chosen = _choose(marks, np.flatnonzero(bars), lines, levels.shape)
    painted = np.isin(marks.labels, chosen + 1) if chosen.size else np.zeros(levels.shape, bool)
    painted |= _plates(levels)
    margin = max(1, round(_MARGIN_SHARE * min(levels.shape))) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * margin + 1, 2 * margin + 1))
    return np.asarray(cv2.dilate(painted.astype(np.uint8), kernel), bool)


def _bright_marks(levels: Levels) -> _Marks:
    """Cut out what is extreme and stands out from its surroundings as a stroke does."""
    stroke = max(7, round(_STROKE_SHARE * min(levels.shape))) | 1
    kernel = np.ones((stroke, stroke), np.uint8)
    opened = cv2.morphologyEx(levels, cv2.MORPH_OPEN, kernel)
    stands_out: Levels = np.asarray(cv2.subtract(levels, opened), np.uint8)
    marked = ((stands_out >= _STANDS_OUT) & (levels >= _EXTREME_LEVEL)).astype(np.uint8)
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


def _is_bar(marks: _Marks, shape: tuple[int, int]) -> Mask:
    """Tell which marks are long flat rectangles of one level, as a scale bar is."""
    short = min(shape)
    long_enough = (marks.width >= 0.04 * shape[1]) & (marks.width <= 0.7 * shape[1])
    thin = (marks.width >= 4 * marks.height) & (marks.height <= _STROKE_SHARE * short + 1)
    flat = (marks.fill >= 0.88) & (marks.spread <= 14) & (marks.level >= 225)
    middle = (marks.boxes[:, 1] + marks.boxes[:, 3]) / 2 / shape[0]
    return np.asarray(long_enough & thin & flat & ((middle > 0.66) | (middle < 0.2)))


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
    marks: _Marks,
    bars: NDArray[np.intp],
    lines: list[NDArray[np.intp]],
    shape: tuple[int, int],
) -> NDArray[np.intp]:
    """Keep bars, text beside bars, labels near the edge and letters in corners."""
    chosen = [bars[_is_sure_bar(marks, bars, shape)]]
    for line in lines:
        box = _around(marks.boxes[line])
        beside = [bar for bar in bars if _close(box, marks.boxes[bar])]
        if beside or _is_label(marks, line, box, shape) or _is_letter(marks, line, box, shape):
            chosen += [line, np.array(beside, np.intp)]
    return np.unique(np.concatenate(chosen))


def _is_sure_bar(marks: _Marks, bars: NDArray[np.intp], shape: tuple[int, int]) -> Mask:
    """Tell which bars are flat and crisp enough to stand without a label."""
    exact = (marks.fill[bars] >= 0.95) & (marks.spread[bars] <= 8)
    return np.asarray(exact & (marks.crisp[bars] >= 0.7) & (marks.width[bars] >= 0.06 * shape[1]))


def _around(boxes: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def _close(text: NDArray[np.int64], bar: NDArray[np.int64]) -> bool:
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
    return bool(even and outer and stroked and np.median(marks.crisp[line]) >= 0.75)


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
    stroked = np.median(marks.fill[line]) <= 0.7
    return bool(aside and outer and stroked and marks.crisp[line].min() >= 0.72)


def _plates(levels: Levels) -> Mask:
    """Return flat bright rectangles at an edge that carry dark lettering."""
    flat = (levels >= 245).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(flat, connectivity=4)
    found = np.zeros(levels.shape, bool)
    left, top, width, height, area = stats[1:].T
    high, wide = levels.shape
    sized = (height >= max(10, 0.03 * high)) & (height <= 0.25 * high) & (width <= 0.6 * wide)
    candidates = np.flatnonzero(sized & (width >= 10) & (area >= 0.45 * width * height))
    for i in candidates:
        box = flat[top[i] : top[i] + height[i], left[i] : left[i] + width[i]]
        inside = levels[top[i] : top[i] + height[i], left[i] : left[i] + width[i]]
        if (
            _is_framed(box)
            and (inside <= 90).mean() >= 0.02
            and _is_at_edge(stats[i + 1], high, wide)
        ):
            found[top[i] : top[i] + height[i], left[i] : left[i] + width[i]] = True
    return found


def _is_framed(box: NDArray[np.uint8]) -> bool:
    """Tell whether the rim of a box is flat all round."""
    rims = (box[0], box[-1], box[:, 0], box[:, -1])
    return min(float(rim.mean()) for rim in rims) >= 0.9


def _is_at_edge(stats: NDArray[np.int32], height: int, width: int) -> bool:
    left, top, wide, high = stats[:4]
    aside = min(left, width - left - wide) <= 0.06 * width
    outer = min(top, height - top - high) <= 0.06 * height
    return bool(aside and outer)

"""A panel as pictures, lines and letters within a box of the sheet."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.scale import describe_area, describe_length
from core.measuring.by_hand import CLOSED, PAINT, Shape
from core.reporting.paper.fonts import text_width_mm
from core.reporting.paper.panels import Lines, Panel, Tint
from core.reporting.paper.scaling import scale_bar
from core.reporting.paper.sheet import Box, Clip, Image, Item, Path, Points, Text, rectangle
from core.reporting.paper.style import Style

_HAND, _HALO, _PLATE, _WHITE = "#ffd24a", "#000000", "#0e1516", "#ffffff"
_CRISP_FROM = 3  # times enlarged, from which every pixel is a square
_TICK_MM = 0.8
_SIDES = 96  # of an ellipse


def draw_panel(panel: Panel, box: Box, style: Style) -> Clip:
    """Return a panel that fills a box."""
    to_px = style.to_px(box.left + box.width) - style.to_px(box.left), style.to_px(box.height)
    items: list[Item] = [Image(box, _resized(panel.picture, to_px, smooth=True), "Micrograph")]
    for tint in panel.tints:
        values = _resized(tint.values, to_px, smooth=tint.smooth)
        items.append(Image(box, tint.colours[values], tint.name, tint.opacity))
    for lines in panel.lines:
        items += _outlines(lines, panel, box, style)
    for shape in panel.shapes:
        if shape.kind not in PAINT:
            items += _shape(shape, panel, box, style)
    return Clip(box, [*items, *scale_bar(panel, box, style)], panel.name)


def _resized(
    pixels: NDArray[np.uint8], size_wh: tuple[int, int], *, smooth: bool
) -> NDArray[np.uint8]:
    """Return pixels of the figure's resolution: averaged where there are more, else repeated."""
    wanted = max(1, size_wh[0]), max(1, size_wh[1])
    growth = wanted[0] / pixels.shape[1]
    if not smooth or growth >= _CRISP_FROM:
        way = cv2.INTER_NEAREST_EXACT
    else:
        way = cv2.INTER_AREA if growth < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, wanted, interpolation=way), np.uint8)


def _on_sheet(points: Points | list[tuple[float, float]], panel: Panel, box: Box) -> Points:
    """Return places (row, column) of the crop as (x, y) in mm: pixel centres are whole numbers."""
    height, width = panel.shape
    rows, cols = np.asarray(points, float).reshape(-1, 2).T
    return np.column_stack(
        [box.left + (cols + 0.5) * box.width / width, box.top + (rows + 0.5) * box.height / height]
    )


def _outlines(lines: Lines, panel: Panel, box: Box, style: Style) -> list[Item]:
    pieces = [_on_sheet(corners, panel, box) for _, corners in lines.polygons]
    seen = [
        (number, piece)
        for (number, _), piece in zip(lines.polygons, pieces, strict=True)
        if len(piece) > 1 and _meets(piece, box)
    ]
    if not seen:
        return []
    shapes = [piece for _, piece in seen]
    items: list[Item] = [Path(shapes, True, lines.colour, None, style.line_pt, 1.0, lines.name)]
    written: set[int] = set()
    small = 0.75 * style.text_pt
    for number, piece in seen:
        room = np.ptp(piece[:, 0])
        if (
            not number
            or number in written
            or room < 1.6 * text_width_mm(str(number), style.font, small)
        ):
            continue
        written.add(number)
        x, y = (piece.min(axis=0) + piece.max(axis=0)) / 2
        items.append(_label(str(number), x, y, small, style))
    return items


def _meets(piece: Points, box: Box) -> bool:
    low, high = piece.min(axis=0), piece.max(axis=0)
    return bool(
        high[0] >= box.left
        and low[0] <= box.left + box.width
        and high[1] >= box.top
        and low[1] <= box.top + box.height
    )


def _label(text: str, x: float, y: float, size_pt: float, style: Style) -> Text:
    return Text(x, y + 0.36 * size_pt * 25.4 / 72, text, size_pt, _WHITE, "middle", True, _PLATE)


def _shape(shape: Shape, panel: Panel, box: Box, style: Style) -> list[Item]:
    """Return what a hand drew: a dark line below a bright one, and its measure beside it."""
    trail = _on_sheet(_outline(shape), panel, box)
    pieces = [trail]
    if shape.kind == "point":
        (x, y), arm = trail[0], 1.5 * _TICK_MM
        pieces = [np.array([(x - arm, y), (x + arm, y)]), np.array([(x, y - arm), (x, y + arm)])]
    elif shape.kind == "ruler":
        pieces += _ticks(trail)
    closed = shape.kind in CLOSED
    width = max(style.line_pt, 0.75)
    lines: list[Item] = [
        Path(pieces, closed, _HALO, None, 2.2 * width, 1.0),
        Path(pieces, closed, _HAND, None, width, 1.0, shape.name or shape.kind),
    ]
    return lines + _tag(_measure(shape, panel), trail, box, style)


def _outline(shape: Shape) -> list[tuple[float, float]]:
    if shape.kind not in ("rectangle", "ellipse"):
        return list(shape.points)
    (top, left), (bottom, right) = shape.points
    if shape.kind == "rectangle":
        return [(top, left), (top, right), (bottom, right), (bottom, left)]
    turns = np.linspace(0, 2 * np.pi, _SIDES, endpoint=False)
    rows = (top + bottom) / 2 + (bottom - top) / 2 * np.sin(turns)
    cols = (left + right) / 2 + (right - left) / 2 * np.cos(turns)
    return list(zip(rows.tolist(), cols.tolist(), strict=True))


def _ticks(trail: Points) -> list[Points]:
    along = trail[1] - trail[0]
    length = float(np.hypot(*along)) or 1.0
    across = np.array([-along[1], along[0]]) / length * _TICK_MM
    return [np.array([end - across, end + across]) for end in trail]


def _measure(shape: Shape, panel: Panel) -> str:
    if shape.kind == "ruler":
        return describe_length(shape.length_px, panel.pixel_size)
    if shape.kind == "angle":
        return f"{shape.angle_deg:.1f}°"
    if shape.kind in CLOSED:
        return describe_area(shape.area_px2, panel.pixel_size)
    return shape.name


def _tag(text: str, trail: Points, box: Box, style: Style) -> list[Item]:
    """Return the measure on a dark plate at the shape's right end, within the box."""
    if not text:
        return []
    wide, high = (
        text_width_mm(text, style.font, style.text_pt) + style.text_mm * 0.7,
        (1.35 * style.text_mm),
    )
    x, y = trail[np.argmax(trail[:, 0])]
    left = float(np.clip(x + 0.8, box.left, max(box.left, box.left + box.width - wide)))
    top = float(np.clip(y - high - 0.6, box.top, max(box.top, box.top + box.height - high)))
    plate = rectangle(Box(left, top, wide, high))
    middle = left + wide / 2
    return [
        Path([plate], True, None, _PLATE, 0, 0.8),
        Text(middle, top + 0.97 * style.text_mm, text, style.text_pt, _WHITE, "middle"),
    ]


def legend_of(tint: Tint) -> list[tuple[str, str]]:
    """Return colour and name of each class of a layer that is to be seen in the crop."""
    present = np.unique(tint.values)
    shown = [int(value) for value in present if tint.colours[value, 3] and value in tint.names]
    found: dict[str, str] = {}
    for value in shown:
        red, green, blue = (int(part) for part in tint.colours[value, :3])
        found.setdefault(tint.names[value], f"#{red:02x}{green:02x}{blue:02x}")
    return [(colour, name) for name, colour in found.items()]

"""Several panels with their letters on one sheet."""

from __future__ import annotations

import string
from collections.abc import Sequence

import numpy as np

from core.errors import UserError
from core.reporting.paper.drawing import draw_panel, legend_of
from core.reporting.paper.fonts import text_width_mm
from core.reporting.paper.panels import Panel, Tint
from core.reporting.paper.sheet import Box, Image, Item, Path, Sheet, Text, rectangle
from core.reporting.paper.style import DPIS, LEAST_MM, MM_PER_INCH, MOST_MM, Style

_GAP_MM = 2.0
MOST_PANELS = len(string.ascii_lowercase)
_MOST_PX = 60_000_000  # of a figure: A4 at 600 dpi has 35 million
_MOST_FRAME_PX = 100_000_000  # as many as a frame may have that is read


def plate(
    panels: Sequence[Panel], style: Style, *, columns: int = 1, letters: bool = True
) -> Sheet:
    """Return a figure of panels in rows, as wide as the style says.

    Parameters
    ----------
    panels : sequence of Panel
        One to 26, in reading order. All have the same width, each its own height.
    style : Style
    columns : int
        Panels side by side, at least 1.
    letters : bool
        Whether several panels are marked a, b, c …; one alone never is.

    Raises
    ------
    ValueError
        If there is no panel, or more than the alphabet has letters.
    UserError
        If the figure has more pixels than anybody prints, such as that of a strip 1 px wide.
    """
    return _plate(panels, style, columns, letters, _MOST_PX)


def _plate(
    panels: Sequence[Panel], style: Style, columns: int, letters: bool, most_px: int
) -> Sheet:
    """Return a figure of at most so many pixels."""
    if not 1 <= len(panels) <= MOST_PANELS or columns < 1:
        raise ValueError(f"a figure has 1 to {MOST_PANELS} panels, got {len(panels)}")
    columns = min(columns, len(panels))
    gap = style.to_mm(style.to_px(_GAP_MM))
    width = style.to_mm((style.width_px - (columns - 1) * style.to_px(_GAP_MM)) // columns)
    rows = [panels[first : first + columns] for first in range(0, len(panels), columns)]
    tall = sum(max(width * each.shape[0] / each.shape[1] for each in row) for row in rows)
    _check_size(style.width_px, style.to_px(tall), most_px)
    items: list[Item] = []
    top = 0.0
    for first in range(0, len(panels), columns):
        low = top
        for at, panel in enumerate(panels[first : first + columns]):
            letter = string.ascii_lowercase[first + at] if letters and len(panels) > 1 else ""
            left = at * (width + gap)
            drawn, bottom = _one(panel, left, top, width, letter, style)
            items += drawn
            low = max(low, bottom)
        top = style.to_mm(style.to_px(low)) + gap
    height_px = max(1, style.to_px(top - gap))
    return Sheet(style.width_px, height_px, style.dpi, style.font, style.paper, tuple(items))


def _check_size(width_px: int, height_px: int, most_px: int) -> None:
    """Refuse a figure before anything of it is drawn."""
    if height_px * width_px > most_px:
        raise UserError(
            f"The figure would have {width_px} × {height_px} px; at most {most_px // 1_000_000} "
            "million are made. Choose a lower resolution, a smaller width or fewer panels, or show "
            "a part that is less tall."
        )


def on_frame(panel: Panel) -> Sheet:
    """Return a panel pixel by pixel, for a picture that carries what was drawn on it.

    Letters keep a size that can be read on frames of any size. Frames wider than 9,449 px are
    averaged to that width.
    """
    dpi = DPIS[0] if panel.shape[1] * MM_PER_INCH / DPIS[0] <= MOST_MM else DPIS[-1]
    width_mm = min(max(panel.shape[1] * MM_PER_INCH / dpi, LEAST_MM), MOST_MM)
    letters = min(max(8.0 * width_mm / 85, 5.0), 24.0)
    style = Style(width_mm=width_mm, dpi=dpi, text_pt=letters, line_pt=letters / 9)
    return _plate([panel], style, 1, False, _MOST_FRAME_PX)


def _one(
    panel: Panel, left: float, top: float, width: float, letter: str, style: Style
) -> tuple[list[Item], float]:
    """Return a panel with what stands below it, and where it ends."""
    rows, cols = panel.shape
    box = Box(left, top, width, style.to_mm(max(1, style.to_px(width * rows / cols))))
    items: list[Item] = [draw_panel(panel, box, style)]
    if letter:
        items += _letter(letter, box, style)
    bottom = box.top + box.height
    for tint in panel.tints:
        drawn, bottom = _key(tint, left, bottom, width, style)
        items += drawn
    return items, bottom


def _letter(letter: str, box: Box, style: Style) -> list[Item]:
    size = style.text_pt * 1.25
    side = 1.7 * style.text_mm
    ground = rectangle(Box(box.left, box.top, side, side))
    paper = style.paper or "#ffffff"
    ink = style.ink
    return [
        Path([ground], True, None, paper, 0, 1.0, f"Letter {letter}"),
        Text(box.left + side / 2, box.top + 0.72 * side, letter, size, ink, "middle", True),
    ]


def _key(
    tint: Tint, left: float, top: float, width: float, style: Style
) -> tuple[list[Item], float]:
    """Return a layer's colour bar or legend below a panel, and where it ends."""
    if any(tint.ends):
        return _colour_bar(tint, left, top, width, style)
    if tint.names:
        return _legend(tint, left, top, width, style)
    return [], top


def _colour_bar(
    tint: Tint, left: float, top: float, width: float, style: Style
) -> tuple[list[Item], float]:
    text, gap = style.text_mm, 0.5 * style.text_mm
    low, high = (text_width_mm(end, style.font, style.text_pt) for end in tint.ends)
    start, end = left + low + gap, left + width - high - gap
    line = top + gap
    foot = line + 0.85 * text
    ramp = Box(start, line, max(1.0, end - start), text)
    colours = _over_grey(tint)
    items: list[Item] = [
        Image(ramp, colours[None], f"Colours of {tint.name}"),
        Text(left, foot, tint.ends[0], style.text_pt, style.ink),
        Text(left + width, foot, tint.ends[1], style.text_pt, style.ink, "end"),
    ]
    return items, line + text + 0.3 * gap


def _over_grey(tint: Tint) -> np.ndarray:
    """Return the 256 colours as they are over middle grey, uint8 (256, 3)."""
    opacity = tint.colours[:, 3:4] / 255 * tint.opacity
    return np.rint(tint.colours[:, :3] * opacity + 128 * (1 - opacity)).astype(np.uint8)


def _legend(
    tint: Tint, left: float, top: float, width: float, style: Style
) -> tuple[list[Item], float]:
    """Return a patch and a name for each class, in as many rows as they need."""
    text, gap = style.text_mm, 0.5 * style.text_mm
    items: list[Item] = []
    x, line = left, top + gap
    for colour, name in legend_of(tint):
        long = text * 1.4 + text_width_mm(name, style.font, style.text_pt)
        if x > left and x + long > left + width:
            x, line = left, line + 1.4 * text
        patch = rectangle(Box(x, line, text, text))
        items.append(Path([patch], True, None, colour, 0, 1.0, name))
        items.append(Text(x + 1.4 * text, line + 0.85 * text, name, style.text_pt, style.ink))
        x += long + 1.5 * text
    return items, (line + text + 0.3 * gap) if items else top

"""The scale bar of a figure: as vectors, clear of what the instrument wrote."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.imaging.display import nice_length
from core.imaging.overlays import clear_place
from core.imaging.scale import reading_unit
from core.reporting.paper.fonts import text_width_mm
from core.reporting.paper.panels import Panel
from core.reporting.paper.sheet import Box, Item, Path, Text, rectangle
from core.reporting.paper.style import MM_PER_PT, Style

_SHARE = 0.22  # of the panel's width, about
_COARSE = 400  # px of the mask in which a place is looked for
_PLATE, _WHITE = "#0e1516", "#ffffff"


@dataclass(frozen=True, slots=True)
class Bar:
    """How long a scale bar is, in nm and on paper, and what stands over it."""

    length_nm: float
    length_mm: float
    label: str


def bar_of(panel: Panel, box: Box) -> Bar | None:
    """Return the scale bar of a panel in its box: 1, 2 or 5 times a power of ten long."""
    if panel.pixel_size is None:
        return None
    nm_per_mm = panel.pixel_size.to("nm") * panel.shape[1] / box.width
    length_nm = nice_length(nm_per_mm * box.width * _SHARE)
    unit, factor = reading_unit(length_nm)
    return Bar(length_nm, length_nm / nm_per_mm, f"{length_nm / factor:.6g} {unit}")


def scale_bar(panel: Panel, box: Box, style: Style) -> list[Item]:
    """Return plate, bar and length; nothing without a pixel size or where it would not fit."""
    bar = bar_of(panel, box)
    if bar is None:
        return []
    text, thick = style.text_mm, max(0.5, 2 * style.line_pt * MM_PER_PT)
    pad = 0.45 * text
    wide = max(bar.length_mm, text_width_mm(bar.label, style.font, style.text_pt, True)) + 2 * pad
    high = text * 0.8 + thick + 3 * pad
    if wide > 0.9 * box.width or high > 0.5 * box.height:
        return []
    left, top = _place(panel, box, wide, high)
    middle = left + wide / 2
    line = Box(middle - bar.length_mm / 2, top + high - pad - thick, bar.length_mm, thick)
    return [
        Path([rectangle(Box(left, top, wide, high))], True, None, _PLATE, 0, 0.8, "Plate"),
        Path([rectangle(line)], True, None, _WHITE, 0, 1.0, "Scale bar"),
        Text(middle, top + pad + 0.76 * text, bar.label, style.text_pt, _WHITE, "middle", True),
    ]


def _place(panel: Panel, box: Box, wide: float, high: float) -> tuple[float, float]:
    """Return left and top of the plate, in mm."""
    height, width = panel.shape
    share = min(1.0, _COARSE / max(height, width))
    rows, cols = max(1, round(height * share)), max(1, round(width * share))
    mask = np.zeros((rows, cols), bool)
    for top, left, bottom, right in panel.written:
        mask[
            max(0, int(top * share)) : max(0, int(np.ceil(bottom * share))),
            max(0, int(left * share)) : max(0, int(np.ceil(right * share))),
        ] = True
    per_mm = cols / box.width
    size = max(1, int(np.ceil(high * per_mm))), max(1, int(np.ceil(wide * per_mm)))
    row, column = clear_place(mask, mask.shape)(size)
    return box.left + column / per_mm, box.top + row / per_mm

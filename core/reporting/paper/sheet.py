"""A sheet of paper with pictures, lines and letters on it, in mm from its upper left corner.

What PNG, SVG and PDF are all made of, so that the three show the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

HALO_SHARE = 0.22  # of the letters' height: width of the line around them
Points = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Box:
    """A box on the sheet, in mm."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Image:
    """Pixels that fill a box: uint8, grey (H, W), colours (H, W, 3) or with opacity (H, W, 4)."""

    box: Box
    pixels: NDArray[np.uint8]
    name: str = ""
    opacity: float = 1.0


@dataclass(frozen=True, slots=True)
class Path:
    """Lines through points (x, y): several pieces of one look.

    Attributes
    ----------
    pieces : sequence of ndarray of shape (n, 2)
    closed : bool
    stroke, fill : str or None
        "#rrggbb".
    width_pt : float
    opacity : float
        Of the fill, 0 to 1.
    """

    pieces: Sequence[Points]
    closed: bool = False
    stroke: str | None = None
    fill: str | None = None
    width_pt: float = 0.75
    opacity: float = 1.0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """One line of letters that begins, has its middle or ends at x, with its foot at y.

    With a `halo` it is seen on every ground: the letters have an edge of that colour.
    """

    x: float
    y: float
    text: str
    size_pt: float
    colour: str
    anchor: str = "start"
    bold: bool = False
    halo: str | None = None


@dataclass(frozen=True, slots=True)
class Clip:
    """What is seen only within a box."""

    box: Box
    items: Sequence[Item]
    name: str = ""


Item = Image | Path | Text | Clip


@dataclass(frozen=True, slots=True)
class Sheet:
    """A figure: its size in mm and what is on it, from the lowest to the topmost.

    `width_px` and `height_px` are those of a PNG at `dpi`.
    """

    width_px: int
    height_px: int
    dpi: int
    font: str
    paper: str | None
    items: Sequence[Item] = field(default_factory=tuple)

    @property
    def width_mm(self) -> float:
        """Width on paper."""
        return self.width_px * 25.4 / self.dpi

    @property
    def height_mm(self) -> float:
        """Height on paper."""
        return self.height_px * 25.4 / self.dpi


def rectangle(box: Box) -> Points:
    """Return the corners of a box."""
    right, bottom = box.left + box.width, box.top + box.height
    return np.array([(box.left, box.top), (right, box.top), (right, bottom), (box.left, bottom)])

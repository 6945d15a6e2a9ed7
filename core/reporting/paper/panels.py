"""One picture of a figure: a crop of a micrograph, layers, outlines and shapes over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.measuring.by_hand import Shape
from core.micrograph import PixelSize

Corners = NDArray[np.floating[Any]]
Cut = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Tint:
    """A layer in colours, of the crop's size.

    Attributes
    ----------
    name : str
    values : ndarray of shape (H, W), uint8
    colours : ndarray of shape (256, 4), uint8
        Red, green, blue and opacity of each value.
    opacity : float
    smooth : bool
        Whether values between two pixels mean something; a smooth layer gets a colour bar.
    ends : (str, str)
        What stands at the colour bar's ends; none is drawn without.
    names : mapping of int to str
        What the values of a layer of classes mean, for the legend.
    """

    name: str
    values: NDArray[np.uint8]
    colours: NDArray[np.uint8]
    opacity: float = 1.0
    smooth: bool = False
    ends: tuple[str, str] = ("", "")
    names: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lines:
    """Outlines of regions: (number, corners (row, column) of the crop), 0 where not numbered."""

    name: str
    polygons: Sequence[tuple[int, Corners]]
    colour: str


@dataclass(frozen=True, slots=True)
class Panel:
    """A crop as it is on the screen, and what lies over it.

    Attributes
    ----------
    picture : ndarray of shape (H, W) or (H, W, 3), uint8
    pixel_size : PixelSize or None
        With it the panel has a scale bar.
    tints, lines, shapes
        In the crop's (row, column), the centre of its first pixel being (0, 0).
    written : sequence of (top, left, bottom, right)
        Boxes of the crop that the scale bar keeps clear of.
    name : str
        Of the micrograph.
    """

    picture: NDArray[np.uint8]
    pixel_size: PixelSize | None = None
    tints: Sequence[Tint] = ()
    lines: Sequence[Lines] = ()
    shapes: Sequence[Shape] = ()
    written: Sequence[Cut] = ()
    name: str = ""

    def __post_init__(self) -> None:
        height, width = self.picture.shape[:2]
        if min(height, width) < 1 or self.picture.dtype != np.uint8:
            raise ValueError(f"a panel needs uint8 pixels, got {self.picture.shape}")
        for tint in self.tints:
            if tint.values.shape != (height, width):
                raise ValueError(f"layer {tint.values.shape} on a crop of {height} × {width}")

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in px."""
        return self.picture.shape[0], self.picture.shape[1]

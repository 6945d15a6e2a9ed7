"""A shape that a hand drew, and its measures in px.

Places are (row, column) in px, the centre of the first pixel being (0, 0), as in a `Region`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Point = tuple[float, float]
MOST_SHAPES = 2000
_MOST_POINTS = 20_000  # of one shape: a stroke across the largest frame has fewer
_MOST_PX = 1e6  # a place further out is no place on a frame
_MOST_NAME = 80
_MOST_NUMBER = 10**9

# How many points a kind has, at least and at most.
KINDS: dict[str, tuple[int, int]] = {
    "ruler": (2, 2),
    "angle": (3, 3),
    "rectangle": (2, 2),
    "ellipse": (2, 2),
    "polygon": (3, 2000),
    "lasso": (3, 2000),
    "point": (1, 1),
    "brush": (1, _MOST_POINTS),
    "eraser": (1, _MOST_POINTS),
}
CLOSED = ("rectangle", "ellipse", "polygon", "lasso")
PAINT = ("brush", "eraser")


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape.

    Attributes
    ----------
    kind : str
        One of `KINDS`. An angle lies at its second point; a rectangle and an ellipse are given by
        two opposite corners of their box.
    points : tuple of (row, column)
    name : str
    number : int
        Tells the shapes of a micrograph apart; 1 and up.
    phase : int
        What a brush paints, 1 and up; 0 for all else, the eraser included.
    width_px : float
        Of the stroke of a brush or an eraser, else 0.

    Raises
    ------
    ValueError
        If the kind is unknown, the points are too few, too many or not finite numbers.
    """

    kind: str
    points: tuple[Point, ...]
    name: str = ""
    number: int = 1
    phase: int = 0
    width_px: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {tuple(KINDS)}, got {self.kind!r}")
        least, most = KINDS[self.kind]
        if not least <= len(self.points) <= most:
            raise ValueError(f"a {self.kind} has {least} to {most} points, not {len(self.points)}")
        if not all(math.isfinite(v) and abs(v) < _MOST_PX for point in self.points for v in point):
            raise ValueError("points must be finite places on a frame")
        if self.kind in PAINT and not 0 < self.width_px < _MOST_PX:
            raise ValueError(f"a stroke must have a width, got {self.width_px}")

    @property
    def length_px(self) -> float:
        """Length of a ruler, else NaN."""
        return math.dist(*self.points) if self.kind == "ruler" else math.nan

    @property
    def angle_deg(self) -> float:
        """Angle of three points, 0 to 180; of a ruler against the rows, anticlockwise; else NaN."""
        if self.kind == "ruler":
            (row, col), (to_row, to_col) = self.points
            return math.degrees(math.atan2(row - to_row, to_col - col))
        if self.kind != "angle":
            return math.nan
        first, at, last = (np.array(point) for point in self.points)
        one, other = first - at, last - at
        cross = one[0] * other[1] - one[1] * other[0]
        return abs(math.degrees(math.atan2(cross, float(one @ other))))

    @property
    def area_px2(self) -> float:
        """Area of what is closed, else NaN."""
        if self.kind not in CLOSED:
            return math.nan
        corners = np.array(self.points)
        if len(corners) == 2:
            sides = np.abs(corners[1] - corners[0])
            return float(sides.prod()) * (math.pi / 4 if self.kind == "ellipse" else 1.0)
        rows, cols = corners.T
        return float(abs(rows @ np.roll(cols, 1) - cols @ np.roll(rows, 1)) / 2)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return {
            "kind": self.kind,
            "points": [list(point) for point in self.points],
            "name": self.name,
            "number": self.number,
            "phase": self.phase,
            "width_px": self.width_px,
        }


def read_shapes(said: object) -> tuple[Shape, ...]:
    """Return the shapes of a list of plain values, as `Shape.to_dict` gives them.

    What is no shape is left out, as is what comes after the first `MOST_SHAPES`: the list may come
    from a browser or a file.
    """
    if not isinstance(said, list | tuple):
        return ()
    found = (_read(each) for each in said[:MOST_SHAPES])
    return tuple(shape for shape in found if shape is not None)


def _read(said: object) -> Shape | None:
    if not isinstance(said, Mapping):
        return None
    try:
        return Shape(
            kind=str(said["kind"]),
            points=tuple((float(row), float(col)) for row, col in said["points"][:_MOST_POINTS]),
            name=_text(said.get("name", "")),
            number=min(max(1, int(said.get("number", 1))), _MOST_NUMBER),
            phase=min(max(0, int(said.get("phase", 0))), 255),
            width_px=float(said.get("width_px", 0.0)) if said["kind"] in PAINT else 0.0,
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _text(said: object) -> str:
    """Return a name that every file can hold: no half characters, nothing that steers."""
    return "".join(letter for letter in str(said)[:_MOST_NAME] if letter.isprintable())

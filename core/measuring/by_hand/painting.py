"""Strokes of a brush as an image of phases."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.measuring.by_hand.shapes import PAINT, Shape

_MOST_WORK = 600_000_000  # pixels looked at, each piece of a stroke in its box: some four seconds
_OF_A_PIECE = 2_500  # what a piece costs besides, in pixels


def paint(shapes: Sequence[Shape], shape: tuple[int, int]) -> NDArray[np.int32]:
    """Return what strokes paint on a frame: 0 where nothing, else the phase painted last.

    Parameters
    ----------
    shapes : sequence of Shape
        In the order in which they were drawn: a later stroke covers an earlier one, an eraser
        takes away what is there. Shapes that are no strokes paint nothing.
    shape : tuple of int
        (H, W) of the frame.

    Raises
    ------
    UserError
        If they are more than can be painted in a few seconds.
    """
    if sum(_work(each, shape) for each in shapes if each.kind in PAINT) > _MOST_WORK:
        raise UserError(
            "The strokes on this micrograph are too many or too wide to be painted in a few "
            "seconds. Take some away and paint with fewer or narrower ones."
        )
    painted = np.zeros(shape, np.uint8)
    for stroke in shapes:
        if stroke.kind in PAINT:
            _draw(painted, stroke)
    return painted.astype(np.int32)


def _work(stroke: Shape, shape: tuple[int, int]) -> float:
    """Return how many pixels the boxes of a stroke's pieces hold."""
    places, radius = np.array(stroke.points), stroke.width_px / 2
    ends = places[1:] if len(places) > 1 else places
    starts = places[: len(ends)]
    first = (np.minimum(starts, ends) - radius).clip(0, shape)
    last = (np.maximum(starts, ends) + radius + 1).clip(0, shape)
    return float((last - first).prod(axis=1).sum()) + _OF_A_PIECE * len(ends)


def _draw(painted: NDArray[np.uint8], stroke: Shape) -> None:
    """Draw discs of the stroke's width and the straight bands between them."""
    places = np.array(stroke.points)
    value = stroke.phase if stroke.kind == "brush" else 0
    radius = stroke.width_px / 2
    first = np.maximum(np.floor(places.min(axis=0) - radius), 0).astype(int)
    last = np.minimum(np.ceil(places.max(axis=0) + radius) + 1, painted.shape).astype(int)
    if (last <= first).any():
        return
    box = painted[first[0] : last[0], first[1] : last[1]]
    inside = np.zeros(box.shape, bool)
    for start, end in zip(places, places[1:] if len(places) > 1 else places, strict=False):
        _add_band(inside, start - first, end - first, radius)
    box[inside] = value


def _add_band(
    inside: NDArray[np.bool_], start: NDArray[np.float64], end: NDArray[np.float64], radius: float
) -> None:
    """Add the pixels whose centres lie within `radius` of a straight piece."""
    top, left = np.maximum(np.floor(np.minimum(start, end) - radius), 0).astype(int)
    bottom, right = np.ceil(np.maximum(start, end) + radius).astype(int) + 1
    rows, cols = np.ogrid[top : min(bottom, inside.shape[0]), left : min(right, inside.shape[1])]
    along = end - start
    squared = float(along @ along)
    share = (
        np.clip(((rows - start[0]) * along[0] + (cols - start[1]) * along[1]) / squared, 0, 1)
        if squared
        else 0.0
    )
    off = (rows - start[0] - share * along[0]) ** 2 + (cols - start[1] - share * along[1]) ** 2
    inside[top:bottom, left:right] |= off <= max(radius, 0.5) ** 2

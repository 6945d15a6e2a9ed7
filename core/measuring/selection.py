"""A region of interest: the part of a frame that a person wants to be measured."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import UserError

Mask = NDArray[np.bool_]
Point = tuple[float, float]
_SUBPIXEL_BITS = 8  # OpenCV's polygons take corners in steps of 1/256 px


@dataclass(frozen=True, slots=True)
class Region:
    """A box or a polygon on a frame.

    Parameters
    ----------
    corners : tuple of (row, column)
        In px, pixel centres being whole numbers: two opposite corners of a box, whose pixels both
        belong to it, or three and more corners of a polygon. They may lie outside of the frame.

    Raises
    ------
    ValueError
        If there are fewer than two corners, or one is not a finite number.
    """

    corners: tuple[Point, ...]

    def __post_init__(self) -> None:
        corners = tuple((float(row), float(column)) for row, column in self.corners)
        object.__setattr__(self, "corners", corners)
        if len(corners) < 2 or not np.isfinite(corners).all():
            raise ValueError(f"a region needs two finite corners or more, got {self.corners}")

    @property
    def is_box(self) -> bool:
        """Tell whether this is a box, along rows and columns."""
        return len(self.corners) == 2

    def mask(self, shape: tuple[int, int]) -> Mask:
        """Return True inside of the region, for a frame of shape (H, W).

        Raises
        ------
        UserError
            If no pixel of the frame lies inside.
        """
        inside = self._box(shape) if self.is_box else self._polygon(shape)
        if not inside.any():
            raise UserError(
                "The region of interest holds no pixel of this frame. Draw a larger one, or use "
                "the whole frame."
            )
        return inside

    def _box(self, shape: tuple[int, int]) -> Mask:
        inside = np.zeros(shape, bool)
        (top, left), (bottom, right) = np.sort(np.asarray(self.corners), axis=0)
        first = max(0, int(np.ceil(top))), max(0, int(np.ceil(left)))
        last = int(np.floor(bottom)), int(np.floor(right))
        if min(last) >= 0:
            inside[first[0] : last[0] + 1, first[1] : last[1] + 1] = True
        return inside

    def _polygon(self, shape: tuple[int, int]) -> Mask:
        """Fill the polygon; pixels that its outline touches belong to it."""
        places = _clip(np.asarray(self.corners)[:, ::-1], shape)  # (x, y) for OpenCV
        canvas = np.zeros(shape, np.uint8)
        if len(places):
            steps = np.rint(places * (1 << _SUBPIXEL_BITS)).astype(np.int32)
            cv2.fillPoly(canvas, [steps], 1, shift=_SUBPIXEL_BITS)
        return canvas.astype(bool)


def _clip(places: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return a polygon (x, y) cut off a little outside of the frame, its edges in place.

    Moving far corners nearer would bend their edges, and OpenCV's whole numbers end.

    References
    ----------
    Sutherland, Hodgman (1974), Reentrant polygon clipping, Communications of the ACM 17:32,
    doi:10.1145/360767.360802.
    """
    for axis, side in ((0, shape[1]), (1, shape[0])):
        for sign, limit in ((1.0, -2.0), (-1.0, -(side + 1.0))):
            if not len(places):
                return places
            over = sign * places[:, axis] - limit  # not negative on the side of the frame
            following, beyond = np.roll(places, -1, axis=0), np.roll(over, -1)
            kept: list[NDArray[np.float64]] = []
            for here, there, now, then in zip(places, following, over, beyond, strict=True):
                if now >= 0:
                    kept.append(here)
                if (now >= 0) != (then >= 0):
                    kept.append(here + (there - here) * (now / (now - then)))
            places = np.asarray(kept, np.float64).reshape(-1, 2)
    return places


def leave_out(shape: tuple[int, int], exclude: Mask | None, region: Region | None) -> Mask | None:
    """Return where pixels do not count: what is excluded, and what lies outside of the region."""
    if region is None:
        return exclude
    outside = ~region.mask(shape)
    return outside if exclude is None else outside | exclude

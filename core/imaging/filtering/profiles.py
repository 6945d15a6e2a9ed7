"""Grey levels along a line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.imaging.filtering.operations.base import ski
from core.micrograph import Micrograph, PixelSize

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class LineProfile:
    """Grey levels from one point to another, one per pixel of length.

    Parameters
    ----------
    distance_px : ndarray of shape (n,), float64
        From the start, 0 first.
    values : ndarray of shape (n,), float64
        Native grey levels, interpolated between pixels; NaN where nothing was recorded.
    pixel_size : PixelSize or None
    """

    distance_px: NDArray[np.float64]
    values: NDArray[np.float64]
    pixel_size: PixelSize | None

    def distance(self) -> tuple[NDArray[np.float64], str]:
        """Return the distances and their unit: nm or µm, px where the scale is unknown."""
        if self.pixel_size is None:
            return self.distance_px, "px"
        unit = self.pixel_size.length_unit
        return self.distance_px * self.pixel_size.to(unit), unit


def line_profile(
    micrograph: Micrograph, start: Point, end: Point, *, width_px: int = 1
) -> LineProfile:
    """Return the grey levels from one point to another, averaged across a width.

    Parameters
    ----------
    micrograph : Micrograph
    start, end : tuple of float
        (row, column) in px; clipped to the frame.
    width_px : int
        Over how many pixels across the line to average, at least 1.
    """
    last = [side - 1 for side in micrograph.shape]
    ends = [
        tuple(min(max(at, 0.0), edge) for at, edge in zip(point, last, strict=True))
        for point in (start, end)
    ]
    values = ski.measure.profile_line(
        micrograph.pixels.astype(np.float64),
        *ends,
        linewidth=width_px,
        order=1,
        mode="nearest",
        reduce_func=np.mean,
    )
    length = float(np.hypot(ends[1][0] - ends[0][0], ends[1][1] - ends[0][1]))
    return LineProfile(np.linspace(0, length, len(values)), values, micrograph.pixel_size)

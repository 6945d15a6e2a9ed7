"""Grey levels along a line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
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
    start, end : tuple of float
        (row, column) in px, inside the frame.
    """

    distance_px: NDArray[np.float64]
    values: NDArray[np.float64]
    pixel_size: PixelSize | None
    start: Point = (0.0, 0.0)
    end: Point = (0.0, 0.0)

    def distance(self) -> tuple[NDArray[np.float64], str]:
        """Return the distances and their unit: nm or µm, px where the scale is unknown."""
        if self.pixel_size is None:
            return self.distance_px, "px"
        unit = self.pixel_size.length_unit
        return self.distance_px * self.pixel_size.to(unit), unit

    @property
    def length_px(self) -> float:
        """Length of the line in px."""
        return float(np.hypot(self.end[0] - self.start[0], self.end[1] - self.start[1]))

    @property
    def angle_deg(self) -> float:
        """Direction from start to end: 0° points right, 90° up; from -180° to 180°."""
        down, right = self.end[0] - self.start[0], self.end[1] - self.start[1]
        return float(np.degrees(np.arctan2(0.0 - down, right)))

    def ends_nm(self) -> tuple[Point, Point] | None:
        """Return start and end (row, column) in nm, None where the scale is unknown."""
        if self.pixel_size is None:
            return None
        nm = self.pixel_size.to("nm")
        return (self.start[0] * nm, self.start[1] * nm), (self.end[0] * nm, self.end[1] * nm)

    def to_frame(self) -> pd.DataFrame:
        """Return a row per sample: distance in px and, where the scale is known, nm; grey."""
        columns = {"distance_px": self.distance_px}
        if self.pixel_size is not None:
            columns["distance_nm"] = self.distance_px * self.pixel_size.to("nm")
        return pd.DataFrame({**columns, "grey": self.values})


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
    grey = micrograph.pixels.astype(np.float64)
    hollow = ~np.isfinite(grey)
    values = _along(np.where(hollow, 0.0, grey), ends, width_px)
    if hollow.any():  # a pixel of weight 0 must not count, and NaN × 0 would
        recorded = _along((~hollow).astype(np.float64), ends, width_px)
        # What rounding leaves of a weight is none.
        values = np.where(recorded > 1 - 1e-9, values, np.nan)
    length = float(np.hypot(ends[1][0] - ends[0][0], ends[1][1] - ends[0][1]))
    distance_px = np.linspace(0, length, len(values))
    (top, left), (bottom, right) = ends
    return LineProfile(distance_px, values, micrograph.pixel_size, (top, left), (bottom, right))


def _along(
    grey: NDArray[np.float64], ends: list[tuple[float, ...]], width_px: int
) -> NDArray[np.float64]:
    """Return the means across a line, one per pixel of its length."""
    return np.asarray(
        ski.measure.profile_line(
            grey, *ends, linewidth=width_px, order=1, mode="nearest", reduce_func=np.mean
        )
    )

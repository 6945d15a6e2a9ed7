"""Shapes as a table: lengths, angles and areas, and what they are on average."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.measuring.by_hand.shapes import PAINT, Shape
from core.micrograph import PixelSize

_MEASURES = ("length", "angle", "area")


def measure_shapes(shapes: Sequence[Shape], pixel_size: PixelSize | None = None) -> pd.DataFrame:
    """Return one row per shape that is no stroke of a brush.

    Parameters
    ----------
    shapes : sequence of Shape
    pixel_size : PixelSize, optional
        With it lengths are in nm and areas in nm², else in px and px².

    Returns
    -------
    DataFrame
        Columns name, kind, length_U, angle_deg, area_U2, row_px, column_px (of the middle of its
        points); U is nm or px. Empty cells are what a kind has not: a point has a place only.
    """
    unit, size = ("nm", pixel_size.to("nm")) if pixel_size else ("px", 1.0)
    drawn = [shape for shape in shapes if shape.kind not in PAINT]
    middles = [np.mean(shape.points, axis=0) for shape in drawn]
    return pd.DataFrame(
        {
            "name": [shape.name for shape in drawn],
            "kind": [shape.kind for shape in drawn],
            f"length_{unit}": np.array([shape.length_px * size for shape in drawn], float),
            "angle_deg": np.array([shape.angle_deg for shape in drawn], float),
            f"area_{unit}2": np.array([shape.area_px2 * size**2 for shape in drawn], float),
            "row_px": np.array([middle[0] for middle in middles], float),
            "column_px": np.array([middle[1] for middle in middles], float),
        }
    )


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Return number, mean and standard deviation (n − 1) of each measure of `measure_shapes`.

    Angles are those of three points: the slope of a ruler says how it was laid. Measures that no
    shape has are left out; the standard deviation of a single one is NaN.
    """
    rows = []
    for column in table.columns:
        if not column.startswith(_MEASURES):
            continue
        values = table[column][(table["kind"] != "ruler") | (column != "angle_deg")].dropna()
        if len(values):
            rows.append((column, len(values), values.mean(), values.std()))
    return pd.DataFrame(rows, columns=["measure", "n", "mean", "sd"])

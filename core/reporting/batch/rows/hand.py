"""What a person measured by hand on the micrographs of a batch, as one table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from core.measuring.by_hand import Shape, measure_shapes
from core.micrograph import PixelSize

HAND = "by_hand.csv"
Drawn = tuple[str, PixelSize | None, Sequence[Shape]]


def list_by_hand(drawn: Iterable[Drawn]) -> pd.DataFrame:
    """Return one row per shape, with its micrograph first.

    Parameters
    ----------
    drawn : iterable of (name of the micrograph, its pixel size, shapes)

    Returns
    -------
    DataFrame
        Columns micrograph, then those of `measure_shapes`; lengths and areas of micrographs
        without a pixel size are in columns of their own, in px. Empty without shapes.
    """
    tables = []
    for name, pixel_size, shapes in drawn:
        table = measure_shapes(shapes, pixel_size)
        if len(table):
            table.insert(0, "micrograph", name)
            tables.append(table.dropna(axis="columns", how="all"))
    if not tables:
        return pd.DataFrame()
    joined = pd.concat(tables, ignore_index=True)
    places = ["row_px", "column_px"]
    return joined[[*(name for name in joined if name not in places), *places]]

"""Samples of a batch compared: fields of view are the units, never pooled regions."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.measuring.statistics import compare_samples, holm
from core.reporting.batch.rows.measures import list_measures
from core.reporting.batch.rows.summaries import NM_PER, Units, diameters
from core.reporting.recipe import Recipe

MOST_SAMPLES = 6  # of which every pair is compared; of more, each with the first
MOST_COMPARED = 40
COLUMNS = (
    "quantity",
    "sample",
    "compared_with",
    "fields",
    "fields_compared_with",
    "difference",
    "low",
    "high",
    "p",
    "p_holm",
)
_NO_LENGTHS = ("main_direction_deg", "clark_evans_p", "fields_needed_for_10_percent")


def compare_groups(fields: pd.DataFrame, units: Units, recipe: Recipe) -> pd.DataFrame:
    """Return how samples differ: one line per quantity and pair of samples.

    Parameters
    ----------
    fields : DataFrame
        Rows of a batch, copies left out.
    units : Units
    recipe : Recipe

    Returns
    -------
    DataFrame
        Columns `COLUMNS`: mean of the second sample less mean of the first with Welch's 95 %
        limits, p of the Mann-Whitney rank test, and p_holm, which holds for all lines together.
        Empty with fewer than two samples that are named.
    """
    names = [str(name) for name in dict.fromkeys(fields["sample"].fillna("")) if name]
    lines = []
    for quantity, values in quantities(fields, units, recipe).items():
        by_sample = {name: values[(fields["sample"] == name).to_numpy(bool)] for name in names}
        for first, second in _pairs(names):
            a, b = by_sample[first], by_sample[second]
            found = compare_samples(a, b)
            gap = found.difference
            counts = [int(np.isfinite(each).sum()) for each in (b, a)]
            lines.append(
                (quantity, second, first, *counts, gap.estimate, gap.low, gap.high, found.p)
            )
    table = pd.DataFrame(lines, columns=list(COLUMNS[:-1]))
    table["p_holm"] = holm(table["p"].to_numpy(np.float64))
    return table


def _pairs(names: list[str]) -> list[tuple[str, str]]:
    if len(names) <= MOST_SAMPLES:
        return list(combinations(names, 2))
    return [(names[0], other) for other in names[1:MOST_COMPARED]]


def quantities(
    fields: pd.DataFrame, units: Units, recipe: Recipe
) -> dict[str, NDArray[np.float64]]:
    """Return one number per field for each quantity that samples are compared by."""
    pixels = fields["width_px"].to_numpy(float) * fields["height_px"].to_numpy(float)
    pixels = pixels * (1 - fields["excluded_percent"].to_numpy(float) / 100)
    area, of = pixels / 1e6, "megapixel"
    if units.are_physical:
        area, of = pixels * (fields["pixel_size_nm"].to_numpy(float) / 1e3) ** 2, "µm²"
    found = {
        "area fraction (%)": fields["target_percent"].to_numpy(float),
        f"mean diameter ({units.length})": diameters(fields, units),
        f"regions per {of}": fields["regions"].to_numpy(float) / area,
    }
    unwanted = "nm" if not units.are_physical else "px"
    for column in list_measures(recipe.measures):
        if column in _NO_LENGTHS or column.endswith(f"_{unwanted}"):
            continue
        values = fields[column].to_numpy(float)
        name, _, unit = column.rpartition("_")
        if unit == "nm":
            values = values / NM_PER[units.length]
        is_length = unit in ("nm", "px")
        title = f"{name} ({units.length})" if is_length else column
        found[title.replace("_", " ")] = values
    return found

"""Sizes of a field's regions as columns of its row: percentiles and means of moments."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core.measuring.regions import moment_mean, weighted_sizes
from core.reporting.recipe import Recipe

_MEANS = {"sauter_d32": (3, 2), "de_brouckere_d43": (4, 3)}
_PERCENTILES = ("d10", "d50", "d90")


def size_values(regions: pd.DataFrame, recipe: Recipe, pixel_nm: float) -> dict[str, Any]:
    """Return D10, D50 and D90 as the recipe weighs them, D[3,2] and D[4,3], in px and nm.

    Parameters
    ----------
    regions : DataFrame
        Those that are measured, with equivalent diameters in px. Where cut ones are left out, each
        counts for those like it that were cut.
    recipe : Recipe
    pixel_nm : float
        NaN when the scale is unknown.
    """
    weighs = recipe.drop_border_regions
    found = weighted_sizes(regions, recipe.sizes_by, make_up_for_cut=weighs)
    values = {name: getattr(found, name) for name in _PERCENTILES}
    for name, powers in _MEANS.items():
        values[name] = moment_mean(regions, *powers, make_up_for_cut=weighs)
    in_units = {
        f"{name}_{unit}": float(value * scale)
        for name, value in values.items()
        for unit, scale in (("px", 1.0), ("nm", pixel_nm))
    }
    return {"sizes_by": recipe.sizes_by, **in_units}


def list_sizes() -> list[str]:
    """Return the columns of `size_values`."""
    names = (*_PERCENTILES, *_MEANS)
    return ["sizes_by", *(f"{name}_{unit}" for name in names for unit in ("px", "nm"))]

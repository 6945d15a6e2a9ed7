"""Further measurements of a batch's target cluster, as columns of its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.measuring.regions import (
    centres_against_chance,
    edge_gaps,
    grains_between,
    heyn_intercepts,
    label_regions,
    measure_widths,
)
from core.measuring.statistics import two_point
from core.micrograph import PixelSize
from core.reporting.recipe import Measure, Recipe

Mask = NDArray[np.bool_]
PRECISION = 0.1  # of a share, for which the number of fields is worked out
_LENGTHS = {
    "widths": ("median_width", "mean_thickness"),
    "between": ("median_width_between", "mean_thickness_between"),
    "grains": ("mean_intercept", "mean_free_path"),
    "boundaries": ("mean_intercept_between_boundaries",),
    "gaps": ("median_gap",),
    "correlation": ("correlation_length",),
}
_OTHERS = {
    "widths": ("order_parameter", "main_direction_deg"),
    "between": ("order_parameter_between", "main_direction_deg_between"),
    "grains": ("grain_size_number_g",),
    "boundaries": ("grain_size_number_g_between_boundaries",),
    "gaps": ("clark_evans_index", "clark_evans_p"),
    "correlation": ("fields_needed_for_10_percent",),
}


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What is measured of one frame: lengths come out in px.

    Attributes
    ----------
    mask, included : ndarray of shape (H, W), bool
    regions : DataFrame
        Of the mask, with centroids.
    labelling : mapping
        How `label_regions` finds them.
    pixel_nm : float
        NaN when the scale is unknown.
    """

    mask: Mask
    included: Mask
    regions: pd.DataFrame
    labelling: Mapping[str, Any]
    pixel_nm: float

    @property
    def size(self) -> PixelSize | None:
        """Edge of a pixel, if it is known."""
        return None if np.isnan(self.pixel_nm) else PixelSize(self.pixel_nm, "nm")

    def labels(self) -> NDArray[np.int32]:
        """Return the numbered regions."""
        return label_regions(self.mask, **{**self.labelling, "included": self.included})


def _widths(target: Target) -> dict[str, float]:
    found = measure_widths(target.mask, included=target.included)
    inside = found.thickness[found.thickness > 0]
    return {
        "median_width": float(np.median(found.widths)) if found.widths.size else np.nan,
        "mean_thickness": float(inside.mean()) if inside.size else np.nan,
        "order_parameter": found.order,
        "main_direction_deg": found.main_direction_deg,
    }


def _between(target: Target) -> dict[str, float]:
    others = replace(target, mask=target.included & ~target.mask)
    return {f"{name}_between": value for name, value in _widths(others).items()}


def _grains(target: Target) -> dict[str, float]:
    found = heyn_intercepts(target.labels(), target.size, included=target.included)
    plain = heyn_intercepts(target.labels(), included=target.included)
    return {
        "mean_intercept": plain.mean.estimate,
        "mean_free_path": plain.free_path.estimate,
        "grain_size_number_g": found.g_number.estimate,
    }


def _boundaries(target: Target) -> dict[str, float]:
    grains = grains_between(target.mask, included=target.included)
    found = heyn_intercepts(grains, target.size, included=target.included)
    plain = heyn_intercepts(grains, included=target.included)
    return {
        "mean_intercept_between_boundaries": plain.mean.estimate,
        "grain_size_number_g_between_boundaries": found.g_number.estimate,
    }


def _gaps(target: Target) -> dict[str, float]:
    shape = (target.mask.shape[0], target.mask.shape[1])
    chance = centres_against_chance(target.regions, shape, target.included)
    return {
        "median_gap": edge_gaps(target.labels(), included=target.included).median,
        "clark_evans_index": chance.index,
        "clark_evans_p": chance.p,
    }


def _correlation(target: Target) -> dict[str, float]:
    if not target.included.any():
        return {}
    found = two_point(target.mask, included=target.included)
    needed = found.fields_needed(PRECISION)
    return {
        "correlation_length": found.length,
        "fields_needed_for_10_percent": np.nan if needed is None else float(needed),
    }


_MEASURE: Mapping[Measure, Callable[[Target], dict[str, float]]] = {
    "widths": _widths,
    "between": _between,
    "grains": _grains,
    "boundaries": _boundaries,
    "gaps": _gaps,
    "correlation": _correlation,
}


def list_measures(measures: tuple[Measure, ...]) -> list[str]:
    """Return the columns of some measurements."""
    return [
        column
        for name in measures
        for column in (
            *(f"{length}_{unit}" for length in _LENGTHS[name] for unit in ("px", "nm")),
            *_OTHERS[name],
        )
    ]


def measure_more(
    mask: Mask,
    uncounted: Mask | None,
    regions: pd.DataFrame,
    recipe: Recipe,
    pixel_nm: float,
    **labelling: Any,
) -> dict[str, float]:
    """Return what a recipe's further measurements give, lengths in px and nm; or nothing.

    Parameters
    ----------
    mask : ndarray of shape (H, W), bool
        The target cluster.
    uncounted : ndarray of shape (H, W), bool, optional
        True for what does not count.
    regions : DataFrame
        Of the mask, with centroids.
    recipe : Recipe
    pixel_nm : float
        NaN when the scale is unknown.
    **labelling
        How `label_regions` finds regions.
    """
    if not recipe.measures:
        return {}
    included = np.ones_like(mask) if uncounted is None else ~uncounted
    target = Target(mask & included, included, regions, labelling, pixel_nm)
    found: dict[str, float] = {}
    for name in recipe.measures:
        values = _MEASURE[name](target)
        for length in _LENGTHS[name]:
            found[f"{length}_px"] = values.get(length, np.nan)
            found[f"{length}_nm"] = found[f"{length}_px"] * pixel_nm
        found |= {other: values.get(other, np.nan) for other in _OTHERS[name]}
    return {name: round(float(value), 6) for name, value in found.items()}

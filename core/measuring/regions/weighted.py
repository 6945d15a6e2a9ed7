"""Sizes weighted by number, area or volume, mean diameters of moments, and regions filtered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.measuring.regions.sizes import DIAMETER

Floats = NDArray[np.float64]
POWERS = {"number": 0, "area": 2, "volume": 3}


@dataclass(frozen=True, slots=True)
class WeightedSizes:
    """Sizes at which a tenth, half and nine tenths of the regions' weight is reached.

    Attributes
    ----------
    by : str
        "number", "area" or "volume" (of spheres of these diameters).
    unit : str
        "nm", "µm" or "px".
    d10, d50, d90 : float
        NaN without any region.
    """

    by: str
    unit: str
    d10: float
    d50: float
    d90: float


def weighted_sizes(
    regions: pd.DataFrame, by: str = "number", *, make_up_for_cut: bool = False
) -> WeightedSizes:
    """Return D10, D50 and D90 of equivalent diameters by number, area or volume.

    By number they are quantiles between regions, as in `size_distribution`, unless regions stand
    for others; otherwise the smallest diameter up to which that share of the weight lies.

    Parameters
    ----------
    regions : DataFrame
        As `measure_regions` returns it.
    by : str
        "number", "area" or "volume".
    make_up_for_cut : bool
        Leave out border regions and count the others by their ``weight``.

    Raises
    ------
    ValueError
        If `by` is none of the three or the table has no equivalent diameter.

    References
    ----------
    ISO 9276-2:2014, Representation of results of particle size analysis, part 2.
    """
    if by not in POWERS:
        raise ValueError(f"by must be one of {', '.join(POWERS)}, got {by!r}")
    sizes, weights, unit = _sizes(regions, make_up_for_cut)
    if not sizes.size:
        return WeightedSizes(by, unit, *(3 * [float("nan")]))
    shares = (0.1, 0.5, 0.9)
    if by == "number" and not make_up_for_cut:
        return WeightedSizes(by, unit, *(float(d) for d in np.quantile(sizes, shares)))
    reached = np.cumsum(weights * (sizes / sizes[-1]) ** POWERS[by])
    places = np.searchsorted(reached, np.asarray(shares) * reached[-1] * (1 - 1e-12))
    return WeightedSizes(by, unit, *(float(sizes[place]) for place in places))


def moment_mean(
    regions: pd.DataFrame, above: int, below: int, *, make_up_for_cut: bool = False
) -> float:
    """Return the mean diameter D[above, below]: sum of d^above by sum of d^below.

    D[3,2] is Sauter's (volume by surface), D[4,3] De Brouckere's (mean by volume), D[1,0] the plain
    mean. NaN without any region.

    References
    ----------
    ISO 9276-2:2014, part 2: moments of a distribution.
    """
    if above != below + 1:
        raise ValueError(f"the powers must follow each other, got D[{above},{below}]")
    sizes, weights, _ = _sizes(regions, make_up_for_cut)
    if not sizes.size:
        return float("nan")
    return float((weights * sizes**above).sum() / (weights * sizes**below).sum())


def filter_regions(
    regions: pd.DataFrame, **limits: tuple[float | None, float | None]
) -> pd.DataFrame:
    """Return the regions whose measures lie within limits, both ends included.

    Parameters
    ----------
    regions : DataFrame
        As `measure_regions` returns it.
    **limits
        (low, high) per column, None for an open end: ``circularity=(0.8, None)``. A length or area
        may be named without its unit. NaN lies within no limits.

    Raises
    ------
    ValueError
        If there is no such column.
    """
    keep = np.ones(len(regions), np.bool_)
    for name, (low, high) in limits.items():
        values = regions[_column(regions, name)].to_numpy(np.float64)
        keep &= ~np.isnan(values) if (low, high) != (None, None) else True
        keep &= values >= low if low is not None else True
        keep &= values <= high if high is not None else True
    return regions[keep].reset_index(drop=True)


def _column(regions: pd.DataFrame, name: str) -> str:
    units = ("", "_px", "_nm", "_µm", "_nm2", "_µm2")
    found = next((name + unit for unit in units if name + unit in regions), None)
    if found is None:
        raise ValueError(f"no column {name!r} among {list(regions.columns)}")
    return found


def _sizes(regions: pd.DataFrame, make_up_for_cut: bool) -> tuple[Floats, Floats, str]:
    """Return diameters in ascending order, how many regions each stands for, and the unit."""
    column: Any = next((c for c in regions.columns if str(c).startswith(DIAMETER)), None)
    if column is None:
        raise ValueError(f"the table needs an equivalent diameter, got {list(regions.columns)}")
    table = regions[~regions["touches_border"].astype(bool)] if make_up_for_cut else regions
    sizes = table[column].to_numpy(np.float64)
    weights = table["weight"].to_numpy(np.float64) if make_up_for_cut else np.ones(sizes.size)
    order = np.argsort(sizes, kind="stable")
    return sizes[order], weights[order], str(column).removeprefix(DIAMETER)

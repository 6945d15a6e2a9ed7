"""How much sizes depend on the smallest region that counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.measuring.regions.sizes import SizeDistribution

_NEAR = 1.25  # times the limit: a bin or so of a histogram
_STEPS = 12
_MOST_CHANGE = 0.1
_FEWEST = 5


@dataclass(frozen=True, slots=True, eq=False)
class LimitEffect:
    """What the smallest region does to percentiles by number.

    Attributes
    ----------
    limit : float
        Diameter of the smallest region, in the unit of the sizes.
    share : float
        Of the regions that are at most a quarter wider than that.
    curve : DataFrame
        limit_U, regions, d10_U, d50_U: what a greater limit would give, up to four times this one
        and as long as five regions are left.
    moves_d10, moves_d50 : bool
        Whether a limit twice as wide changes them by more than a tenth.
    """

    limit: float
    share: float
    curve: pd.DataFrame
    moves_d10: bool
    moves_d50: bool


def limit_effect(found: SizeDistribution, limit: float) -> LimitEffect | None:
    """Return how percentiles by number depend on the smallest region; None without any region.

    Parameters
    ----------
    found : SizeDistribution
        Of all regions from the limit on.
    limit : float
        Diameter of the smallest region, above 0, in the unit of the sizes.
    """
    if not found.sizes.size:
        return None
    limits = limit * np.geomspace(1, 4, _STEPS + 1)
    rows = [(value, *_percentiles(found, value)) for value in limits]
    unit = found.unit
    curve = pd.DataFrame(rows, columns=[f"limit_{unit}", "regions", f"d10_{unit}", f"d50_{unit}"])
    curve = curve[curve["regions"] >= min(_FEWEST, found.sizes.size)].reset_index(drop=True)
    twice = _percentiles(found, 2 * limit)
    near = found.sizes <= _NEAR * limit
    weights = np.ones(near.size) if found.weights is None else found.weights
    return LimitEffect(
        limit,
        float(weights[near].sum() / weights.sum()),
        curve,
        _moved(found.d10, twice[1]),
        _moved(found.d50, twice[2]),
    )


def _percentiles(found: SizeDistribution, limit: float) -> tuple[int, float, float]:
    kept = found.sizes >= limit * (1 - 1e-9)
    if not kept.any():
        return 0, np.nan, np.nan
    sizes = found.sizes[kept]
    if found.weights is None:
        d10, d50 = np.quantile(sizes, [0.1, 0.5])
    else:
        reached = np.cumsum(found.weights[kept])
        d10, d50 = sizes[np.searchsorted(reached, np.array([0.1, 0.5]) * reached[-1] * (1 - 1e-12))]
    return int(kept.sum()), float(d10), float(d50)


def _moved(now: float, then: float) -> bool:
    return not abs(then - now) <= _MOST_CHANGE * now

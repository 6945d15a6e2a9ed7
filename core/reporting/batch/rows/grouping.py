"""What belongs together in a batch: the samples a person named, or frames that are alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.measuring.statistics import fields_needed, mean_interval

POINTS = 2.0  # wished half width of a mean area, in percentage points
_ONE_SCALE = 3.0  # pixel sizes of frames that may show one specimen lie within this ratio


def group_column(fields: pd.DataFrame) -> str:
    """Return by which column results are grouped: "sample" where any is named, else "label"."""
    named = (fields["sample"].fillna("") != "").any()
    return "sample" if named else "label"


def are_alike(fields: pd.DataFrame) -> bool:
    """Tell whether frames may show one specimen: one sample or one class, at one scale.

    Only then does a mean over all of them say anything.
    """
    if fields["sample"].fillna("").nunique() > 1:
        return False
    sizes = fields["pixel_size_nm"].to_numpy(np.float64)
    known = sizes[np.isfinite(sizes)]
    at_one_scale = known.size < 2 or float(known.max() / known.min()) <= _ONE_SCALE
    named = group_column(fields) == "sample"
    return named or (fields["label"].nunique() == 1 and bool(at_one_scale))


def find_typical(fields: pd.DataFrame) -> int | None:
    """Return the number of the field whose area of the target is nearest the median of all."""
    known = fields[fields["target_percent"].notna()]
    if not len(known):
        return None
    away = (known["target_percent"] - known["target_percent"].median()).abs().to_numpy(np.float64)
    return int(known["number"].to_numpy()[int(np.argmin(away))])


def more_fields(values: NDArray[np.float64], points: float = POINTS) -> int | None:
    """Return how many fields are still wanted for a mean area to within so many points.

    Parameters
    ----------
    values : ndarray of shape (N,), float64
        Area in percent, one per field.
    points : float
        Half width of the mean's 95 % interval, in percentage points.

    Returns
    -------
    int or None
        0 where those that are there do; None with fewer than two or beyond all measure.
    """
    found = mean_interval(values)
    if found.n < 2:
        return None
    if found.high - found.estimate <= points:
        return 0
    wanted = fields_needed(values, points / abs(found.estimate)) if found.estimate else None
    return None if wanted is None else max(wanted - found.n, 0)

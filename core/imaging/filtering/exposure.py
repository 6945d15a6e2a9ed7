"""How much of a micrograph was recorded at the ends of the detector's range."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.micrograph import Micrograph


def saturated_share(micrograph: Micrograph, exclude: NDArray[np.bool_] | None = None) -> float:
    """Return which share of the pixels lies at a level where the signal was cut off.

    That is the lowest and the highest level of an integer type, and any other lowest or highest
    level that occurs more often than the next one inward: there the values pile up, as those of a
    12-bit camera do at 4095.

    Parameters
    ----------
    micrograph : Micrograph
        NaN takes no part.
    exclude : ndarray of shape (H, W), bool, or None
        Left out, such as an info bar, which is black and white by design.

    Returns
    -------
    float
        Between 0 and 1; 0 when no pixel takes part, or when all share one level inside the range.

    Raises
    ------
    ValueError
        If `exclude` has another shape.
    """
    pixels = micrograph.pixels
    if exclude is not None and exclude.shape != pixels.shape:
        raise ValueError(f"exclude must be {pixels.shape}, got {exclude.shape}")
    values = pixels.ravel() if exclude is None or not exclude.any() else pixels[~exclude]
    if values.dtype.kind == "f":
        values = values[np.isfinite(values)]
    if values.size == 0:
        return 0.0
    levels, counts = _ends(values)
    return _cut_off(levels, counts, values.dtype) / values.size


def _ends(values: NDArray[Any]) -> tuple[list[float], list[int]]:
    """Return the two lowest and the two highest levels that occur, in order, and their counts."""
    if values.dtype.kind == "u":
        histogram = np.bincount(values, minlength=2)
        present = np.flatnonzero(histogram)
        kept = sorted({*present[:2].tolist(), *present[-2:].tolist()})
        return kept, [int(histogram[level]) for level in kept]
    low, high = values.min(), values.max()
    inner = values[(values > low) & (values < high)]
    kept = sorted(
        {float(v) for v in (low, high, *((inner.min(), inner.max()) if inner.size else ()))}
    )
    return kept, [int(np.count_nonzero(values == np.float32(level))) for level in kept]


def _cut_off(levels: list[float], counts: list[int], dtype: np.dtype[Any]) -> int:
    """Return how many values lie at an end of the range, or pile up at an end of their own."""
    limits = (0, np.iinfo(dtype).max) if dtype.kind == "u" else (-np.inf, np.inf)
    if len(levels) == 1:
        return counts[0] if levels[0] in limits else 0
    low = counts[0] if levels[0] == limits[0] or counts[0] > counts[1] else 0
    high = counts[-1] if levels[-1] == limits[1] or counts[-1] > counts[-2] else 0
    return low + high

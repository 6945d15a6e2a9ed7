"""A mask and what counts of it, from whatever a caller holds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def both_masks(mask: NDArray[Any], included: NDArray[Any] | None = None) -> tuple[Mask, Mask]:
    """Return where a mask is set and which pixels count, as bool (H, W) each.

    A mask of floats says nothing where it is NaN: such pixels do not count.

    Raises
    ------
    ValueError
        If the shapes differ or a mask is empty.
    """
    given = np.asarray(mask)
    inside: Mask = given.astype(np.bool_)
    counted = np.ones_like(inside) if included is None else np.asarray(included, dtype=np.bool_)
    if inside.ndim != 2 or inside.size == 0 or counted.shape != inside.shape:
        raise ValueError(f"masks must share a shape (H, W), got {inside.shape}, {counted.shape}")
    if given.dtype.kind == "f":
        known = ~np.isnan(given)
        return inside & known, counted & known
    return inside, counted

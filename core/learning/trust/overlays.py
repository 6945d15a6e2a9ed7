"""Does the evidence lie on the specimen, or on what was written over it?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

OVERLAY_ALARM = 0.10


def overlay_share(heatmap: NDArray[np.float32], overlays: NDArray[np.bool_]) -> float:
    """Return which share of the evidence lies on info bar, scale bar and letters, 0 to 1.

    Parameters
    ----------
    heatmap : ndarray of shape (H, W), float32 in [0, 1]
    overlays : ndarray of shape (H, W), bool
        True where the frame shows something else than specimen.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    if heatmap.shape != overlays.shape:
        raise ValueError(f"the mask must be {heatmap.shape} like the map, got {overlays.shape}")
    total = float(heatmap.sum(dtype=np.float64))
    return float(heatmap[overlays].sum(dtype=np.float64)) / total if total > 0 else 0.0

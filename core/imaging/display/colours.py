"""Clusters as colours that can be told apart, dark to bright."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.display.heat_maps import color_table
from core.imaging.display.pictures import Picture

MAX_CLUSTER_COLORS = 20

_EXCLUDED_GREYS = (150, 190)  # hatch of pixels that belong to no cluster

_HATCH_PERIOD_PX = 8

_LIGHTNESS_RANGE = (16.0, 91.0)  # CIE L* of the first and the last cluster colour


def cluster_colors(k: int) -> list[str]:
    """Return k colours for clusters numbered from dark to bright, as "#rrggbb".

    Taken from viridis at equal steps of lightness (CIE L*), so that the order reads in colour, in
    grey print and with red-green colour blindness alike. Any two colours differ by at least
    12 units of CIELAB for eight clusters and 3.4 for twenty, for each of the three kinds of
    vision. A second hue in between would widen the gaps but break the order for some.

    Parameters
    ----------
    k : int
        1 to 20.

    References
    ----------
    Smith & van der Walt (2015), viridis, https://bids.github.io/colormap/
    Machado, Oliveira & Fernandes (2009), colour vision deficiency, 10.1109/TVCG.2009.113
    """
    if not 1 <= k <= MAX_CLUSTER_COLORS:
        raise ValueError(f"k must be between 1 and {MAX_CLUSTER_COLORS}, got {k}")
    return list(_cluster_colors(k))


@cache
def _cluster_colors(k: int) -> tuple[str, ...]:
    darkest, brightest = _LIGHTNESS_RANGE
    wanted = np.linspace(darkest, brightest, k) if k > 1 else np.array([55.0])
    table = color_table("viridis")
    lab = cv2.cvtColor(table[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
    nearest = np.abs(lab[:, 0] - wanted[:, None]).argmin(axis=1)
    rows = table[nearest].tolist()
    return tuple(f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in rows)


def color_labels(labels: NDArray[np.integer], k: int) -> Picture:
    """Paint a label image in the colours of `cluster_colors`; -1 is hatched in neutral grey.

    Parameters
    ----------
    labels : ndarray of shape (H, W), int in [-1, k)
    k : int
        Number of clusters, 1 to 20.

    Returns
    -------
    ndarray of shape (H, W, 3), uint8, in the order red, green, blue
    """
    if labels.ndim != 2 or labels.size == 0:
        raise ValueError(f"labels must be a non-empty (H, W) array, got shape {labels.shape}")
    if labels.min() < -1 or labels.max() >= k:
        raise ValueError(f"labels must lie in [-1, {k}), got {labels.min()} to {labels.max()}")
    codes = [color.removeprefix("#") for color in cluster_colors(k)]
    greys = [f"{grey:02x}" * 3 for grey in _EXCLUDED_GREYS]
    table = np.frombuffer(bytes.fromhex("".join(codes + greys)), np.uint8).reshape(-1, 3)
    rows, cols = np.ogrid[: labels.shape[0], : labels.shape[1]]
    stripe = (rows + cols) % _HATCH_PERIOD_PX < _HATCH_PERIOD_PX // 2
    painted = table[np.where(labels < 0, k + stripe, labels)]
    return np.asarray(painted, np.uint8)

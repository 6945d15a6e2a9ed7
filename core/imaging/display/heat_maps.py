"""A heat map drawn over the picture: evidence as colour, the more of it the more opaque."""

from __future__ import annotations

from functools import cache, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.display.pictures import Picture

COLORMAPS = ("viridis", "inferno", "magma", "cividis")

_COLORMAP_CODES = {
    "viridis": cv2.COLORMAP_VIRIDIS,
    "inferno": cv2.COLORMAP_INFERNO,
    "magma": cv2.COLORMAP_MAGMA,
    "cividis": cv2.COLORMAP_CIVIDIS,
}


@cache
def color_table(name: str) -> Picture:
    """Return a colour map as 256 rows of red, green, blue."""
    if name not in _COLORMAP_CODES:
        raise ValueError(f"colormap must be one of {COLORMAPS}, got {name!r}")
    ramp = np.arange(256, dtype=np.uint8)[:, None]
    table = cv2.applyColorMap(ramp, _COLORMAP_CODES[name])[:, 0, ::-1].copy()
    table.flags.writeable = False
    return np.asarray(table, np.uint8)


def blend_heatmap(
    picture: Picture,
    heatmap: NDArray[np.floating],
    opacity: float = 0.5,
    colormap: str = "inferno",
) -> Picture:
    """Lay a heat map over a grey picture, the more opaque the hotter.

    Parameters
    ----------
    picture : ndarray of shape (H, W), uint8
    heatmap : ndarray of shape (H, W), float in [0, 1]
        NaN counts as 0; values outside are clipped.
    opacity : float
        Of the heat map where it is 1, between 0 and 1. It falls off with the heat, so that the
        picture stays as it is where the heat is 0.
    colormap : str
        One of `COLORMAPS`, all perceptually uniform.

    Returns
    -------
    ndarray of shape (H, W, 3), uint8, in the order red, green, blue

    Raises
    ------
    ValueError
        If the shapes differ, the opacity is out of range or the colour map unknown.
    """
    if picture.ndim != 2 or picture.shape != heatmap.shape:
        raise ValueError(f"need equal (H, W) shapes, got {picture.shape} and {heatmap.shape}")
    if not 0 <= opacity <= 1:
        raise ValueError(f"opacity must be between 0 and 1, got {opacity}")
    heat = np.clip(np.nan_to_num(heatmap, nan=0.0, posinf=1.0, neginf=0.0), 0, 1)
    levels = np.rint(heat * 255).astype(np.uint16)
    pairs = picture.astype(np.uint16) << 8 | levels
    return np.asarray(_blend_table(opacity, colormap).take(pairs, axis=0), np.uint8)


@lru_cache(maxsize=8)
def _blend_table(opacity: float, colormap: str) -> Picture:
    """Return the colour, shape (65536, 3), of each pair of grey level and level of heat."""
    grey = np.arange(256, dtype=np.float32)[:, None, None]
    weight = np.linspace(0, opacity, 256, dtype=np.float32)[:, None]
    blend = np.rint(grey * (1 - weight) + color_table(colormap) * weight)
    return np.asarray(blend, np.uint8).reshape(-1, 3)

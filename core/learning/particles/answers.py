"""What the network answered at each pixel -> numbered objects."""

from __future__ import annotations

from typing import Any

import numpy as np
import skimage
from numpy.typing import NDArray

from core.imaging.parting import in_reading_order, number_connected, reconstruct

Labels = NDArray[np.int32]
Floats = NDArray[np.float32]

INSIDE = 0.5  # probability from which a pixel is in an object
_SUMMIT = 0.25  # how far a middle must stand out of the depth around it to be an object of its own
_LEAST_DEPTH = 0.35  # of a middle; the deepest pixel of an object has 1


def number_objects(
    inside: Floats,
    rim: Floats,
    depth: Floats,
    least: float = INSIDE,
    summit: float = _SUMMIT,
    deep: float = _LEAST_DEPTH,
    rim_weight: float = 0.5,
) -> Labels:
    """Return numbered objects: the depths' summits, flooded downhill as far as objects reach.

    Parameters
    ----------
    inside, rim : ndarray of shape (H, W), float32
        Probabilities.
    depth : ndarray of shape (H, W), float32
        0 at an object's rim, 1 in its middle.

    Returns
    -------
    ndarray of shape (H, W), int32
        0 is ground; numbers in reading order.
    """
    ski: Any = skimage  # it loads its parts when they are first used; these are untyped
    objects = inside > least
    height = np.where(objects, np.clip(depth, 0, 1) * (1 - np.float32(rim_weight) * rim), 0)
    height = np.round(height, 3).astype(np.float32)
    lower = np.maximum(height - np.float32(summit), 0)
    summits = ski.morphology.local_maxima(reconstruct(lower, height), connectivity=2) & objects
    seeds = number_connected(summits)
    tops = np.zeros(int(seeds.max()) + 1, np.float32)
    np.maximum.at(tops, seeds.ravel(), height.ravel())
    seeds = np.where(tops[seeds] >= deep, seeds, 0)
    if not seeds.any():
        return np.zeros(inside.shape, np.int32)
    flooded = ski.segmentation.watershed(-height, seeds, connectivity=2, mask=objects)
    return in_reading_order(flooded)

"""A frame -> particles, by the network: at the sizes it knows, finer where objects are small."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.filtering import painted_over
from core.imaging.parting import in_reading_order, number_connected
from core.learning.particles.answers import number_objects
from core.learning.particles.classical import SMALLEST_PX, stands_out
from core.learning.particles.frames import SIDES_PX, answer
from core.learning.particles.network import ParticleNetwork

_SMALL_PX = 12.0  # diameter of typical objects as shown: below, the frame is shown larger
_FINEST_PX = 1536  # of the shorter side
Labels = NDArray[np.int32]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]


def by_network(network: ParticleNetwork, pixels: Floats, hidden: Mask) -> Labels:
    """Return numbered objects.

    Parameters
    ----------
    network : ParticleNetwork
    pixels : ndarray of shape (H, W), float32
        Finite.
    hidden : ndarray of shape (H, W), bool
        True where nothing shall be found.

    Returns
    -------
    ndarray of shape (H, W), int32
        0 is ground; numbers in reading order.
    """
    if not stands_out(pixels, hidden):
        return np.zeros(pixels.shape, np.int32)
    pixels = painted_over(pixels, hidden)
    side, others = SIDES_PX[0], SIDES_PX[1:]
    found = number_objects(*answer(network, pixels, hidden, (side, *others)))
    while typical_diameter(found) < _SMALL_PX and 2 * side <= min(*pixels.shape, _FINEST_PX):
        side *= 2
        found = number_objects(*answer(network, pixels, hidden, (side,)))
    return _cut(_enlarge(found, pixels.shape), hidden)


def typical_diameter(labels: Labels) -> float:
    """Return the median diameter in px of discs as large as the objects; infinite without any."""
    areas = np.bincount(labels.ravel())[1:]
    return float(2 * np.sqrt(np.median(areas) / np.pi)) if areas.size else float("inf")


def _enlarge(labels: Labels, shape: tuple[int, int]) -> Labels:
    """Return labels at the frame's own size; singles hold every number up to 2^24."""
    size_wh = shape[1], shape[0]
    singles = labels.astype(np.float32)
    return cv2.resize(singles, size_wh, interpolation=cv2.INTER_NEAREST).astype(np.int32)


def _cut(labels: Labels, hidden: Mask) -> Labels:
    """Return labels without what is hidden; pieces that it parts are objects of their own."""
    pieces: NDArray[Any] = number_connected(np.where(hidden, 0, labels))
    areas = np.bincount(pieces.ravel())
    return in_reading_order(np.where(areas[pieces] >= SMALLEST_PX, pieces, 0))

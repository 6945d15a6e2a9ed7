"""Noise with a grain of several pixels, as binning, resampling, JPEG and denoisers leave it.

Differences of neighbours hardly show it. It is looked for between pixels further and further apart,
in places where nothing but noise seems to be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

STEPS_PX = (2, 4, 8)
_TO_SIGMA = 1.4826  # a normal distribution's sigma per median absolute deviation
_TAIL, _TAIL_SIGMAS = 0.9, 1.645  # so many sigmas hold nine tenths of it
_NORMAL = (0.85, 1.2)  # of the tail by the middle: what is neither is structure
_FEWEST = 2000  # places that tell
_REACHES_PX = np.arange(0.2, 6.05, 0.05)


@dataclass(frozen=True, slots=True)
class Grain:
    """Noise, and how far it is alike.

    Attributes
    ----------
    sigma : float
        Standard deviation, in grey levels.
    reach_px : float
        Sigma of the Gaussian that white noise must be averaged by to be alike as far.
    """

    sigma: float
    reach_px: float


def find_grain(values: NDArray[np.float32], labels: NDArray[Any]) -> Grain | None:
    """Return the noise of a frame by its flat places; None where these are few or not normal.

    Parameters
    ----------
    values : ndarray of shape (H, W), float32
    labels : ndarray of shape (H, W), integers
        Clusters of the frame, averaged so far that noise has few of its own; below 0 where nothing
        counts. A place is flat where all pixels around it are of one cluster.
    """
    near, middle, far = (_second_differences(values, labels, step) for step in STEPS_PX)
    if min(near.size, middle.size, far.size) < _FEWEST or not _is_normal(far):
        return None
    seen = [_sigma(each) for each in (near, middle, far)]
    if seen[2] <= 0:
        return None
    shown = [_shown(_REACHES_PX, step) for step in STEPS_PX]
    part = (shown[0] + shown[1]) / shown[2]  # falls as the reach grows
    place = int(np.argmin(np.abs(part - (seen[0] + seen[1]) / seen[2])))
    return Grain(seen[2] / float(shown[2][place]), float(_REACHES_PX[place]))


def _second_differences(
    values: NDArray[np.float32], labels: NDArray[Any], step_px: int
) -> NDArray[np.float32]:
    """Return second differences in both directions over flat places, of the noise of one pixel."""
    if min(values.shape) <= 2 * step_px:
        return np.empty(0, np.float32)
    along = values[:, 2 * step_px :] - 2 * values[:, step_px:-step_px] + values[:, : -2 * step_px]
    both = along[2 * step_px :] - 2 * along[step_px:-step_px] + along[: -2 * step_px]
    around = np.ones((2 * step_px + 1,) * 2, np.uint8)
    numbers = (labels + 1).astype(np.uint8)
    lowest, highest = cv2.erode(numbers, around), cv2.dilate(numbers, around)
    flat = ((lowest == highest) & (lowest > 0))[step_px:-step_px, step_px:-step_px]
    return np.asarray(both[flat] / 6, np.float32)


def _sigma(differences: NDArray[np.float32]) -> float:
    return _TO_SIGMA * float(np.median(np.abs(differences)))


def _is_normal(differences: NDArray[np.float32]) -> bool:
    """Tell whether the tail is as far out as that of noise; structure has a longer one."""
    tail = float(np.quantile(np.abs(differences), _TAIL)) / _TAIL_SIGMAS
    sigma = _sigma(differences)
    return _NORMAL[0] * sigma <= tail <= _NORMAL[1] * sigma


def _shown(reach_px: NDArray[np.float64], step_px: int) -> NDArray[np.float64]:
    """Return which part of noise second differences over a step show, by its reach."""
    near, far = (np.exp(-((apart / (2 * reach_px)) ** 2)) for apart in (step_px, 2 * step_px))
    return np.asarray((6 - 8 * near + 2 * far) / 6)

"""Filling hidden pixels from their surroundings, so that what was hidden leaves no trace.

Noisy linear imputation: every hidden pixel is the weighted mean of its eight neighbours, hidden
ones included, which is one sparse system of linear equations; a little noise keeps the filling
from being recognised by its smoothness (Rong et al. 2022, ICML, arXiv:2202.00449).
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

NOISE_SD = 0.01  # as in the paper's own code, where inputs are standardised like ours
_DIRECT, _DIAGONAL = 1 / 6, 1 / 12
_KERNEL = np.array(
    [
        [_DIAGONAL, _DIRECT, _DIAGONAL],
        [_DIRECT, 0, _DIRECT],
        [_DIAGONAL, _DIRECT, _DIAGONAL],
    ],
    np.float32,
)
_TOLERANCE = 1e-4  # largest residual: the error is then below the noise (a test says so)
_MOST_STEPS = 400


def impute(
    image: NDArray[Any], hidden: NDArray[np.bool_], rng: np.random.Generator, noise_sd: float
) -> Floats:
    """Return the image with its hidden pixels imputed from the others.

    Parameters
    ----------
    image : ndarray of shape (H, W), float
        Finite; hidden pixels are not read.
    hidden : ndarray of shape (H, W), bool
    rng : numpy Generator
    noise_sd : float
        Standard deviation of the noise on the imputed pixels, in the image's units.

    Returns
    -------
    ndarray of shape (H, W), float32
        The image itself where nothing is hidden; zero and noise where all is.
    """
    if not hidden.any():
        return np.asarray(image, np.float32)
    filled = _solve(_seed(np.asarray(image, np.float32), hidden), hidden)
    noise = rng.normal(0, noise_sd, int(hidden.sum())) if noise_sd else 0.0
    filled[hidden] += np.asarray(noise, np.float32)
    return filled


def _seed(image: Floats, hidden: NDArray[np.bool_]) -> Floats:
    """Return a first guess: each hidden pixel from the finest coarser picture that knows it."""
    weight = 1 - hidden.astype(np.float32)
    values = np.where(hidden, np.float32(0), image)
    if hidden.all() or min(image.shape) < 2:
        mean = values.sum() / max(float(weight.sum()), 1.0)
        return np.where(hidden, mean, values).astype(np.float32)
    height, width = image.shape
    half_wh = (width + 1) // 2, (height + 1) // 2
    small_weight = cv2.resize(weight, half_wh, interpolation=cv2.INTER_AREA)
    small_sum = cv2.resize(values, half_wh, interpolation=cv2.INTER_AREA)
    unknown = small_weight <= 0
    small = np.divide(small_sum, small_weight, out=np.zeros_like(small_sum), where=~unknown)
    if unknown.any():
        small = _solve(_seed(small, unknown), unknown, steps=100)
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.where(hidden, large, values).astype(np.float32)


def _solve(guess: Floats, hidden: NDArray[np.bool_], steps: int = _MOST_STEPS) -> Floats:
    """Return the solution by conjugate gradients: the system is symmetric and positive."""
    if hidden.all():
        return guess
    unknown = hidden.astype(np.float32)
    own = _neighbours(np.ones_like(guess))
    x = guess.copy()
    residual = (_neighbours(x) - own * x) * unknown
    direction = residual / own
    energy = float(np.vdot(residual, direction))
    for _ in range(steps):
        if energy <= 0 or np.abs(residual).max() < _TOLERANCE:
            break
        image = (own * direction - _neighbours(direction)) * unknown
        step = np.float32(energy / float(np.vdot(direction, image)))
        x += step * direction
        residual -= step * image
        scaled = residual / own
        before, energy = energy, float(np.vdot(residual, scaled))
        direction = scaled + np.float32(energy / before) * direction
    return x


def _neighbours(x: Floats) -> Floats:
    summed = cv2.filter2D(x, -1, _KERNEL, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(summed, np.float32)

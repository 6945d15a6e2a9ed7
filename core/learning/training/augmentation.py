"""Random views of labelled pictures, so that form decides and the source does not.

Each view is a random window at a random scale, turned and mirrored, with random contrast, polarity,
blur, noise and hidden rectangles: what tells one microscope or one article from another is
destroyed, what tells a rod from a sphere is kept.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.learning.models import standardise

Array = NDArray[Any]
Random = np.random.Generator


def random_view(
    image: Array,
    rng: Random,
    size_px: int,
    clip_sd: float = 4.0,
    *,
    window: tuple[float, float] = (0.6, 1.0),
    stretch_sd: float = 0.08,
) -> Array:
    """Return one training view.

    Parameters
    ----------
    image : ndarray of shape (H, W), float32 or uint8
    rng : numpy Generator
    size_px : int
        Edge of the square view.
    window : (float, float)
        Least and largest edge of the window as a share of the picture's short side; beyond 1 the
        picture goes on as its mirror image, so that a few objects fill the field.
    stretch_sd : float
        Standard deviation of the logarithm by which the aspect changes.

    Returns
    -------
    ndarray of shape (size_px, size_px), float32
        Standardised like `Preparation` does it.
    """
    view = _window(image, rng, size_px, window, stretch_sd)
    view = _contrast(view, rng)
    view = _image_formation(view, rng)
    view = _hide_rectangles(view, rng)
    return standardise(view, clip_sd)


def _window(
    image: Array, rng: Random, size_px: int, window: tuple[float, float], stretch_sd: float
) -> Array:
    """Return a turned, mirrored, slightly stretched window of the picture as (size, size)."""
    height, width = image.shape
    edge = min(height, width) * np.exp(rng.uniform(np.log(window[0]), np.log(window[1])))
    stretch = np.exp(rng.normal(0, stretch_sd))
    angle = rng.uniform(0, 2 * np.pi) if rng.random() < 0.5 else rng.integers(4) * np.pi / 2
    shrink = size_px / edge
    if shrink < 0.75:  # average before sampling, so that fine texture does not alias
        image = cv2.resize(
            image, None, fx=shrink * 1.2, fy=shrink * 1.2, interpolation=cv2.INTER_AREA
        )
        height, width = image.shape
        edge *= shrink * 1.2
    zoom = size_px / edge
    mirror = 1.0 if rng.random() < 0.5 else -1.0
    cosine, sine = np.cos(angle) * zoom, np.sin(angle) * zoom
    turn = np.array([[cosine * stretch * mirror, -sine], [sine * mirror * stretch, cosine]])
    reach_row, reach_col = max(height - edge, 0) / 2, max(width - edge, 0) / 2
    centre = np.array(
        [
            width / 2 + rng.uniform(-reach_col, reach_col),
            height / 2 + rng.uniform(-reach_row, reach_row),
        ]
    )
    shift = np.array([size_px / 2, size_px / 2]) - turn @ centre
    return cv2.warpAffine(
        image.astype(np.float32),
        np.column_stack([turn, shift]),
        (size_px, size_px),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )


def _contrast(view: Array, rng: Random) -> Array:
    """Return grey levels in 0–1 after random polarity, gamma, limits and shading."""
    low, high = np.percentile(view, [rng.uniform(0, 2), 100 - rng.uniform(0, 2)])
    view = np.clip((view - low) / max(high - low, 1e-6), 0, 1)
    if rng.random() < 0.5:
        view = 1 - view
    view = view ** np.exp(rng.uniform(-0.6, 0.6))
    if rng.random() < 0.3:
        slope = rng.normal(0, 0.35, 2)
        rows, cols = (np.linspace(-0.5, 0.5, n, dtype=np.float32) for n in view.shape)
        view = view + slope[0] * rows[:, None] + slope[1] * cols[None, :]
    return np.asarray(view, dtype=np.float32)


def _image_formation(view: Array, rng: Random) -> Array:
    """Return the view with random blur or lost resolution, and noise."""
    choice = rng.random()
    size_px = view.shape[0]
    if choice < 0.3:
        view = cv2.GaussianBlur(view, (0, 0), rng.uniform(0.3, 1.6))
    elif choice < 0.45:
        low = int(size_px * rng.uniform(0.4, 0.8))
        small = cv2.resize(view, (low, low), interpolation=cv2.INTER_AREA)
        view = cv2.resize(small, (size_px, size_px), interpolation=cv2.INTER_LINEAR)
    elif choice < 0.55:
        view = view + rng.uniform(0.3, 1.2) * (view - cv2.GaussianBlur(view, (0, 0), 1.5))
    if rng.random() < 0.6:
        noise: Array = rng.standard_normal(view.shape, dtype=np.float32)
        if rng.random() < 0.4:
            noise = cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.5, 1.2)) * 2
        view = view + rng.uniform(0.0, 0.25) * float(view.std()) * 2 * noise
    return np.asarray(view, dtype=np.float32)


def _hide_rectangles(view: Array, rng: Random) -> Array:
    """Return the view with up to three rectangles set to its median, as hidden overlays are."""
    if rng.random() < 0.6:
        return view
    size_px = view.shape[0]
    median = np.median(view)
    for _ in range(rng.integers(1, 4)):
        height, width = (rng.uniform(0.05, 0.3, 2) * size_px).astype(int)
        row, col = rng.integers(0, size_px - height), rng.integers(0, size_px - width)
        view[row : row + height, col : col + width] = median
    return view

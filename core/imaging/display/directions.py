"""Directions as colours: an angle is a place on the colour wheel, and 0° meets 180° there."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.display.pictures import Picture

_HALF_TURN_DEG = 180
_FULL = 215
_LEAST_VALUE = 60  # the hue shows in the darkest places too


def color_directions(
    degrees: NDArray[np.floating],
    brightness: Picture,
    certainty: NDArray[np.floating] | None = None,
) -> Picture:
    """Return directions as hues over a picture.

    Parameters
    ----------
    degrees : ndarray of shape (H, W)
        0 to 180; NaN shows grey.
    brightness : ndarray of shape (H, W), uint8
    certainty : ndarray of shape (H, W), optional
        0 to 1: how full the colour is; full without.

    Returns
    -------
    ndarray of shape (H, W, 3), uint8
        RGB.
    """
    known = np.isfinite(degrees)
    turn = np.where(known, degrees, 0) % _HALF_TURN_DEG
    fullness = known if certainty is None else known * np.clip(certainty, 0, 1)
    hsv = np.empty((*degrees.shape, 3), np.uint8)
    hsv[..., 0] = np.minimum(turn, _HALF_TURN_DEG - 1)  # OpenCV's hue is in steps of two degrees
    hsv[..., 1] = _FULL * fullness
    hsv[..., 2] = _LEAST_VALUE + brightness.astype(np.float32) * (255 - _LEAST_VALUE) / 255
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.uint8)


def agreement(degrees: NDArray[np.floating], sigma_px: float = 5.0) -> NDArray[np.float32]:
    """Return how much the directions around each pixel agree: 1 all the same, 0 any direction.

    Parameters
    ----------
    degrees : ndarray of shape (H, W)
        0 to 180; NaN where no direction is known: it takes no part.
    sigma_px : float
        How far "around" reaches.

    Returns
    -------
    ndarray of shape (H, W), float32
        0 where no direction is known within reach.
    """
    known = np.isfinite(degrees)
    doubled = np.radians(np.where(known, degrees, 0).astype(np.float32)) * 2
    parts = np.cos(doubled) * known, np.sin(doubled) * known, known.astype(np.float32)
    down, across, weight = (cv2.GaussianBlur(part, (0, 0), sigma_px) for part in parts)
    agreed = np.hypot(down, across) / np.maximum(weight, 1e-6)
    return np.asarray(np.minimum(agreed, 1), np.float32)


def direction_wheel_png(size_px: int = 120) -> bytes:
    """Return the legend as PNG: a ring in the colour of each direction, clear around it."""
    steps = np.arange(size_px) - (size_px - 1) / 2
    radius = np.hypot(steps[:, None], steps[None, :]) / (size_px / 2)
    degrees = np.degrees(np.arctan2(-steps[:, None], steps[None, :])) % _HALF_TURN_DEG
    ring = color_directions(degrees, np.full(degrees.shape, 235, np.uint8))
    inside = (radius <= 0.98) & (radius >= 0.45)
    clear = inside.astype(np.uint8) * np.uint8(255)
    _, encoded = cv2.imencode(".png", np.dstack([ring[..., ::-1], clear]))
    return encoded.tobytes()

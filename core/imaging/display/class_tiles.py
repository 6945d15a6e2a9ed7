"""Classes of tiles over the micrograph: a colour per class, the more opaque the surer."""

from __future__ import annotations

import colorsys

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.display.pictures import Picture

# Told apart with every kind of colour vision: Okabe & Ito (2008), without black and grey.
_COLORS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442")
STRONGEST = 0.75  # opacity at a probability of 1: the specimen stays visible


def class_colors(k: int) -> tuple[str, ...]:
    """Return k colours for classes, as "#rrggbb"; beyond seven by steps of the golden ratio."""
    colors = list(_COLORS[:k])
    for number in range(len(colors), k):
        rgb = colorsys.hls_to_rgb(number * 0.618034 % 1, 0.55, 0.6)
        colors.append("#" + "".join(f"{round(255 * value):02x}" for value in rgb))
    return tuple(colors)


def draw_class_tiles(
    picture: Picture, labels: NDArray[np.int64], sure: NDArray[np.float64], classes: int
) -> Picture:
    """Return a picture with the classes of its tiles laid over it.

    Parameters
    ----------
    picture : ndarray of shape (h, w) or (h, w, 3), uint8
    labels : ndarray of shape (H, W), int64
        Class of every pixel of the frame, −1 for none; resized to the picture.
    sure : ndarray of shape (H, W), float64, 0–1
        Becomes opacity: 1 hides three quarters of the micrograph.
    classes : int

    Returns
    -------
    ndarray of shape (h, w, 3), uint8
    """
    grey = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
    size = (grey.shape[1], grey.shape[0])
    label = cv2.resize(labels.astype(np.int16), size, interpolation=cv2.INTER_NEAREST)
    opacity = cv2.resize(sure.astype(np.float32), size, interpolation=cv2.INTER_NEAREST)
    table = np.array([_rgb(color) for color in class_colors(classes)], np.float32)
    weight = STRONGEST * np.where(label < 0, 0, np.clip(opacity, 0, 1))[..., None]
    blended = (1 - weight) * grey + weight * table[np.maximum(label, 0)]
    return np.asarray(np.rint(blended), np.uint8)


def pack(labels: NDArray[np.int64], sure: NDArray[np.float64], classes: int) -> NDArray[np.uint8]:
    """Return class and certainty of each pixel of (H, W) in one byte; 0 where there is no class.

    A class has `steps(classes)` values, the higher the surer: `palette` colours them.
    """
    count = steps(classes)
    level = np.rint(np.clip(np.nan_to_num(sure), 0, 1) * (count - 1))
    return np.where(labels < 0, 0, 1 + np.maximum(labels, 0) * count + level).astype(np.uint8)


def steps(classes: int) -> int:
    """Return how many steps of certainty each class has in one byte.

    Raises
    ------
    ValueError
        If there are more classes than values.
    """
    if not 1 <= classes <= 255:
        raise ValueError(f"one byte holds 1 to 255 classes, not {classes}")
    return 255 // classes


def palette(classes: int) -> NDArray[np.uint8]:
    """Return red, green, blue and opacity, (256, 4), of the values of `pack`."""
    count = steps(classes)
    table = np.zeros((256, 4), np.uint8)
    certainty = np.linspace(0, 1, count) if count > 1 else np.ones(1)
    for number, color in enumerate(class_colors(classes)):
        rows = slice(1 + number * count, 1 + (number + 1) * count)
        table[rows, :3] = _rgb(color)
        table[rows, 3] = np.rint(255 * STRONGEST * certainty)
    return table


def _rgb(color: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(color.removeprefix("#")))

"""A picture with numbered objects -> a random view of it, as other instruments might see it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.learning.particles_training.targets import targets

SIDE_PX = 256
_SHORTEST_PX, _LONGEST_PX = 176, 640  # of the picture's shorter side before the view is cut
_DIAMETERS_PX = (12, 130)  # of typical objects in a view
Floats = NDArray[np.float32]


def typical_diameter(labels: NDArray[Any]) -> float:
    """Return the median diameter in px of circles as large as the objects, 0 without objects."""
    sizes = np.bincount(labels.ravel())[1:]
    sizes = sizes[sizes > 0]
    return float(2 * np.sqrt(np.median(sizes) / np.pi)) if sizes.size else 0.0


def random_view(
    pixels: NDArray[np.uint8], labels: NDArray[Any], diameter: float, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Return a view (256, 256), what shall be answered (3, 128, 128), and weights (128, 128)."""
    pixels, labels = _enlarge(pixels, labels, diameter, rng)
    pixels, labels, known = _cut(pixels, labels, rng)
    turns = int(rng.integers(4))
    turned = [np.rot90(each, turns) for each in (pixels, labels, known)]
    if rng.random() < 0.5:
        turned = [each[:, ::-1] for each in turned]
    pixels, labels, known = (np.ascontiguousarray(each) for each in turned)
    wanted = np.stack([_half(each) for each in targets(labels)])
    return _seen(pixels, rng), wanted, _half(known.astype(np.float32))


def _half(values: Floats) -> Floats:
    rows, cols = values.shape
    return np.asarray(values.reshape(rows // 2, 2, cols // 2, 2).mean(axis=(1, 3)), np.float32)


def _enlarge(
    pixels: NDArray[np.uint8], labels: NDArray[Any], diameter: float, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[Any]]:
    """Resize so that typical objects have any of the diameters, within the sides allowed."""
    short = min(pixels.shape)
    low, high = np.log(_DIAMETERS_PX)
    wish = np.exp(rng.uniform(low, high)) / diameter if diameter else SIDE_PX / short
    usual = SIDE_PX * np.exp(rng.uniform(-0.2, 0.5)) / short
    factor = wish if rng.random() < 0.4 else usual
    side = np.clip(factor * short, _SHORTEST_PX, min(_LONGEST_PX, 1.5 * short))
    factor = side / short
    squeeze = np.exp(rng.uniform(-0.12, 0.12))
    size_wh = (
        max(1, round(pixels.shape[1] * factor * squeeze)),
        max(1, round(pixels.shape[0] * factor / squeeze)),
    )
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    numbers = cv2.resize(labels.astype(np.uint16), size_wh, interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.resize(pixels, size_wh, interpolation=how), np.uint8), numbers


def _cut(
    pixels: NDArray[np.uint8], labels: NDArray[Any], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[Any], NDArray[np.bool_]]:
    """Return a square of the view's side, with grey and unknown where the picture ends."""
    rows, cols = pixels.shape
    top = int(rng.integers(max(rows - SIDE_PX, 0) + 1))
    left = int(rng.integers(max(cols - SIDE_PX, 0) + 1))
    part = slice(top, top + SIDE_PX), slice(left, left + SIDE_PX)
    missing = max(SIDE_PX - rows, 0), max(SIDE_PX - cols, 0)
    around = [(m // 2, m - m // 2) for m in missing]
    known = np.pad(np.ones(pixels[part].shape, np.bool_), around)
    return np.pad(pixels[part], around, mode="reflect"), np.pad(labels[part], around), known


def _seen(pixels: NDArray[np.uint8], rng: np.random.Generator) -> Floats:
    """Return the view with another contrast, sharpness, noise and shading; standardised."""
    grey: NDArray[Any] = pixels.astype(np.float32) / 255
    if rng.random() < 0.3:
        grey = 1 - grey
    if rng.random() < 0.6:
        grey = grey ** np.float32(np.exp(rng.uniform(-0.6, 0.6)))
    if rng.random() < 0.3:
        grey = cv2.GaussianBlur(grey, (0, 0), float(rng.uniform(0.4, 1.6)))
    if rng.random() < 0.3:
        grey = grey + _shading(grey.shape, rng) * np.float32(rng.uniform(0.05, 0.4) * grey.std())
    if rng.random() < 0.5:
        noise = rng.standard_normal(grey.shape, np.float32)
        if rng.random() < 0.3:
            noise = cv2.GaussianBlur(noise, (0, 0), 0.7) * np.float32(2)
        grey = grey + noise * np.float32(rng.uniform(0, 0.5) * grey.std())
    grey = (grey - grey.mean()) / (grey.std() + np.float32(1e-3))
    stretch, lift = np.exp(rng.uniform(-0.2, 0.2)), rng.uniform(-0.3, 0.3)
    return np.asarray(grey * np.float32(stretch) + np.float32(lift), np.float32)


def _shading(shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Return a smooth surface of unit spread."""
    coarse = rng.standard_normal((3, 3), np.float32)
    surface = cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(surface / (surface.std() + 1e-6), np.float32)

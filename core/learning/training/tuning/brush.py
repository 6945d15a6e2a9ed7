"""Strokes, discs and packings, with which simulated fields are painted from deep to near."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Random = np.random.Generator
SHIFT = 3  # bits of a px below the point: OpenCV draws with whole numbers


def noise(size_px: int, rng: Random) -> Array:
    """Return white noise of unit variance, (size, size) float32."""
    return rng.standard_normal((size_px, size_px), dtype=np.float32)


def log_uniform(rng: Random, low: float, high: float) -> float:
    """Return a number from low to high, every ratio as likely as another."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def profile(rng: Random) -> Callable[[float], float]:
    """Return the grey level of an object at a share of its half width, 1 at its edge.

    Secondary electrons leave edges more easily; thick lenses and films are brightest inside.
    """
    edge, power = rng.uniform(-0.35, 0.6), rng.uniform(1.5, 5.0)
    flat = rng.uniform(0.4, 0.75)
    return lambda share: flat + edge * share**power


def stroke(
    image: Array, path: Array, width: float, tone: float, profile: Callable[[float], float]
) -> None:
    """Paint a fibre along points (n, 2) in px (x, y), with its shadow on what lies below."""
    points = [np.rint(path * 2**SHIFT).astype(np.int32)]
    line(image, points, width * 1.35, tone * 0.35)
    for share in (1.0, 0.85, 0.65, 0.4, 0.15):
        line(image, points, width * share, tone * profile(share))


def line(image: Array, points: list[Array], width: float, tone: float) -> None:
    """Paint polylines of one grey level; their points are those of `whole`."""
    thickness = max(1, round(width))
    cv2.polylines(image, points, False, float(tone), thickness, cv2.LINE_8, SHIFT)


def disc(image: Array, centre: Array, radius: float, tone: float) -> None:
    """Paint a disc of one grey level around a centre (x, y) in px."""
    place = tuple(int(v) for v in np.rint(centre * 2**SHIFT))
    cv2.circle(image, place, max(1, round(radius * 2**SHIFT)), float(tone), -1, cv2.LINE_8, SHIFT)


def packing(
    size_px: int, pitch: float, rng: Random, disorder: tuple[float, ...] = (0.03, 0.15, 0.35)
) -> Array:
    """Return centres (n, 2) of a hexagonal packing, turned and disturbed, in random order."""
    reach = int(1.5 * size_px / pitch) + 2
    rows, cols = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1)
    grid = np.column_stack([cols + 0.5 * (rows % 2), rows * np.sqrt(0.75)]) * pitch
    angle = rng.uniform(0, np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centres = grid @ turn + size_px / 2
    centres += rng.normal(0, pitch * rng.choice(disorder), centres.shape)
    inside = ((centres > -pitch) & (centres < size_px + pitch)).all(axis=1)
    return np.asarray(rng.permutation(centres[inside]))


def whole(points: Array) -> Array:
    """Return points in px as OpenCV takes them: whole numbers of 1/8 px."""
    return np.asarray(np.rint(points * 2**SHIFT), np.int32)

"""A simulated specimen under construction, and the random shapes that it is made of.

A specimen is a `Scene`: a height map, a map of projected mass, a map of relative brightness and
the truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import scipy
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Window = tuple[slice, slice]


@dataclass(slots=True)
class Scene:
    """A specimen under construction; all maps have shape (H, W).

    Parameters
    ----------
    top : ndarray of shape (H, W), float32
        Height of the visible surface above the substrate, in px.
    mass : ndarray of shape (H, W), float32
        Projected thickness along the beam, in px.
    tone : ndarray of shape (H, W), float32
        Relative brightness of the material, about 0.
    mask : ndarray of shape (H, W), bool
        True on the objects or the second phase.
    instances : ndarray of shape (H, W), int32
        Number of the object that is seen, from 1; 0 where none was put down as one.
    """

    top: Floats
    mass: Floats
    tone: Floats
    mask: Mask
    instances: NDArray[np.int32]

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> Scene:
        """Return a bare substrate."""
        top, mass, tone = np.zeros((3, *shape), np.float32)
        return cls(top, mass, tone, np.zeros(shape, np.bool_), np.zeros(shape, np.int32))

    def add(self, window: Window, height: Floats, thickness: Floats, tone: float) -> None:
        """Put one object down: the higher surface hides the lower, masses add up.

        Parameters
        ----------
        window : tuple of two slices
            Where the patch lies.
        height, thickness : ndarray of the window's shape, float32
            Surface height and projected thickness in px; the object is where `thickness` > 0.
        tone : float
            Its relative brightness.
        """
        inside = thickness > 0
        seen = inside & (height >= self.top[window])
        np.copyto(self.top[window], height, where=seen)
        np.copyto(self.tone[window], np.float32(tone), where=seen)
        np.add(self.mass[window], thickness, out=self.mass[window], where=inside)
        self.mask[window] |= inside
        numbers = self.instances[window]
        numbers[seen | (inside & (numbers == 0))] = self._next_number()

    def _next_number(self) -> int:
        """Return the number of the object that is put down now."""
        return int(self.instances.max()) + 1


def f32(values: Any) -> Floats:
    """Return values as 32-bit floats, which hold all that a picture needs."""
    return np.asarray(values, np.float32)


def chance(rng: np.random.Generator, probability: float) -> bool:
    """Return True with this probability."""
    return bool(rng.random() < probability)


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Return a number between two positive limits, evenly spread over their ratio."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], scale_px: float) -> Floats:
    """Return random relief of about unit variance that varies over `scale_px` pixels."""
    rows, cols = (max(2, int(np.ceil(edge / max(scale_px, 1.0))) + 1) for edge in shape)
    coarse = rng.standard_normal((rows, cols), dtype=np.float32)
    if (rows, cols) == shape:
        return coarse
    if scale_px > 8:
        third_wh = (shape[1] // 3 + 1, shape[0] // 3 + 1)
        coarse = f32(cv2.resize(coarse, third_wh, interpolation=cv2.INTER_CUBIC))
    kind = cv2.INTER_CUBIC if 2 < scale_px <= 8 else cv2.INTER_LINEAR
    return f32(cv2.resize(coarse * np.float32(1.3), shape[::-1], interpolation=kind))


def cells(rng: np.random.Generator, shape: tuple[int, int], pitch_px: float) -> tuple[Floats, Any]:
    """Return the distance to the nearest of random seeds, and that seed's number per pixel.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : tuple of int
        (rows, columns).
    pitch_px : float
        Mean distance between seeds.

    Returns
    -------
    tuple of ndarray
        Distances (H, W) float32 in px, and cell numbers (H, W) int32 from 1.
    """
    seeds = np.ones(shape, np.uint8)
    rows, cols = (max(1, round(edge / pitch_px)) for edge in shape)
    grid = np.stack(np.meshgrid(np.arange(rows), np.arange(cols), indexing="ij"), -1)
    points = (grid + rng.random(grid.shape)).reshape(-1, 2) * np.array(shape) / (rows, cols)
    at = np.minimum(points.astype(int), np.array(shape) - 1)
    seeds[at[:, 0], at[:, 1]] = 0
    distance, numbers = cv2.distanceTransformWithLabels(
        seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_CCOMP
    )
    return f32(distance), numbers


def blur(image: Floats, sigma_px: float, sigma_rows_px: float | None = None) -> Floats:
    """Return a Gaussian-blurred copy; the second width is for the row direction."""
    return f32(cv2.GaussianBlur(image, (0, 0), sigma_px, sigmaY=sigma_rows_px or sigma_px))


def distort(scene: Scene, rng: np.random.Generator, amount_px: float) -> Scene:
    """Return the scene under a smooth random distortion, so that outlines are not ideal."""
    if chance(rng, 0.45):
        return scene
    shape = scene.top.shape
    rows, cols = shape
    scale = rng.uniform(0.04, 0.25) * min(shape) + 3
    amount = np.float32(min(amount_px, 0.08 * scale) * rng.uniform(0.2, 1.0))
    x = np.arange(cols, dtype=np.float32) + amount * smooth_noise(rng, (rows, cols), scale)
    y = np.arange(rows, dtype=np.float32)[:, None] + amount * smooth_noise(rng, (rows, cols), scale)

    def moved(image: Any) -> Any:
        return cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)

    mask = moved(scene.mask.astype(np.uint8) * np.uint8(255)) > 127
    numbers = cv2.remap(
        scene.instances.astype(np.float32), x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT
    )
    instances = _numbered_within(mask, numbers.astype(np.int32))
    return Scene(moved(scene.top), moved(scene.mass), moved(scene.tone), mask, instances)


def _numbered_within(mask: Mask, numbers: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return numbers on the mask alone; its pixels without one take the nearest."""
    if numbers.any() and (mask & (numbers == 0)).any():
        nearest = scipy.ndimage.distance_transform_edt(
            numbers == 0, return_distances=False, return_indices=True
        )
        numbers = numbers[tuple(nearest)]
    return np.where(mask, numbers, 0).astype(np.int32)

"""What a specimen sends to the detector: surface, secondary electrons, transmission, material.

Every kind of specimen goes through the same signal models, drawn from the same distributions, so
that style tells nothing about shape.
"""

from __future__ import annotations

import cv2
import numpy as np

from core.imaging.simulation.scene import (
    Floats,
    Scene,
    blur,
    cells,
    chance,
    f32,
    log_uniform,
    smooth_noise,
)


def shade(
    scene: Scene, rng: np.random.Generator, severity: float = 1.0, *, sections: bool = True
) -> tuple[Floats, str]:
    """Return the signal of a specimen and the name of the instrument.

    Parameters
    ----------
    scene : Scene
        Gains a surface texture and debris on the way.
    rng : numpy.random.Generator
    severity : float
        From 0 (a good day at the microscope) to 1 (anything goes).
    sections : bool
        Whether the specimen may be seen in transmission.

    Returns
    -------
    tuple
        The signal (H, W) float32 in about [0, 1], and a name such as "simulated SEM".
    """
    _roughen(scene, rng, severity)
    pick = rng.random()
    if pick < 0.56 or not sections:
        return _secondary_electrons(scene, rng), "simulated SEM"
    if pick < 0.86:
        return _bright_field(scene, rng), "simulated TEM"
    if pick < 0.93:
        return 1 - _bright_field(scene, rng), "simulated STEM"
    return _material_contrast(scene, rng), "simulated SEM"


def _roughen(scene: Scene, rng: np.random.Generator, severity: float) -> None:
    """Give objects and substrate a surface texture, and leave some debris."""
    shape = (scene.top.shape[0], scene.top.shape[1])
    body = scene.mask.astype(np.float32)
    if chance(rng, 0.45):
        scene.top += log_uniform(rng, 0.03, 0.5) * _texture(rng, shape) * body
    if chance(rng, 0.45):
        scene.top += log_uniform(rng, 0.02, 0.3) * _texture(rng, shape) * (1 - body)
    if chance(rng, 0.06):
        scene.top += _supports(rng, shape) * (1 - body)
    if chance(rng, 0.3):
        grain = smooth_noise(rng, shape, log_uniform(rng, 1, 12))
        scene.mass *= np.maximum(1 + np.float32(rng.uniform(0.05, 0.4)) * grain, 0)
    if chance(rng, 0.3 * severity):
        _scatter_debris(scene, rng)


def _texture(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Return one of several kinds of random relief, with slopes of about one."""
    scale_px = log_uniform(rng, 1.0, 0.1 * min(shape) + 1)
    if chance(rng, 0.65):
        return smooth_noise(rng, shape, scale_px) * np.float32(scale_px)
    distance, _ = cells(rng, shape, max(3.0, scale_px))
    return -distance if chance(rng, 0.7) else distance


def _supports(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Return a regular array of round pits or posts in the substrate."""
    pitch = log_uniform(rng, 0.04, 0.2) * min(shape) + 4
    row = np.arange(shape[0], dtype=np.float32)[:, None] / np.float32(0.866 * pitch)
    col = np.arange(shape[1], dtype=np.float32) / np.float32(pitch) + 0.5 * (np.floor(row) % 2)
    square = (0.866 * (row % 1 - 0.5)) ** 2 + (col % 1 - 0.5) ** 2
    return f32(rng.uniform(-1.5, 1.5) * (square < rng.uniform(0.15, 0.4) ** 2))


def _scatter_debris(scene: Scene, rng: np.random.Generator) -> None:
    """Drop a few irregular specks that belong to no class."""
    shape = scene.top.shape
    speck = np.zeros(shape, np.uint8)
    for _ in range(int(rng.integers(1, 12))):
        centre = rng.random(2) * shape[::-1]
        radius = log_uniform(rng, 0.004, 0.025) * min(shape) + 0.7
        points = centre + radius * rng.uniform(-1, 1, (int(rng.integers(4, 9)), 2))
        cv2.fillConvexPoly(speck, cv2.convexHull(points.astype(np.int32)), 1)
    height = cv2.distanceTransform(speck, cv2.DIST_L2, 3)
    scene.top += height * rng.uniform(0.3, 1.5)
    scene.mass += height * rng.uniform(0.2, 2.0)


def _secondary_electrons(scene: Scene, rng: np.random.Generator) -> Floats:
    """Return the yield of secondary electrons: slopes and edges shine, pits are dark.

    The yield of a surface tilted by an angle grows as the inverse of its cosine (Reimer, Scanning
    Electron Microscopy, 1998, chapter 4).
    """
    top = blur(scene.top, log_uniform(rng, 0.7, 1.3))
    across = cv2.Sobel(top, cv2.CV_32F, 1, 0, scale=0.125)
    down = cv2.Sobel(top, cv2.CV_32F, 0, 1, scale=0.125)
    level = 1 / np.sqrt(1 + across * across + down * down)
    angle = rng.uniform(0, 2 * np.pi)
    light = (across * np.cos(angle) + down * np.sin(angle)) * level
    signal = rng.uniform(0.2, 1.0) * cv2.pow(1 - level, rng.uniform(0.6, 2.2))
    signal += rng.uniform(0, 0.4) * light + _body(scene, rng, low=-0.1, high=0.9)
    signal += rng.uniform(0, 0.35) * top / (float(top.max()) + 1e-3)
    return f32(signal * (1 - _hollows(top, rng)))


def _hollows(top: Floats, rng: np.random.Generator) -> Floats:
    """Return how much signal is lost beside taller neighbours, in [0, 1]."""
    reach = log_uniform(rng, 0.01, 0.08) * min(top.shape) + 1
    shape = top.shape
    small = cv2.resize(top, (max(2, shape[1] // 4), max(2, shape[0] // 4)), interpolation=3)
    around = cv2.resize(blur(f32(small), reach / 4 + 0.3), shape[::-1])
    depth = np.maximum(around - top, 0)
    return f32(rng.uniform(0, 0.8) * depth / (float(depth.max()) + 1e-3))


def _body(scene: Scene, rng: np.random.Generator, low: float, high: float) -> Floats:
    """Return the contrast between materials: objects against substrate, each with its tone."""
    contrast = rng.uniform(low, high)
    level = np.float32(contrast) + np.float32(rng.uniform(0.0, 0.22)) * scene.tone
    return level * scene.mask.astype(np.float32)


def _bright_field(scene: Scene, rng: np.random.Generator) -> Floats:
    """Return transmitted intensity: it falls off exponentially with mass (Beer and Lambert)."""
    strength = rng.uniform(0, 0.6)
    density = scene.mass * cv2.exp(np.float32(strength) * scene.tone)
    reference = float(density.max()) + 1e-3
    absorption = log_uniform(rng, 0.5, 5.0)
    signal = f32(cv2.exp(density * np.float32(-absorption / reference)))
    grain_px = log_uniform(rng, 1.5, 8) if chance(rng, 0.7) else log_uniform(rng, 8, 60)
    shape = (signal.shape[0], signal.shape[1])
    film = np.float32(rng.uniform(0, 0.05)) * smooth_noise(rng, shape, grain_px)
    fringe_px = log_uniform(rng, 0.7, 2.5)
    if chance(rng, 0.4):
        signal = signal + rng.uniform(-0.4, 0.9) * (signal - blur(f32(signal), fringe_px))
    return signal + film


def _material_contrast(scene: Scene, rng: np.random.Generator) -> Floats:
    """Return backscatter-like contrast: one level per material, hardly any relief."""
    sign = -1.0 if chance(rng, 0.5) else 1.0
    relief = cv2.Sobel(scene.top, cv2.CV_32F, 1, 0, scale=0.125) * rng.uniform(0, 0.1)
    return f32(0.5 + sign * _body(scene, rng, low=0.25, high=0.5) + relief)

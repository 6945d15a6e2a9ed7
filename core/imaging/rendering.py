"""How a simulated specimen becomes a picture: signal, optics, detector, noise, labels.

A specimen is a `Scene`: a height map, a map of projected mass, a map of relative brightness and
the truth. Every kind of specimen goes through the same signal models and the same image formation,
drawn from the same distributions, so that style tells nothing about shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Window = tuple[slice, slice]

LETTERS = "abcdefghABCDEFGH"


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
    """

    top: Floats
    mass: Floats
    tone: Floats
    mask: Mask

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> Scene:
        """Return a bare substrate."""
        top, mass, tone = np.zeros((3, *shape), np.float32)
        return cls(top, mass, tone, np.zeros(shape, np.bool_))

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
    return _f32(1.3 * cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC))


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
    return _f32(distance), numbers


def blur(image: Floats, sigma_px: float, sigma_rows_px: float | None = None) -> Floats:
    """Return a Gaussian-blurred copy; the second width is for the row direction."""
    return _f32(cv2.GaussianBlur(image, (0, 0), sigma_px, sigmaY=sigma_rows_px or sigma_px))


def shade(scene: Scene, rng: np.random.Generator) -> tuple[Floats, str]:
    """Return the signal of the specimen in about [0, 1] and the instrument's name."""
    _roughen(scene, rng)
    pick = rng.random()
    if pick < 0.58:
        return _secondary_electrons(scene, rng), "simulated SEM"
    if pick < 0.86:
        return _bright_field(scene, rng), "simulated TEM"
    if pick < 0.94:
        return 1 - _bright_field(scene, rng), "simulated STEM"
    return _material_contrast(scene, rng), "simulated SEM"


def form_image(signal: Floats, rng: np.random.Generator) -> Floats:
    """Return what the detector records of a signal: shading, optics, noise, scan, contrast.

    Parameters
    ----------
    signal : ndarray of shape (H, W), float32
        In about [0, 1].
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (H, W), float32 in [0, 1]
    """
    image = _defocus(_stretch(signal, rng), rng)
    image = _noise(_illuminate(image, rng), rng)
    if chance(rng, 0.25):
        image = _scan_faults(image, rng)
    if chance(rng, 0.25):
        image = _compress(image, rng)
    return _f32(np.clip(image, 0, 1))


def annotate(image: Floats, rng: np.random.Generator) -> tuple[Floats, Mask]:
    """Return the picture with a random choice of panel letter, scale bar and info bar.

    Returns
    -------
    tuple of ndarray
        The picture (H, W) float32, and the pixels (H, W) bool that were written over.
    """
    over = np.full(image.shape, np.nan, np.float32)
    if chance(rng, 0.35):
        _draw_letter(over, rng)
    if chance(rng, 0.4):
        _draw_scale_bar(over, rng)
    if chance(rng, 0.2):
        _draw_info_bar(over, rng)
    written = ~np.isnan(over)
    return _f32(np.where(written, over, image)), written


def _f32(values: Any) -> Floats:
    return np.asarray(values, np.float32)


def _roughen(scene: Scene, rng: np.random.Generator) -> None:
    """Give objects and substrate a surface texture, and leave some debris."""
    shape = scene.top.shape
    if chance(rng, 0.45):
        amount = log_uniform(rng, 0.05, 1.2)
        scene.top += amount * _texture(rng, shape) * scene.mask
    if chance(rng, 0.45):
        amount = log_uniform(rng, 0.05, 1.5)
        scene.top += amount * _texture(rng, shape) * ~scene.mask
    if chance(rng, 0.3):
        scene.mass *= np.maximum(1 + rng.uniform(0.05, 0.4) * _texture(rng, shape), 0)
    if chance(rng, 0.3):
        _scatter_debris(scene, rng)


def _texture(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Return one of several kinds of random relief, of about unit height."""
    scale_px = log_uniform(rng, 1.0, 0.12 * min(shape) + 1)
    if chance(rng, 0.65):
        return smooth_noise(rng, shape, scale_px)
    distance, _ = cells(rng, shape, max(3.0, scale_px))
    bumps = 1 - distance / (0.6 * max(3.0, scale_px))
    return -bumps if chance(rng, 0.3) else bumps


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
    top = blur(scene.top, log_uniform(rng, 0.5, 1.2))
    across = cv2.Sobel(top, cv2.CV_32F, 1, 0, scale=0.125)
    down = cv2.Sobel(top, cv2.CV_32F, 0, 1, scale=0.125)
    level = 1 / np.sqrt(1 + across * across + down * down)
    angle = rng.uniform(0, 2 * np.pi)
    light = (across * np.cos(angle) + down * np.sin(angle)) * level
    signal = rng.uniform(0.25, 1.0) * (1 - level) ** rng.uniform(0.6, 2.2)
    signal += rng.uniform(0, 0.4) * light + _body(scene, rng, low=-0.15, high=0.6)
    signal += rng.uniform(0, 0.35) * top / (float(top.max()) + 1e-3)
    return _f32(signal * (1 - _hollows(top, rng)))


def _hollows(top: Floats, rng: np.random.Generator) -> Floats:
    """Return how much signal is lost beside taller neighbours, in [0, 1]."""
    reach = log_uniform(rng, 0.01, 0.08) * min(top.shape) + 1
    shape = top.shape
    small = cv2.resize(top, (max(2, shape[1] // 4), max(2, shape[0] // 4)), interpolation=3)
    around = cv2.resize(blur(_f32(small), reach / 4 + 0.3), shape[::-1])
    depth = np.maximum(around - top, 0)
    return _f32(rng.uniform(0, 0.8) * depth / (float(depth.max()) + 1e-3))


def _body(scene: Scene, rng: np.random.Generator, low: float, high: float) -> Floats:
    """Return the contrast between materials: objects against substrate, each with its tone."""
    contrast = rng.uniform(low, high)
    return _f32(contrast * scene.mask + rng.uniform(0.0, 0.25) * scene.tone * scene.mask)


def _bright_field(scene: Scene, rng: np.random.Generator) -> Floats:
    """Return transmitted intensity: it falls off exponentially with mass (Beer and Lambert)."""
    strength = rng.uniform(0, 0.6)
    density = scene.mass * np.exp(strength * scene.tone)
    reference = float(density.max()) + 1e-3
    absorption = log_uniform(rng, 0.5, 5.0)
    signal = np.exp(-absorption * density / reference)
    film = rng.uniform(0, 0.08) * smooth_noise(rng, signal.shape, log_uniform(rng, 4, 60))
    fringe_px = log_uniform(rng, 0.7, 2.5)
    if chance(rng, 0.4):
        signal = signal + rng.uniform(-0.4, 0.9) * (signal - blur(_f32(signal), fringe_px))
    return _f32(signal + film)


def _material_contrast(scene: Scene, rng: np.random.Generator) -> Floats:
    """Return backscatter-like contrast: one level per material, hardly any relief."""
    sign = -1.0 if chance(rng, 0.5) else 1.0
    relief = cv2.Sobel(scene.top, cv2.CV_32F, 1, 0, scale=0.125) * rng.uniform(0, 0.1)
    return _f32(0.5 + sign * _body(scene, rng, low=0.25, high=0.5) + relief)


def _stretch(signal: Floats, rng: np.random.Generator) -> Floats:
    """Return the signal brought to a random window of [0, 1], sometimes saturated or inverted."""
    sample = signal[::3, ::3]
    clip = rng.choice([0.1, 1.0, 4.0], p=[0.5, 0.35, 0.15])
    low, high = np.percentile(sample, [clip, 100 - clip])
    image = np.clip((signal - low) / max(float(high - low), 1e-3), 0, 1)
    if chance(rng, 0.12):
        image = 1 - image
    image = image ** log_uniform(rng, 0.5, 1.9)
    span = rng.uniform(0.25, 1.0)
    floor = rng.uniform(0, 1 - span)
    return _f32(floor + span * image)


def _defocus(image: Floats, rng: np.random.Generator) -> Floats:
    """Return the picture blurred by a probe that may be out of focus, astigmatic or drifting."""
    sigma = log_uniform(rng, 0.45, 1.1) if chance(rng, 0.75) else log_uniform(rng, 1.0, 2.4)
    if chance(rng, 0.2):
        return blur(image, sigma, sigma * rng.uniform(0.5, 1.8))
    return blur(image, sigma)


def _illuminate(image: Floats, rng: np.random.Generator) -> Floats:
    """Return the picture under uneven illumination."""
    if chance(rng, 0.5):
        return image
    rows, cols = image.shape
    slope = rng.normal(0, 0.12, 2)
    tilt = np.add.outer(np.linspace(-1, 1, rows) * slope[0], np.linspace(-1, 1, cols) * slope[1])
    if chance(rng, 0.4):
        tilt = tilt + 0.06 * smooth_noise(rng, (rows, cols), 0.5 * min(rows, cols))
    return _f32(image + tilt * rng.choice([0.5, 1.0]))


def _noise(image: Floats, rng: np.random.Generator) -> Floats:
    """Return the picture with shot and read-out noise, white or smeared by resampling."""
    level = log_uniform(rng, 0.004, 0.16)
    shot = rng.random()
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    if chance(rng, 0.4):
        sigma = log_uniform(rng, 0.5, 1.8)
        noise = blur(noise, sigma) * _f32(2 * sigma)
    return _f32(image + level * noise * np.sqrt(1 - shot + shot * np.clip(image, 0, 1)))


def _scan_faults(image: Floats, rng: np.random.Generator) -> Floats:
    """Return the picture with line noise, line jitter or bands of charging."""
    rows = image.shape[0]
    pick = rng.random()
    if pick < 0.5:
        return _f32(image + rng.normal(0, log_uniform(rng, 0.005, 0.05), (rows, 1)))
    if pick < 0.75:
        bands = smooth_noise(rng, (rows, 2), log_uniform(rng, 2, 20))[:, :1]
        return _f32(image + 0.08 * bands)
    shift = np.cumsum(rng.normal(0, 0.15, rows)) + rng.normal(0, rng.uniform(0, 0.5), rows)
    cols = np.arange(image.shape[1], dtype=np.float32)[None] + _f32(shift - shift.mean())[:, None]
    lines = np.repeat(np.arange(rows, dtype=np.float32)[:, None], image.shape[1], 1)
    return _f32(cv2.remap(image, cols, lines, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))


def _compress(image: Floats, rng: np.random.Generator) -> Floats:
    """Return the picture with the losses of lossy storage added, at full depth."""
    plain = (np.clip(image, 0, 1) * 255).astype(np.uint8)
    quality = int(rng.integers(25, 90))
    _, packed = cv2.imencode(".jpg", plain, [cv2.IMWRITE_JPEG_QUALITY, quality])
    stored = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)
    return _f32(image + (_f32(stored) - _f32(plain)) / 255)


def _write(over: Floats, text: str, at_xy: tuple[int, int], height_px: float, grey: float) -> None:
    """Write text with its baseline starting at a point."""
    scale = max(height_px / 22, 0.2)
    thickness = max(1, round(scale * 2))
    stencil = np.zeros(over.shape, np.uint8)
    cv2.putText(stencil, text, at_xy, cv2.FONT_HERSHEY_DUPLEX, scale, 255, thickness, cv2.LINE_8)
    over[stencil > 0] = grey


def _draw_letter(over: Floats, rng: np.random.Generator) -> None:
    """Write a panel letter into a corner, with or without a plate."""
    rows, cols = over.shape
    size = rng.uniform(0.06, 0.14) * min(rows, cols)
    letter = str(rng.choice(list(LETTERS)))
    text = f"({letter})" if chance(rng, 0.5) else letter
    right, low = chance(rng, 0.3), chance(rng, 0.3)
    x = int(cols - 1.2 * size * len(text)) if right else int(rng.uniform(0, 0.05) * cols)
    y = int(rows - 0.3 * size) if low else int(1.3 * size)
    grey = float(rng.choice([0.0, 1.0]))
    if chance(rng, 0.3):
        over[max(0, int(y - 1.3 * size)) : y + int(0.3 * size), max(0, x) : x + int(2 * size)] = (
            1 - grey
        )
    _write(over, text, (max(0, x), y), size, grey)


def _draw_scale_bar(over: Floats, rng: np.random.Generator) -> None:
    """Draw a scale bar with its length near the lower edge."""
    rows, cols = over.shape
    length = int(rng.uniform(0.12, 0.4) * cols)
    thick = max(1, int(rng.uniform(0.006, 0.03) * rows))
    left = int(rng.uniform(0.03, 0.97) * (cols - length))
    y = int(rows * rng.uniform(0.88, 0.97))
    grey = float(rng.choice([0.0, 1.0], p=[0.4, 0.6]))
    over[y : y + thick, left : left + length] = grey
    if chance(rng, 0.7):
        text = f"{rng.choice([1, 2, 5, 10, 20, 50, 100, 200, 500])} {rng.choice(['nm', 'um'])}"
        _write(over, text, (left, y - thick - 1), rng.uniform(0.035, 0.08) * rows, grey)


def _draw_info_bar(over: Floats, rng: np.random.Generator) -> None:
    """Draw an instrument's info bar along the lower edge."""
    rows, cols = over.shape
    height = max(4, int(rng.uniform(0.05, 0.11) * rows))
    grey = float(rng.choice([0.0, 0.15, 1.0], p=[0.6, 0.2, 0.2]))
    over[rows - height :] = grey
    kv, zoom = rng.choice([2, 5, 10, 15, 20]), rng.integers(1, 200)
    text = f"{kv}.00 kV  {zoom} 000 x  WD {rng.uniform(2, 12):.1f} mm  HV  {rng.integers(1, 99)}"
    ink = 0.0 if grey > 0.5 else 1.0
    _write(over, text, (int(0.02 * cols), int(rows - 0.3 * height)), 0.45 * height, ink)

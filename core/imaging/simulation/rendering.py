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
import scipy
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
        numbers[seen | (inside & (numbers == 0))] = self.instances.max() + 1


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


def form_image(signal: Floats, rng: np.random.Generator, severity: float = 1.0) -> Floats:
    """Return what the detector records of a signal: shading, optics, noise, scan, contrast.

    Parameters
    ----------
    signal : ndarray of shape (H, W), float32
        In about [0, 1].
    rng : numpy.random.Generator
    severity : float
        From 0 (a good day at the microscope) to 1 (anything goes).

    Returns
    -------
    ndarray of shape (H, W), float32 in [0, 1]
    """
    image = _defocus(_stretch(signal, rng, severity), rng, severity)
    image = _noise(_illuminate(image, rng, severity), rng, severity)
    if chance(rng, 0.25 * severity**2):
        image = _scan_faults(image, rng)
    span = rng.uniform(0.93 - 0.68 * severity**2, 0.97)
    image = np.float32(span) * image + np.float32(rng.uniform(0, 1 - span))
    if chance(rng, 0.25 * severity):
        image = _compress(image, rng)
    return np.clip(image, 0, 1, out=image)


def annotate(image: Floats, rng: np.random.Generator) -> tuple[Floats, Mask]:
    """Return the picture with a random choice of panel letter, scale bar and info bar.

    Returns
    -------
    tuple of ndarray
        The picture (H, W) float32, and the pixels (H, W) bool that were written over.
    """
    over = np.full(image.shape, np.nan, np.float32)
    if chance(rng, 0.25):
        _draw_letter(over, rng)
    if chance(rng, 0.3):
        _draw_scale_bar(over, rng)
    if chance(rng, 0.08):
        _draw_info_bar(over, rng)
    written = ~np.isnan(over)
    return f32(np.where(written, over, image)), written


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


def _stretch(signal: Floats, rng: np.random.Generator, severity: float) -> Floats:
    """Return the signal brought to [0, 1], sometimes saturated or inverted."""
    clip = float(rng.choice([0.1, 1.0, 4.0], p=[0.5, 0.35, 0.15])) * severity
    low, high = np.percentile(signal[::4, ::4], [clip, 100 - clip])
    image = np.clip((signal - np.float32(low)) / np.float32(max(high - low, 1e-3)), 0, 1)
    if chance(rng, 0.12 * severity):
        image = 1 - image
    return f32(cv2.pow(image, log_uniform(rng, 1 - 0.5 * severity, 1 + 0.9 * severity)))


def _defocus(image: Floats, rng: np.random.Generator, severity: float) -> Floats:
    """Return the picture blurred by a probe that may be out of focus, astigmatic or drifting."""
    sharp = not chance(rng, 0.25 * severity)
    sigma = log_uniform(rng, 0.45, 1.0) if sharp else log_uniform(rng, 1.0, 1.9)
    if chance(rng, 0.2):
        return blur(image, sigma, sigma * rng.uniform(0.6, 1.6))
    return blur(image, sigma)


def _illuminate(image: Floats, rng: np.random.Generator, severity: float) -> Floats:
    """Return the picture under uneven illumination."""
    if chance(rng, 0.5):
        return image
    rows, cols = image.shape
    slope = rng.normal(0, 0.04 + 0.1 * severity, 2)
    y, x = (np.linspace(-1, 1, edge, dtype=np.float32) for edge in (rows, cols))
    tilt = np.add.outer(y * np.float32(slope[0]), x * np.float32(slope[1]))
    if chance(rng, 0.4 * severity):
        tilt += np.float32(0.06) * smooth_noise(rng, (rows, cols), 0.5 * min(rows, cols))
    return f32(image + tilt)


def _noise(image: Floats, rng: np.random.Generator, severity: float) -> Floats:
    """Return the picture with shot and read-out noise, white or smeared by resampling."""
    level = log_uniform(rng, 0.006, 0.03 + 0.15 * severity)
    shot = np.float32(rng.random())
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    if chance(rng, 0.4):
        sigma = log_uniform(rng, 0.5, 1.6)
        noise = blur(noise, sigma) * np.float32(2 * sigma)
    noise *= np.sqrt(1 - shot + shot * np.clip(image, 0, 1))
    return image + np.float32(level) * noise


def _scan_faults(image: Floats, rng: np.random.Generator) -> Floats:
    """Return the picture with line noise, line jitter or bands of charging."""
    rows = image.shape[0]
    pick = rng.random()
    if pick < 0.5:
        return f32(image + rng.normal(0, log_uniform(rng, 0.005, 0.06), (rows, 1)))
    if pick < 0.72:
        bands = smooth_noise(rng, (rows, 2), log_uniform(rng, 2, 20))[:, :1]
        return f32(image + rng.uniform(0.01, 0.06) * bands)
    shift = np.cumsum(rng.normal(0, 0.15, rows)) + rng.normal(0, rng.uniform(0, 0.5), rows)
    cols = np.arange(image.shape[1], dtype=np.float32)[None] + f32(shift - shift.mean())[:, None]
    lines = np.repeat(np.arange(rows, dtype=np.float32)[:, None], image.shape[1], 1)
    return f32(cv2.remap(image, cols, lines, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))


def _compress(image: Floats, rng: np.random.Generator) -> Floats:
    """Return the picture with the losses of lossy storage added, at full depth."""
    plain = (np.clip(image, 0, 1) * 255).astype(np.uint8)
    quality = int(rng.integers(25, 90))
    _, packed = cv2.imencode(".jpg", plain, [cv2.IMWRITE_JPEG_QUALITY, quality])
    stored = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)
    return f32(image + (f32(stored) - f32(plain)) / 255)


def _write(over: Floats, text: str, at_xy: tuple[int, int], height_px: float, grey: float) -> None:
    """Write text with its baseline starting at a point."""
    scale = max(height_px / 22, 0.2)
    thickness = max(1, round(scale))
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

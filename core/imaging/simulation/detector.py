"""How a specimen of the samples becomes the picture of a real instrument, faults included.

Secondary electrons: the yield grows with the tilt of the surface and towards its edges, what lies
low is shadowed, and the Everhart–Thornley detector sits on one side (Reimer, Scanning Electron
Microscopy, 1998, chapters 4 and 6). Transmission: Beer and Lambert's law with a granular film and
a Fresnel fringe. Noise is that of counted electrons.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from core.imaging.simulation.scene import Floats, Scene, blur, f32, smooth_noise


@dataclass(frozen=True, slots=True)
class Look:
    """How an instrument was set, and what the specimen is made of.

    Parameters
    ----------
    ground, body : float
        Signal of the bare substrate and of flat objects, 0 black to 1 white.
    tone : float
        How far objects differ from one another.
    tilt, edge : float
        How much steep places and edges brighten.
    edge_px : float
        Depth from which secondary electrons leave, in px.
    hollow : float
        How dark it is between tall neighbours.
    light : float
        How much the side towards the detector outshines the other.
    texture : float
        Contrast of the substrate's own structure.
    blur_px : float
        Width of the probe.
    defocus_px : float
        Extra width for what lies at the other end of the heights.
    electrons : float
        Counted in a white pixel: few make noise.
    charging : float
        Strength of dark streaks after bright places along the scan.
    gamma : float
        Of the amplifier.
    """

    ground: float = 0.13
    body: float = 0.42
    tone: float = 0.04
    tilt: float = 0.5
    edge: float = 0.3
    edge_px: float = 3.0
    hollow: float = 0.5
    light: float = 0.12
    texture: float = 0.012
    blur_px: float = 0.8
    defocus_px: float = 0.0
    electrons: float = 90.0
    charging: float = 0.03
    gamma: float = 1.0


def secondary_electrons(scene: Scene, look: Look, rng: np.random.Generator) -> Floats:
    """Return the picture (H, W) float32 in [0, 1] that a scanning electron microscope records."""
    top = blur(scene.top, 0.7)
    material = blur(f32(scene.mask), 0.6)
    level = look.ground + material * (look.body - look.ground) + look.tone * scene.tone
    level = level * (1 + _tilt(top, look, rng))
    level = level + look.edge * _edges(top, look.edge_px) * (0.35 + 0.65 * material)
    level = level * _openness(top, look.hollow)
    level = level + 0.06 * blur(f32(level * material), 22)  # electrons freed again around objects
    level = level + _substrate(scene, look, rng)
    image = _probe(f32(level), scene.top, look)
    return _record(image, look, rng, scanned=True)


def _tilt(top: Floats, look: Look, rng: np.random.Generator) -> Floats:
    across = cv2.Sobel(top, cv2.CV_32F, 1, 0, scale=0.125)
    down = cv2.Sobel(top, cv2.CV_32F, 0, 1, scale=0.125)
    steep = np.sqrt(1 + across * across + down * down)
    angle = rng.uniform(-0.9, -0.4) * np.pi / 2
    light = (across * np.cos(angle) + down * np.sin(angle)) / steep
    return f32(look.tilt * (np.minimum(steep, 3.2) ** 0.8 - 1) - look.light * light)


def _edges(top: Floats, depth_px: float) -> Floats:
    """Return how near to an edge a place lies, in [0, 1]: electrons leave by both faces there."""
    near = np.clip((top - blur(top, depth_px)) / depth_px, 0, 1)
    return f32(near)


def _openness(top: Floats, hollow: float) -> Floats:
    """Return the share of electrons that reach the detector, past taller neighbours."""
    small = cv2.resize(top, (top.shape[1] // 3, top.shape[0] // 3), interpolation=cv2.INTER_AREA)
    seen = np.ones(small.shape, np.float32)
    for reach in (2.5, 9.0):
        deep = np.maximum(blur(f32(small), reach) - small, 0) / (3 * reach)
        seen /= 1 + np.float32(1.3 * hollow) * deep
    return f32(cv2.resize(seen, top.shape[::-1], interpolation=cv2.INTER_LINEAR))


def _substrate(scene: Scene, look: Look, rng: np.random.Generator) -> Floats:
    """Return the substrate's own structure, with a few specks of dust on it."""
    shape = (scene.mask.shape[0], scene.mask.shape[1])
    bare = blur(f32(~scene.mask), 1.0)
    fine = 0.6 * smooth_noise(rng, shape, 2.2) + 0.7 * smooth_noise(rng, shape, 14)
    broad = smooth_noise(rng, shape, 130)
    dust = np.zeros(shape, np.float32)
    for _ in range(int(rng.integers(14, 40))):
        at = (int(rng.integers(shape[1])), int(rng.integers(shape[0])))
        cv2.circle(dust, at, int(rng.choice([1, 1, 1, 2, 3])), float(rng.uniform(0.5, 2)), -1)
    return f32(bare * look.texture * (fine + 0.8 * broad + 4 * blur(dust, 0.8)))


def _probe(level: Floats, top: Floats, look: Look) -> Floats:
    """Return the signal blurred by the probe, more so far from the plane in focus."""
    sharp = blur(level, look.blur_px)
    if not look.defocus_px:
        return sharp
    far = blur(level, look.blur_px + look.defocus_px)
    height = blur(top, 6)
    share = 1 - height / (float(height.max()) + 1e-3)
    return f32(sharp + (far - sharp) * share)


def transmission(scene: Scene, look: Look, rng: np.random.Generator) -> Floats:
    """Return the picture (H, W) float32 in [0, 1] of a transmission electron microscope."""
    shape = (scene.mask.shape[0], scene.mask.shape[1])
    dense = scene.mass / (float(np.percentile(scene.mass[scene.mask], 95)) + 1e-3)
    signal = cv2.exp(np.float32(-1.35) * dense)
    film = smooth_noise(rng, shape, 1.7) - 0.7 * smooth_noise(rng, shape, 5)
    signal = signal * (1 + 0.03 * film + 0.02 * smooth_noise(rng, shape, 160))
    signal = blur(f32(signal), look.blur_px)
    signal = signal + 0.55 * (signal - blur(signal, 2.2))  # a little under focus
    return _record(f32(0.66 * signal), look, rng, scanned=False)


def _record(image: Floats, look: Look, rng: np.random.Generator, *, scanned: bool) -> Floats:
    """Return the picture as it is recorded: uneven, counted, scanned line by line, cut off."""
    rows, cols = image.shape
    slope = rng.normal(0, 0.05, 2)
    y, x = (np.linspace(-1, 1, edge, dtype=np.float32) for edge in (rows, cols))
    image = image * (1 + np.add.outer(slope[0] * y, slope[1] * x))
    if scanned:
        image = _scan_marks(f32(image), look, rng)
    counts = np.maximum(image, 0.004) * look.electrons
    noise = rng.standard_normal((rows, cols), dtype=np.float32)
    if scanned:  # the amplifier is slower than the scan
        noise = f32(cv2.filter2D(noise, -1, f32([[0.16, 0.5, 0.82]])))
    image = f32(image + np.sqrt(counts) / look.electrons * noise)
    if scanned:
        image = image + rng.normal(0, 0.004, (rows, 1)).astype(np.float32)
    image = np.clip(image, 0, 1)
    return f32(cv2.pow(f32(image), look.gamma))


def _scan_marks(image: Floats, look: Look, rng: np.random.Generator) -> Floats:
    """Return the picture with charging along the lines and the dark mark of an earlier scan."""
    rows, cols = image.shape
    tail = f32(np.exp(-np.arange(120) / 38.0))[None, ::-1]
    kernel = np.concatenate([tail, np.zeros((1, 119), np.float32)], 1) / tail.sum()
    bright = np.maximum(image - 0.7, 0)
    after = cv2.filter2D(bright, -1, kernel, borderType=cv2.BORDER_REPLICATE)
    uneven = np.exp(0.6 * smooth_noise(rng, (rows, 2), 2.5)[:, :1])
    image = image - np.float32(4 * look.charging) * after * uneven
    height, width = int(rows * rng.uniform(0.3, 0.5)), int(cols * rng.uniform(0.3, 0.5))
    top, left = int(rng.integers(rows - height)), int(rng.integers(cols - width))
    mark = np.zeros(image.shape, np.float32)
    mark[top : top + height, left : left + width] = 1
    return f32(image * (1 - 0.035 * blur(mark, 2)))

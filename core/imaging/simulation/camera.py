"""How a signal becomes a picture: contrast, focus, shading, noise, scan, compression."""

from __future__ import annotations

import cv2
import numpy as np

from core.imaging.simulation.scene import (
    Floats,
    blur,
    chance,
    f32,
    log_uniform,
    smooth_noise,
)


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

"""What an instrument or an author writes over a picture: panel letters, scale bars, info bars."""

from __future__ import annotations

import cv2
import numpy as np

from core.imaging.simulation.scene import (
    Floats,
    Mask,
    chance,
    f32,
)

LETTERS = "abcdefghABCDEFGH"


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

"""Simulated microstructures of alloys that others are taken for: cuboids, laths, networks, phases.

A network that knows carpets of cubes and packed rods takes rafted superalloys and basket weave for
them: here cells touch each other, in one plane, with nothing in front or behind.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from core.learning.training.tuning.brush import log_uniform, noise, whole

Array = NDArray[Any]
Random = np.random.Generator


def microstructure(size_px: int, rng: Random) -> Array:
    """Return a square of γ/γ′ cuboids, of cells with films between them, or of several phases."""
    draw = (_cuboids, _films, _films, _phases)[rng.integers(4)]
    image = draw(size_px, rng)
    if rng.random() < 0.4:  # relief of an etched surface, lit from one side
        low = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.6, 1.5))
        image = image + rng.uniform(0.5, 2.0) * (low - np.roll(low, (1, 1), axis=(0, 1)))
    shade = cv2.GaussianBlur(noise(size_px, rng), (0, 0), size_px / 8) * size_px / 16
    return np.asarray(image + rng.uniform(0, 0.12) * shade, np.float32)


def _smooth(size_px: int, reach: float, rng: Random) -> Array:
    """Return noise of about unit variance that changes over so many px."""
    field = cv2.GaussianBlur(noise(size_px, rng), (0, 0), reach)
    return np.asarray(field / max(float(field.std()), 1e-6), np.float32)


def _cuboids(size_px: int, rng: Random) -> Array:
    """Draw rows of rounded cells in channels that widen in bands; some cells grew into rafts."""
    reach = int(1.5 * size_px)
    pitch = log_uniform(rng, 0.03, 0.16) * size_px
    mask: Array = np.zeros((reach, reach), np.float32)
    channel, raft = pitch * rng.uniform(0.06, 0.2), rng.choice([0.0, 0.1, 0.4])
    row = 0.0
    while row < reach:
        height = pitch * np.exp(rng.normal(0, 0.15))
        col = -rng.uniform(0, pitch)
        while col < reach:
            width = (
                pitch
                * np.exp(rng.normal(0, 0.2))
                * (rng.uniform(2, 6) if rng.random() < raft else 1)
            )
            corners = np.array(
                [[col + channel, row + channel], [col + width - channel, row + height - channel]]
            )
            first, last = (tuple(int(v) for v in corner) for corner in whole(corners))
            cv2.rectangle(mask, first, last, 1.0, -1, cv2.LINE_8, 3)
            col += width
        row += height
    mask = cv2.GaussianBlur(mask, (0, 0), max(0.6, pitch * rng.uniform(0.06, 0.18)))
    mask = _turned(mask, size_px, pitch, rng)
    level = 0.5 + rng.uniform(0.0, 0.16) * _smooth(size_px, pitch * rng.uniform(1, 3), rng)
    inside = 1 / (1 + np.exp(-(mask - level) * rng.uniform(8, 30)))
    return np.asarray(0.7 - rng.uniform(0.12, 0.5) * inside, np.float32)


def _turned(image: Array, size_px: int, pitch: float, rng: Random) -> Array:
    """Return the middle of a larger picture, turned and gently warped."""
    angle = rng.choice([0.0, rng.uniform(0, np.pi)])
    rows, cols = np.mgrid[:size_px, :size_px].astype(np.float32) - np.float32(size_px / 2)
    bend = np.float32(pitch * rng.uniform(0, 0.5))
    shifts = [bend * _smooth(size_px, size_px / 8, rng) for _ in range(2)]
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    middle = np.float32(len(image) / 2)
    x = cosine * cols - sine * rows + middle + shifts[0]
    y = sine * cols + cosine * rows + middle + shifts[1]
    return np.asarray(cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101))


def _cells(size_px: int, pitch: float, stretch: float, rng: Random) -> tuple[Array, Array, Array]:
    """Return gap to the next cell (px), number of the cell, and number of its packet.

    Cells are Voronoi's, longer than wide along one direction in each packet.
    """
    rows, cols = np.mgrid[:size_px, :size_px].reshape(2, -1).astype(float)
    packets = rng.uniform(0, size_px, (int(rng.integers(1, 8)) if stretch > 1.5 else 1, 2))
    wander = _smooth(size_px, size_px / 15, rng).ravel() * size_px * rng.uniform(0, 0.015)
    place = np.column_stack([rows + wander, cols - wander])
    packet = cKDTree(packets).query(place)[1]
    right = rng.random() < 0.5  # packets cross each other, as in basket weave
    main = rng.uniform(0, np.pi)
    gap, cell = np.zeros(len(place)), np.zeros(len(place), np.int64)
    for number in range(len(packets)):
        own = packet == number
        turn = main + (number % 2) * np.pi / 2 if right else rng.uniform(0, np.pi)
        axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        seen = place[own] @ axes.T / np.array([stretch, 1.0])
        count = int(np.clip(2 * size_px**2 / (stretch * pitch**2), 6, 4000))
        seeds = rng.uniform(-0.2 * size_px, 1.2 * size_px, (count, 2)) @ axes.T
        far, near = cKDTree(seeds / np.array([stretch, 1.0])).query(seen, k=2)
        gap[own], cell[own] = far[:, 1] - far[:, 0], near[:, 0] + 5000 * number
    shape = size_px, size_px
    return gap.reshape(shape), cell.reshape(shape), packet.reshape(shape)


def _tones(cell: Array, levels: Array, rng: Random) -> Array:
    """Return a grey level per cell, drawn from some."""
    numbers, place = np.unique(cell, return_inverse=True)
    return np.asarray(rng.choice(levels, len(numbers))[place].reshape(cell.shape), np.float32)


def _films(size_px: int, rng: Random) -> Array:
    """Draw grains or laths with films between them, here and there broken or swollen."""
    stretch = rng.choice([1.0, log_uniform(rng, 2.5, 10)])
    low, high = (0.06, 0.6) if stretch == 1 else (0.02, 0.1)
    pitch = log_uniform(rng, low, high) * size_px
    gap, cell, packet = _cells(size_px, pitch, stretch, rng)
    swell = _smooth(size_px, max(1.0, pitch * rng.uniform(0.1, 0.5)), rng)
    width = max(1.5, pitch * rng.uniform(0.08, 0.3)) * (1 + rng.uniform(0, 0.8) * swell)
    film = 1 / (1 + np.exp(-(width - gap) * rng.uniform(0.8, 3)))
    spread = rng.uniform(0, 0.12)
    image = 0.4 + _tones(cell, rng.normal(0, spread, 64), rng)
    image += _tones(packet, rng.normal(0, rng.uniform(0, 0.06), 16), rng)
    image += _grain(size_px, cell, rng)
    return np.asarray(image + rng.choice([-1, 1]) * rng.uniform(0.2, 0.5) * film, np.float32)


def _grain(size_px: int, cell: Array, rng: Random) -> Array:
    """Return what is seen inside the cells: nothing, speckle, or fine plates of each own way."""
    choice = rng.integers(3)
    if choice == 0:
        return np.zeros((size_px, size_px), np.float32)
    if choice == 1:
        speckle = _smooth(size_px, rng.uniform(0.5, 2.0), rng)
        return np.asarray(rng.uniform(0.02, 0.2) * speckle, np.float32)
    angle = _tones(cell, rng.uniform(0, np.pi, 64), rng)
    rows, cols = np.mgrid[:size_px, :size_px]
    wave = np.sin((cols * np.cos(angle) + rows * np.sin(angle)) * rng.uniform(0.5, 1.6))
    ragged = wave + 0.7 * _smooth(size_px, 1.2, rng)
    return np.asarray(rng.uniform(0.04, 0.15) * ragged, np.float32)


def _phases(size_px: int, rng: Random) -> Array:
    """Draw plates or grains of two or three phases, each of one grey level, side by side."""
    pitch = log_uniform(rng, 0.02, 0.12) * size_px
    stretch = log_uniform(rng, 1.0, 10)
    _, cell, _ = _cells(size_px, pitch, stretch, rng)
    image = _tones(cell, rng.uniform(0.1, 0.9, int(rng.integers(2, 4))), rng)
    if rng.random() < 0.4:
        gap, blob, _ = _cells(size_px, pitch * rng.uniform(1.5, 3), 1.0, rng)
        chosen = (_tones(blob, np.array([0, 0, 1.0]), rng) > 0) & (gap > 0.5 * pitch)
        image[chosen] = rng.uniform(0.1, 0.95)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.2)))

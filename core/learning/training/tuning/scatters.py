"""Further simulated objects: thin growth over large dots, short rods that touch, faceted crystals.

What `fields` and `crowds` lack: dendrites as thin as a fifth of the dots below them, monolayers of
rods three times as long as wide, and crystals whose corners are round or whose form is long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.learning.training.tuning.brush import disc, line, log_uniform, noise, packing, whole
from core.learning.training.tuning.crowds import dots
from core.learning.training.tuning.microstructures import microstructure

Array = NDArray[Any]
Random = np.random.Generator


def _ground(size_px: int, rng: Random) -> Array:
    """Return an uneven ground: carbon film, substrate."""
    image = np.full((size_px, size_px), rng.uniform(0.05, 0.9), np.float32)
    for reach in (size_px / 10, 2.0):
        field = cv2.GaussianBlur(noise(size_px, rng), (0, 0), reach) * reach * 3
        image += np.float32(rng.uniform(0, 0.05)) * field
    return image


def _thin_growth(size_px: int, rng: Random) -> Array:
    """Draw deposits that fork at every step, thin and broken, over a lattice of faint dots."""
    image = np.full((size_px, size_px), rng.uniform(0.1, 0.5), np.float32)
    if rng.random() < 0.8:
        dots(image, log_uniform(rng, 0.06, 0.24) * size_px, rng)
    main, tone = rng.uniform(0, 2 * np.pi), float(image.mean()) + rng.uniform(0.15, 0.5)
    width = max(1.2, log_uniform(rng, 0.006, 0.022) * size_px)
    ahead = np.array([np.cos(main), np.sin(main)])
    for _ in range(rng.integers(2, 12)):
        root = rng.uniform(-0.1, 1.1, 2) * size_px - ahead * rng.uniform(0, 0.4) * size_px
        length = rng.uniform(0.3, 1.2) * size_px
        _branch(image, root, main + rng.normal(0, 0.3), length, width, tone, rng, 3)
    for _ in range(rng.integers(0, 25)):
        place = rng.uniform(0, size_px, 2)
        disc(image, place, width * rng.uniform(0.4, 2.0), tone * rng.uniform(0.8, 1.1))
    return image


def _branch(
    image: Array,
    place: Array,
    heading: float,
    length: float,
    width: float,
    tone: float,
    rng: Random,
    depth: int,
) -> None:
    """Draw a branch that wanders, its side branches, and the knobs at their ends."""
    main, stride = heading, width * 2.5
    for step in range(int(length / stride)):
        heading += rng.normal(0, 0.3) + 0.3 * np.sin(main - heading)
        further = place + stride * np.array([np.cos(heading), np.sin(heading)])
        if rng.random() > 0.1:
            own = width * rng.uniform(0.7, 1.4)
            line(image, [whole(np.stack([place, further]))], own, tone * rng.uniform(0.85, 1.1))
        if depth and step and rng.random() < 0.35:
            side = heading + rng.choice([-1, 1]) * rng.uniform(0.5, 1.2)
            part = (length - step * stride) * rng.uniform(0.15, 0.45)
            _branch(image, further, side, part, width * 0.9, tone, rng, depth - 1)
        place = further
    disc(image, place, width * rng.uniform(0.6, 1.5), tone)


def _monolayer(size_px: int, rng: Random) -> Array:
    """Draw short rods that lie flat beside each other, in rafts or alone, dark or bright."""
    image = _ground(size_px, rng)
    ground = float(image.mean())
    tone = rng.uniform(0.0, 0.35) if ground > 0.45 else rng.uniform(0.6, 1.0)
    few = rng.random() < 0.25
    width = (
        log_uniform(rng, 0.06, 0.2) * size_px if few else log_uniform(rng, 0.015, 0.06) * size_px
    )
    length = width * log_uniform(rng, 1.9, 5.0)
    centres = packing(size_px, length * rng.uniform(0.55, 1.2), rng, disorder=(0.15, 0.3))
    if few:
        centres = rng.uniform(0.1, 0.9, (int(rng.integers(1, 5)), 2)) * size_px
    turning = cv2.GaussianBlur(noise(size_px, rng), (0, 0), size_px / 10) * size_px * 0.3
    crowded = cv2.GaussianBlur(noise(size_px, rng), (0, 0), size_px / 9)
    least = -9.0 if few else float(np.quantile(crowded, rng.choice([0.0, 0.4, 0.75])))
    spread = rng.choice([0.1, 0.4, np.pi])
    for centre in centres:
        col, row = np.clip(centre, 0, size_px - 1).astype(int)
        if crowded[row, col] < least:
            continue
        angle = rng.uniform(-spread, spread) + turning[row, col]
        half = 0.5 * (length * np.exp(rng.normal(0, 0.12)) - width)
        way = half * np.array([np.cos(angle), np.sin(angle)])
        ends = [whole(np.stack([centre - way, centre + way]))]
        line(image, ends, width * 1.25, ground)
        own = tone + rng.uniform(-0.12, 0.12)
        for share in (1.0, 0.6):
            line(image, ends, width * share, own + (1 - share) * rng.uniform(-0.1, 0.2))
    return image


def _few_or_many(size_px: int, rng: Random) -> tuple[Array, float, float, int]:
    """Return a ground, a tone that stands out from it, and a radius (px) for a few or for many."""
    image = _ground(size_px, rng)
    ground = float(image.mean())
    tone = rng.uniform(0.0, 0.35) if ground > 0.45 else rng.uniform(0.6, 1.0)
    few = rng.random() < 0.45
    radius = (log_uniform(rng, 0.1, 0.33) if few else log_uniform(rng, 0.02, 0.08)) * size_px
    count = int(rng.integers(1, 5) if few else rng.integers(12, 90))
    return image, tone, radius, count


def _crystals(size_px: int, rng: Random) -> Array:
    """Draw faceted outlines, a few large or many small ones, with round corners or sharp ones."""
    image, tone, radius, count = _few_or_many(size_px, rng)
    shape, rounding = _outline(rng), rng.choice([0.0, 0.12, 0.25])
    faces, spread = rng.random() < 0.5, rng.uniform(0.02, 0.2)
    for _ in range(count):
        angle = rng.uniform(0, 2 * np.pi)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        own = radius * np.exp(rng.normal(0, spread))
        centre = rng.uniform(0.08, 0.92, 2) * size_px
        shade = tone + rng.uniform(-0.1, 0.1)
        _crystal(image, centre, shape @ turn.T * own, rounding * own, shade, faces, rng)
    return image


def _outline(rng: Random) -> Array:
    """Return the corners (n, 2) of a crystal's outline, about 1 from its middle."""
    corners = int(rng.choice([4, 4, 5, 6, 6]))
    angles = 2 * np.pi * (np.arange(corners) + rng.uniform(-0.08, 0.08, corners)) / corners
    outline = np.column_stack([np.cos(angles), np.sin(angles)])
    if rng.random() < 0.4:  # bipyramids, boxes
        outline *= np.array([1.0, 1 / rng.uniform(1.2, 2.2)])
    return outline


def _crystal(
    image: Array,
    centre: Array,
    outline: Array,
    rounding: float,
    tone: float,
    faces: bool,
    rng: Random,
) -> None:
    """Draw one crystal: its corners as round as a line of twice that width leaves them."""
    reach = 1 - rounding / max(1.0, float(np.linalg.norm(outline, axis=1).max()))
    polygon = whole(outline * reach + centre)
    cv2.fillConvexPoly(image, polygon, tone, cv2.LINE_8, 3)
    line(image, [np.concatenate([polygon, polygon[:1]])], max(1.0, 2 * rounding), tone)
    if not faces:
        for share in (0.75, 0.5, 0.25):
            inner = whole(outline * reach * share + centre)
            cv2.fillConvexPoly(image, inner, tone + 0.1 * (share - 1), cv2.LINE_8, 3)
        return
    top = centre + rng.uniform(-0.2, 0.2) * outline[0]
    for first, last in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        face = whole(np.stack([first * reach + centre, last * reach + centre, top]))
        cv2.fillConvexPoly(image, face, tone + rng.uniform(-0.15, 0.15), cv2.LINE_8, 3)


def _drops(size_px: int, rng: Random) -> Array:
    """Draw round outlines, a few large or many small ones, on the grounds of the crystals."""
    image, tone, radius, count = _few_or_many(size_px, rng)
    spread, rough, oval = rng.uniform(0.02, 0.3), rng.uniform(0, 0.04), rng.uniform(0, 0.12)
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    for _ in range(count):
        reach = 1 + rng.normal(0, rough, len(angles))
        outline = np.column_stack([np.cos(angles), np.sin(angles) * (1 - oval)]) * reach[:, None]
        own = radius * np.exp(rng.normal(0, spread))
        centre = rng.uniform(0.08, 0.92, 2) * size_px
        shade = tone + rng.uniform(-0.1, 0.1)
        _crystal(image, centre, outline * own, 0.04 * own, shade, False, rng)
    return image


DROPS: Mapping[str, Callable[[int, Random], Array]] = {"spheroids": _drops}
SCATTERS: Mapping[str, Callable[[int, Random], Array]] = {
    "alloys": microstructure,
    "dendrites": _thin_growth,
    "polyhedra": _crystals,
    "rods_fibres": _monolayer,
}

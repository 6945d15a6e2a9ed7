"""Further simulated fields: thin growth over a lattice of dots, packed short rods, lit piles.

What `fields` lacks: deposits that are thinner than what they grow on, rods whose ends are seen
though no ground is, and spheres with the light from one side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.learning.training.tuning.brush import (
    disc,
    line,
    log_uniform,
    noise,
    packing,
    profile,
    stroke,
    whole,
)

Array = NDArray[Any]
Random = np.random.Generator
_MOST_TIPS = 28


def _over_dots(size_px: int, rng: Random) -> Array:
    """Draw irregular branched deposits over a lattice of faint dots, on an electrode or free."""
    image = np.full((size_px, size_px), rng.uniform(0.1, 0.45), np.float32)
    image += np.float32(rng.uniform(0, 0.03)) * cv2.GaussianBlur(noise(size_px, rng), (0, 0), 6)
    pitch = log_uniform(rng, 0.025, 0.13) * size_px
    if rng.random() < 0.85:
        dots(image, pitch, rng)
    if rng.random() < 0.7:
        _islands(image, pitch, rng)
    width = max(1.5, pitch * log_uniform(rng, 0.12, 0.5))
    main, ahead = _heading(rng)
    across = np.array([-ahead[1], ahead[0]])
    middle = size_px / 2 - 0.55 * size_px * ahead
    for _ in range(rng.integers(3, 13)):
        root = middle + across * rng.uniform(-0.6, 0.6) * size_px
        root = root + ahead * rng.uniform(0, 0.5) * size_px * rng.integers(2)
        _tree(image, root, main + rng.normal(0, 0.2), width, rng)
    return image


def _heading(rng: Random) -> tuple[float, Array]:
    main = float(rng.uniform(0, 2 * np.pi))
    return main, np.array([np.cos(main), np.sin(main)])


def dots(image: Array, pitch: float, rng: Random) -> None:
    """Draw a lattice of blurred discs, a little brighter or darker than the ground."""
    tone = float(image.mean()) + rng.choice([-1, 1], p=[0.3, 0.7]) * rng.uniform(0.03, 0.25)
    radius = pitch * rng.uniform(0.22, 0.48)
    drawn = image.copy()
    for centre in packing(len(image), pitch, rng, disorder=(0.0, 0.02)):
        disc(drawn, centre, radius, tone)
    image[:] = cv2.GaussianBlur(drawn, (0, 0), max(0.5, pitch * rng.uniform(0.02, 0.15)))


def _islands(image: Array, pitch: float, rng: Random) -> None:
    """Draw small deposits that lie alone."""
    for _ in range(rng.integers(5, 80)):
        place = rng.uniform(0, len(image), 2)
        disc(image, place, pitch * rng.uniform(0.05, 0.25), rng.uniform(0.45, 1.0))


def _tree(image: Array, root: Array, main: float, width: float, rng: Random) -> None:
    """Draw one deposit: tips that wander along the field, fork and stop."""
    stride = max(2.5, width * rng.uniform(1.0, 2.0))
    wander, fork, stop = rng.uniform(0.15, 0.45), rng.uniform(0.08, 0.2), rng.uniform(0.03, 0.1)
    knob, pull = rng.uniform(0.0, 0.9), rng.uniform(0.1, 0.35)
    tone, taper = rng.uniform(0.4, 1.0), rng.uniform(0.85, 1.0)
    tips = [(root, main, width * 1.5)]
    for _ in range(int(rng.uniform(0.4, 1.2) * len(image) / stride)):
        grown = []
        for place, heading, own in tips:
            heading += rng.normal(0, wander) + pull * np.sin(main - heading)
            ahead = place + stride * np.array([np.cos(heading), np.sin(heading)])
            line(image, [whole(np.stack([place, ahead]))], own, tone * rng.uniform(0.8, 1.05))
            if rng.random() < 0.3 * knob:
                disc(image, ahead, own * rng.uniform(0.5, 1.1), tone * rng.uniform(0.9, 1.1))
            if len(tips) == 1 or rng.random() > stop:
                grown.append((ahead, heading, own))
            if rng.random() < fork:
                turned = heading + rng.choice([-1, 1]) * rng.uniform(0.5, 1.2)
                grown.append((ahead, turned, max(width * 0.6, own * taper)))
        rng.shuffle(grown)
        tips = grown[:_MOST_TIPS]
    for place, _, own in tips:
        disc(image, place, own * rng.uniform(0.5, 1.2), tone)


def _packed_rods(size_px: int, rng: Random) -> Array:
    """Draw short rods over each other, in bundles of about one direction or every way."""
    image = np.full((size_px, size_px), rng.uniform(0.0, 0.25), np.float32)
    width = log_uniform(rng, 0.012, 0.07) * size_px
    length = width * log_uniform(rng, 3, 12)
    count = int(np.clip(rng.uniform(1.5, 3.5) * size_px**2 / (width * length), 15, 500))
    seeds = rng.uniform(0, size_px, (int(rng.integers(1, 9)), 2))
    angles = rng.uniform(0, np.pi, len(seeds))
    spread, form = rng.choice([0.06, 0.3, np.pi]), profile(rng)
    for number in range(count):
        place = rng.uniform(0, size_px, 2)
        near = int(np.argmin(((seeds - place) ** 2).sum(axis=1)))
        angle = angles[near] + rng.uniform(-spread, spread)
        half = 0.5 * length * np.exp(rng.normal(0, 0.2)) * np.array([np.cos(angle), np.sin(angle)])
        tone = (0.4 + 0.6 * number / count) * rng.uniform(0.8, 1.1)
        path = np.stack([place - half, place + half])
        stroke(image, path, width * np.exp(rng.normal(0, 0.12)), tone, form)
    return image


def _lit_pile(size_px: int, rng: Random) -> Array:
    """Draw a pile of spheres of many sizes, the light from one side or from above."""
    image = np.full((size_px, size_px), rng.uniform(0.0, 0.3), np.float32)
    radius, spread = log_uniform(rng, 0.02, 0.14) * size_px, rng.choice([0.05, 0.25, 0.5])
    light = rng.uniform(0, 0.7) * np.array([np.cos(a := rng.uniform(0, 2 * np.pi)), np.sin(a)])
    dark, power = rng.uniform(0.2, 0.7), rng.uniform(0.7, 2.5)
    count = int(np.clip(rng.uniform(1.5, 4) * (size_px / radius) ** 2 / np.pi, 12, 600))
    for number in range(count):
        centre, own = rng.uniform(0, size_px, 2), radius * np.exp(rng.normal(0, spread))
        tone = (0.35 + 0.65 * number / count) * rng.uniform(0.9, 1.08)
        disc(image, centre, own * 1.08, tone * 0.3)
        for share in (1.0, 0.9, 0.75, 0.6, 0.4, 0.2):
            grey = tone * (1 - dark * share**power)
            disc(image, centre + light * (1 - share) * own, own * share, grey)
    return image


CROWDS: Mapping[str, Callable[[int, Random], Array]] = {
    "dendrites": _over_dots,
    "rods_fibres": _packed_rods,
    "spheroids": _lit_pile,
}

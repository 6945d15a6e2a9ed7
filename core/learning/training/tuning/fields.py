"""Simulated fields that are filled from edge to edge: mats, packings, carpets, canopies, colonies.

The simulator puts objects on a ground. A network that learns from it takes every full field for a
microstructure: these show the other classes, too, without any ground. No truth is kept of them;
they are views to learn from, drawn from deep to near, the near ones brighter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.learning.training.tuning.brush import (
    SHIFT,
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


def simulate_field(kind: str, size_px: int, rng: Random) -> Array:
    """Return a square of a field that the objects of a class fill.

    Parameters
    ----------
    kind : str
        One of `FIELDS`.
    size_px : int
    rng : numpy Generator

    Returns
    -------
    ndarray of shape (size_px, size_px), float32, 0–1
    """
    return develop(FIELDS[kind](size_px, rng), rng)


def develop(image: Array, rng: Random) -> Array:
    """Return a painted field as a detector records it: a little blurred, with grain, in 0–1."""
    size_px = len(image)
    sigma = rng.uniform(0.4, 1.0)
    image = cv2.GaussianBlur(image, (0, 0), sigma)
    grain = cv2.GaussianBlur(noise(size_px, rng), (0, 0), rng.uniform(0.5, 2.0))
    return np.asarray(np.clip(image + rng.uniform(0, 0.1) * grain, 0, 1), np.float32)


def _fibre_mat(size_px: int, rng: Random) -> Array:
    """Draw layers of long fibres, each over the ones before."""
    image = np.full((size_px, size_px), rng.uniform(0.0, 0.25), np.float32)
    width = log_uniform(rng, 0.012, 0.11) * size_px
    count = int(np.clip(rng.uniform(2.0, 4.5) * size_px / width, 20, 350))
    main, spread = rng.uniform(0, np.pi), rng.choice([0.15, 0.5, np.pi])
    bend, form = rng.uniform(0, 1.2), profile(rng)
    for number in range(count):
        own = width * np.exp(rng.normal(0, 0.25))
        tone = (0.35 + 0.65 * number / count) * rng.uniform(0.8, 1.1)
        path = _path(size_px, main + rng.uniform(-spread, spread), bend, rng)
        stroke(image, path, own, tone, form)
    return image


def _path(size_px: int, angle: float, bend: float, rng: Random) -> Array:
    """Return points (n, 2) of a curve that crosses the field."""
    steps, length = 24, 1.6 * size_px
    turns = angle + bend * np.sin(np.linspace(0, rng.uniform(1, 5), steps) + rng.uniform(0, 6))
    walk = np.cumsum(np.column_stack([np.cos(turns), np.sin(turns)]), axis=0) * length / steps
    return np.asarray(walk - walk[steps // 2] + rng.uniform(0, size_px, 2))


def _packed_spheres(size_px: int, rng: Random) -> Array:
    """Draw spheres side by side and over each other."""
    image = np.full((size_px, size_px), rng.uniform(0.0, 0.2), np.float32)
    radius = log_uniform(rng, 0.025, 0.16) * size_px
    spread, form = rng.choice([0.02, 0.1, 0.35]), profile(rng)
    layers = rng.integers(1, 4)
    for layer in range(layers):
        for centre in packing(size_px, 1.9 * radius, rng):
            own = radius * np.exp(rng.normal(0, spread))
            tone = (0.5 + 0.5 * (layer + 1) / layers) * rng.uniform(0.9, 1.08)
            disc(image, centre, own * 1.1, tone * 0.3)
            for share in (1.0, 0.93, 0.82, 0.68, 0.5, 0.3, 0.12):
                disc(image, centre, own * share, tone * form(share))
    return image


_SIGNS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
_AXES = np.concatenate([np.eye(3), -np.eye(3)])


def _carpet(size_px: int, rng: Random) -> Array:
    """Draw cubes or octahedra side by side, nearly flat or turned every way."""
    image = np.full((size_px, size_px), rng.uniform(0.0, 0.2), np.float32)
    edge = log_uniform(rng, 0.06, 0.28) * size_px
    corners, normals = (_SIGNS / 2, _AXES) if rng.random() < 0.65 else (_AXES * 0.75, _SIGNS)
    tilt, rim = rng.choice([0.1, 0.5, 2.0]), rng.uniform(-0.2, 0.5)
    light = rng.normal((0, 0, 1.5), 1)
    layers = rng.integers(1, 3)
    for layer in range(layers):
        for centre in packing(size_px, edge * rng.uniform(1.05, 1.25), rng):
            tone = (0.5 + 0.5 * (layer + 1) / layers) * rng.uniform(0.85, 1.1)
            turn = _turn(tilt, rng)
            size = edge * np.exp(rng.normal(0, 0.08))
            _solid(image, centre, corners @ turn.T * size, normals @ turn.T, light, tone, rim)
    return image


def _turn(tilt: float, rng: Random) -> Array:
    """Return a rotation matrix: any turn in the plane after a tilt of about this (radians)."""
    spin = cv2.Rodrigues(np.array([0, 0, rng.uniform(0, 2 * np.pi)]))[0]
    return np.asarray(spin @ cv2.Rodrigues(rng.normal(0, tilt, 3))[0])


def _solid(
    image: Array,
    centre: Array,
    corners: Array,
    normals: Array,
    light: Array,
    tone: float,
    rim: float,
) -> None:
    """Draw the faces of a convex body that look up, and their edges."""
    outline = cv2.convexHull((corners[:, :2] * 1.08 + centre).astype(np.float32))
    cv2.fillConvexPoly(image, whole(outline), tone * 0.3, cv2.LINE_8, SHIFT)
    units = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    heights = corners @ units.T
    for number, unit in enumerate(units):
        if unit[2] <= 0.02:
            continue
        face = corners[heights[:, number] > heights[:, number].max() - 1e-6 * abs(heights).max()]
        polygon = whole(cv2.convexHull((face[:, :2] + centre).astype(np.float32)))
        shade = 0.55 + 0.3 * float(unit @ light) / float(np.linalg.norm(light))
        cv2.fillConvexPoly(image, polygon, tone * shade, cv2.LINE_8, SHIFT)
        cv2.polylines(image, [polygon], True, tone * (shade + rim), 1, cv2.LINE_8, SHIFT)


def _canopy(size_px: int, rng: Random) -> Array:
    """Draw fern-like branches over each other until nothing else is left."""
    image = np.full((size_px, size_px), rng.uniform(0.0, 0.2), np.float32)
    length = log_uniform(rng, 0.3, 1.1) * size_px
    pitch = log_uniform(rng, 0.018, 0.06) * size_px
    count = int(np.clip(rng.uniform(2.5, 5) * (size_px / length) ** 2 * 3, 8, 60))
    angle = rng.choice([np.pi / 3, np.pi / 2, rng.uniform(0.6, 1.4)])
    main, spread = rng.uniform(0, 2 * np.pi), rng.choice([0.25, np.pi])
    for number in range(count):
        tone = (0.3 + 0.7 * number / count) * rng.uniform(0.85, 1.1)
        heading = main + rng.uniform(-spread, spread)
        root = rng.uniform(-0.2, 1.2, 2) * size_px
        _fern(image, root, heading, length, pitch, angle, tone, rng, 2)
    return image


def _fern(
    image: Array,
    root: Array,
    heading: float,
    length: float,
    pitch: float,
    angle: float,
    tone: float,
    rng: Random,
    depth: int,
) -> None:
    """Draw a trunk whose branches shorten towards its tip, and theirs."""
    ahead = np.array([np.cos(heading), np.sin(heading)])
    width = pitch * (0.3 + 0.25 * depth)
    path = whole(np.stack([root, root + ahead * length]))
    if depth and length > 2.5 * pitch:
        for along in np.arange(pitch, length, pitch * (1.0 if depth > 1 else 0.8)):
            own = (length - along) * rng.uniform(0.3, 0.45)
            for side in (-1, 1):
                place = root + ahead * along
                turned = heading + side * angle
                _fern(image, place, turned, own, pitch, angle, tone * 0.95, rng, depth - 1)
    line(image, [path], width * 1.7, tone * 0.35)
    line(image, [path], width, tone * 0.85)
    line(image, [path], width * 0.4, tone)


def _colonies(size_px: int, rng: Random) -> Array:
    """Draw grains, each with its own direction of plates: pearlite, laths, basket weave."""
    rows, cols = np.mgrid[:size_px, :size_px].astype(np.float32)
    seeds = rng.uniform(0, size_px, (int(rng.integers(1, 14)), 2))
    warp = cv2.GaussianBlur(noise(size_px, rng), (0, 0), size_px / 12) * size_px * 0.6
    far = [(rows + warp - r) ** 2 + (cols - warp - c) ** 2 for r, c in seeds]
    owner = np.argmin(far, axis=0)
    angles = rng.uniform(0, np.pi, len(seeds)).astype(np.float32)[owner]
    pitch = (log_uniform(rng, 0.02, 0.14) * np.exp(rng.normal(0, 0.2, len(seeds)))) * size_px
    wander = cv2.GaussianBlur(noise(size_px, rng), (0, 0), size_px / 20) * size_px / 5
    wave = np.sin(
        2
        * np.pi
        * (cols * np.cos(angles) + rows * np.sin(angles) + wander * rng.uniform(0, 1))
        / pitch.astype(np.float32)[owner]
    )
    plates = 1 / (1 + np.exp(-(wave - rng.uniform(-0.7, 0.7)) * rng.uniform(2, 12)))
    patchy = cv2.GaussianBlur(noise(size_px, rng), (0, 0), rng.uniform(1, 4)) * rng.uniform(0, 1)
    grain = rng.uniform(-0.15, 0.15, len(seeds))[owner]
    return np.asarray(0.2 + 0.6 * np.clip(plates + patchy, 0, 1) + grain, np.float32)


FIELDS: Mapping[str, Callable[[int, Random], Array]] = {
    "alloys": _colonies,
    "dendrites": _canopy,
    "polyhedra": _carpet,
    "rods_fibres": _fibre_mat,
    "spheroids": _packed_spheres,
}

"""Simulated two-phase alloys: polished and etched sections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from core.imaging.simulation.layout import Shape
from core.imaging.simulation.scene import (
    Floats,
    Scene,
    cells,
    chance,
    distort,
    f32,
    log_uniform,
    smooth_noise,
)


def alloys(shape: Shape, rng: np.random.Generator) -> Scene:
    """Return two-phase microstructures: cuboids, networks, lamellae, globules, duplex grains."""
    builders: tuple[Callable[[Shape, np.random.Generator], Any], ...] = (
        _cuboids,
        _lobed_precipitates,
        _network,
        _lamellae,
        _globules,
        _labyrinth,
        _duplex,
    )
    weights = [0.18, 0.18, 0.15, 0.17, 0.2, 0.05, 0.07]
    phase = builders[int(rng.choice(len(builders), p=weights))](shape, rng)
    if chance(rng, 0.2):
        phase = phase | _globules(shape, rng)
    return _etch(phase, rng)


def _turned(shape: Shape, rng: np.random.Generator, wander_px: float) -> tuple[Floats, Floats]:
    """Return coordinates along two perpendicular axes at a random angle, gently distorted."""
    turn = rng.uniform(0, np.pi)
    y, x = (np.arange(edge, dtype=np.float32) for edge in shape)
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    scale = 0.2 * min(shape)
    u = np.add.outer(y * sin, x * cos) + wander_px * smooth_noise(rng, shape, scale)
    v = np.add.outer(y * cos, -x * sin) + wander_px * smooth_noise(rng, shape, scale)
    return u, v


def _blobs(
    shape: Shape, pitch: float, rng: np.random.Generator, spread: float, square: float
) -> Any:
    """Return bool (H, W): one superellipse per cell of a distorted lattice.

    `spread` from 0 to 1 is the disorder of position, size, form and angle; `square` is the exponent
    of the superellipse (2 is round, 6 nearly square).
    """
    u, v = _turned(shape, rng, pitch * (0.05 + 0.3 * spread) * rng.random())
    u, v = u / np.float32(pitch), v / np.float32(pitch)
    row, col = np.floor(u), np.floor(v)
    wide = int(col.max() - col.min()) + 1
    cell = ((row - row.min()) * wide + (col - col.min())).astype(np.intp)
    count = int(cell.max()) + 1
    stretch = np.exp(spread * rng.uniform(0, 0.6, count))
    size = rng.uniform(0.3, 0.47) * np.exp(0.5 * spread * rng.standard_normal(count))
    size = np.minimum(size, (0.47 - 0.15 * spread) / stretch)
    turn = spread * rng.normal(0, 0.9, count)
    table = f32([np.cos(turn), np.sin(turn), 1 / (size * stretch), stretch / size])
    cos, sin, narrow, flat = (np.take(column, cell) for column in table)
    offset = f32(0.5 + spread * rng.uniform(-0.25, 0.25, (2, count)))
    du = u - row - np.take(offset[0], cell)
    dv = v - col - np.take(offset[1], cell)
    p, q = np.abs(du * cos + dv * sin) * narrow, np.abs(dv * cos - du * sin) * flat
    return cv2.pow(p, square) + cv2.pow(q, square) < 1


def _cuboids(shape: Shape, rng: np.random.Generator) -> Any:
    """Return aligned rounded squares between narrow channels, as in nickel superalloys."""
    pitch = log_uniform(rng, 0.05, 0.4) * min(shape) + 3
    phase = _blobs(shape, pitch, rng, rng.uniform(0.02, 0.3), rng.uniform(3, 8))
    if chance(rng, 0.4):
        fine = _blobs(shape, max(3.0, pitch * rng.uniform(0.1, 0.25)), rng, 1.0, 2.0)
        phase = phase | (fine & ~_grown(phase, 0.08 * pitch))
    return phase


def _grown(phase: Any, by_px: float) -> Any:
    """Return a phase widened by a distance."""
    away = cv2.distanceTransform((~phase).astype(np.uint8), cv2.DIST_L2, 3)
    return away < by_px + 1


def _boundary_distance(numbers: Any) -> Floats:
    """Return the distance to the nearest border between cells, in px."""
    inside = np.ones(numbers.shape, np.uint8)
    inside[:-1][numbers[:-1] != numbers[1:]] = 0
    inside[:, :-1][numbers[:, :-1] != numbers[:, 1:]] = 0
    return np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, 5), np.float32)


def _lobed_precipitates(shape: Shape, rng: np.random.Generator) -> Any:
    """Return large lobed precipitates that grew together, with fine ones in the channels."""
    pitch = log_uniform(rng, 0.08, 0.3) * min(shape) + 4
    _, numbers = cells(rng, shape, pitch)
    group = rng.permutation(int(numbers.max()) + 1)
    merged = rng.random(len(group)) < rng.uniform(0, 0.6)
    group[1:][merged[1:]] = group[:-1][merged[1:]]
    depth = _boundary_distance(group[numbers])
    depth = depth + 0.04 * pitch * smooth_noise(rng, shape, max(2.0, 0.3 * pitch))
    phase = cv2.GaussianBlur(depth, (0, 0), 0.05 * pitch + 0.4) > pitch * rng.uniform(0.06, 0.2)
    if chance(rng, 0.7):
        fine = _blobs(shape, max(3.0, pitch * rng.uniform(0.12, 0.25)), rng, 1.0, 2.0)
        zones = smooth_noise(rng, shape, pitch) > rng.uniform(-0.7, 0.5)
        phase = phase | (fine & zones & ~_grown(phase, 0.1 * pitch))
    return phase


def _network(shape: Shape, rng: np.random.Generator) -> Any:
    """Return a second phase along grain boundaries, of uneven width and partly broken."""
    pitch = log_uniform(rng, 0.08, 0.45) * min(shape) + 4
    _, numbers = cells(rng, shape, pitch)
    distance = _boundary_distance(numbers)
    width = pitch * rng.uniform(0.02, 0.1) + 0.7
    uneven = 1 + rng.uniform(0.1, 0.8) * smooth_noise(rng, shape, max(3.0, 0.25 * pitch))
    return distance < width * uneven


def _lamellae(shape: Shape, rng: np.random.Generator) -> Any:
    """Return lamellae in colonies, each with its own direction, sometimes between grains."""
    pitch = log_uniform(rng, 0.15, 1.5) * min(shape)
    _, numbers = cells(rng, shape, pitch)
    count = int(numbers.max()) + 1
    angle = rng.uniform(0, np.pi, count).astype(np.float32)
    spacing = log_uniform(rng, 0.015, 0.1) * min(shape) + 2.5
    pace = (2 * np.pi / spacing * np.exp(0.25 * rng.standard_normal(count))).astype(np.float32)
    y, x = (np.arange(edge, dtype=np.float32) for edge in shape)
    phase = (np.cos(angle) * pace)[numbers] * x + (np.sin(angle) * pace)[numbers] * y[:, None]
    phase = phase + rng.uniform(0.2, 2.5) * smooth_noise(rng, shape, spacing * rng.uniform(1.5, 8))
    lamellae = np.sin(phase) > rng.uniform(-0.4, 0.6)
    if chance(rng, 0.4):
        lamellae &= smooth_noise(rng, shape, spacing) > -rng.uniform(0.6, 1.5)
    if chance(rng, 0.3):
        lamellae &= (rng.random(count) > 0.35)[numbers]
    return lamellae


def _globules(shape: Shape, rng: np.random.Generator) -> Any:
    """Return scattered convex particles of two sizes, round or oblong."""
    edge = min(shape)
    pitch = log_uniform(rng, 0.03, 0.16) * edge + 3
    few = smooth_noise(rng, shape, 0.2 * edge) > rng.uniform(-2.5, 0.0)
    phase = _blobs(shape, pitch, rng, rng.uniform(0.6, 1.3), rng.uniform(1.8, 3)) & few
    if chance(rng, 0.5):
        coarse = _blobs(shape, min(0.5 * edge, pitch * rng.uniform(2.5, 5)), rng, 1.2, 2.5)
        rare = smooth_noise(rng, shape, 0.25 * edge) > rng.uniform(0.0, 0.8)
        phase = phase | (coarse & rare)
    return phase


def _labyrinth(shape: Shape, rng: np.random.Generator) -> Any:
    """Return interwoven phases, as after spinodal decomposition."""
    scale = log_uniform(rng, 0.03, 0.15) * min(shape) + 2
    noise = smooth_noise(rng, shape, scale)
    return noise > rng.uniform(-0.4, 0.4)


def _duplex(shape: Shape, rng: np.random.Generator) -> Any:
    """Return polygonal grains of two phases."""
    pitch = log_uniform(rng, 0.06, 0.25) * min(shape) + 3
    _, numbers = cells(rng, shape, pitch)
    second = rng.random(int(numbers.max()) + 1) < rng.uniform(0.25, 0.65)
    return second[numbers]


def _etch(phase: Any, rng: np.random.Generator) -> Scene:
    """Return a polished and etched section: one phase stands proud or lies low."""
    shape = (phase.shape[0], phase.shape[1])
    second = phase.astype(np.float32)
    bevel = log_uniform(rng, 0.8, 5)
    depth = np.minimum(cv2.distanceTransform(phase.astype(np.uint8), cv2.DIST_L2, 3), bevel)
    top = np.float32(log_uniform(rng, 0.15, 3) * (1.0 if chance(rng, 0.6) else -1.0)) * depth
    tone = np.full(shape, rng.standard_normal(), np.float32)
    if chance(rng, 0.4):
        _, grains = cells(rng, shape, log_uniform(rng, 0.15, 0.6) * min(shape) + 4)
        tone = rng.standard_normal(int(grains.max()) + 1, dtype=np.float32)[grains]
        top = top + np.float32(rng.uniform(0, 1.2)) * tone
    if chance(rng, 0.35):
        strokes = rng.standard_normal((shape[0], 1 + shape[1] // 24), dtype=np.float32)
        matrix = f32(cv2.resize(strokes, shape[::-1], interpolation=cv2.INTER_LINEAR))
        top = top + np.float32(rng.uniform(0.1, 0.8)) * matrix * (1 - second)
    if chance(rng, 0.5):
        etched = 1 - second if chance(rng, 0.7) else second
        fine = smooth_noise(rng, shape, log_uniform(rng, 1.0, 0.03 * min(shape) + 1.1))
        top = top + np.float32(log_uniform(rng, 0.1, 1.5)) * fine * etched
    mass = (
        np.float32(bevel) * (np.float32(0.6) * second + np.float32(0.5)) + np.float32(0.2) * depth
    )
    return distort(Scene(f32(top), f32(mass), tone, phase, np.zeros(shape, np.int32)), rng, 1.5)

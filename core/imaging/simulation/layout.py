"""Where simulated objects lie in the frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.imaging.simulation.scene import Floats, Window, chance, log_uniform, smooth_noise

Points = NDArray[np.float64]
Shape = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Patch:
    """A window of the frame with coordinates about an object's centre, turned by an angle.

    Parameters
    ----------
    window : tuple of two slices
    along, across : ndarray of the window's shape, float32
        Position in the object's own axes, in px.
    """

    window: Window
    along: Floats
    across: Floats


def patch_at(shape: Shape, centre: Points, reach: float, angle: float) -> Patch | None:
    """Return the part of the frame within `reach` px of a centre, None when outside."""
    low = np.floor(centre - reach).astype(int).clip(0, shape)
    high = (np.ceil(centre + reach).astype(int) + 1).clip(0, shape)
    if (high <= low).any():
        return None
    y = np.arange(low[0], high[0], dtype=np.float32) - np.float32(centre[0])
    x = np.arange(low[1], high[1], dtype=np.float32) - np.float32(centre[1])
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    window = (slice(low[0], high[0]), slice(low[1], high[1]))
    return Patch(window, np.add.outer(y * sin, x * cos), np.add.outer(y * cos, x * -sin))


def scatter(
    shape: Shape,
    size: float,
    rng: np.random.Generator,
    limit: int = 130,
    turn: float | None = None,
) -> Points:
    """Return centres of objects: single, heaped, dispersed, packed or clustered.

    Parameters
    ----------
    shape : tuple of int
        (rows, columns) of the frame.
    size : float
        Typical distance at which two objects touch, in px.
    rng : numpy.random.Generator
    limit : int
        Most objects returned.
    turn : float or None
        Angle of the rows when packed, in radians; None draws one.
    """
    pick = rng.random()
    if size > 0.6 * min(shape) or pick < 0.1:
        count = int(rng.integers(1, 4)) if pick < 0.5 else 1
        points = np.array(shape) * (0.5 + rng.normal(0, 0.17, (count, 2)))
    elif pick < 0.2:
        count = int(np.clip(shape[0] * shape[1] / size**2 * rng.uniform(0.8, 2), 2, limit))
        points = rng.random((count, 2)) * shape
    elif pick < 0.45:
        points = _dispersed(shape, size, rng, limit)
    elif pick < 0.72:
        points = _lattice(shape, size, rng, turn)
    else:
        points = _clustered(shape, size, rng, limit)
    return points[rng.permutation(len(points))[:limit]]


def _dispersed(shape: Shape, size: float, rng: np.random.Generator, limit: int) -> Points:
    """Return random centres, overlapping or kept apart."""
    room = shape[0] * shape[1] / size**2
    count = int(np.clip(room * log_uniform(rng, 0.04, 0.9), 2, limit))
    points = rng.random((count, 2)) * shape
    if chance(rng, 0.4):
        return points
    gap = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    close = np.tril(gap < size, -1).any(axis=1)
    return np.asarray(points[~close])


def _lattice(shape: Shape, size: float, rng: np.random.Generator, turn: float | None) -> Points:
    """Return the sites of a turned hexagonal or square lattice with gaps and disorder."""
    pitch = size * rng.uniform(0.95, 1.35)
    half = np.hypot(*shape) / 2 + pitch
    steps = np.arange(-half, half, pitch)
    hexagonal = chance(rng, 0.5)
    rise = pitch * (0.866 if hexagonal else 1.0)
    down, across = np.meshgrid(np.arange(-half, half, rise), steps, indexing="ij")
    if hexagonal:
        across = across + 0.5 * pitch * (np.arange(len(down)) % 2)[:, None]
    sites = np.stack([down, across], -1).reshape(-1, 2)
    turn = rng.uniform(0, np.pi) if turn is None else turn
    sites = sites @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    sites = sites + np.array(shape) / 2 + rng.normal(0, rng.uniform(0, 0.12) * pitch, sites.shape)
    inside = ((sites > -0.5 * size) & (sites < np.array(shape) + 0.5 * size)).all(axis=1)
    sites = sites[inside]
    if chance(rng, 0.5):
        islands = smooth_noise(rng, shape, 0.3 * min(shape))
        at = sites.astype(int).clip(0, np.array(shape) - 1)
        sites = sites[islands[at[:, 0], at[:, 1]] > rng.uniform(-1.2, 0.3)]
    return np.asarray(sites[rng.random(len(sites)) > rng.uniform(-0.2, 0.4)])


def _clustered(shape: Shape, size: float, rng: np.random.Generator, limit: int) -> Points:
    """Return centres that grew as touching aggregates or chains."""
    room = shape[0] * shape[1] / size**2
    count = int(np.clip(room * rng.uniform(0.15, 0.8), 2, min(limit, 70)))
    straight, spread = chance(rng, 0.3), rng.uniform(0.9, 1.15) * size
    points = [rng.random(2) * shape * 0.6 + np.array(shape) * 0.2]
    for _ in range(2 * count):
        if chance(rng, 0.05):
            points.append(rng.random(2) * shape)
            continue
        host = points[-1] if straight else points[int(rng.integers(len(points)))]
        angle = rng.uniform(0, 2 * np.pi)
        new = host + spread * np.array([np.sin(angle), np.cos(angle)])
        apart = np.asarray(points) - new
        if (apart**2).sum(1).min() > (0.85 * size) ** 2:
            points.append(new)
        if len(points) >= count:
            break
    return np.asarray(points)

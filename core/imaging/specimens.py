"""Random specimens of five kinds, as scenes with known truth.

Each builder takes a shape and a generator and returns a `Scene`. Lengths are in pixels; sizes are
drawn relative to the shorter edge of the frame, from hundreds of small objects to a close-up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.rendering import (
    Floats,
    Scene,
    Window,
    cells,
    chance,
    log_uniform,
    smooth_noise,
)

Points = NDArray[np.float64]
Shape = tuple[int, int]


def _f32(values: Any) -> Floats:
    return np.asarray(values, np.float32)


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


# --- where objects lie ---------------------------------------------------------------------------


def scatter(shape: Shape, size: float, rng: np.random.Generator, limit: int = 130) -> Points:
    """Return centres (N, 2) of objects of about `size` px: single, dispersed, packed or clustered.

    Parameters
    ----------
    shape : tuple of int
        (rows, columns) of the frame.
    size : float
        Typical distance at which two objects touch, in px.
    rng : numpy.random.Generator
    limit : int
        Most objects returned.
    """
    pick = rng.random()
    if size > 0.6 * min(shape) or pick < 0.1:
        count = int(rng.integers(1, 4)) if pick < 0.5 else 1
        points = np.array(shape) * (0.5 + rng.normal(0, 0.17, (count, 2)))
    elif pick < 0.4:
        points = _dispersed(shape, size, rng, limit)
    elif pick < 0.7:
        points = _lattice(shape, size, rng)
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


def _lattice(shape: Shape, size: float, rng: np.random.Generator) -> Points:
    """Return the sites of a turned hexagonal or square lattice with gaps and disorder."""
    pitch = size * rng.uniform(0.95, 1.35)
    half = np.hypot(*shape) / 2 + pitch
    steps = np.arange(-half, half, pitch)
    hexagonal = chance(rng, 0.6)
    rise = pitch * (0.866 if hexagonal else 1.0)
    down, across = np.meshgrid(np.arange(-half, half, rise), steps, indexing="ij")
    if hexagonal:
        across = across + 0.5 * pitch * (np.arange(len(down)) % 2)[:, None]
    sites = np.stack([down, across], -1).reshape(-1, 2)
    turn = rng.uniform(0, np.pi)
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


# --- spheroids -----------------------------------------------------------------------------------


def spheroids(shape: Shape, rng: np.random.Generator) -> Scene:
    """Return spheres: alike or of many sizes, solid, hollow or core and shell, with satellites."""
    scene = Scene.empty(shape)
    diameter = log_uniform(rng, 0.05, 0.9) * min(shape) + 2
    spread = rng.choice([0.0, 0.08, 0.2, 0.5], p=[0.2, 0.35, 0.25, 0.2])
    core = rng.uniform(0.3, 0.92) if chance(rng, 0.25) else 0.0
    core_mass = rng.uniform(-1.0, 3.0)
    flatten = rng.uniform(0, 0.12) if chance(rng, 0.5) else 0.0
    for centre in scatter(shape, diameter * (1 + spread), rng):
        radius = 0.5 * diameter * np.exp(spread * rng.standard_normal())
        radius = float(np.clip(radius, 1.2, 0.7 * max(shape)))
        _sphere(scene, centre, radius, rng, core, core_mass, flatten)
    if chance(rng, 0.2):
        _satellites(scene, diameter, rng)
    return _warp(scene, rng, 0.03 * diameter)


def _sphere(
    scene: Scene,
    centre: Points,
    radius: float,
    rng: np.random.Generator,
    core: float = 0.0,
    core_mass: float = 0.0,
    flatten: float = 0.0,
) -> None:
    """Add one sphere that rests on the substrate, or on others."""
    patch = patch_at(scene.top.shape, centre, radius * 1.1, rng.uniform(0, np.pi))
    if patch is None:
        return
    squash = np.float32(1 + rng.uniform(0, flatten))
    square = (patch.along / squash) ** 2 + (patch.across * squash) ** 2
    half = np.sqrt(np.maximum(radius**2 - square, 0))
    thickness = 2 * half
    if core:
        inner = 2 * np.sqrt(np.maximum((core * radius) ** 2 - square, 0))
        thickness = np.where(half > 0, np.maximum(thickness + core_mass * inner, 0.05), 0)
    lift = radius * (1 + 0.3 * rng.random())
    scene.add(patch.window, half + np.float32(lift), thickness, rng.standard_normal())


def _satellites(scene: Scene, diameter: float, rng: np.random.Generator) -> None:
    """Add small spheres between and on top of the large ones."""
    for _ in range(int(rng.integers(5, 50))):
        centre = rng.random(2) * scene.top.shape
        radius = max(1.2, 0.5 * diameter * log_uniform(rng, 0.05, 0.3))
        _sphere(scene, centre, radius, rng)


# --- polyhedra -----------------------------------------------------------------------------------


def _directions(*families: tuple[int, int, int]) -> Points:
    """Return the unit normals of all faces equivalent by cubic symmetry."""
    found: set[tuple[int, ...]] = set()
    for family in families:
        for signs in np.ndindex(2, 2, 2):
            for order in ((0, 1, 2), (1, 2, 0), (2, 0, 1), (0, 2, 1), (1, 0, 2), (2, 1, 0)):
                found.add(tuple(family[i] * (1 - 2 * s) for i, s in zip(order, signs, strict=True)))
    normals = np.array(sorted(found), float)
    return np.asarray(normals / np.linalg.norm(normals, axis=1, keepdims=True))


_CUBE, _OCTAHEDRON, _DODECAHEDRON = (
    _directions(family) for family in ((1, 0, 0), (1, 1, 1), (1, 1, 0))
)


def polyhedra(shape: Shape, rng: np.random.Generator) -> Scene:
    """Return crystals with flat faces: cubes, octahedra, plates, prisms, bipyramids."""
    scene = Scene.empty(shape)
    diameter = log_uniform(rng, 0.07, 0.9) * min(shape) + 3
    spread = rng.choice([0.0, 0.06, 0.15, 0.35])
    bodies = [_crystal(rng) for _ in range(1 + 2 * int(chance(rng, 0.25)))]
    lying, aligned = chance(rng, 0.6), chance(rng, 0.35)
    turn = rng.uniform(0, np.pi)
    for centre in scatter(shape, diameter, rng, limit=90):
        radius = 0.5 * diameter * np.exp(spread * rng.standard_normal())
        angle = turn + rng.normal(0, 0.06) if aligned else rng.uniform(0, 2 * np.pi)
        normals, distances = bodies[int(rng.integers(len(bodies)))]
        tilt = _small_tilt(rng) if lying else _random_rotation(rng)
        _convex(scene, centre, float(radius), normals @ tilt.T, distances, angle, rng)
    return _warp(scene, rng, 0.012 * diameter)


def _crystal(rng: np.random.Generator) -> tuple[Points, Points]:
    """Return the face normals (F, 3) and their distances (F,) of one convex crystal."""
    pick = rng.random()
    if pick < 0.65:
        normals, distances = _cubic_crystal(rng)
    else:
        normals, distances = _prism_or_bipyramid(rng)
    if chance(rng, 0.25):
        distances = distances * rng.uniform(0.85, 1.15, len(distances))
    if chance(rng, 0.2):
        stretch = np.array([rng.uniform(1.0, 1.5), 1.0, rng.uniform(0.6, 1.1)])
        normals = normals / stretch
        length = np.linalg.norm(normals, axis=1)
        normals, distances = normals / length[:, None], distances / length
    return normals, distances


def _cubic_crystal(rng: np.random.Generator) -> tuple[Points, Points]:
    """Return a cube, octahedron, dodecahedron or a body in between."""
    habit = rng.choice(4, p=[0.5, 0.12, 0.28, 0.1])
    cube, octa, dodeca = [
        (0.82, rng.uniform(1.02, 1.45), rng.uniform(0.98, 1.2)),
        (0.95, rng.uniform(0.8, 1.0), 2.0),
        (rng.uniform(0.8, 1.3), 0.68, rng.uniform(0.8, 1.3)),
        (rng.uniform(0.95, 1.4), 2.0, 0.85),
    ][habit]
    normals = [_CUBE, _OCTAHEDRON, _DODECAHEDRON]
    if habit == 2 and chance(rng, 0.5):
        normals = [_lying_on_111(n) for n in normals]
    distances = np.repeat([cube, octa, dodeca], [len(n) for n in normals])
    keep = distances < 1.9
    return np.vstack(normals)[keep], distances[keep]


def _lying_on_111(normals: Points) -> Points:
    """Return normals turned so that an octahedral face points up."""
    axes = np.array([[1, -1, 0], [1, 1, -2], [1, 1, 1]]) / np.sqrt([[2], [6], [3]])
    return np.asarray(normals @ axes.T)


def _prism_or_bipyramid(rng: np.random.Generator) -> tuple[Points, Points]:
    """Return a plate or prism with 3 to 6 sides, or a bipyramid with 4 to 6."""
    sides = int(rng.choice([3, 4, 5, 6], p=[0.3, 0.15, 0.15, 0.4]))
    angle = 2 * np.pi * np.arange(sides) / sides
    ring = np.stack([np.cos(angle), np.sin(angle), 0 * angle], 1)
    inner = np.cos(np.pi / sides)
    caps = np.array([[0, 0, 1.0], [0, 0, -1.0]])
    if sides > 3 and chance(rng, 0.4):
        slope = rng.uniform(0.3, 1.0)
        lean = np.array([0, 0, slope])
        up = np.vstack([ring + lean, ring - lean]) / np.hypot(1, slope)
        return np.vstack([up, caps]), np.r_[
            np.full(2 * sides, 0.85 / np.hypot(1, slope)), np.full(2, rng.uniform(0.5, 1.2))
        ]
    corners = np.stack([np.cos(angle + angle[1] / 2), np.sin(angle + angle[1] / 2), 0 * angle], 1)
    cut = rng.uniform(0.75, 0.97)
    height = log_uniform(rng, 0.08, 0.8)
    return np.vstack([ring, corners, caps]), np.r_[
        np.full(sides, inner), np.full(sides, cut), np.full(2, height)
    ]


def _small_tilt(rng: np.random.Generator) -> Points:
    """Return a rotation by a few degrees away from lying flat."""
    lean = rng.normal(0, 0.06, 2)
    return np.array([[1, 0, lean[0]], [0, 1, lean[1]], [-lean[0], -lean[1], 1]])


def _random_rotation(rng: np.random.Generator) -> Points:
    """Return a rotation matrix from the uniform distribution."""
    q, r = np.linalg.qr(rng.standard_normal((3, 3)))
    return np.asarray(q * np.sign(np.diag(r)))


def _convex(
    scene: Scene,
    centre: Points,
    radius: float,
    normals: Points,
    distances: Points,
    angle: float,
    rng: np.random.Generator,
) -> None:
    """Add one convex body, given as the half-spaces behind its faces."""
    patch = patch_at(scene.top.shape, centre, 1.5 * radius, angle)
    if patch is None:
        return
    upper = _sheet(patch, normals, distances * radius)
    lower = _sheet(patch, normals * [1, 1, -1], distances * radius)
    thickness = np.maximum(upper + lower, 0)
    base = float(np.max(lower, where=thickness > 0, initial=0)) * (1 + 0.2 * rng.random())
    scene.add(patch.window, upper + np.float32(base), thickness, rng.standard_normal())


def _sheet(patch: Patch, normals: Points, distances: Points) -> Floats:
    """Return the height of the lowest of the planes that face up."""
    up = normals[:, 2] > -0.05
    steep = np.maximum(normals[up, 2], 0.05)
    a, b, c = (
        np.asarray(v / steep, np.float32) for v in (distances[up], -normals[up, 0], -normals[up, 1])
    )
    sheet = a[0] + b[0] * patch.along + c[0] * patch.across
    for plane in range(1, len(a)):
        np.minimum(sheet, a[plane] + b[plane] * patch.along + c[plane] * patch.across, out=sheet)
    return np.asarray(sheet, np.float32)


# --- rods and fibres -----------------------------------------------------------------------------


def rods_fibres(shape: Shape, rng: np.random.Generator) -> Scene:
    """Return rods, needles, tubes or long fibres; dispersed, in bundles, in mats."""
    scene = Scene.empty(shape)
    width = _short_rods(scene, rng) if chance(rng, 0.6) else _long_fibres(scene, rng)
    return _warp(scene, rng, 0.06 * width)


def _short_rods(scene: Scene, rng: np.random.Generator) -> float:
    """Add rods with both ends in sight; return their width in px."""
    shape = scene.top.shape
    aspect = log_uniform(rng, 2.0, 9.0)
    length = log_uniform(rng, 0.12, 1.0) * min(shape) + 6
    section = _section(rng)
    bundled, turn = chance(rng, 0.45), rng.uniform(0, np.pi)
    centres = scatter(shape, length * rng.uniform(0.6, 1.1), rng, limit=80)
    if bundled:
        centres = _side_by_side(shape, length, aspect, turn, rng)
    wander = rng.uniform(0, 0.3)
    for centre in centres:
        angle = turn + wander * rng.standard_normal() if bundled else rng.uniform(0, np.pi)
        half = 0.5 * length * float(np.exp(0.12 * rng.standard_normal()))
        width = max(1.0, half / aspect * float(np.exp(0.1 * rng.standard_normal())))
        _rod(scene, centre, half, width, angle, section, rng)
    return float(length / aspect)


def _side_by_side(
    shape: Shape, length: float, aspect: float, turn: float, rng: np.random.Generator
) -> Points:
    """Return the sites of rods packed along one direction."""
    step = np.array([length * rng.uniform(1.0, 1.25), length / aspect * rng.uniform(1.0, 1.6)])
    reach = np.ceil(0.5 * np.hypot(*shape) / step) + 1
    reach = np.minimum(reach, [8, 14]) if chance(rng, 0.6) else np.minimum(reach, [1, 5])
    along, across = np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij")
    u = (along + 0.5 * rng.random(along.shape)) * step[0]
    v = (across + 0.1 * rng.standard_normal(across.shape)) * step[1]
    sites = np.stack([u * np.sin(turn) + v * np.cos(turn), u * np.cos(turn) - v * np.sin(turn)], -1)
    sites = sites.reshape(-1, 2) + np.array(shape) * (0.5 + rng.normal(0, 0.1, 2))
    near = ((sites > -0.4 * length) & (sites < np.array(shape) + 0.4 * length)).all(axis=1)
    sites = sites[near]
    return np.asarray(sites[rng.random(len(sites)) > rng.uniform(-0.2, 0.5)][:130])


def _section(rng: np.random.Generator) -> tuple[str, bool, float, float]:
    """Return how rods end, whether they have facets, how hollow and how bent they are."""
    ends = str(
        rng.choice(
            ["round", "flat", "pointed", "tapered", "waisted"], p=[0.45, 0.25, 0.12, 0.1, 0.08]
        )
    )
    hollow = rng.uniform(0.3, 0.85) if chance(rng, 0.15) else 0.0
    bend = rng.uniform(-0.25, 0.25) if chance(rng, 0.3) else 0.0
    return ends, chance(rng, 0.3), hollow, bend


def _rod(
    scene: Scene,
    centre: Points,
    half: float,
    width: float,
    angle: float,
    section: tuple[str, bool, float, float],
    rng: np.random.Generator,
) -> None:
    """Add one rod of half length `half` and half width `width`."""
    patch = patch_at(scene.top.shape, centre, half * 1.1 + width, angle)
    if patch is None:
        return
    ends, faceted, hollow, bend = section
    along = np.abs(patch.along)
    across = np.abs(patch.across + np.float32(bend / half) * (along**2 - 0.3 * half**2))
    radius = width * _profile(along, half, width, ends)
    if faceted:
        thickness = 2 * np.minimum(0.87 * radius, 1.73 * (radius - across))
        thickness[radius <= 0] = 0
    else:
        thickness = 2 * np.sqrt(np.maximum(radius**2 - across**2, 0))
    height = 0.5 * thickness + np.float32(width * (1 + 0.8 * rng.random()))
    if hollow:
        inner = 2 * np.sqrt(np.maximum((hollow * radius) ** 2 - across**2, 0))
        thickness = np.where(thickness > 0, np.maximum(thickness - inner, 0.05), 0)
    scene.add(patch.window, height, np.maximum(thickness, 0), rng.standard_normal())


def _profile(along: Floats, half: float, width: float, ends: str) -> Floats:
    """Return the half width along a rod, relative to its middle; 0 beyond the ends."""
    rest = np.maximum(half - along, 0)
    if ends == "round":
        near = np.minimum(rest / width, 1)
        return np.asarray(np.sqrt(near * (2 - near)), np.float32)
    if ends == "pointed":
        return np.asarray(np.minimum(rest / (1.2 * width), 1), np.float32)
    if ends == "tapered":
        return np.asarray(np.minimum(1.3 * rest / half, 1), np.float32)
    swell = 0.75 + 0.35 * (along / half) ** 2 if ends == "waisted" else np.float32(1)
    near = np.minimum(rest / (0.3 * width + 0.3), 1)
    return np.asarray(swell * np.sqrt(near * (2 - near)), np.float32)


def _long_fibres(scene: Scene, rng: np.random.Generator) -> float:
    """Add fibres that cross the frame, straight or curling; return their width in px."""
    shape = scene.top.shape
    reach = float(np.hypot(*shape))
    width = log_uniform(rng, 0.012, 0.35) * min(shape) + 1
    most = np.clip(0.9 * min(shape) / width, 1.5, 45)
    count = max(1, int(log_uniform(rng, 1, most)))
    curl = rng.choice([0.0, 0.15, 0.5, 1.2], p=[0.35, 0.3, 0.2, 0.15])
    aligned, turn = chance(rng, 0.4), rng.uniform(0, np.pi)
    faceted = chance(rng, 0.15)
    hollow = rng.uniform(0.3, 0.8) if chance(rng, 0.12) else 0.0
    for _ in range(count):
        angle = turn + 0.15 * rng.standard_normal() if aligned else rng.uniform(0, np.pi)
        offset = rng.uniform(-0.35, 0.35) * reach if count > 1 else 0.08 * reach * rng.normal()
        radius = max(0.8, 0.5 * width * float(np.exp(0.2 * rng.standard_normal())))
        path = _path(shape, angle, offset, curl, rng)
        _fibre(scene, path, radius, (faceted, hollow), rng)
    return float(width)


def _path(
    shape: Shape, angle: float, offset: float, curl: float, rng: np.random.Generator
) -> Points:
    """Return the points (N, 2) as (x, y) of a line across the frame that wanders by `curl`."""
    reach = 1.3 * float(np.hypot(*shape))
    steps = 24
    turns = np.cumsum(rng.normal(0, 0.35 * curl, steps))
    heading = angle + turns - turns[steps // 2]
    path = np.cumsum(np.stack([np.cos(heading), np.sin(heading)], 1), axis=0) * (reach / steps)
    path += np.array(shape[::-1]) / 2 - path[steps // 2]
    return np.asarray(path + offset * np.array([-np.sin(angle), np.cos(angle)]))


def _fibre(
    scene: Scene,
    path: Points,
    radius: float,
    section: tuple[bool, float],
    rng: np.random.Generator,
) -> None:
    """Add one fibre along a path."""
    faceted, hollow = section
    low = np.floor(path.min(0) - radius - 1).astype(int).clip(0)
    high = np.ceil(path.max(0) + radius + 2).astype(int).clip(0, scene.top.shape[::-1])
    if (high <= low).any():
        return
    off_axis = np.ones((high[1] - low[1], high[0] - low[0]), np.uint8)
    points = np.round((path - low) * 8).astype(np.int32)
    cv2.polylines(off_axis, [points], False, 0, 1, cv2.LINE_8, 3)
    across = cv2.distanceTransform(off_axis, cv2.DIST_L2, 5 if radius > 3 else 3)
    if faceted:
        thickness = 2 * np.clip(1.73 * (radius - across), 0, 0.87 * radius)
    else:
        thickness = 2 * np.sqrt(np.maximum(radius**2 - across**2, 0))
    height = 0.5 * thickness + np.float32(radius * (1 + 3 * rng.random()))
    if hollow:
        inner = 2 * np.sqrt(np.maximum((hollow * radius) ** 2 - across**2, 0))
        thickness = np.where(thickness > 0, np.maximum(thickness - inner, 0.05), 0)
    window = (slice(low[1], high[1]), slice(low[0], high[0]))
    scene.add(window, height, thickness, rng.standard_normal())


# --- dendrites -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Habit:
    """How dendrites branch.

    Parameters
    ----------
    angle : float
        Between a branch and its parent, in radians.
    jitter : float
        Scatter of that angle and of the heading along a branch, in radians.
    ratio : float
        Length of a branch relative to its parent.
    twigs : int
        Branches per parent.
    levels : int
        Generations of branches after the stem.
    knob : float
        Radius of the round tips relative to the line width; 0 for bare tips.
    """

    angle: float
    jitter: float
    ratio: float
    twigs: int
    levels: int
    knob: float


def dendrites(shape: Shape, rng: np.random.Generator) -> Scene:
    """Return branched deposits: ferns, corals and bushes, on an electrode or free."""
    scene = Scene.empty(shape)
    edge = min(shape)
    size = log_uniform(rng, 0.12, 1.3) * edge
    width = log_uniform(rng, 0.012, 0.09) * size + 0.6
    habit = _habit(rng)
    on_electrode = chance(rng, 0.6)
    layers = 1 + int(chance(rng, 0.35))
    turn = int(rng.integers(4)) if chance(rng, 0.5) else 0
    for layer in range(layers):
        drawn = np.zeros(shape, np.uint8)
        count = max(1, min(24, int(log_uniform(rng, 0.6, 4) * edge / size)))
        for _ in range(count):
            root, heading = _root(shape, on_electrode, turn, rng)
            tall = size * log_uniform(rng, 0.35, 1.2)
            _grow(drawn, root, heading, tall, width, habit, rng)
        if on_electrode and layer == 0:
            _sprouts(drawn, turn, edge, width, habit, rng)
        _deposit(scene, drawn, width, layer, rng)
    if on_electrode:
        _electrode(scene, turn, rng)
    return _warp(scene, rng, 0.15 * width)


def _habit(rng: np.random.Generator) -> Habit:
    """Return one manner of branching."""
    fern = chance(rng, 0.35)
    angle = rng.choice([np.pi / 3, np.pi / 4, np.pi / 2]) if fern else rng.uniform(0.4, 1.2)
    return Habit(
        angle=float(angle),
        jitter=rng.uniform(0.02, 0.1) if fern else rng.uniform(0.12, 0.45),
        ratio=rng.uniform(0.25, 0.5) if fern else rng.uniform(0.3, 0.7),
        twigs=int(rng.integers(10, 22)) if fern else int(rng.integers(4, 12)),
        levels=int(rng.integers(1, 3)) if fern else int(rng.integers(2, 4)),
        knob=rng.uniform(0.7, 2.2) if chance(rng, 0.55) else 0.0,
    )


def _root(
    shape: Shape, on_electrode: bool, turn: int, rng: np.random.Generator
) -> tuple[Points, float]:
    """Return where a stem starts as (x, y), and its heading in radians."""
    rows, cols = shape
    if not on_electrode:
        return rng.uniform(0.05, 0.95, 2) * (cols, rows), rng.uniform(0, 2 * np.pi)
    along = rng.random()
    x, y = [(along, 0.95), (0.05, along), (along, 0.05), (0.95, along)][turn]
    heading = -np.pi / 2 + turn * np.pi / 2 + rng.normal(0, 0.2)
    return np.array([x * cols, y * rows]), heading


def _grow(
    drawn: NDArray[np.uint8],
    root: Points,
    heading: float,
    size: float,
    width: float,
    habit: Habit,
    rng: np.random.Generator,
) -> None:
    """Draw one dendrite: a stem, its branches, their branches, all levels at once as arrays."""
    starts, headings, lengths = root[None], np.array([heading]), np.array([size])
    for level in range(habit.levels + 1):
        paths = _branches(starts, headings, lengths, habit, rng)
        thick = max(1, round(width * 0.75**level))
        points = np.round(paths * 8).astype(np.int32)
        cv2.polylines(drawn, list(points), False, 255, thick, cv2.LINE_8, 3)
        if level == habit.levels:
            _knobs(drawn, paths[:, -1], habit.knob * thick, rng)
            break
        starts, headings, lengths = _side_branches(paths, lengths, habit, rng)
        if not len(starts):
            break


def _branches(
    starts: Points, headings: Points, lengths: Points, habit: Habit, rng: np.random.Generator
) -> Points:
    """Return polylines (N, 6, 2) that set out from the starts and wander a little."""
    wander = np.cumsum(rng.normal(0, 0.5 * habit.jitter, (len(starts), 5)), axis=1)
    course = headings[:, None] + wander
    steps = np.stack([np.cos(course), np.sin(course)], -1) * (lengths / 5)[:, None, None]
    return np.concatenate([starts[:, None], starts[:, None] + np.cumsum(steps, axis=1)], axis=1)


def _side_branches(
    paths: Points, lengths: Points, habit: Habit, rng: np.random.Generator
) -> tuple[Points, Points, Points]:
    """Return starts, headings and lengths of the branches that leave these paths."""
    shape = (len(paths), habit.twigs)
    at = np.sort(rng.uniform(0.12, 0.98, shape), axis=1) * 5
    segment = at.astype(int).clip(0, 4)
    row = np.arange(len(paths))[:, None]
    first, second = paths[row, segment], paths[row, segment + 1]
    starts = first + (second - first) * (at - segment)[..., None]
    forward = np.arctan2(*np.moveaxis(second - first, -1, 0)[::-1])
    side = np.where(np.arange(habit.twigs) % 2, 1.0, -1.0)
    headings = forward + side * habit.angle + rng.normal(0, habit.jitter, shape)
    taper = (1.05 - at / 5) ** 0.7
    longer = lengths[:, None] * habit.ratio * taper * rng.uniform(0.4, 1.1, shape)
    keep = (longer > 1.2) & (rng.random(shape) < min(1.0, 500 / longer.size))
    return starts[keep], headings[keep], longer[keep]


def _knobs(drawn: NDArray[np.uint8], tips: Points, radius: float, rng: np.random.Generator) -> None:
    """Draw round or oblong ends on branches; nothing when the radius is 0."""
    for x, y in tips[: 250 if radius else 0]:
        axes = np.round(radius * rng.uniform(0.5, 1.3, 2) * 8).astype(int).tolist()
        at = (round(float(x) * 8), round(float(y) * 8))
        cv2.ellipse(drawn, at, axes, int(rng.integers(180)), 0, 360, 255, -1, cv2.LINE_8, 3)


def _sprouts(
    drawn: NDArray[np.uint8],
    turn: int,
    edge: int,
    width: float,
    habit: Habit,
    rng: np.random.Generator,
) -> None:
    """Draw the many short dendrites along an electrode."""
    small = Habit(habit.angle, habit.jitter, 0.45, 3, 1, habit.knob)
    for _ in range(int(rng.integers(0, 35))):
        root, heading = _root((drawn.shape[0], drawn.shape[1]), True, turn, rng)
        _grow(drawn, root, heading, edge * log_uniform(rng, 0.03, 0.14), width, small, rng)


def _deposit(
    scene: Scene, drawn: NDArray[np.uint8], width: float, layer: int, rng: np.random.Generator
) -> None:
    """Add a drawn dendrite to the scene as a rounded relief."""
    depth = cv2.distanceTransform(drawn, cv2.DIST_L2, 3)
    radius = max(1.0, 0.8 * width)
    rest = 1 - np.minimum(depth / radius, 1)
    thickness = np.where(drawn > 0, 2 * radius * np.sqrt(1.02 - rest * rest), 0).astype(np.float32)
    lift = np.float32(radius * (1 + rng.uniform(0, 3)))
    everywhere = (slice(None), slice(None))
    faint = np.float32(rng.uniform(0.3, 0.9) if layer else 1.0)
    scene.add(
        everywhere, 0.5 * thickness + lift, np.asarray(thickness * faint, np.float32), -2.0 * layer
    )


def _electrode(scene: Scene, turn: int, rng: np.random.Generator) -> None:
    """Lay an electrode along one edge; it is no dendrite, so the truth leaves it out."""
    shape = scene.top.shape
    rows, cols = shape if turn % 2 == 0 else shape[::-1]
    line = rows * (0.95 + rng.uniform(-0.03, 0.02)) + rng.normal(0, 0.01) * rows * np.linspace(
        -1, 1, cols
    )
    line = line + rng.uniform(0, 2.5) * smooth_noise(rng, (2, cols), 5.0)[0]
    body = np.arange(rows)[:, None] >= line[None]
    body = [body, body.T[:, ::-1], body[::-1], body.T][turn]
    depth = rng.uniform(0.5, 6)
    np.copyto(scene.top, np.float32(depth), where=body & (scene.top < depth))
    np.copyto(scene.tone, np.float32(rng.normal(1, 1)), where=body & ~scene.mask)
    scene.mass[body] += np.float32(rng.uniform(0, 2) * (scene.mass.max() + 1))
    scene.mask &= ~body


# --- alloys --------------------------------------------------------------------------------------


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
    u, v = _turned(shape, rng, pitch * (0.05 + 0.6 * spread))
    row, col = np.floor(u / pitch).astype(np.int32), np.floor(v / pitch).astype(np.int32)
    rows, cols = row - row.min(), col - col.min()
    cell = rows * (int(cols.max()) + 1) + cols
    count = int(cell.max()) + 1
    du = u / pitch - row - 0.5 + (spread * rng.uniform(-0.25, 0.25, count)).astype(np.float32)[cell]
    dv = v / pitch - col - 0.5 + (spread * rng.uniform(-0.25, 0.25, count)).astype(np.float32)[cell]
    turn = (spread * rng.normal(0, 0.9, count)).astype(np.float32)
    cos, sin = np.cos(turn)[cell], np.sin(turn)[cell]
    size = rng.uniform(0.3, 0.47) * np.exp(0.5 * spread * rng.standard_normal(count))
    stretch = np.exp(spread * rng.uniform(0, 0.6, count))
    wide, high = ((size * s).astype(np.float32)[cell] for s in (stretch, 1 / stretch))
    p, q = np.abs(du * cos + dv * sin) / wide, np.abs(dv * cos - du * sin) / high
    return p**square + q**square < 1


def _cuboids(shape: Shape, rng: np.random.Generator) -> Any:
    """Return aligned rounded squares between narrow channels, as in nickel superalloys."""
    pitch = log_uniform(rng, 0.05, 0.4) * min(shape) + 3
    phase = _blobs(shape, pitch, rng, rng.uniform(0.0, 0.45), rng.uniform(3, 8))
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
    pitch = log_uniform(rng, 0.1, 0.6) * min(shape) + 4
    _, numbers = cells(rng, shape, pitch)
    distance = _boundary_distance(numbers)
    width = pitch * rng.uniform(0.02, 0.1) + 0.7
    uneven = 1 + rng.uniform(0.2, 1.2) * smooth_noise(rng, shape, max(3.0, 0.25 * pitch))
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
    pitch = log_uniform(rng, 0.035, 0.2) * edge + 3
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
    pitch = log_uniform(rng, 0.06, 0.4) * min(shape) + 3
    _, numbers = cells(rng, shape, pitch)
    second = rng.random(int(numbers.max()) + 1) < rng.uniform(0.15, 0.6)
    return second[numbers]


def _etch(phase: Any, rng: np.random.Generator) -> Scene:
    """Return a polished and etched section: one phase stands proud or lies low."""
    shape = (phase.shape[0], phase.shape[1])
    bevel = log_uniform(rng, 0.8, 5)
    depth = np.minimum(cv2.distanceTransform(phase.astype(np.uint8), cv2.DIST_L2, 3), bevel)
    relief = log_uniform(rng, 0.15, 3) * (1.0 if chance(rng, 0.6) else -1.0)
    top = relief * depth
    tone = rng.standard_normal() * np.ones(shape, np.float32)
    if chance(rng, 0.4):
        _, grains = cells(rng, shape, log_uniform(rng, 0.15, 0.6) * min(shape) + 4)
        tone = rng.standard_normal(int(grains.max()) + 1, dtype=np.float32)[grains]
        top = top + rng.uniform(0, 1.2) * tone
    if chance(rng, 0.35):
        strokes = rng.standard_normal((shape[0], 1 + shape[1] // 24), dtype=np.float32)
        matrix = cv2.resize(strokes, shape[::-1], interpolation=cv2.INTER_LINEAR)
        top = top + rng.uniform(0.1, 0.8) * matrix * ~phase
    mass = np.float32(bevel) * (0.6 * phase + 0.5) + 0.2 * depth
    return _warp(Scene(_f32(top), _f32(mass), _f32(tone), phase), rng, 1.5)


# --- all -----------------------------------------------------------------------------------------


def _warp(scene: Scene, rng: np.random.Generator, amount_px: float) -> Scene:
    """Return the scene under a smooth random distortion, so that outlines are not ideal."""
    if chance(rng, 0.45):
        return scene
    shape = scene.top.shape
    rows, cols = shape
    amount = min(amount_px, 0.03 * min(shape)) * rng.uniform(0.2, 1.0)
    scale = rng.uniform(0.04, 0.25) * min(shape) + 3
    x = np.arange(cols, dtype=np.float32) + np.float32(amount) * smooth_noise(
        rng, (rows, cols), scale
    )
    y = np.arange(rows, dtype=np.float32)[:, None] + np.float32(amount) * smooth_noise(
        rng, (rows, cols), scale
    )

    def moved(image: Any) -> Any:
        return cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)

    mask = moved(scene.mask.astype(np.uint8) * np.uint8(255)) > 127
    return Scene(moved(scene.top), moved(scene.mass), moved(scene.tone), mask)

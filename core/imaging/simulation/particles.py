"""Simulated spheroids, polyhedra, rods and fibres.

Every object is a surface height and a projected thickness over a patch of the frame. Lengths are
in pixels; sizes are drawn relative to the shorter edge, from many small objects to a close-up.
"""

from __future__ import annotations

import cv2
import numpy as np

from core.imaging.simulation.layout import Patch, Points, Shape, patch_at, scatter
from core.imaging.simulation.scene import Floats, Scene, chance, distort, f32, log_uniform


def spheroids(shape: Shape, rng: np.random.Generator) -> Scene:
    """Return spheres: alike or of many sizes, solid, hollow or core and shell, with satellites."""
    scene = Scene.empty(shape)
    diameter = log_uniform(rng, 0.04, 0.9) * min(shape) + 2
    spread = rng.choice([0.0, 0.08, 0.2, 0.5], p=[0.2, 0.35, 0.25, 0.2])
    core = rng.uniform(0.3, 0.92) if chance(rng, 0.25) else 0.0
    core_mass = rng.uniform(-1.0, 3.0)
    flatten = rng.uniform(0, 0.12) if chance(rng, 0.5) else 0.0
    pile = log_uniform(rng, 0.4, 8)
    for centre in scatter(shape, diameter * (1 + spread), rng):
        radius = 0.5 * diameter * np.exp(spread * rng.standard_normal())
        radius = float(np.clip(radius, 1.2, 0.7 * max(shape)))
        _sphere(scene, centre, radius, rng, core, core_mass, flatten, pile)
    if chance(rng, 0.2):
        _satellites(scene, diameter, rng)
    return distort(scene, rng, 0.013 * diameter)


def _sphere(
    scene: Scene,
    centre: Points,
    radius: float,
    rng: np.random.Generator,
    core: float = 0.0,
    core_mass: float = 0.0,
    flatten: float = 0.0,
    pile: float = 0.3,
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
    lift = radius * (1 + pile * rng.random())
    scene.add(patch.window, half + np.float32(lift), thickness, rng.standard_normal())


def _satellites(scene: Scene, diameter: float, rng: np.random.Generator) -> None:
    """Add small spheres between and on top of the large ones."""
    for _ in range(int(rng.integers(5, 50))):
        centre = rng.random(2) * scene.top.shape
        radius = max(1.2, 0.5 * diameter * log_uniform(rng, 0.05, 0.3))
        _sphere(scene, centre, radius, rng)


def _decorate(scene: Scene, size: float, rng: np.random.Generator) -> None:
    """Cover parts of the objects with grains much smaller than they are."""
    sites = np.flatnonzero(scene.mask)
    if not len(sites):
        return
    radius = max(1.0, size * log_uniform(rng, 0.025, 0.09))
    room = len(sites) / (4 * radius**2)
    count = int(np.clip(room * log_uniform(rng, 0.05, 1.5), 1, 120))
    for site in rng.choice(sites, count):
        row, col = divmod(int(site), scene.mask.shape[1])
        patch = patch_at(scene.top.shape, np.array([row, col]), radius, 0.0)
        if patch is not None:
            half = np.sqrt(np.maximum(radius**2 - patch.along**2 - patch.across**2, 0))
            scene.add(patch.window, half + scene.top[row, col], 2 * half, rng.standard_normal())


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
    diameter = log_uniform(rng, 0.08, 0.9) * min(shape) + 4
    spread = rng.choice([0.0, 0.06, 0.15, 0.35])
    bodies = [_crystal(rng) for _ in range(1 + 2 * int(chance(rng, 0.25)))]
    lying, aligned = chance(rng, 0.6), chance(rng, 0.35)
    turn = rng.uniform(0, np.pi)
    for centre in scatter(shape, diameter, rng, limit=90, turn=turn):
        radius = 0.5 * diameter * np.exp(spread * rng.standard_normal())
        angle = turn + rng.normal(0, 0.06) if aligned else rng.uniform(0, 2 * np.pi)
        normals, distances = bodies[int(rng.integers(len(bodies)))]
        tilt = _small_tilt(rng) if lying else _random_rotation(rng)
        _convex(scene, centre, float(radius), normals @ tilt.T, distances, angle, rng)
    if chance(rng, 0.1):
        _decorate(scene, diameter, rng)
    return distort(scene, rng, 0.012 * diameter)


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
    habit = rng.choice(4, p=[0.54, 0.12, 0.29, 0.05])
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
    patch = patch_at(scene.top.shape, centre, 1.5 * radius, 0.0)
    if patch is None:
        return
    cos, sin = np.cos(angle), np.sin(angle)
    normals = normals @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
    upper = _sheet(patch, normals, distances * radius)
    thickness = upper + _sheet(patch, normals * [1, 1, -1], distances * radius)
    np.maximum(thickness, 0, out=thickness)
    base = np.float32(radius * (0.8 + rng.random()))
    scene.add(patch.window, upper + base, thickness, rng.standard_normal())


def _sheet(patch: Patch, normals: Points, distances: Points) -> Floats:
    """Return the height of the lowest of the planes that face up, in an unturned patch."""
    up = normals[:, 2] > -0.05
    steep = np.maximum(normals[up, 2], 0.05)
    level, down, right = (
        f32(v / steep)[:, None] for v in (distances[up], -normals[up, 1], -normals[up, 0])
    )
    rows, cols = level + down * patch.across[:, 0], right * patch.along[0]
    sheet = np.add.outer(rows[0], cols[0])
    plane = np.empty_like(sheet)
    for row, col in zip(rows[1:], cols[1:], strict=True):
        np.minimum(sheet, np.add.outer(row, col, out=plane), out=sheet)
    return np.asarray(sheet, np.float32)


def rods_fibres(shape: Shape, rng: np.random.Generator) -> Scene:
    """Return rods, needles, tubes or long fibres; dispersed, in bundles, in mats."""
    scene = Scene.empty(shape)
    width = _short_rods(scene, rng) if chance(rng, 0.6) else _long_fibres(scene, rng)
    if chance(rng, 0.15):
        _decorate(scene, width, rng)
    return distort(scene, rng, 0.06 * width)


def _short_rods(scene: Scene, rng: np.random.Generator) -> float:
    """Add rods with both ends in sight; return their width in px."""
    shape = scene.top.shape
    aspect = log_uniform(rng, 2.0, 9.0)
    length = log_uniform(rng, 0.08, 1.0) * min(shape) + 6
    section = _section(rng, slim=aspect > 4)
    bundled, turn = chance(rng, 0.45), rng.uniform(0, np.pi)
    centres = scatter(shape, length * rng.uniform(0.6, 1.1), rng, limit=100)
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


def _section(rng: np.random.Generator, slim: bool) -> tuple[str, bool, float, float]:
    """Return how rods end, whether they have facets, how hollow and how bent they are."""
    ends = str(
        rng.choice(
            ["round", "flat", "pointed", "tapered", "waisted"], p=[0.45, 0.25, 0.12, 0.1, 0.08]
        )
    )
    if not slim and ends in ("pointed", "tapered"):
        ends = "round"
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
    np.minimum(across, np.float32(radius + 1), out=across)
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

"""The specimens of the samples that people look at, built to look like well known ones.

A gas-atomised powder, nanoparticles on a carbon film, silver dendrites on an electrode, a
spheroidised steel, nanocubes and short rods: sizes are log-normal, objects touch and lie on one
another, surfaces have a skin. Training pictures come from the broader builders beside this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from core.imaging.simulation.layout import Points, Shape, patch_at
from core.imaging.simulation.scene import Floats, Scene, blur, cells, f32, smooth_noise


@dataclass(slots=True)
class Pile(Scene):
    """A scene that counts what was put down on it, as it goes: hundreds of objects are quick."""

    count: int = 0

    def _next_number(self) -> int:
        """Return the number of the object that is put down now, without looking for the last."""
        self.count += 1
        return self.count


@dataclass(frozen=True, slots=True)
class Skin:
    """Surface relief from which every object gets a piece of its own.

    Parameters
    ----------
    relief : ndarray of shape (H, W), float32
        In px, about 0; larger than any object.
    """

    relief: Floats

    def piece(self, hw: tuple[int, int], rng: np.random.Generator) -> Floats:
        """Return a random piece of this shape."""
        top, left = (
            int(rng.integers(max(1, have - want + 1)))
            for have, want in zip(self.relief.shape, hw, strict=True)
        )
        found = self.relief[top : top + hw[0], left : left + hw[1]]
        return found if found.shape == hw else f32(cv2.resize(self.relief, hw[::-1]))


def powder(shape: Shape, rng: np.random.Generator) -> Scene:
    """Return a gas-atomised metal powder: log-normal spheres with satellites, some oblong."""
    scene, edge = Pile.empty(shape), min(shape)
    distance, _ = cells(rng, shape, 6.5)
    skin = Skin(f32(1.1 * blur(distance, 0.7) + 1.2 * smooth_noise(rng, shape, 4)))
    radii = np.sort(0.0215 * edge * np.exp(0.62 * rng.standard_normal(210)))[::-1]
    radii = radii[(radii > 0.006 * edge) & (radii < 0.095 * edge)]
    placed = _apart(shape, radii, rng, gap=0.9, covered=0.62)
    for centre, radius in placed:
        stretch = 1 + (0.45 * rng.random() if rng.random() < 0.14 else 0.05 * rng.random())
        _ball(scene, centre, radius, stretch, radius, skin, rng)
        if radius > 0.028 * edge and rng.random() < 0.45:
            _satellites(scene, centre, radius, skin, rng)
    return scene


def _apart(
    shape: Shape, radii: Points, rng: np.random.Generator, gap: float, covered: float
) -> list[tuple[Points, float]]:
    """Return centres for discs, the largest first, until a share of the frame is covered."""
    extent, area, filled = np.array(shape), float(shape[0] * shape[1]), 0.0
    rows, cols, sizes = np.zeros((3, len(radii)), np.float32)
    count = 0
    for radius in radii:
        if filled >= covered * area:
            break
        down, across = (rng.uniform(-0.04, 1.04, (10, 2)) * extent).T.astype(np.float32)
        away = np.subtract.outer(down, rows[:count]) ** 2
        away += np.subtract.outer(across, cols[:count]) ** 2
        free = (away > (np.float32(gap) * (np.float32(radius) + sizes[:count])) ** 2).all(axis=1)
        if free.any():
            place = int(np.argmax(free))
            rows[count], cols[count], sizes[count] = down[place], across[place], radius
            filled += np.pi * radius**2
            count += 1
    return [(np.array([rows[n], cols[n]], float), float(sizes[n])) for n in range(count)]


def _ball(
    scene: Scene,
    centre: Points,
    radius: float,
    stretch: float,
    lift: float,
    skin: Skin,
    rng: np.random.Generator,
) -> None:
    """Put down one ellipsoid with its centre at height `lift`."""
    root = float(np.sqrt(stretch))
    patch = patch_at(scene.mask.shape, centre, radius * stretch + 2, rng.uniform(0, np.pi))
    if patch is None:
        return
    square = (patch.along / root) ** 2 + (patch.across * root) ** 2
    half = np.sqrt(np.maximum(radius**2 - square, 0)).astype(np.float32)
    relief = skin.piece((half.shape[0], half.shape[1]), rng)
    top = half + np.float32(lift) + relief * np.minimum(half / 12, 1)
    scene.add(patch.window, f32(top), 2 * half, float(rng.standard_normal()))


def _satellites(
    scene: Scene, centre: Points, radius: float, skin: Skin, rng: np.random.Generator
) -> None:
    """Weld a few small balls to a large one."""
    for _ in range(int(rng.integers(1, 5))):
        angle, out = rng.uniform(0, 2 * np.pi), radius * rng.uniform(0.5, 0.98)
        at = centre + out * np.array([np.sin(angle), np.cos(angle)])
        small = radius * rng.uniform(0.1, 0.26)
        _ball(scene, at, small, 1.0, radius + float(np.sqrt(radius**2 - out**2)), skin, rng)


def nanoparticles(shape: Shape, rng: np.random.Generator) -> Scene:
    """Return nanoparticles on a thin film, single and in touching groups, for transmission."""
    scene, edge = Pile.empty(shape), min(shape)
    skin = Skin(0.1 * smooth_noise(rng, shape, 4))
    hosts: list[tuple[Points, float]] = []
    for _ in range(int(rng.integers(70, 95))):
        radius = float(0.021 * edge * np.exp(0.13 * rng.standard_normal()))
        at = rng.uniform(0.02, 0.98, 2) * np.array(shape)
        if hosts and rng.random() < 0.55:
            host, other = hosts[int(rng.integers(len(hosts)))]
            angle = rng.uniform(0, 2 * np.pi)
            step = (other + radius) * rng.uniform(1.02, 1.12)
            at = host + step * np.array([np.sin(angle), np.cos(angle)])
        if all(np.hypot(*(at - host)) > 0.97 * (radius + other) for host, other in hosts):
            hosts.append((at, radius))
            _ball(scene, at, radius, 1 + 0.14 * rng.random(), radius, skin, rng)
    scene.mass *= 1 + 0.5 * scene.tone * scene.mask * 0.35
    return _warped(scene, rng, 0.0013 * edge, 0.025 * edge)


def ferns(shape: Shape, rng: np.random.Generator) -> Scene:
    """Return metal dendrites that grow from an electrode: stems, side branches, rounded leaves."""
    scene = Pile.empty(shape)
    rows, cols = shape
    line = rows * rng.uniform(0.85, 0.88)
    leaves: list[tuple[float, float, float, float]] = []
    count = int(rng.integers(1, 4))
    for x in (np.arange(count) + 0.5) / count * cols + rng.normal(0, 0.04 * cols, count):
        length = rows * rng.uniform(0.5, 0.74)
        _fern(leaves, np.array([line, x]), -np.pi / 2 + rng.normal(0, 0.1), length, 0.0095, 3, rng)
    for x in rng.uniform(0, cols, 60):
        length = rows * float(np.exp(rng.normal(-3.4, 0.55)))
        _fern(leaves, np.array([line, x]), -np.pi / 2 + rng.normal(0, 0.2), length, 0.008, 1, rng)
    skin = Skin(0.25 * smooth_noise(rng, shape, 2.5))
    for row, col, radius, angle in leaves:
        _leaf(scene, np.array([row, col]), radius, angle, skin, rng)
    _crust(scene, line, rng)
    return scene


def _fern(
    leaves: list[tuple[float, float, float, float]],
    root: Points,
    heading: float,
    length: float,
    leaf: float,
    levels: int,
    rng: np.random.Generator,
) -> None:
    """Add the leaves (row, column, radius, angle) of a stem and, below it, of its branches.

    Headings are of (column, row): minus a quarter turn is up.
    """
    radius = length * leaf * (0.9 if levels > 2 else 1.0)
    radius = float(np.clip(radius, 2.2, 5.5))
    step, at, side = 1.45 * radius, root.astype(float), 1.0
    for place in np.arange(0, length, step):
        heading += rng.normal(0, 0.045)
        at = at + step * np.array([np.sin(heading), np.cos(heading)])
        swell = radius * float(np.exp(0.3 * rng.standard_normal()))
        leaves.append((at[0], at[1], swell * (1.15 - 0.5 * place / length), heading))
        if levels and place > 0.1 * length and rng.random() < (0.27 if levels > 2 else 0.36):
            side = -side
            rest = 1 - place / length
            longer = length * rng.uniform(0.1, 0.3) * (0.25 + rest**0.7)
            if longer > 4:
                turn = heading + side * rng.normal(0.85, 0.14)
                _fern(leaves, at, turn, longer, leaf * 2.2, levels - 2, rng)
    leaves.append((at[0], at[1], radius * rng.uniform(1.0, 1.8), heading))


def _leaf(
    scene: Scene, at: Points, radius: float, angle: float, skin: Skin, rng: np.random.Generator
) -> None:
    """Put down one rounded leaf, longer than wide."""
    stretch = float(rng.uniform(1.05, 1.7))
    patch = patch_at(scene.mask.shape, at, radius * stretch + 2, angle + rng.normal(0, 0.3))
    if patch is None:
        return
    square = (patch.along / stretch) ** 2 + patch.across**2
    half = np.sqrt(np.maximum(radius**2 - square, 0)).astype(np.float32)
    top = half * 0.8 + np.float32(radius * rng.uniform(1, 3))
    top = top + skin.piece((half.shape[0], half.shape[1]), rng) * (half > 0)
    scene.add(patch.window, f32(top), 2 * half, float(rng.standard_normal()))


def _crust(scene: Scene, line: float, rng: np.random.Generator) -> None:
    """Lay the electrode along the lower edge; it is no dendrite, so the truth leaves it out."""
    shape = (scene.mask.shape[0], scene.mask.shape[1])
    wander = (
        smooth_noise(rng, (2, shape[1]), 6.0)[0] + 1.5 * smooth_noise(rng, (2, shape[1]), 40)[0]
    )
    down = np.arange(shape[0], dtype=np.float32)[:, None] - (line + 1.5 * wander)[None]
    grains = 2.2 * np.abs(smooth_noise(rng, shape, 5.0))
    rim = np.exp(-np.maximum(down, 0) / 5) * (down >= 0)
    body = down >= 0
    top = f32((4 + grains) * rim + 2.0 * body)
    np.copyto(scene.top, top, where=body & (scene.top < top))
    scene.mask &= ~body
    scene.instances[body] = 0
    np.copyto(scene.tone, f32(3.2 + 4 * rim), where=body)


def steel(shape: Shape, rng: np.random.Generator, coarse: bool) -> Scene:
    """Return a polished, etched steel: spheroidised carbides that stand proud of a lath matrix.

    Parameters
    ----------
    coarse : bool
        After a long anneal: fewer and larger carbides.
    """
    scene, edge = Pile.empty(shape), min(shape)
    _, grains = cells(rng, shape, 0.13 * edge)
    turns = rng.uniform(0, np.pi, int(grains.max()) + 1)
    scene.top += _laths(shape, grains, turns, rng)
    large = 0.027 * edge * np.exp(0.28 * rng.standard_normal(34 if coarse else 20))
    fine_px = 0.0082 if coarse else 0.0056
    fine = fine_px * edge * np.exp(0.42 * rng.standard_normal(620 if coarse else 1500))
    fine = fine[fine > 0.0032 * edge]
    radii = np.sort(np.concatenate([large, fine]))[::-1]
    for centre, radius in _apart(shape, radii, rng, gap=1.2, covered=0.2):
        row, col = (int(np.clip(x, 0, e - 1)) for x, e in zip(centre, shape, strict=True))
        _carbide(scene, centre, radius, float(turns[grains[row, col]]), rng)
    return _warped(scene, rng, 0.0017 * edge, 0.03 * edge)


def _laths(shape: Shape, grains: Any, turns: Points, rng: np.random.Generator) -> Floats:
    """Return an etched matrix: fine ridges in one direction in each grain."""
    ways = 7
    relief = np.zeros((ways, *shape), np.float32)
    for way in range(ways):
        size = 27
        kernel = np.zeros((size, size), np.float32)
        along = np.array([np.cos(np.pi * way / ways), np.sin(np.pi * way / ways)]) * size / 2
        ends = [tuple(round(float(v)) for v in size // 2 + s * along) for s in (-1, 1)]
        cv2.line(kernel, ends[0], ends[1], 1.0, 1)
        noise = rng.standard_normal(shape, dtype=np.float32)
        relief[way] = cv2.filter2D(noise, -1, kernel / np.sqrt(kernel.sum()))
    number = (np.floor(turns / np.pi * ways).astype(int) % ways)[grains]
    chosen = np.take_along_axis(relief, number[None], axis=0)[0]
    depth = 0.9 * blur(chosen, 0.9) + 0.5 * smooth_noise(rng, shape, 6)
    return f32(depth)


def _carbide(
    scene: Scene, centre: Points, radius: float, turn: float, rng: np.random.Generator
) -> None:
    """Put down one carbide: a flat top with bevelled edges, oblong along the laths when fine."""
    small = radius < 0.015 * min(scene.mask.shape)
    stretch = float(np.exp(abs(rng.normal(0.25 if small else 0.2, 0.25))))
    angle = turn + rng.normal(0, 0.25) if small else rng.uniform(0, np.pi)
    patch = patch_at(scene.mask.shape, centre, radius * stretch + 3, angle)
    if patch is None:
        return
    p, q = np.abs(patch.along) / (radius * stretch), np.abs(patch.across) * stretch / radius
    power = 2.0 if small else float(rng.uniform(2.2, 3.6))
    depth = radius / stretch * (1 - (p**power + q**power) ** (1 / power))
    inside = depth > 0
    proud = min(3.2, 0.5 * radius)
    top = np.where(inside, 1.5 + proud * np.sqrt(np.clip(depth / (0.3 * radius + 1), 0, 1)), 0)
    thick = f32(np.where(inside, 2 + depth, 0))
    scene.add(patch.window, f32(top), thick, float(rng.standard_normal()))


def cubes(shape: Shape, rng: np.random.Generator) -> Scene:
    """Return nanocubes with slightly cut corners, alone, in touching groups and on one another."""
    scene, edge = Pile.empty(shape), min(shape)
    side = 0.062 * edge
    centres: list[tuple[Points, float]] = []
    for _ in range(int(rng.integers(48, 66))):
        at, angle = rng.uniform(0.0, 1.0, 2) * np.array(shape), rng.uniform(0, np.pi)
        if centres and rng.random() < 0.68:
            host, angle = centres[int(rng.integers(len(centres)))]
            way = angle + np.pi / 2 * int(rng.integers(4))
            slide = rng.uniform(-0.35, 0.35) * side
            step = side * rng.uniform(1.0, 1.07)
            across = np.array([np.sin(way), np.cos(way)])
            at = host + step * across + slide * across[::-1] * np.array([1, -1])
            angle = angle + rng.normal(0, 0.07)
        near = sum(np.hypot(*(at - host)) < 0.93 * side for host, _ in centres)
        if near and rng.random() < 0.92:
            continue
        centres.append((at, float(angle)))
        half = 0.5 * side * float(np.exp(0.07 * rng.standard_normal()))
        _cube(scene, at, half, float(angle), 0.9 * side if near else 0.0, rng)
    return scene


def _cube(
    scene: Scene, at: Points, half: float, angle: float, lift: float, rng: np.random.Generator
) -> None:
    """Put down one cube with rounded edges that lies nearly flat."""
    stretch = float(rng.uniform(0.94, 1.1))
    patch = patch_at(scene.mask.shape, at, 1.6 * half, angle)
    if patch is None:
        return
    power = float(rng.uniform(6, 10))
    u, v = np.abs(patch.along) / (half * stretch), np.abs(patch.across) / half
    depth = half * (1 - (u**power + v**power) ** (1 / power))
    bevel = 0.16 * half
    lean = rng.normal(0, 0.05, 2)
    top = 2 * half + lift + lean[0] * patch.along + lean[1] * patch.across
    top = top - np.maximum(bevel - depth, 0) ** 2 / (2 * bevel)
    inside = depth > 0
    scene.add(
        patch.window,
        f32(np.where(inside, top, 0)),
        f32(np.where(inside, 2 * half, 0)),
        float(rng.standard_normal()),
    )


def rods(shape: Shape, rng: np.random.Generator) -> Scene:
    """Return short rods with round ends and a rough skin, gathered in touching rafts."""
    scene, edge = Pile.empty(shape), min(shape)
    half, width = 0.072 * edge, 0.026 * edge
    skin = Skin(f32(1.3 * smooth_noise(rng, shape, 4) + 0.7 * smooth_noise(rng, shape, 2)))
    placed: list[tuple[Points, float]] = []
    for _ in range(900):
        at, angle = rng.uniform(0.05, 0.95, 2) * np.array(shape), rng.uniform(0, np.pi)
        if placed and rng.random() < 0.9:
            host, lies = placed[int(rng.integers(len(placed)))]
            angle = lies + rng.normal(0, 0.22)
            beside = rng.random() < 0.6
            step = 2.12 * width if beside else 2.1 * half
            way = lies + (np.pi / 2 if beside else 0.0) + np.pi * int(rng.integers(2))
            way += rng.normal(0, 0.12)
            at = host + step * np.array([np.sin(way), np.cos(way)])
        if _is_free(at, angle, placed, half, width):
            placed.append((at, float(angle)))
            long = half * float(np.exp(0.14 * rng.standard_normal()))
            _short_rod(scene, at, long, width * rng.uniform(0.92, 1.08), angle, skin, rng)
        if len(placed) >= 68:
            break
    return _warped(scene, rng, 0.0014 * edge, 0.04 * edge)


def _is_free(
    at: Points, angle: float, placed: list[tuple[Points, float]], half: float, width: float
) -> bool:
    """Tell whether a rod laid here hits none of the others; each counts as a row of discs."""
    steps = np.linspace(-1, 1, 5) * (half - width)
    own = at + steps[:, None] * np.array([np.sin(angle), np.cos(angle)])
    for host, lies in placed:
        if np.hypot(*(host - at)) < 2 * half + width:
            other = host + steps[:, None] * np.array([np.sin(lies), np.cos(lies)])
            away = np.hypot(*(own[:, None] - other[None]).transpose(2, 0, 1))
            if away.min() < 1.93 * width:
                return False
    return True


def _short_rod(
    scene: Scene,
    at: Points,
    half: float,
    width: float,
    angle: float,
    skin: Skin,
    rng: np.random.Generator,
) -> None:
    patch = patch_at(scene.mask.shape, at, half + width + 2, angle)
    if patch is None:
        return
    bend = np.float32(rng.normal(0, 0.05) / half)
    beyond = np.maximum(np.abs(patch.along) - (half - width), 0)
    off = np.hypot(beyond, patch.across + bend * patch.along**2)
    body = np.sqrt(np.maximum(width**2 - off**2, 0)).astype(np.float32)
    relief = skin.piece((body.shape[0], body.shape[1]), rng)
    top = body + np.float32(width) + relief * np.minimum(body / 4, 1)
    scene.add(patch.window, f32(top), 2 * body, float(rng.standard_normal()))


def _warped(scene: Scene, rng: np.random.Generator, by_px: float, scale_px: float) -> Scene:
    """Return the scene with outlines that wander a little."""
    rows, cols = scene.mask.shape
    x = np.arange(cols, dtype=np.float32) + np.float32(by_px) * smooth_noise(
        rng, (rows, cols), scale_px
    )
    y = np.arange(rows, dtype=np.float32)[:, None] + np.float32(by_px) * smooth_noise(
        rng, (rows, cols), scale_px
    )

    def moved(image: Floats, how: int = cv2.INTER_LINEAR) -> Floats:
        return f32(cv2.remap(image, x, y, how, borderMode=cv2.BORDER_REFLECT))

    numbers = moved(scene.instances.astype(np.float32), cv2.INTER_NEAREST).astype(np.int32)
    return Scene(moved(scene.top), moved(scene.mass), moved(scene.tone), numbers > 0, numbers)

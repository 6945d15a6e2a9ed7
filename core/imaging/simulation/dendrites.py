"""Simulated dendrites: branched deposits that grow from an electrode or lie free."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.simulation.layout import Points, Shape
from core.imaging.simulation.scene import Scene, chance, distort, log_uniform, smooth_noise


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
    size = log_uniform(rng, 0.28, 1.7) * edge
    habit = _habit(rng)
    width = log_uniform(rng, 0.006, 0.1 * habit.ratio) * size + 0.5
    turn = (int(rng.integers(4)) if chance(rng, 0.4) else 0) if chance(rng, 0.6) else None
    line = float(rng.choice([0.0, 0.04, 0.12, 0.3])) + rng.uniform(-0.03, 0.08)
    for layer in range(1 + int(chance(rng, 0.35))):
        drawn = np.zeros(shape, np.uint8)
        count = max(1, min(18, int(log_uniform(rng, 1, 8) * edge / size)))
        roots, headings = _fans(*_roots(shape, turn, line, count, rng), turn is None, rng)
        lengths = size * np.exp(rng.normal(-0.3, 0.35, len(roots)))
        _grow(drawn, roots, headings, lengths, width, habit, rng)
        if turn is not None and layer == 0:
            _sprouts(drawn, turn, line, width, habit, rng)
        _deposit(scene, drawn, width, layer, rng)
    if turn is not None:
        _electrode(scene, turn, line, rng)
    return distort(scene, rng, 0.2 * width)


def _habit(rng: np.random.Generator) -> Habit:
    """Return one manner of branching."""
    fern = chance(rng, 0.35)
    angle = rng.choice([np.pi / 3, np.pi / 4, np.pi / 2]) if fern else rng.uniform(0.35, 1.1)
    return Habit(
        angle=float(angle),
        jitter=rng.uniform(0.02, 0.1) if fern else rng.uniform(0.1, 0.4),
        ratio=rng.uniform(0.25, 0.5) if fern else rng.uniform(0.3, 0.6),
        twigs=int(rng.integers(12, 30)) if fern else int(rng.integers(6, 16)),
        levels=int(rng.integers(1, 3)) if fern else int(rng.integers(2, 4)),
        knob=rng.uniform(0.6, 2.0) if chance(rng, 0.5) else 0.0,
    )


def _roots(
    shape: Shape, turn: int | None, line: float, count: int, rng: np.random.Generator
) -> tuple[Points, Points]:
    """Return where stems start as (x, y) of shape (N, 2), and their headings in radians (N,).

    `turn` is the edge of the frame with the electrode (0 is the lower one, None is no electrode)
    and `line` its distance from that edge, relative to the frame.
    """
    extent = np.array(shape[::-1])
    if turn is None:
        common = rng.uniform(0, 2 * np.pi) + rng.choice([0.2, 3.0]) * rng.standard_normal(count)
        return rng.uniform(0.08, 0.92, (count, 2)) * extent, common
    along = rng.random(count)
    deep = np.full(count, line)
    places = [(along, 1 - deep), (deep, along), (along, deep), (1 - deep, along)][turn]
    headings = (turn - 1) * np.pi / 2 + rng.normal(0, 0.18, count)
    return np.stack(places, 1) * extent, headings


def _fans(
    roots: Points, headings: Points, free: bool, rng: np.random.Generator
) -> tuple[Points, Points]:
    """Return the stems with some roots sending out several: stars when free, fans otherwise."""
    if not chance(rng, 0.35):
        return roots, headings
    arms = int(rng.integers(2, 8))
    few = max(1, len(roots) // arms)
    reach = 2 * np.pi * (1 - 1 / arms) if free else rng.uniform(0.6, 1.8)
    spread = np.linspace(-0.5, 0.5, arms) * reach
    spread = spread + rng.normal(0, rng.choice([0.03, 0.2]), (few, arms))
    return np.repeat(roots[:few], arms, axis=0), (headings[:few, None] + spread).ravel()


def _grow(
    drawn: NDArray[np.uint8],
    starts: Points,
    headings: Points,
    lengths: Points,
    width: float,
    habit: Habit,
    rng: np.random.Generator,
) -> None:
    """Draw dendrites: stems, their branches, the branches of those, a generation at a time."""
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
    for x, y in tips[: 220 if radius else 0]:
        axes = np.round(radius * rng.uniform(0.5, 1.3, 2) * 8).astype(int).tolist()
        at = (round(float(x) * 8), round(float(y) * 8))
        cv2.ellipse(drawn, at, axes, int(rng.integers(180)), 0, 360, 255, -1, cv2.LINE_8, 3)


def _sprouts(
    drawn: NDArray[np.uint8],
    turn: int,
    line: float,
    width: float,
    habit: Habit,
    rng: np.random.Generator,
) -> None:
    """Draw the many short dendrites along an electrode."""
    shape = (drawn.shape[0], drawn.shape[1])
    count = int(rng.integers(1, 40))
    roots, headings = _roots(shape, turn, line, count, rng)
    lengths = min(shape) * log_uniform(rng, 0.02, 0.09) * np.exp(rng.normal(0, 0.5, count))
    small = Habit(habit.angle, habit.jitter, 0.45, 3, 1, habit.knob)
    _grow(drawn, roots, headings, lengths, min(width, 0.02 * min(shape) + 1), small, rng)


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


def _electrode(scene: Scene, turn: int, line: float, rng: np.random.Generator) -> None:
    """Lay an electrode along one edge; it is no dendrite, so the truth leaves it out."""
    shape = scene.top.shape
    rows, cols = shape if turn % 2 == 0 else shape[::-1]
    border = rows * (1 - line + rng.normal(0, 0.015) * np.linspace(-1, 1, cols))
    border = border + rng.uniform(0, 2.5) * smooth_noise(rng, (2, cols), 5.0)[0]
    body = np.arange(rows)[:, None] >= border[None]
    body = [body, body.T[:, ::-1], body[::-1], body.T][turn]
    depth = rng.uniform(0.5, 6)
    np.copyto(scene.top, np.float32(depth), where=body & (scene.top < depth))
    np.copyto(scene.tone, np.float32(rng.normal(1, 1)), where=body & ~scene.mask)
    scene.mass[body] += np.float32(rng.uniform(0, 2) * (scene.mass.max() + 1))
    scene.mask &= ~body

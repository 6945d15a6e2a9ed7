"""What the blocks that stay as they are make of every training view, computed once.

Five folds, sources left out and the final fit learn from the same views: only what is behind the
still blocks is trained, so a view goes through them once instead of once a fit and pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.imaging.overlays import find_overlays
from core.imaging.simulation import simulate
from core.learning.models import fill_excluded
from core.learning.training.augmentation import random_view
from core.learning.training.pictures import LabelledPicture
from core.learning.training.plan import TrainingPlan
from core.learning.training.tuning.crowds import CROWDS
from core.learning.training.tuning.fields import FIELDS, develop, simulate_field
from core.learning.training.tuning.scatters import DROPS, SCATTERS
from core.learning.training.tuning.watch import PER_VIEW_S, Watch
from core.micrograph import Micrograph

Array = NDArray[Any]
SIMULATED, FIELD = -1, -2  # instead of a picture's number
_TOGETHER = 32
_TILE = (0.5, 1.0)  # of a whole frame's short side


@dataclass(frozen=True, slots=True, eq=False)
class Activations:
    """Activations behind the still blocks.

    Attributes
    ----------
    values : Tensor of shape (N, C, h, w), float16
    owner : ndarray of shape (N,), int64
        Number of the picture, `SIMULATED` or `FIELD`.
    target : ndarray of shape (N,), int64
        Index of the class.
    """

    values: Tensor
    owner: Array
    target: Array


def compute_activations(
    network: nn.Module,
    pictures: Sequence[LabelledPicture],
    classes: Sequence[str],
    simulated: Sequence[str],
    plan: TrainingPlan,
    device: str,
    wholes: Sequence[Micrograph] = (),
    watch: Watch | None = None,
) -> Activations:
    """Return the activations of all views, kind after kind.

    Parameters
    ----------
    network : nn.Module
        Its first `plan.still_blocks` blocks are asked.
    pictures : sequence of LabelledPicture
    classes : sequence of str
    simulated : sequence of str
        Classes that can be simulated; none for own classes.
    plan : TrainingPlan
    device : str
    wholes : sequence of Micrograph
        The pictures as whole frames, for `plan.tiles_each`; none if there are only squares.
    watch : Watch, optional
        Told of every view.
    """
    blocks = [block for _, block in network.blocks()][: plan.still_blocks]  # type: ignore[operator]
    trunk = nn.Sequential(*blocks).eval()
    values, owners, targets = [], [], []
    waiting: list[Array] = []

    def pass_on() -> None:
        with torch.inference_mode():
            x = torch.from_numpy(np.stack(waiting))[:, None].to(device)
            x = x.to(memory_format=torch.channels_last)
            values.append(trunk(x).to("cpu", torch.float16).contiguous())
        waiting.clear()

    for view, owner, target in _views(pictures, classes, simulated, plan, wholes):
        waiting.append(view)
        owners.append(owner)
        targets.append(target)
        if watch is not None:
            watch.step(PER_VIEW_S)
        if len(waiting) == _TOGETHER:
            pass_on()
    if waiting:
        pass_on()
    network.train()
    return Activations(torch.cat(values), np.array(owners), np.array(targets))


def _views(
    pictures: Sequence[LabelledPicture],
    classes: Sequence[str],
    simulated: Sequence[str],
    plan: TrainingPlan,
    wholes: Sequence[Micrograph],
) -> Iterator[tuple[Array, int, int]]:
    """Yield (view (size, size), owner, target)."""
    yield from _square_views(pictures, classes, simulated, plan)
    rng, *others = (np.random.default_rng([plan.seed, stream]) for stream in (8, 9, 10))
    for number, frame in enumerate(wholes if plan.tiles_each else ()):
        image = fill_excluded(frame.pixels, find_overlays(frame))
        for _ in range(plan.tiles_each):
            tile = random_view(image, rng, plan.size_px, window=_TILE, stretch_sd=0.12)
            yield tile, number, classes.index(pictures[number].label)
    drops = plan.scatter_views // len(SCATTERS)  # as many as of each other kind
    further = (
        (CROWDS, plan.crowd_views, rng),
        (SCATTERS, plan.scatter_views, others[0]),
        (DROPS, drops, others[1]),
    )
    for painters, views, own in further if simulated else ():
        for count in range(views):
            kind = tuple(painters)[count % len(painters)]
            if kind in classes:
                image = develop(painters[kind](int(plan.size_px * 1.2), own), own)
                yield _view(image, own, plan), FIELD, classes.index(kind)


def _square_views(
    pictures: Sequence[LabelledPicture],
    classes: Sequence[str],
    simulated: Sequence[str],
    plan: TrainingPlan,
) -> Iterator[tuple[Array, int, int]]:
    rng = np.random.default_rng([plan.seed, 7])
    for number, picture in enumerate(pictures):
        image = _bare(picture)
        for _ in range(plan.views_each):
            yield _view(image, rng, plan), number, classes.index(picture.label)
    for count in range(plan.simulated_views if simulated else 0):
        kind = simulated[count % len(simulated)]
        yield _view(_simulated(kind, rng, plan), rng, plan), SIMULATED, classes.index(kind)
    for count in range(plan.simulated_views if simulated and plan.field_share else 0):
        kind = tuple(FIELDS)[count % len(FIELDS)]
        if kind in classes:
            image = simulate_field(kind, int(plan.size_px * 1.2), rng)
            yield _view(image, rng, plan), FIELD, classes.index(kind)


def _bare(picture: LabelledPicture) -> Array:
    """Return the picture as the network will be asked: with what is not specimen hidden."""
    return fill_excluded(picture.micrograph.pixels, find_overlays(picture.micrograph))


def _view(image: Array, rng: np.random.Generator, plan: TrainingPlan) -> Array:
    wide = rng.random() < plan.wide_share
    window = plan.wide_window if wide else (0.6, 1.0)
    return random_view(image, rng, plan.size_px, window=window, stretch_sd=0.12)


def _simulated(kind: str, rng: np.random.Generator, plan: TrainingPlan) -> Array:
    size_px = int(plan.size_px * 1.2)
    seed, severity = int(rng.integers(2**31)), rng.uniform(0.2, 1.0)
    simulation = simulate(kind, (size_px, size_px), seed, annotations=True, severity=severity)
    pixels: Array = simulation.micrograph.pixels
    return pixels


def keep(activations: Activations, path: Path) -> None:
    """Write activations, so that a stopped training need not compute them again."""
    part = path.with_suffix(".new")
    torch.save(
        {
            "values": activations.values,
            "owner": torch.from_numpy(activations.owner),
            "target": torch.from_numpy(activations.target),
        },
        part,
    )
    part.replace(path)


def recall(path: Path) -> Activations:
    """Return what `keep` wrote."""
    kept = torch.load(path, map_location="cpu", weights_only=True)
    return Activations(kept["values"], kept["owner"].numpy(), kept["target"].numpy())


class Draw:
    """An endless, seeded stream of batches of activations, equal in classes."""

    def __init__(
        self,
        activations: Activations,
        chosen: dict[int, str],
        plan: TrainingPlan,
        seed: int,
    ) -> None:
        """Draw from the chosen pictures: number -> group."""
        self.activations = activations
        self.plan = plan
        self.rng = np.random.default_rng(seed)
        weights = _weights(activations.owner, chosen)
        self.pools = [
            _pools(rows, activations.target, weights[rows])
            for rows in _kinds(activations.owner, chosen)
        ]

    def batch(self) -> tuple[Tensor, Tensor]:
        """Return activations (batch, C, h, w) float32 and targets (batch,)."""
        rows = np.array([self._one() for _ in range(self.plan.batch)])
        values = self.activations.values[torch.from_numpy(rows)].float()
        return values, torch.from_numpy(self.activations.target[rows])

    def _one(self) -> int:
        share = self.plan.real_share, (1 - self.plan.real_share) * (1 - self.plan.field_share)
        kind = int(np.searchsorted(np.cumsum(share), self.rng.random(), side="right"))
        pools = self.pools[kind] or self.pools[0]
        rows, chances = pools[self.rng.integers(len(pools))]
        return int(rows[np.searchsorted(chances, self.rng.random())])


def _kinds(owner: Array, chosen: dict[int, str]) -> tuple[Array, Array, Array]:
    real = np.flatnonzero(np.isin(owner, list(chosen)))
    return real, np.flatnonzero(owner == SIMULATED), np.flatnonzero(owner == FIELD)


def _weights(owner: Array, chosen: dict[int, str]) -> Array:
    """Return how often each row is drawn: a long series of one original counts as its root."""
    sizes: dict[str, int] = {}
    for group in chosen.values():
        sizes[group] = sizes.get(group, 0) + 1
    by_owner = {number: sizes[group] ** -0.5 for number, group in chosen.items()}
    return np.array([by_owner.get(int(number), 1.0) for number in owner])


def _pools(rows: Array, target: Array, weights: Array) -> list[tuple[Array, Array]]:
    """Return per class its rows and their cumulated chances."""
    pools = []
    for label in np.unique(target[rows]):
        own = target[rows] == label
        chances = np.cumsum(weights[own]) / weights[own].sum()
        chances[-1] = 1.0
        pools.append((rows[own], chances))
    return pools

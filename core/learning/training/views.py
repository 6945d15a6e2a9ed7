"""What a network sees while it learns: an endless stream of small views, real and simulated."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from core.imaging.simulation import simulate
from core.learning.training.augmentation import random_view
from core.learning.training.plan import TrainingPlan

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture as the training loop needs it."""

    image: Array
    target: int


class Views(IterableDataset[tuple[Tensor, int]]):
    """An endless, seeded stream of training views, class-balanced, real and simulated."""

    def __init__(
        self,
        pictures: Sequence[Labelled],
        simulated: Sequence[str],
        real_share: float,
        plan: TrainingPlan,
        seed: int,
    ) -> None:
        self.pictures = pictures
        self.simulated = simulated
        self.real_share = real_share if pictures else 0.0
        self.plan = plan
        self.seed = seed
        self.small = 0  # how many of the views to come are of the early size

    def __iter__(self) -> Iterator[tuple[Tensor, int]]:
        """Yield (view (1, size, size) float32, class index) without end."""
        worker = get_worker_info()
        rng = np.random.default_rng([self.seed, worker.id if worker else 0])
        by_class: dict[int, list[Array]] = {}
        for picture in self.pictures:
            by_class.setdefault(picture.target, []).append(picture.image)
        targets = sorted(by_class)
        # Batches go round the workers: each sees its share of the early views.
        workers = worker.num_workers if worker else 1
        for count in itertools.count():
            early = count // self.plan.batch * workers * self.plan.batch < self.small
            size_px = self.plan.early_size_px if early else self.plan.size_px
            if rng.random() < self.real_share:
                target = int(rng.choice(targets))
                image = by_class[target][rng.integers(len(by_class[target]))]
            else:
                target = int(rng.integers(len(self.simulated)))
                image = self._simulate(self.simulated[target], rng)
            view = random_view(image, rng, size_px)
            yield torch.from_numpy(view)[None], target

    def _simulate(self, kind: str, rng: np.random.Generator) -> Array:
        size_px = int(self.plan.size_px * 1.2)
        simulation = simulate(
            kind,
            (size_px, size_px),
            int(rng.integers(2**31)),
            annotations=True,
            severity=rng.uniform(0.2, 1.0),
        )
        pixels: Array = simulation.micrograph.pixels
        return pixels

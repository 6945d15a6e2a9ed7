"""What becomes of a class's probability when parts of the input are taken away, in a map's order.

Pixels are removed twice: hottest first and coldest first. From the two runs follow the deletion and
the insertion curve (keeping the hottest share f is removing the coldest 1 − f) and, with imputed
pixels, ROAD. A drawn random map and its negative are both random, and the two runs of one serve the
other as well, so every draw counts twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.learning.models import Classifier, Preparation, batch_size
from core.learning.trust.imputation import NOISE_SD, impute
from core.learning.trust.ranking import Floats, Ranked
from core.learning.trust.response import Curve, Response

Progress = Callable[[float, str], object]

MEAN, BLUR, ROAD = "mean", "blur", "imputed"
NEGATIVE = "negative of "
FILLS = (MEAN, BLUR)
_BATCH = 8
_BLUR_SHARE = 1 / 16  # of the shorter side: a texture is gone, large forms stay as shadows


@dataclass(frozen=True, slots=True)
class Steps:
    """How finely pixels are taken away.

    Parameters
    ----------
    shares : tuple of float
        Removed shares of the frame for deletion and insertion, from 0 to 1, symmetric: with f
        also 1 − f, since a kept share is a removed one seen from the other end.
    road_shares : tuple of float
        Removed shares for ROAD, between 0 and 1.
    fills : tuple of str
        What stands in removed places: "mean", the mean of the input, or "blur", the input under a
        Gaussian of a sixteenth of its shorter side.

    Raises
    ------
    ValueError
        If the shares do not rise from 0 to 1 symmetrically.
    """

    shares: tuple[float, ...] = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
    road_shares: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8)
    fills: tuple[str, ...] = FILLS

    def __post_init__(self) -> None:
        mirrored = tuple(1 - share for share in reversed(self.shares))
        rising = np.all(np.diff(self.shares) > 0)
        if not rising or self.shares[0] != 0 or not np.allclose(self.shares, mirrored):
            raise ValueError(f"shares must rise symmetrically from 0 to 1, got {self.shares}")
        if not all(0 < share < 1 for share in self.road_shares):
            raise ValueError(f"ROAD shares must lie between 0 and 1, got {self.road_shares}")


@dataclass(frozen=True, eq=False)
class Perturber:
    """Takes parts of one prepared input away and asks the network each time.

    Parameters
    ----------
    classifier : Classifier
    inputs : Tensor of shape (1, C, h, w)
        As `Classifier.prepare` returns it.
    target : str
        The class whose probability is followed.
    steps : Steps
    seed : int
        Of imputation noise.
    """

    classifier: Classifier
    inputs: Tensor
    target: str
    steps: Steps = field(default_factory=Steps)
    seed: int = 0

    @cached_property
    def picture(self) -> Floats:
        """The input as an array, (C, h, w)."""
        return np.asarray(self.inputs[0].cpu().numpy(), np.float32)

    @cached_property
    def fills(self) -> dict[str, Floats]:
        """What stands in removed places, (C, h, w) each."""
        mean = self.picture.mean(axis=(1, 2), keepdims=True)
        sigma = min(self.picture.shape[1:]) * _BLUR_SHARE
        blurred = [cv2.GaussianBlur(channel, (0, 0), sigma) for channel in self.picture]
        return {MEAN: np.broadcast_to(mean, self.picture.shape), BLUR: np.stack(blurred)}

    def _ask(self, pictures: Iterator[Floats], total: int, progress: Progress | None) -> Curve:
        """Return the target's probability for each picture, in batches; shape (total,)."""
        answers: list[Curve] = []
        done, together = 0, batch_size(self.inputs.shape[2:], _BATCH)
        while done < total:
            batch = [next(pictures) for _ in range(min(together, total - done))]
            answers.append(self._probabilities(np.stack(batch)))
            done += len(batch)
            if progress is not None:
                progress(done / total, "removing parts")
        return np.concatenate(answers) if answers else np.zeros(0)

    def _probabilities(self, batch: Floats) -> Curve:
        tensor = torch.from_numpy(batch).to(self.inputs.device, memory_format=torch.channels_last)
        with torch.inference_mode():
            logits = self.classifier.head(self.classifier.features(tensor)).double()
        scaled = logits / self.classifier.card.calibration.get("temperature", 1.0)
        column = self.classifier.card.classes.index(self.target)
        several = self.classifier.card.multi_label
        found = torch.sigmoid(scaled) if several else torch.softmax(scaled, dim=1)
        return np.asarray(found[:, column].cpu().numpy(), np.float64)

    def respond(
        self,
        maps: Mapping[str, Ranked],
        heats: Mapping[str, Floats],
        progress: Progress | None = None,
    ) -> dict[str, Response]:
        """Return the response to each map, and to the negatives of some.

        Parameters
        ----------
        maps : mapping of name to Ranked
            The orders of removal.
        heats : mapping of name to ndarray of shape (h, w), float32 in [0, 1]
            What the input is multiplied with for the average drop: one for each map, and one under
            `NEGATIVE` + name for each map whose negative is wanted, too.
        progress : callable, optional
            Called as progress(share done, what).
        """
        jobs = list(self._jobs(maps, heats))
        pictures = (self._draw(job, maps, heats) for job in jobs)
        answers = dict(zip(jobs, self._ask(pictures, len(jobs), progress), strict=True))
        responses = {}
        for name in heats:
            own = name.removeprefix(NEGATIVE)
            kept = float(answers[_Job(name, _KEPT)])
            response = self._read(own, answers, kept)
            responses[name] = response if own == name else response.reversed(kept)
        return responses

    def _jobs(self, maps: Mapping[str, Ranked], heats: Mapping[str, Floats]) -> Iterator[_Job]:
        """Name every picture that the network is asked about; whole and empty ones only once."""
        yield _WHOLE
        for fill in self.steps.fills:
            yield _Job("", fill, share=1.0)
        for name in maps:
            for coldest_first in (False, True):
                for fill in self.steps.fills:
                    for share in self.steps.shares[1:-1]:
                        yield _Job(name, fill, coldest_first, share)
                for share in self.steps.road_shares:
                    yield _Job(name, ROAD, coldest_first, share)
        for name in heats:
            yield _Job(name, _KEPT)

    def _draw(self, job: _Job, maps: Mapping[str, Ranked], heats: Mapping[str, Floats]) -> Floats:
        if job == _WHOLE:
            return self.picture
        if job.fill == _KEPT:
            mean = self.fills[MEAN]
            return np.asarray(mean + heats[job.name] * (self.picture - mean), np.float32)
        if not job.name:
            return self.fills[job.fill]
        ranked = maps[job.name]
        rank = ranked.reversed_rank if job.coldest_first else ranked.rank
        return self._remove(rank < job.share, job.fill)

    def _remove(self, hidden: NDArray[np.bool_], fill: str) -> Floats:
        if fill != ROAD:
            return np.where(hidden, self.fills[fill], self.picture)
        rng = np.random.default_rng(self.seed)
        if isinstance(self.classifier.preparation, Preparation):
            return np.stack([impute(channel, hidden, rng, NOISE_SD) for channel in self.picture])
        spread = max(float(self.picture.std()), 1e-6)  # the noise is of standardised inputs
        return np.stack(
            [spread * impute(channel / spread, hidden, rng, NOISE_SD) for channel in self.picture]
        )

    def _read(self, name: str, answers: Mapping[_Job, float], kept: float) -> Response:
        full = float(answers[_WHOLE])
        removed: dict[tuple[str, bool], Curve] = {}
        for fill in self.steps.fills:
            empty = float(answers[_Job("", fill, share=1.0)])
            for cold in (False, True):
                inner = [answers[_Job(name, fill, cold, s)] for s in self.steps.shares[1:-1]]
                removed[fill, cold] = np.array([full, *inner, empty])
        road = [
            np.array([answers[_Job(name, ROAD, cold, s)] for s in self.steps.road_shares])
            for cold in (False, True)
        ]
        return Response(
            shares=np.array(self.steps.shares),
            road_shares=np.array(self.steps.road_shares),
            deletion={fill: removed[fill, False] for fill in self.steps.fills},
            insertion={fill: removed[fill, True][::-1] for fill in self.steps.fills},
            road_hottest=road[0],
            road_coldest=road[1],
            full=full,
            kept=kept,
        )


@dataclass(frozen=True, slots=True)
class _Job:
    """One picture to ask about: whose map, what fills it, from which end, how much is removed."""

    name: str
    fill: str
    coldest_first: bool = False
    share: float = 0.0


_KEPT = "kept"
_WHOLE = _Job("", "whole")

"""One map's response to deletion and insertion beside those of maps that know nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.learning.trust.perturbation import NEGATIVE, Perturber, Progress
from core.learning.trust.ranking import coarsened, random_maps, rank_map
from core.learning.trust.response import Response

LEAST = 0.01  # of probability: what a person would call a difference
_OWN, _SOBEL = "map", "sobel"


@dataclass(frozen=True, slots=True)
class Measure:
    """A number read from a response; the larger or the smaller, the better the map."""

    title: str
    read: Callable[[Response], float]
    higher_is_better: bool


def _deletion(fill: str) -> Callable[[Response], float]:
    return lambda response: response.deletion_auc(fill)


def _insertion(fill: str) -> Callable[[Response], float]:
    return lambda response: response.insertion_auc(fill)


GAIN = Measure("Insertion less deletion", lambda r: r.gain, True)
MEASURES = (
    GAIN,
    Measure("Deletion, blur: area", _deletion("blur"), False),
    Measure("Deletion, mean: area", _deletion("mean"), False),
    Measure("Insertion, blur: area", _insertion("blur"), True),
    Measure("Insertion, mean: area", _insertion("mean"), True),
    Measure("ROAD", lambda r: r.road, True),
    Measure("Average drop", lambda r: r.drop, False),
    Measure("Increase", lambda r: float(r.increase), True),
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One measure of a map beside the same of random maps and of the Sobel map.

    Attributes
    ----------
    measure : Measure
    value, random, sobel : float
        `random` is the mean over the random maps.
    beats_random, beats_sobel : bool
        Whether the map is better by at least 0.01 than every random map, and than the Sobel map.
    """

    measure: Measure
    value: float
    random: float
    sobel: float
    beats_random: bool
    beats_sobel: bool


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """How the probability answers to one map's order, to random orders and to that of edges."""

    own: Response
    random: tuple[Response, ...]
    sobel: Response

    def compare(self, measure: Measure) -> Comparison:
        """Return one measure of the map beside the baselines."""
        value, sobel = measure.read(self.own), measure.read(self.sobel)
        chance = [measure.read(response) for response in self.random]
        sign = 1 if measure.higher_is_better else -1
        return Comparison(
            measure,
            value,
            float(np.mean(chance)),
            sobel,
            beats_random=min(sign * (value - each) for each in chance) >= LEAST,
            beats_sobel=sign * (value - sobel) >= LEAST,
        )


def run_trials(
    perturber: Perturber,
    raw: NDArray[np.floating],
    edges: NDArray[np.floating],
    draws: int,
    progress: Progress | None = None,
) -> Trials:
    """Return the response to a map, to twice as many random maps as draws, and to edges.

    Baselines get the grid of the map and its amount of heat: they differ in nothing but the order.

    Parameters
    ----------
    perturber : Perturber
    raw : ndarray of shape (h, w)
        The signed map.
    edges : ndarray of shape (H, W)
        The Sobel map at the input's size.
    draws : int
        Random maps to draw; each is read from both ends.
    progress : callable, optional
        Called as progress(share done, what).
    """
    size_hw, seed = perturber.size_hw, perturber.seed
    grid_hw = min(raw.shape[0], size_hw[0]), min(raw.shape[1], size_hw[1])
    maps = {_OWN: rank_map(raw, size_hw, seed)}
    maps[_SOBEL] = rank_map(coarsened(edges, grid_hw), size_hw, seed).like(maps[_OWN])
    noise = random_maps(grid_hw, draws, seed)
    drawn = {str(n): rank_map(each, size_hw, seed).like(maps[_OWN]) for n, each in enumerate(noise)}
    negatives = {NEGATIVE + n: each.negative().like(maps[_OWN]) for n, each in drawn.items()}
    heats = {name: each.heat for name, each in {**maps, **drawn, **negatives}.items()}
    found = perturber.respond({**maps, **drawn}, heats, progress)
    chance = tuple(found[name] for name in (*drawn, *negatives))
    return Trials(found[_OWN], chance, found[_SOBEL])

"""Maps at a network's input, each pixel with its place in the order; and maps that know nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Ranked:
    """A map brought to the input's size, with every pixel's place in its order.

    Attributes
    ----------
    rank : ndarray of shape (h, w), float32 in [0, 1)
        Share of the frame that is hotter. Ties are broken at random: a map of zeros is a random
        map, not one that starts at the top left.
    heat : ndarray of shape (h, w), float32 in [0, 1]
    """

    rank: Floats
    heat: Floats

    @cached_property
    def reversed_rank(self) -> Floats:
        """Share of the frame that is colder."""
        return np.float32(1 - 1 / self.rank.size) - self.rank

    def like(self, other: Ranked) -> Ranked:
        """Return a map in this one's order with the other's amount of heat.

        Multiplying with a map that is warm everywhere keeps more of the picture, whatever the
        map's order; equal amounts make the comparison fair.
        """
        hottest_first = np.sort(other.heat, axis=None)[::-1]
        place = np.rint(self.rank * self.rank.size).astype(np.intp)
        return Ranked(self.rank, hottest_first[place])

    def negative(self) -> Ranked:
        """Return the map in the opposite order."""
        return Ranked(self.reversed_rank, 1 - self.heat)


def rank_map(raw: NDArray[np.floating], size_hw: tuple[int, int], seed: int) -> Ranked:
    """Return a signed map, brought to the input's size and ordered.

    Parameters
    ----------
    raw : ndarray of shape (h', w'), float
        Finite; covers what the network saw.
    size_hw : tuple of int
        Height and width of the network's input, in px.
    seed : int
        Of the order of ties.
    """
    height, width = size_hw
    way = cv2.INTER_AREA if raw.size > height * width else cv2.INTER_LINEAR
    large = cv2.resize(raw.astype(np.float32), (width, height), interpolation=way)
    ties = np.random.default_rng(seed).random(large.size)
    order = np.lexsort((ties, -large.ravel()))
    rank = np.empty(large.size, np.float32)
    rank[order] = np.arange(large.size, dtype=np.float32) / large.size
    positive = np.clip(large, 0, None)
    peak = float(positive.max())
    heat = positive / peak if peak > 0 else np.zeros_like(positive)
    return Ranked(rank.reshape(size_hw), heat.astype(np.float32))


def random_maps(grid_hw: tuple[int, int], draws: int, seed: int) -> list[Floats]:
    """Return maps of independent uniform values, as coarse as the map they are compared with."""
    rng = np.random.default_rng(seed)
    return [rng.random(grid_hw, dtype=np.float32) for _ in range(draws)]


def sobel_map(inputs: Floats, grid_hw: tuple[int, int]) -> Floats:
    """Return the strength of edges in the input (C, h, w), averaged to a map's grid."""
    picture = inputs.mean(axis=0)
    gradients = [cv2.Sobel(picture, cv2.CV_32F, dx, dy) for dx, dy in ((1, 0), (0, 1))]
    edges = cv2.magnitude(*gradients)
    return np.asarray(cv2.resize(edges, grid_hw[::-1], interpolation=cv2.INTER_AREA), np.float32)

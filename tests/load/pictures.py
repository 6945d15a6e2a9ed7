"""The pictures that visitors bring, and what the app must say of them, found out beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.imaging.display.pyramids import TILE_PX
from core.imaging.display.saving import save_png_bytes
from core.imaging.overlays.finding import find_overlays
from core.imaging.simulation.samples import KINDS, simulate
from core.learning.classifying.classification import classify
from core.learning.models import load_model
from core.measuring.clustering import AUTO, Smoothing, group_pixels
from core.measuring.defaults import suggest_target
from core.micrograph import Micrograph

SHAPES = ((480, 640), (512, 512), (768, 1024), (600, 801))
CLUSTERS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """One picture and its right answers.

    Attributes
    ----------
    png : bytes
        The file.
    shape : tuple of int
        Rows and columns.
    first_tile : ndarray, uint8 or uint16
        The upper left pixels, as the page must send them.
    probabilities : dict
        Per model, in per cent, from the most probable class down.
    share : float
        Part of the frame that the cluster takes which stands out among three.
    target : int
        Its number.
    """

    png: bytes
    shape: tuple[int, int]
    first_tile: NDArray[Any]
    probabilities: dict[str, tuple[float, ...]]
    share: float
    target: int


def prepare(count: int, models: Sequence[str], seed: int = 0) -> list[Known]:
    """Return that many different pictures, every third one of 16 bits."""
    networks = {name: load_model(name, device="cpu") for name in models}
    return [_one(number, networks, seed) for number in range(count)]


def _one(number: int, networks: dict, seed: int) -> Known:
    shape = SHAPES[number % len(SHAPES)]
    made = simulate(KINDS[number % len(KINDS)], shape=shape, seed=1000 * seed + number).micrograph
    pixels = made.pixels.astype(np.uint16) * 257 if number % 3 == 2 else made.pixels
    micrograph = Micrograph("", pixels)
    mask = find_overlays(micrograph)
    answers = {}
    for name, network in networks.items():
        found = classify(network, [micrograph], excludes=[mask])[0].probabilities.values()
        answers[name] = tuple(sorted((100 * p for p in found), reverse=True))
    found = group_pixels(micrograph, CLUSTERS, exclude=mask, smoothing=Smoothing(AUTO))
    target = suggest_target(found.labels, found.k, found.centers)
    share = float(found.fractions[target])
    tile = micrograph.pixels[:TILE_PX, :TILE_PX]
    return Known(save_png_bytes(micrograph), micrograph.shape, tile, answers, share, target)

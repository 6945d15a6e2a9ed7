"""A small network to start from, and micrographs of two textures that anything can tell apart."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch

from core.learning.models import Classifier, ModelCard, build_network
from core.micrograph import Micrograph


@pytest.fixture(scope="session")
def start() -> Classifier:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build_network("emnet", 2, {"widths": [16] * 4})
    card = ModelCard("small", "emnet", ("a", "b"), options={"widths": [16] * 4}, sha256="0" * 64)
    return Classifier(network, card)


def stripes(seed: int) -> np.ndarray:
    return _texture(seed, (14.0, 1.5))


def blobs(seed: int) -> np.ndarray:
    return _texture(seed, (5.0, 5.0))


def _texture(seed: int, sigma_xy: tuple[float, float]) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 1, (96, 120))
    smooth = cv2.GaussianBlur(noise, (0, 0), sigma_xy[0], sigmaY=sigma_xy[1])
    return np.clip(120 + 50 * smooth / smooth.std(), 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def textures() -> Callable[..., dict[str, list[Micrograph]]]:
    """Return `count` pictures of each of two classes."""

    def make(count: int, first: int = 0) -> dict[str, list[Micrograph]]:
        seeds = range(first, first + count)
        return {
            "stripes": [Micrograph(f"stripes {n}.png", stripes(n)) for n in seeds],
            "blobs": [Micrograph(f"blobs {n}.png", blobs(n)) for n in seeds],
        }

    return make

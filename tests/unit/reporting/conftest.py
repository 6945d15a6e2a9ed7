"""A two-layer network and small micrographs for batches."""

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.learning.models import Classifier, ModelCard
from core.micrograph import Micrograph, PixelSize
from core.reporting.batch.run import run_batch
from core.reporting.recipe import Recipe

CLASSES = ("alloys", "rods_fibres", "spheroids")


class Tiny(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.convolution = nn.Conv2d(1, 4, 5, stride=4)
        self.linear = nn.Linear(4, len(CLASSES))

    def blocks(self) -> tuple[tuple[str, nn.Module], ...]:
        return (("last", nn.Sequential(self.convolution, nn.ReLU())),)

    def features(self, x: Tensor) -> Tensor:
        return torch.relu(self.convolution(x))

    def head(self, activation: Tensor) -> Tensor:
        return self.linear(activation.mean(dim=(2, 3)))


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    card = ModelCard(
        name="tiny",
        architecture="two-layers",
        classes=CLASSES,
        display_names={"rods_fibres": "rods & fibres <thin>"},
        sha256="ab" * 32,
    )
    return Classifier(Tiny(), card)


def draw_discs(seed: int = 0, shape: tuple[int, int] = (96, 128), depth=np.uint8) -> np.ndarray:
    """Bright discs on a grey ramp, away from the frame."""
    rng = np.random.default_rng(seed)
    picture = np.tile(np.linspace(20, 90, shape[1]), (shape[0], 1))
    for row in (24, 48, 72):
        for col in (32, 64, 96):
            radius = int(rng.integers(5, 10))
            cv2.circle(picture, (col, row), radius, 220.0, -1)
    top = np.iinfo(depth).max
    return np.clip(picture + rng.normal(0, 2, shape), 0, 255).astype(depth) * depth(top // 255)


def micrograph(
    seed: int = 0, name: str | None = None, nm: float | None = None, **kind
) -> Micrograph:
    size = PixelSize(nm, "nm") if nm else None
    return Micrograph(name or f"field {seed}.tif", draw_discs(seed, **kind), size)


def png(seed: int = 0) -> bytes:
    return cv2.imencode(".png", draw_discs(seed))[1].tobytes()


@pytest.fixture
def recipe() -> Recipe:
    return Recipe(model="tiny", clusters=2, exclude_overlays=False)


@pytest.fixture
def run(classifier, recipe, tmp_path):
    """Run a batch on the tiny network: run(sources, out=..., recipe=...)."""

    def run(sources, out=None, recipe=recipe, **options):
        options = {"classifier": classifier} | options
        return run_batch(sources, recipe, out or tmp_path / "out", **options)

    return run

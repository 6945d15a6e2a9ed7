"""A network whose best order of deletion can be written down."""

import numpy as np
import pytest
import torch
from torch import nn

from core.learning.models import Classifier, ModelCard

SIDE_PX = 32


class Weighted(nn.Module):
    """The score is the mean of weight × grey level: every pixel counts by itself."""

    def __init__(self) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(0)
        self.weighing = Weighing(torch.randn(1, 1, SIDE_PX, SIDE_PX, generator=draw))

    def blocks(self) -> tuple[tuple[str, nn.Module], ...]:
        return (("weighing", self.weighing),)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        return self.weighing(x)

    def head(self, activation: torch.Tensor) -> torch.Tensor:
        score = 4 * activation.mean(dim=(2, 3))
        return torch.cat([score, -score], dim=1)


class Weighing(nn.Module):
    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.weight


@pytest.fixture
def weighted() -> Classifier:
    card = ModelCard(
        "weighted", "weighted", ("yes", "no"), preparation={"area_px": SIDE_PX * SIDE_PX}
    )
    return Classifier(Weighted(), card)


@pytest.fixture
def inputs() -> torch.Tensor:
    pixels = np.random.default_rng(3).normal(size=(1, 1, SIDE_PX, SIDE_PX))
    return torch.from_numpy(pixels.astype(np.float32))

"""A two-layer classifier that every test of this room can afford."""

import numpy as np
import pytest
import torch
from torch import nn

from core.learning.models import Classifier, ModelCard
from core.micrograph import Micrograph


class TwoLayers(nn.Module):
    """One convolution, a global average and one linear layer."""

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, stride=4, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.linear = nn.Linear(4, classes)

    def blocks(self) -> tuple[tuple[str, nn.Module], ...]:
        return (("first", self.conv), ("last", nn.Sequential(self.norm, nn.ReLU())))

    def features(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.norm(self.conv(x)))

    def head(self, activation: torch.Tensor) -> torch.Tensor:
        return self.linear(activation.mean(dim=(2, 3)))


@pytest.fixture
def classifier() -> Classifier:
    torch.manual_seed(0)
    card = ModelCard("two-layers", "two-layers", ("blobs", "plain", "rods_fibres"))
    return Classifier(TwoLayers(), card)


@pytest.fixture
def binary() -> Classifier:
    """One output; class 0 at or below a sigmoid of 0.7."""
    torch.manual_seed(1)
    card = ModelCard("binary", "two-layers", ("rough", "smooth"), decision_threshold=0.7)
    return Classifier(TwoLayers(1), card)


@pytest.fixture
def micrograph() -> Micrograph:
    pixels = np.random.default_rng(0).integers(0, 60_000, (90, 130)).astype(np.uint16)
    pixels[20:50, 30:70] //= 4
    return Micrograph("two blobs", pixels)

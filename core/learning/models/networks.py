"""Architectures, each split into `features` (a map of activations) and `head` (its scores).

The split is what makes explanations simple: `head(features(x))` is the whole network, and the
activation between the two is the place where class activation maps are drawn. `blocks()` names the
pieces of `features` in their order, for maps at other depths.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from core.learning.models.borrowed import backbones
from core.learning.models.borrowed.building import (
    build_borrowed,
    is_borrowed,
)
from core.learning.models.borrowed.building import title as borrowed_title
from core.learning.models.borrowed.from_onnx import ONNX, OnnxNetwork
from core.learning.models.borrowed.heads import put_head
from core.learning.models.borrowed.stem import set_channels
from core.learning.models.efficientnet import EfficientNetLite0

Blocks = backbones.Blocks


class ResidualBlock(nn.Module):
    """Two 3 × 3 convolutions with a shortcut (He et al. 2016, doi:10.1109/CVPR.2016.90)."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels_out)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels_out:
            self.shortcut = nn.Sequential(
                nn.AvgPool2d(stride, ceil_mode=True) if stride > 1 else nn.Identity(),
                nn.Conv2d(channels_in, channels_out, 1, bias=False),
                nn.BatchNorm2d(channels_out),
            )

    def forward(self, x: Tensor) -> Tensor:
        """Return activations of shape (N, channels_out, ⌈h / stride⌉, ⌈w / stride⌉)."""
        y = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(y)) + self.shortcut(x))


class EMNet(nn.Module):
    """A small one-channel residual network for whole micrographs of any height and width.

    The head is a global average followed by one linear layer, so the class score is the mean of a
    map: class activation maps at the last layer are exact for what the network computes
    (Zhou et al. 2016, doi:10.1109/CVPR.2016.319).

    Parameters
    ----------
    classes : int
        Number of scores.
    widths : sequence of four ints
        Channels of the four stages, at 1/4, 1/8, 1/16 and 1/16 of the input's resolution.
    dropout : float
        Probability with which a pooled channel is dropped during training.
    """

    def __init__(
        self, classes: int, widths: tuple[int, ...] = (32, 64, 128, 192), dropout: float = 0.2
    ) -> None:
        super().__init__()
        first = widths[0]
        self.stem = nn.Sequential(
            nn.Conv2d(1, first // 2, 3, 2, 1, bias=False),
            nn.BatchNorm2d(first // 2),
            nn.ReLU(inplace=True),
            nn.Conv2d(first // 2, first, 3, 2, 1, bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(inplace=True),
        )
        stages: list[nn.Module] = []
        channels = first
        for width, stride in zip(widths, (1, 2, 2, 1), strict=True):
            stages.append(
                nn.Sequential(
                    ResidualBlock(channels, width, stride), ResidualBlock(width, width, 1)
                )
            )
            channels = width
        self.stages = nn.Sequential(*stages)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(channels, classes)

    def blocks(self) -> Blocks:
        """Return the stem and the four stages, at 1/4, 1/4, 1/8, 1/16 and 1/16 of the input."""
        stages = ((f"stage {number}", stage) for number, stage in enumerate(self.stages, 1))
        return (("stem", self.stem), *stages)

    def features(self, x: Tensor) -> Tensor:
        """Return the last activation map, shape (N, C, ⌈H / 16⌉, ⌈W / 16⌉), for x (N, 1, H, W)."""
        activation: Tensor = self.stages(self.stem(x))
        return activation

    def head(self, activation: Tensor) -> Tensor:
        """Return logits of shape (N, classes) for an activation map."""
        logits: Tensor = self.linear(self.dropout(activation.mean(dim=(2, 3))))
        return logits

    def forward(self, x: Tensor) -> Tensor:
        """Return logits of shape (N, classes)."""
        return self.head(self.features(x))


class VisualCNN(nn.Module):
    """The light network of Visual-CCC: four convolutions and a global average.

    Parameter names are those of its published weights. The class score is the mean of a map, so
    class activation maps at the last layer are exact.

    Parameters
    ----------
    classes : int
        Number of scores; 1 for a binary network.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        widths = (1, 32, 64, 128, 256)
        layers: list[nn.Module] = []
        for channels_in, channels_out in itertools.pairwise(widths):
            layers += [
                nn.Conv2d(channels_in, channels_out, 3, padding=1),
                nn.BatchNorm2d(channels_out),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ]
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(widths[-1], classes)

    def blocks(self) -> Blocks:
        """Return the four convolutions, each with its pooling, at 1/2 … 1/16 of the input."""
        return tuple((f"block {n + 1}", self.features[4 * n : 4 * n + 4]) for n in range(4))

    def head(self, activation: Tensor) -> Tensor:
        """Return logits of shape (N, classes) for an activation map (N, 256, h, w)."""
        logits: Tensor = self.classifier(activation.mean(dim=(2, 3)))
        return logits

    def forward(self, x: Tensor) -> Tensor:
        """Return logits of shape (N, classes) for x (N, 1, H, W)."""
        return self.head(self.features(x))


NETWORKS: Mapping[str, Callable[..., nn.Module]] = {
    "emnet": EMNet,
    "visualcnn": VisualCNN,
    "efficientnet_lite0": EfficientNetLite0,
    **backbones.BACKBONES,
}


TITLES = {
    "emnet": "EMNet",
    "visualcnn": "VisualCNN",
    "alexnet": "AlexNet",
    "resnet18": "ResNet-18",
    "resnet50": "ResNet-50",
    "mobilenet_v3_small": "MobileNetV3 small",
    "efficientnet_lite0": "EfficientNet-Lite0",
    "efficientnet_b0": "EfficientNet-B0",
    "convnext_tiny": "ConvNeXt tiny",
    "densenet121": "DenseNet-121",
}
CHANNELS, SLOT, HEAD = "channels", "slot", "head"  # options of every network


def is_known(architecture: str) -> bool:
    """Tell whether a network of that name can be built here; libraries are asked only then."""
    return architecture in NETWORKS or architecture == ONNX or is_borrowed(architecture)


def title(architecture: str) -> str:
    """Return the name of an architecture in words."""
    known = {**TITLES, ONNX: "ONNX network"}
    return known.get(architecture) or borrowed_title(architecture)


def build_network(name: str, classes: int, options: Mapping[str, Any]) -> nn.Module:
    """Return a freshly initialised network.

    Parameters
    ----------
    name : str
        One of `NETWORKS`, or timm/NAME or torchvision/NAME.
    classes : int
        Number of scores.
    options : mapping
        Those of the network, and of every one: `channels` (1 when left out, or 3), and `head` with
        the layers that stand at the name `slot` instead of its own (`heads.build_head`).

    Raises
    ------
    ValueError
        If no architecture has that name, or an option cannot be.
    """
    options = {key: tuple(v) if isinstance(v, list) else v for key, v in options.items()}
    channels = options.pop(CHANNELS, 1)
    slot, layers = options.pop(SLOT, ""), options.pop(HEAD, ())
    if channels not in (1, 3):
        raise ValueError(f"a network takes 1 or 3 channels here, got {channels!r:.20}")
    network: nn.Module
    if name == ONNX:
        return OnnxNetwork(classes, **options)
    if name in NETWORKS:
        network = NETWORKS[name](classes, **options)
        set_channels(network, channels)
    elif is_borrowed(name):
        network = build_borrowed(name, classes, channels, options)
    else:
        raise ValueError(f"no architecture is called {name!r}; there are {', '.join(NETWORKS)}")
    if layers:
        if layers[-1][0] != "linear" or layers[-1][2] != classes:
            raise ValueError(f"the head does not end in {classes} scores")
        put_head(network, getattr(network, "prefix", "") + str(slot), layers)
    return network

"""torchvision's classifiers, under their own parameter names, split into a map and a head."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from core.learning.models.borrowed import backbones
from core.learning.models.borrowed.stem import set_channels

_REGNET_SIZES = ("400mf", "800mf", "6gf", "2gf", "8gf", "16gf")
_FAMILIES = ("resnet", "resnext", "wide_resnet")


class _Features(backbones._Borrowed):
    """A network of `features` and `classifier`; its children are the blocks."""

    features: nn.Sequential

    def __init__(self, whole: nn.Module) -> None:
        super().__init__(whole)
        self._flat = not isinstance(self._first_of_head(), nn.LayerNorm)

    def _first_of_head(self) -> nn.Module:
        classifier = self.get_submodule("classifier")
        return next(iter(classifier.children()), classifier)

    def blocks(self) -> backbones.Blocks:
        """Return the children of `features` in their order."""
        return tuple((f"block {n}", child) for n, child in enumerate(self.features, 1))

    def head(self, activation: Tensor) -> Tensor:
        """Return logits of shape (N, classes) for an activation map."""
        pooled = activation.mean(dim=(2, 3), keepdim=True)
        logits: Tensor = self.classifier(torch.flatten(pooled, 1) if self._flat else pooled)  # type: ignore[operator]
        return logits


class _Vgg(_Features):
    """VGG: its head keeps 7 × 7 cells."""

    def head(self, activation: Tensor) -> Tensor:
        """Return logits of shape (N, classes) for an activation map."""
        cells = torch.flatten(self.avgpool(activation), 1)  # type: ignore[operator]
        logits: Tensor = self.classifier(cells)  # type: ignore[operator]
        return logits


class _Squeeze(_Features):
    """SqueezeNet: a convolution gives the scores, the average follows."""

    def head(self, activation: Tensor) -> Tensor:
        """Return logits of shape (N, classes) for an activation map."""
        return torch.flatten(self.classifier(activation), 1)  # type: ignore[operator]


class _Named(backbones.InBlocks):
    """A network whose blocks are children of its own."""

    _steps: tuple[str, ...] = ()

    def blocks(self) -> backbones.Blocks:
        """Return the named children in their order."""
        return tuple((name, self.get_submodule(name)) for name in self._steps)


class _Shuffle(_Named):
    """ShuffleNetV2."""

    _steps = ("conv1", "maxpool", "stage2", "stage3", "stage4", "conv5")


class _RegNet(_Named):
    """RegNet X and Y."""

    def blocks(self) -> backbones.Blocks:
        """Return the stem and the four stages."""
        trunk: nn.Sequential = self.trunk_output  # type: ignore[assignment]
        stages = tuple((f"stage {n}", stage) for n, stage in enumerate(trunk, 1))
        return (("stem", self.get_submodule("stem")), *stages)


def build(name: str, classes: int, channels: int, options: Mapping[str, Any]) -> nn.Module:
    """Return torchvision's untrained classifier, split.

    Raises
    ------
    ValueError
        If there is none of that name, or it cannot be split.
    """
    import torchvision

    if options:
        raise ValueError(f"unknown options {sorted(options)}")
    if name not in torchvision.models.list_models(module=torchvision.models):
        raise ValueError(f"torchvision has no network {name!r}")
    if name.startswith("regnet") and name.rpartition("_")[2] not in _REGNET_SIZES:
        raise ValueError(f"{name} is larger than a network may be here")
    with _where(name):
        whole: nn.Module = torchvision.models.get_model(name, weights=None, num_classes=classes)
    set_channels(whole, channels)
    return _split(name, whole)


def _where(name: str) -> AbstractContextManager[Any]:
    """Return where it is built: RegNets compute their widths, which needs numbers in memory."""
    return torch.device("cpu") if name.startswith("regnet") else nullcontext()


def _split(name: str, whole: nn.Module) -> nn.Module:
    if name.startswith(_FAMILIES):
        return backbones.ResNet(whole)
    if name.startswith("densenet"):
        whole.get_submodule("features").add_module("relu_last", nn.ReLU())
    for start, kind in _KINDS.items():
        if name.startswith(start):
            return kind(whole)
    raise ValueError(f"torchvision's {name} has no map of activations that is known here")


_KINDS: dict[str, type[backbones._Borrowed]] = {
    "densenet": _Features,
    "efficientnet": _Features,
    "mobilenet": _Features,
    "convnext": _Features,
    "vgg": _Vgg,
    "squeezenet": _Squeeze,
    "shufflenet": _Shuffle,
    "regnet": _RegNet,
}

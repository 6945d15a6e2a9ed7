"""Networks built by torchvision, with one input channel, split as `networks` promises.

The modules keep torchvision's parameter names, so that plain state dicts fit. torchvision is
imported when one of them is built, here and nowhere else in the project.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

Blocks = tuple[tuple[str, nn.Module], ...]


class _Borrowed(nn.Module):
    """A torchvision network's own children, under their own names."""

    def __init__(self, whole: nn.Module) -> None:
        super().__init__()
        for name, child in whole.named_children():
            self.add_module(name, child)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits of shape (N, classes) for x (N, 1, H, W)."""
        logits: Tensor = self.head(self.features(x))  # type: ignore[operator]
        return logits


class InBlocks(_Borrowed):
    """A network that is its blocks one after the other, then an average and `fc`."""

    def blocks(self) -> Blocks:
        """Return the named pieces in their order."""
        raise NotImplementedError

    def features(self, x: Tensor) -> Tensor:
        """Return the last activation map, shape (N, C, ⌈H / 32⌉, ⌈W / 32⌉)."""
        for _, block in self.blocks():
            x = block(x)
        return x

    def head(self, activation: Tensor) -> Tensor:
        """Return logits of shape (N, classes) for an activation map."""
        logits: Tensor = self.fc(activation.mean(dim=(2, 3)))  # type: ignore[operator]
        return logits


class ResNet(InBlocks):
    """ResNet-18 or ResNet-50 (He et al. 2016, doi:10.1109/CVPR.2016.90)."""

    def blocks(self) -> Blocks:
        """Return the stem and the four stages, at 1/4, 1/4, 1/8, 1/16 and 1/32 of the input."""
        stem = nn.Sequential(self.conv1, self.bn1, self.relu, self.maxpool)  # type: ignore[arg-type]
        stages = ((f"stage {n}", self.get_submodule(f"layer{n}")) for n in range(1, 5))
        return (("stem", stem), *stages)


class Sequential(_Borrowed):
    """A network whose `features` are one sequence, in blocks that end at the given children.

    Parameters
    ----------
    whole : nn.Module
        torchvision's network with `features` (nn.Sequential) and `classifier`.
    ends : sequence of (str, int)
        Name of each block and the number of children of `features` up to its end.
    """

    features: nn.Sequential

    def __init__(self, whole: nn.Module, ends: Sequence[tuple[str, int]]) -> None:
        super().__init__(whole)
        self._ends = tuple(ends)

    def blocks(self) -> Blocks:
        """Return the named pieces of `features` in their order."""
        starts = (0, *(end for _, end in self._ends))
        return tuple(
            (name, self.features[start:end])
            for start, (name, end) in zip(starts, self._ends, strict=False)
        )

    def head(self, activation: Tensor) -> Tensor:
        """Return logits of shape (N, classes) for an activation map."""
        pooled: Tensor = self.pool(activation)
        logits: Tensor = self.classifier(pooled)  # type: ignore[operator]
        return logits

    def pool(self, activation: Tensor) -> Tensor:
        """Return the average of every channel, shape (N, C)."""
        return activation.mean(dim=(2, 3))


class AlexNet(Sequential):
    """AlexNet (Krizhevsky 2014, arXiv:1404.5997); its last pooling belongs to the head.

    The last activation map is the one before that pooling, as in Visual-CCC's Grad-CAM.
    """

    def __init__(self, whole: nn.Module, ends: Sequence[tuple[str, int]]) -> None:
        super().__init__(whole, ends)
        self.last_pool = self.features[12]
        self.features = self.features[:12]

    def pool(self, activation: Tensor) -> Tensor:
        """Return the 6 × 6 cells of every channel, shape (N, 9216)."""
        cells: Tensor = self.avgpool(self.last_pool(activation))  # type: ignore[operator]
        return torch.flatten(cells, 1)


class ConvNeXt(Sequential):
    """ConvNeXt (Liu et al. 2022, arXiv:2201.03545); its classifier normalises the average."""

    def pool(self, activation: Tensor) -> Tensor:
        """Return the average of every channel, shape (N, C, 1, 1)."""
        return activation.mean(dim=(2, 3), keepdim=True)


def _one_channel(conv: nn.Conv2d) -> nn.Conv2d:
    """Return a new first convolution that takes one channel."""
    return nn.Conv2d(
        1,
        conv.out_channels,
        conv.kernel_size,  # type: ignore[arg-type]
        conv.stride,  # type: ignore[arg-type]
        conv.padding,  # type: ignore[arg-type]
        bias=conv.bias is not None,
    )


def _build(name: str, classes: int, stem: str, **options: Any) -> nn.Module:
    """Return torchvision's untrained network with `stem` taking one channel."""
    import torchvision

    whole: nn.Module = torchvision.models.get_model(
        name, weights=None, num_classes=classes, **options
    )
    parent, _, child = stem.rpartition(".")
    setattr(whole.get_submodule(parent), child, _one_channel(whole.get_submodule(stem)))  # type: ignore[arg-type]
    return whole


def _resnet18(classes: int) -> nn.Module:
    return ResNet(_build("resnet18", classes, "conv1"))


def _resnet50(classes: int) -> nn.Module:
    return ResNet(_build("resnet50", classes, "conv1"))


def _alexnet(classes: int) -> nn.Module:
    ends = (("block 1", 3), ("block 2", 6), ("block 3", 8), ("block 4", 10), ("block 5", 12))
    return AlexNet(_build("alexnet", classes, "features.0"), ends)


def _mobilenet(classes: int) -> nn.Module:
    whole = _build("mobilenet_v3_small", classes, "features.0.0")
    ends = (("stem", 1), ("stage 1", 2), ("stage 2", 4), ("stage 3", 9), ("stage 4", 12))
    return Sequential(whole, (*ends, ("last convolution", 13)))


def _efficientnet(classes: int) -> nn.Module:
    whole = _build("efficientnet_b0", classes, "features.0.0")
    stages = [(f"stage {n}", n + 1) for n in range(1, 8)]
    return Sequential(whole, (("stem", 1), *stages, ("last convolution", 9)))


def _convnext(classes: int) -> nn.Module:
    ends = (("stem", 1), ("stage 1", 2), ("stage 2", 4), ("stage 3", 6), ("stage 4", 8))
    return ConvNeXt(_build("convnext_tiny", classes, "features.0.0"), ends)


def _densenet(classes: int) -> nn.Module:
    whole = _build("densenet121", classes, "features.conv0")
    whole.get_submodule("features").add_module("relu5", nn.ReLU())
    ends = (("stem", 4), ("stage 1", 5), ("stage 2", 7), ("stage 3", 9), ("stage 4", 13))
    return Sequential(whole, ends)


BACKBONES: Mapping[str, Callable[..., nn.Module]] = {
    "alexnet": _alexnet,
    "resnet18": _resnet18,
    "resnet50": _resnet50,
    "mobilenet_v3_small": _mobilenet,
    "efficientnet_b0": _efficientnet,
    "convnext_tiny": _convnext,
    "densenet121": _densenet,
}

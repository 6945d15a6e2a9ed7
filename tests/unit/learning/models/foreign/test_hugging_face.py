"""Folders of Hugging Face, with the names that its networks give: each against its own network.

The names are written down here as `transformers` 4.5x writes them, so that the tests need it not.
"""

import json
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
import torchvision
from safetensors.torch import save
from timm.models.vision_transformer import VisionTransformer
from torch import nn
from torchvision import transforms
from torchvision.transforms import v2

from core.errors import UnusableModel
from core.learning.classifying import classify
from core.learning.models import Classifier, load_model
from core.learning.models.borrowed.building import build_borrowed
from core.learning.models.foreign.opening import open_weights
from core.micrograph import Micrograph

NAMES = ("alloys", "dendrites", "rods")
LABELS = {"id2label": {str(n): name for n, name in enumerate(NAMES)}}


def drawn(network: nn.Module) -> nn.Module:
    """The network with every weight and statistic drawn, so that each of them matters."""
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                spread = torch.rand(value.shape, generator=draw) - 0.5
                value.copy_(1 + spread if "running_var" in name else 0.3 * spread)
                value += float("norm" in name and name.endswith("weight"))
    return network.eval()


def vit_names(network: VisionTransformer, depth: int) -> dict[str, torch.Tensor]:
    own = network.state_dict()
    named = {
        "vit.embeddings.cls_token": own["cls_token"],
        "vit.embeddings.position_embeddings": own["pos_embed"],
    }
    parts = {"embeddings.patch_embeddings.projection": "patch_embed.proj", "layernorm": "norm"}
    for n in range(depth):
        inner = {
            "attention.output.dense": "attn.proj",
            "intermediate.dense": "mlp.fc1",
            "output.dense": "mlp.fc2",
            "layernorm_before": "norm1",
            "layernorm_after": "norm2",
        }
        parts |= {f"encoder.layer.{n}.{a}": f"blocks.{n}.{b}" for a, b in inner.items()}
        for kind in ("weight", "bias"):
            thirds = own[f"blocks.{n}.attn.qkv.{kind}"].chunk(3)
            for part, value in zip(("query", "key", "value"), thirds, strict=True):
                named[f"vit.encoder.layer.{n}.attention.attention.{part}.{kind}"] = value
    for theirs, ours in parts.items():
        named |= {f"vit.{theirs}.{kind}": own[f"{ours}.{kind}"] for kind in ("weight", "bias")}
    return named | {f"classifier.{kind}": own[f"head.{kind}"] for kind in ("weight", "bias")}


def resnet_names(network: nn.Module) -> dict[str, torch.Tensor]:
    named = {}
    for name, value in network.state_dict().items():
        last = name.rsplit(".", 1)[1]
        if name.startswith("fc."):
            named[f"classifier.1.{last}"] = value
        elif name.startswith(("conv1.", "bn1.")):
            what = "convolution" if name.startswith("conv") else "normalization"
            named[f"resnet.embedder.embedder.{what}.{last}"] = value
        else:
            stage, block, *rest = name.split(".")
            if rest[0] == "downsample":
                inner = "shortcut." + ("convolution", "normalization")[int(rest[1])]
            else:
                what = "convolution" if rest[0].startswith("conv") else "normalization"
                inner = f"layer.{int(rest[0][-1]) - 1}.{what}"
            at = f"resnet.encoder.stages.{int(stage[-1]) - 1}.layers.{block}"
            named[f"{at}.{inner}.{last}"] = value
    return named


def folder(
    path: Path, tensors: dict[str, torch.Tensor], config: dict[str, Any], seen: dict[str, Any]
) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        plain = {name: value.contiguous().clone() for name, value in tensors.items()}
        archive.writestr("mine/model.safetensors", save(plain, {"format": "pt"}))
        archive.writestr("mine/config.json", json.dumps(config | LABELS))
        archive.writestr("mine/preprocessor_config.json", json.dumps(seen))
    return path


def to_floats(picture: torch.Tensor) -> torch.Tensor:
    """Grey levels 0 to 1, as behind the resizing of 8-bit tensors in Hugging Face's programs."""
    return picture.float() / 255


@pytest.fixture(scope="module")
def frame() -> Micrograph:
    rows, cols = np.mgrid[:120, :150]
    waves = 128 + 90 * np.sin(rows / 5) * np.cos(cols / 11)
    return Micrograph("waves", waves.astype(np.uint8))


def assert_equal(path: Path, frame: Micrograph, network: nn.Module, steps: list[Any]) -> Classifier:
    """Largest difference of probabilities from the network run with its own transforms: 1e-5."""
    picture = torch.tensor(frame.pixels).expand(3, -1, -1)
    with torch.inference_mode():
        truth = network(transforms.Compose(steps)(picture)[None])[0].softmax(0)
    classifier = load_model(path, device="cpu")
    answer = classify(classifier, [frame])[0]
    found = [answer.probabilities[name] for name in classifier.card.classes]
    assert tuple(classifier.card.display_names.values()) == NAMES
    assert found == pytest.approx(truth.tolist(), abs=1e-5)
    return classifier


def test_a_vit_of_its_config(tmp_path: Path, frame: Micrograph) -> None:
    """Heads and epsilon stand in the config alone; no shape gives them away."""
    network = drawn(
        VisionTransformer(
            img_size=32,
            patch_size=8,
            embed_dim=32,
            depth=2,
            num_heads=4,
            num_classes=3,
            norm_layer=partial(nn.LayerNorm, eps=1e-3),
        )
    )
    config = {
        "architectures": ["ViTForImageClassification"],
        "model_type": "vit",
        "hidden_act": "gelu",
        "hidden_size": 32,
        "image_size": 32,
        "intermediate_size": 128,
        "layer_norm_eps": 1e-3,
        "num_attention_heads": 4,
        "num_channels": 3,
        "num_hidden_layers": 2,
        "patch_size": 8,
        "qkv_bias": True,
    }
    seen = {
        "do_normalize": True,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3,
        "image_processor_type": "ViTImageProcessor",
        "resample": 2,
        "rescale_factor": 1 / 255,
        "size": {"height": 32, "width": 32},
    }
    path = folder(tmp_path / "vit.zip", vit_names(network, 2), config, seen)
    steps = [v2.Resize((32, 32)), to_floats]
    steps.append(transforms.Normalize([0.5] * 3, [0.5] * 3))
    classifier = assert_equal(path, frame, network, steps)
    assert "the file does not say so" not in str(classifier.card.limits)


def test_a_transformer_may_be_called_vit(tmp_path: Path) -> None:
    """The name of a file is a hint at a network; this one names none without its measures."""
    network = drawn(
        VisionTransformer(
            img_size=32, patch_size=8, embed_dim=64, depth=2, num_heads=1, num_classes=3
        )
    )
    torch.save(network.state_dict(), tmp_path / "vit.pth")
    opened = open_weights(tmp_path / "vit.pth")
    x = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        assert torch.allclose(opened.network.eval()(x), network(x), atol=1e-5)
    assert "has 1 heads: the file does not say so" in " ".join(opened.notes)


def test_a_resnet_of_its_config(tmp_path: Path, frame: Micrograph) -> None:
    network = drawn(torchvision.models.resnet18(weights=None, num_classes=3))
    assert len(timm.create_model("resnet18").state_dict()) == len(resnet_names(network))
    config = {
        "architectures": ["ResNetForImageClassification"],
        "model_type": "resnet",
        "depths": [2, 2, 2, 2],
        "hidden_sizes": [64, 128, 256, 512],
        "embedding_size": 64,
        "layer_type": "basic",
        "num_channels": 3,
    }
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    seen = {
        "crop_pct": 0.875,
        "do_normalize": True,
        "do_resize": True,
        "image_processor_type": "ConvNextImageProcessor",
        "image_mean": mean,
        "image_std": std,
        "resample": 3,
        "size": {"shortest_edge": 56},
    }
    path = folder(tmp_path / "resnet.zip", resnet_names(network), config, seen)
    cubic = transforms.InterpolationMode.BICUBIC
    steps = [v2.Resize(64, cubic), transforms.CenterCrop(56), to_floats]
    assert_equal(path, frame, network, [*steps, transforms.Normalize(mean, std)])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model_type": "vit", "hidden_act": "relu"}, "'relu', not 'gelu'"),
        ({"model_type": "resnet", "downsample_in_bottleneck": True}, "first convolution"),
    ],
)
def test_what_no_shape_tells_is_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    network = drawn(torchvision.models.resnet18(weights=None, num_classes=3))
    path = folder(tmp_path / "other.zip", resnet_names(network), change, {})
    with pytest.raises(UnusableModel, match=rf"{said}.*ONNX"):
        open_weights(path)


def test_a_swins_epsilon_is_read() -> None:
    options = {"image": 224, "eps": 0.02}
    with torch.device("meta"):
        network = build_borrowed("timm/swin_tiny_patch4_window7_224", 3, 3, options)
    eps = {n: m.eps for n, m in network.named_modules() if isinstance(m, nn.LayerNorm)}
    assert eps["model.layers.0.blocks.1.norm2"] == eps["model.norm"] == 0.02
    assert eps["model.patch_embed.norm"] == eps["model.layers.1.downsample.norm"] == 1e-5

"""Networks of torchvision, timm and Hugging Face: each against the model that is run directly."""

import json
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
import torchvision
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from torchvision import transforms

from core.errors import UnusableModel, UserError
from core.learning.classifying import classify, disagree, try_preparations
from core.learning.explaining import explain, explain_all, fitting_methods
from core.learning.models import Classifier, load_model, understand_model
from core.learning.models.borrowed.building import build_borrowed
from core.learning.models.folders import save_model
from core.learning.models.foreign.bundles import open_bundle
from core.learning.models.foreign.opening import open_weights
from core.learning.models.foreign.stating import read_measures, read_names, read_stated
from core.learning.models.installed import ASSUMED, CHOSEN, PREPARED_BY, STATED_BY_FILE
from core.micrograph import Micrograph

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
NAMES = ["alloys", "dendrites", "rods", "spheroids"]


def varied(network: nn.Module) -> nn.Module:
    """A network of which every statistic matters, drawn anew each time from one seed."""
    draw = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
            module.running_mean.normal_(0, 0.1, generator=draw)
            module.running_var.uniform_(0.5, 1.5, generator=draw)
    for weight in network.parameters():
        weight.requires_grad_(False)
    return network.eval()


def from_torchvision(name: str, **options: Any) -> nn.Module:
    torch.manual_seed(0)
    return varied(torchvision.models.get_model(name, weights=None, num_classes=4, **options))


def from_timm(name: str, **options: Any) -> nn.Module:
    torch.manual_seed(0)
    network = timm.create_model(name, num_classes=4, **options)
    with torch.no_grad():
        network.get_classifier().weight.normal_(std=0.3)
    return varied(network)


@pytest.fixture(scope="module")
def frame() -> Micrograph:
    rows, cols = np.mgrid[:300, :420]
    waves = 128 + 90 * np.sin(rows / 9) * np.cos(cols / 23)
    noise = np.random.default_rng(0).normal(0, 20, waves.shape)
    return Micrograph("waves", np.clip(waves + noise, 0, 255).astype(np.uint8))


def probabilities(
    network: Callable[[torch.Tensor], torch.Tensor], frame: Micrograph, steps: list[Any]
) -> torch.Tensor:
    """What the model's own program answers, its transforms on a picture of three channels."""
    picture = Image.fromarray(frame.pixels).convert("RGB")
    with torch.inference_mode():
        scores = network(transforms.Compose(steps)(picture)[None])[0]
    return torch.softmax(scores, 0)


def assert_answers_equal(classifier: Classifier, frame: Micrograph, expected: torch.Tensor) -> None:
    answer = classify(classifier, [frame])[0]
    found = [answer.probabilities[name] for name in classifier.card.classes]
    assert found == pytest.approx(expected.tolist(), abs=1e-5)


NORMALISED = [transforms.ToTensor(), transforms.Normalize(MEAN, STD)]


@pytest.mark.parametrize(
    ("network", "size"),
    [
        (lambda: from_torchvision("resnet34"), 96),
        (lambda: from_torchvision("mobilenet_v2"), 96),
        (lambda: from_torchvision("regnet_x_400mf"), 96),
        (lambda: from_torchvision("shufflenet_v2_x0_5"), 96),
        (lambda: from_timm("resnet18d"), 96),
        (lambda: from_timm("mobilenetv3_small_100"), 96),
        (lambda: from_timm("convnextv2_atto"), 96),
        (lambda: from_timm("vit_tiny_patch16_224"), 224),
        (lambda: from_timm("deit3_small_patch16_224"), 224),
        (lambda: from_timm("vit_small_patch14_reg4_dinov2", img_size=112, depth=3), 112),
        (lambda: from_timm("swin_tiny_patch4_window7_224"), 224),
    ],
    ids=[
        *("resnet34", "mobilenet_v2", "regnet", "shufflenet"),
        *("resnet18d", "mobilenetv3", "convnextv2", "vit", "deit3", "dinov2", "swin"),
    ],
)
def test_a_stated_network_answers_as_its_own_program(
    tmp_path: Path, frame: Micrograph, network: Callable[[], nn.Module], size: int
) -> None:
    own = network()
    facts = {"mean": MEAN, "std": STD, "img_size": size, "classes": NAMES}
    torch.save({"model_state": own.state_dict(), **facts}, tmp_path / "w.pth")
    classifier = load_model(tmp_path / "w.pth", device="cpu")
    assert classifier.card.classes == tuple(NAMES)
    assert classifier.card.training[PREPARED_BY] == STATED_BY_FILE
    expected = probabilities(own, frame, [transforms.Resize((size, size)), *NORMALISED])
    assert_answers_equal(classifier, frame, expected)
    drawn = explain(classifier, frame)
    assert drawn.heatmap.shape == frame.shape
    assert np.isfinite(drawn.raw).all()


def test_timms_own_configuration_is_followed(tmp_path: Path, frame: Micrograph) -> None:
    own = from_timm("convnext_atto")
    config = timm.data.resolve_data_config({}, model=own)
    cfg = {**{k: config[k] for k in ("input_size", "mean", "std", "crop_pct", "interpolation")}}
    torch.save({"state_dict": own.state_dict(), "pretrained_cfg": cfg}, tmp_path / "a.pth.tar")
    classifier = load_model(tmp_path / "a.pth.tar", device="cpu")
    steps = timm.data.create_transform(**config)
    assert_answers_equal(classifier, frame, probabilities(own, frame, [steps]))


@pytest.mark.parametrize(
    "head",
    [
        lambda: nn.Sequential(nn.Dropout(0.4), nn.Linear(512, 4)),
        lambda: nn.Sequential(nn.Linear(512, 16), nn.ReLU(), nn.Dropout(0.4), nn.Linear(16, 4)),
        lambda: nn.Linear(512, 4, bias=False),
        lambda: nn.Sequential(nn.BatchNorm1d(512), nn.Linear(512, 4)),
        lambda: nn.Sequential(
            nn.Linear(512, 8), nn.ReLU(), nn.BatchNorm1d(8), nn.Dropout(0.4), nn.Linear(8, 4)
        ),
        lambda: nn.Sequential(nn.Linear(512, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 4)),
        lambda: nn.Sequential(nn.Linear(512, 8), nn.Linear(8, 4)),
    ],
    ids=["dropout", "mlp", "without bias", "norm", "norm behind", "norm before", "no function"],
)
def test_other_heads(tmp_path: Path, head: Callable[[], nn.Module]) -> None:
    own = from_torchvision("resnet18")
    own.fc = head()
    varied(own)
    torch.save(own.state_dict(), tmp_path / "w.pth")
    opened = open_weights(tmp_path / "w.pth")
    assert opened.card is not None
    x = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.allclose(opened.network.eval()(x), own(x), atol=1e-5)
    said = " ".join(opened.notes)
    kinds = [type(module) for module in own.fc.modules()]
    assert ("a ReLU is taken" in said) == (kinds.count(nn.Linear) > 1 and nn.ReLU in kinds)
    # and once more from its folder
    save_model(tmp_path / "kept", opened.network, opened.card)
    with torch.inference_mode():
        again = load_model(tmp_path / "kept", device="cpu").network(x)
    assert torch.allclose(again, own(x), atol=1e-5)


def _wrapped(weights: dict[str, torch.Tensor], how: str) -> Any:
    def before(prefix: str) -> dict[str, torch.Tensor]:
        return {prefix + name: value for name, value in weights.items()}

    return {
        "parallel": {"state_dict": before("module.")},
        "compiled": before("_orig_mod."),
        "fsdp": before("_fsdp_wrapped_module."),
        "deepspeed": before("_forward_module.model."),
        "averaged": {"n_averaged": torch.tensor(3), **before("module.")},
        "student": before("student."),
        "ema alone": {"state_dict_ema": weights},
        "params": {"params": weights},
        "own name": {"best_of_all": weights, "optimizer": {"state": {0: weights}}},
        "lightning": {
            "state_dict": {
                **before("model."),
                "criterion.weight": torch.ones(4),
                "train_acc.tp": torch.zeros(4),
            },
            "hyper_parameters": {"lr": 1e-3, "class_names": NAMES},
        },
        "lightning and ema": {
            "state_dict": {
                **before("model."),
                **{f"ema_model.{n}": torch.zeros_like(v) for n, v in weights.items()},
            }
        },
        "beside": {
            **{f"backbone.{n}": v for n, v in weights.items() if not n.startswith("fc.")},
            "classifier.weight": weights["fc.weight"],
            "classifier.bias": weights["fc.bias"],
        },
    }[how]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("parallel", "“module.”"),
        ("compiled", "“_orig_mod.”"),
        ("fsdp", "left out"),
        ("deepspeed", "_forward_module.model."),
        ("averaged", "n_averaged"),
        ("student", "“student.”"),
        ("ema alone", "ResNet-18"),
        ("params", "ResNet-18"),
        ("own name", "“best_of_all”"),
        ("lightning", "criterion.weight, train_acc.tp"),
        ("lightning and ema", "averaged weights"),
        ("beside", "“backbone.”"),
    ],
)
def test_checkpoints_of_other_programs(tmp_path: Path, how: str, said: str) -> None:
    own = from_torchvision("resnet18")
    torch.save(_wrapped(own.state_dict(), how), tmp_path / "w.ckpt")
    opened = open_weights(tmp_path / "w.ckpt")
    assert opened.card is not None
    assert said in " ".join(opened.notes)
    x = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.allclose(opened.network.eval()(x), own(x), atol=1e-5)


def test_a_changed_network_is_named(tmp_path: Path) -> None:
    weights = {**from_torchvision("resnet18").state_dict(), "cbam.weight": torch.zeros(3, 3)}
    torch.save(weights, tmp_path / "w.pth")
    with pytest.raises(UnusableModel, match=r"ResNet-18 and 1 more .*cbam\.weight.*ONNX"):
        open_weights(tmp_path / "w.pth")


@pytest.mark.parametrize(
    "facts",
    [
        {"classes": NAMES},
        {"class_names": NAMES},
        {"class_map": NAMES},
        {"class_map": {name: str(n) for n, name in enumerate(NAMES)}},
        {"class_to_idx": {name: n for n, name in enumerate(NAMES)}},
        {"idx_to_class": dict(enumerate(NAMES))},
        {"id2label": {str(n): name for n, name in enumerate(NAMES)}},
        {"hyper_parameters": {"classes": tuple(NAMES)}},
    ],
    ids=lambda facts: next(iter(facts)),
)
def test_class_names_under_many_names(tmp_path: Path, facts: dict[str, Any]) -> None:
    weights = from_torchvision("resnet18").state_dict()
    torch.save({"state_dict": weights, **facts}, tmp_path / "w.pth")
    card = open_weights(tmp_path / "w.pth").card
    assert card is not None
    assert list(card.display_names.values()) == NAMES


def test_class_names_in_safetensors_and_in_a_zip(tmp_path: Path) -> None:
    weights = from_torchvision("resnet18").state_dict()
    save_file(weights, tmp_path / "w.safetensors", metadata={"classes": json.dumps(NAMES)})
    card = open_weights(tmp_path / "w.safetensors").card
    assert card is not None
    assert list(card.display_names.values()) == NAMES
    torch.save(weights, tmp_path / "weights.pth")
    (tmp_path / "labels.txt").write_text("\n".join(NAMES), encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "both.zip", "w") as archive:
        archive.write(tmp_path / "weights.pth", "mine/weights.pth")
        archive.write(tmp_path / "labels.txt", "mine/labels.txt")
    card = open_weights(tmp_path / "both.zip").card
    assert card is not None
    assert list(card.display_names.values()) == NAMES


def test_the_names_are_those_of_the_outputs() -> None:
    """Programs keep the labels of pictures and the names of files under the same names."""
    beside = {"names": ["1.png", "2.png"], "labels": ["rods"] * 9, "hparams": {"classes": NAMES}}
    assert read_names(beside, 4) == NAMES
    assert read_names(beside, 2) == ["1.png", "2.png"]
    assert read_names({"names": ["a", "b", "c"]}, 4) == ["a", "b", "c"]  # refused by its number
    with pytest.raises(UnusableModel, match="class map"):
        read_names({"class_map": {"a": "b"}}, 4)
    assert read_names({"class_map": {"a": "b"}, "classes": NAMES}, 4) == NAMES


@pytest.mark.parametrize("name", ["labels", "class_indices", "label_map", "classes"])
@pytest.mark.parametrize("form", ["list", "boxed list", "boxed map", "map"])
def test_files_of_labels_in_every_form(tmp_path: Path, name: str, form: str) -> None:
    numbered = {word: number for number, word in enumerate(NAMES)}
    text = {
        "list": NAMES,
        "boxed list": {"classes": NAMES},
        "boxed map": {"class_to_idx": numbered},
        "map": numbered,
    }[form]
    with zipfile.ZipFile(tmp_path / "w.zip", "w") as archive:
        archive.writestr("mine/weights.pth", b"")
        archive.writestr(f"mine/{name}.json", json.dumps(text))
    with open_bundle(tmp_path / "w.zip") as (_, facts):
        assert read_names(facts, 4) == NAMES


def test_what_a_configuration_says_deeper_down() -> None:
    box = {"mean": MEAN, "std": STD, "image_size": 96}
    stated = read_stated({"config": {"data": box}}, None)
    assert stated is not None
    assert (stated[0].height_px, stated[0].mean, stated[1]) == (96, tuple(MEAN), True)
    for said, function in (("nn.GELU()", "gelu"), ("<class 'torch.nn.SiLU'>", "silu"), (3, None)):
        assert read_measures({"hparams": {"activation": said}}).get("function") == function


def _assembled(how: str) -> tuple[nn.Module, dict[str, Any], int]:
    """A network put together of a library's parts, what is saved of it, and its input's side."""
    torch.manual_seed(0)
    resnet = torchvision.models.resnet18(num_classes=4)
    children = nn.Sequential(*list(resnet.children())[:-1])
    if how == "children":
        own: nn.Module = nn.Sequential(*children, nn.Flatten(), nn.Linear(512, 4))
    elif how == "children and head":
        own = nn.Sequential(OrderedDict(body=children, flat=nn.Flatten(), fc=nn.Linear(512, 4)))
    elif how == "features":
        body = torchvision.models.mobilenet_v2().features
        pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        own = nn.Sequential(OrderedDict(backbone=body, pool=pool, head=nn.Linear(1280, 4)))
    elif how == "backbone and head":  # its own last normalisation stays in the backbone
        body = timm.create_model("convnext_atto", num_classes=0)
        head = nn.Sequential(nn.LayerNorm(320), nn.Dropout(0.1), nn.Linear(320, 4))
        own = nn.Sequential(OrderedDict(backbone=body, head=head))
    else:
        resnet.fc = nn.Sequential(nn.Linear(512, 8), nn.GELU(), nn.Linear(8, 4))
        own = resnet
    facts = {"hyper_parameters": {"head_activation": "gelu"}} if how == "gelu" else {}
    return varied(own), {"state_dict": own.state_dict(), **facts}, 64


@pytest.mark.parametrize(
    "how", ["children", "children and head", "features", "backbone and head", "gelu"]
)
def test_networks_put_together_of_parts(tmp_path: Path, how: str) -> None:
    own, content, side = _assembled(how)
    torch.save(content, tmp_path / "w.pth")
    opened = open_weights(tmp_path / "w.pth")
    assert opened.card is not None
    assert "ReLU" not in " ".join((*opened.notes, *opened.card.limits))
    x = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.allclose(opened.network.eval()(x), own(x), atol=1e-5)
    save_model(tmp_path / "kept", opened.network, opened.card)
    with torch.inference_mode():
        again = load_model(tmp_path / "kept", device="cpu").network(x)
    assert torch.allclose(again, own(x), atol=1e-5)


@pytest.mark.parametrize(
    "facts",
    [
        {"task": "multi-label classification"},
        {"config": {"problem_type": "multi_label_classification"}},
        {"criterion": "BCEWithLogitsLoss()"},
    ],
)
def test_several_labels_at_once_are_sigmoids(
    tmp_path: Path, frame: Micrograph, facts: dict[str, Any]
) -> None:
    own = from_torchvision("resnet18")
    stated = {"mean": MEAN, "std": STD, "img_size": 224, "resize_size": 256, "classes": NAMES}
    torch.save({"state_dict": own.state_dict(), **stated, **facts}, tmp_path / "w.pth")
    classifier = load_model(tmp_path / "w.pth", device="cpu")
    assert classifier.card.multi_label
    assert any("several may be true" in limit for limit in classifier.card.limits)
    steps = [transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor()]
    picture = transforms.Compose([*steps, transforms.Normalize(MEAN, STD)])(
        Image.fromarray(frame.pixels).convert("RGB")
    )
    with torch.inference_mode():
        truth = own(picture[None])[0].sigmoid().tolist()
    answer = classify(classifier, [frame])[0]
    assert list(answer.probabilities.values()) == pytest.approx(truth, abs=1e-5)
    assert set(answer.present) == {n for n, p in zip(NAMES, truth, strict=True) if p > 0.5}
    assert answer.prediction_set == ()
    save_model(tmp_path / "kept", classifier.network, classifier.card)
    again = classify(load_model(tmp_path / "kept", device="cpu"), [frame])[0]
    assert again.probabilities == answer.probabilities


def test_what_a_file_does_not_say_is_asked_for(tmp_path: Path, frame: Micrograph) -> None:
    own = from_torchvision("resnet18")
    torch.save(own.state_dict(), tmp_path / "w.pth")
    classifier = load_model(tmp_path / "w.pth", device="cpu")
    assert classifier.card.training[PREPARED_BY] == ASSUMED
    tried = try_preparations(classifier, [frame])
    assert len(tried) >= 8
    assert disagree(tried)
    chosen = load_model(tmp_path / "w.pth", device="cpu", prepare="plus-minus-1-whole")
    assert chosen.card.training[PREPARED_BY] == CHOSEN
    assert "a person chose" in chosen.card.limits[0]
    steps = [transforms.Resize((224, 224)), transforms.ToTensor()]
    steps.append(transforms.Normalize([0.5] * 3, [0.5] * 3))
    assert_answers_equal(chosen, frame, probabilities(own, frame, steps))


def test_several_classes_a_frame_can_be_stated(tmp_path: Path, frame: Micrograph) -> None:
    """A head that squashes every class looks as one of a softmax does: the person knows."""
    own = from_torchvision("resnet18")
    torch.save(own.state_dict(), tmp_path / "w.pth")
    path = tmp_path / "w.pth"
    classifier = load_model(path, device="cpu", prepare="0-1-whole", several=True)
    steps = [transforms.Resize((224, 224)), transforms.ToTensor()]
    picture = transforms.Compose(steps)(Image.fromarray(frame.pixels).convert("RGB"))
    with torch.inference_mode():
        truth = own(picture[None])[0].sigmoid().tolist()
    answer = classify(classifier, [frame])[0]
    assert list(answer.probabilities.values()) == pytest.approx(truth, abs=1e-5)
    assert answer.present_above == 0.5
    assert understand_model(path, several=True)["classes_per_frame"] == "several"
    assert understand_model(path)["classes_per_frame"] == "one"
    for trained, words in (("em-morph5-2", "trained with one class"), ("one", "has one output")):
        if trained == "one":
            own.fc = torch.nn.Linear(own.fc.in_features, 1)
            torch.save(own.state_dict(), tmp_path / "one")
        with pytest.raises(UserError, match=words):
            load_model(tmp_path / "one" if trained == "one" else trained, several=True)


def test_a_transformers_maps_are_of_its_patches(tmp_path: Path, frame: Micrograph) -> None:
    own = from_timm("vit_tiny_patch16_224")
    torch.save(
        {"model": own.state_dict(), "mean": MEAN, "std": STD, "img_size": 224}, tmp_path / "v"
    )
    classifier = load_model(tmp_path / "v", device="cpu")
    assert classifier.layers[-1] == "block 11"
    assert "attention-rollout" in fitting_methods(classifier)
    methods = ("grad-cam", "layercam", "attention-rollout")
    drawn = explain_all(classifier, frame, methods=methods)
    assert {each.raw.shape for each in drawn.values()} == {(14, 14)}
    assert all(each.has_evidence for each in drawn.values())
    # The rollout's rows are shares: what the class token takes from all patches and itself is 1.
    assert 0 < drawn["attention-rollout"].raw.sum() < 1


def test_a_hostile_card_builds_nothing_large() -> None:
    for name in ("torchvision/regnet_y_128gf", "timm/vit", "timm/no_such_network", "torchvision/x"):
        with pytest.raises(ValueError, match=r"larger|must be|no network|no architecture"):
            build_borrowed(name, 2, 3, {})
    huge = {"image": 224, "patch": 16, "dim": 10**6, "depth": 12, "heads": 3}
    with pytest.raises(ValueError, match="dim"):
        build_borrowed("timm/vit", 2, 3, huge)

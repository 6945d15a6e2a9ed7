"""Weight files of others: what they become, what is said of them, and what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from core.errors import UnusableModel
from core.learning.classifying.classification import classify
from core.learning.explaining.explanation import explain
from core.learning.models import load_model
from core.learning.models.foreign.opening import open_weights
from core.learning.models.installed import ASSUMED, PREPARED_BY
from core.learning.models.networks import NETWORKS, build_network
from core.micrograph import Micrograph
from tests.unit.learning import visual_ccc

MAP = {"Spheroids": 1, "Dendrites": 0}
MAP_3 = {"alloys": 2, "dendrites": 0, "rods & fibres": 1}


@pytest.fixture(scope="module")
def wide() -> Micrograph:
    """A frame that is wider than high, of odd sides, with more than noise in it."""
    rows, cols = np.mgrid[:333, :517]
    waves = 128 + 90 * np.sin(rows / 9) * np.cos(cols / 23)
    noise = np.random.default_rng(0).normal(0, 20, waves.shape)
    return Micrograph("waves", np.clip(waves + noise, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("name", visual_ccc.NETWORKS)
@pytest.mark.parametrize("outputs", [1, 3])
def test_visual_ccc_gives_its_own_probabilities(
    tmp_path: Path, wide: Micrograph, name: str, outputs: int
) -> None:
    network = visual_ccc.original(name, outputs)
    scores = visual_ccc.logits(network, wide.pixels)
    if outputs == 1:
        p = torch.sigmoid(scores)[0]
        expected = torch.stack([1 - p, p])
        beside: dict[str, Any] = {"task": "binary image classification", "class_map": MAP}
    else:
        expected = torch.softmax(scores, 0)
        beside = {"task": "multiclass image classification", "class_map": MAP_3}
    path = visual_ccc.save(tmp_path / "weights.pth", network, epoch=7, **beside)

    classifier = load_model(path, device="cpu")
    answer = classify(classifier, [wide])[0]

    assert classifier.card.architecture == name
    found = [answer.probabilities[each] for each in classifier.card.classes]
    assert found == pytest.approx(expected.tolist(), abs=1e-5)
    names = [classifier.card.display_name(each) for each in classifier.card.classes]
    assert names == (["Dendrites", "Spheroids"] if outputs == 1 else sorted(MAP_3, key=MAP_3.get))
    assert not answer.calibrated
    assert classifier.card.training["epoch"] == 7


@pytest.mark.parametrize(("margin", "expected"), [(-1e-4, "spheroids"), (1e-4, "dendrites")])
def test_threshold_lies_on_the_sigmoid(
    tmp_path: Path, wide: Micrograph, margin: float, expected: str
) -> None:
    network = visual_ccc.original("visualcnn", 1)
    p = float(torch.sigmoid(visual_ccc.logits(network, wide.pixels))[0])
    beside = {"classification_threshold": p + margin, "class_map": MAP, "task": "binary"}
    classifier = load_model(visual_ccc.save(tmp_path / "a.pth", network, **beside), device="cpu")
    assert classifier.card.decision_threshold == p + margin
    assert classify(classifier, [wide])[0].label == expected


def test_heat_map_says_what_the_network_saw(tmp_path: Path, wide: Micrograph) -> None:
    path = visual_ccc.save(tmp_path / "a.pth", visual_ccc.original("visualcnn", 3))
    explanation = explain(load_model(path, device="cpu"), wide)
    top, left, bottom, right = explanation.seen_box
    assert right - left == pytest.approx(256 / 307 * 333, abs=1.5)
    assert bottom - top == pytest.approx(256 / 307 * 333, abs=1.5)
    outside = explanation.heatmap.copy()
    outside[top:bottom, left:right] = 0
    assert not outside.any()


def test_bare_weights_name_what_they_lack(tmp_path: Path) -> None:
    opened = open_weights(visual_ccc.save(tmp_path / "x.pth", visual_ccc.original("visualcnn", 1)))
    said = " ".join(opened.notes)
    assert opened.card is not None
    assert opened.card.classes == ("class_0", "class_1")
    assert opened.card.decision_threshold == 0.5
    for words in ("VisualCNN", "1 output", "names no classes", "no threshold", "Visual-CCC"):
        assert words in said
    assert any("Not calibrated" in limit for limit in opened.card.limits)
    assert any("central square" in limit for limit in opened.card.limits)


@pytest.fixture(
    scope="module", params=[n for n in NETWORKS if n not in ("emnet", "efficientnet_lite0")]
)
def borrowed(request: pytest.FixtureRequest) -> tuple[str, nn.Module]:
    """A network as torchvision builds it, three channels and 7 outputs."""
    if request.param == "visualcnn":
        return request.param, visual_ccc.original("visualcnn", 7)
    return request.param, visual_ccc.torchvision_network(request.param, 7)


def test_plain_state_dict_keeps_its_channels(
    tmp_path: Path, borrowed: tuple[str, nn.Module]
) -> None:
    """A fine-tuned network is a classifier, whose classes and preparation are asked for."""
    name, twin = borrowed
    opened = open_weights(visual_ccc.save(tmp_path / f"{name}.pth.tar", twin))
    channels = 1 if name == "visualcnn" else 3
    x = torch.rand(1, channels, 64, 80, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = twin(x)
        difference = (opened.network.eval()(x) - expected).abs().max()
    assert difference <= 1e-5 * expected.abs().max()
    assert opened.architecture == name
    assert opened.name == name
    assert opened.card is not None
    assert len(opened.card.classes) == 7
    if name in ("alexnet", "visualcnn"):
        return  # Visual-CCC's
    assert opened.card.training[PREPARED_BY] == ASSUMED
    assert "does not say how frames are to be prepared" in " ".join(opened.notes)


def test_what_a_training_starts_from_is_grey(
    tmp_path: Path, borrowed: tuple[str, nn.Module]
) -> None:
    """Grey in all three channels gives what the summed stem gives, so the sum loses nothing."""
    name, twin = borrowed
    opened = open_weights(visual_ccc.save(tmp_path / f"{name}.pth.tar", twin), grey=True)
    x = torch.rand(1, 1, 64, 80, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = twin(x if name == "visualcnn" else x.expand(-1, 3, -1, -1))
        difference = (opened.network.eval()(x) - expected).abs().max()
    assert difference < 3e-4 * expected.abs().max()  # 32-bit sums, through up to 121 layers
    if name != "visualcnn":
        assert "summed to one" in " ".join(opened.notes)


@pytest.mark.parametrize(
    ("wrap", "said"),
    [
        (lambda s: {"state_dict": {f"module.{k}": v for k, v in s.items()}}, "“module.”"),
        (lambda s: {"model": {f"module.model.{k}": v for k, v in s.items()}}, "“module.model.”"),
        (lambda s: {k.replace("features.", "features.module."): v for k, v in s.items()}, "module"),
        (lambda s: {k: v for k, v in s.items() if "num_batches" not in k}, "3 outputs"),
        (lambda s: {k: v.double() for k, v in s.items()}, "32-bit"),
        (lambda s: {k: v.bfloat16() for k, v in s.items()}, "32-bit"),
    ],
)
def test_wrapped_weights_are_unwrapped(
    tmp_path: Path, wrap: Callable[[dict[str, Any]], dict[str, Any]], said: str
) -> None:
    network = visual_ccc.original("visualcnn", 3)
    torch.save(wrap(network.state_dict()), tmp_path / "a.pth")
    opened = open_weights(tmp_path / "a.pth")
    assert said in " ".join(opened.notes)
    weight = opened.network.state_dict()["features.4.weight"]
    assert torch.allclose(weight, network.features[4].weight, atol=1e-3)


def test_old_densenet_names_and_a_last_linear_are_understood(tmp_path: Path) -> None:
    weights = visual_ccc.torchvision_network("densenet121", 54).state_dict()
    for number in "12":
        for kind in ("norm", "conv"):
            weights = {
                k.replace(f".{kind}{number}.", f".{kind}.{number}."): v for k, v in weights.items()
            }
    weights = {k.replace("classifier.", "last_linear."): v for k, v in weights.items()}
    assert "features.denseblock1.denselayer1.norm.1.weight" in weights
    torch.save(weights, tmp_path / "densenet121.pth.tar")
    opened = open_weights(tmp_path / "densenet121.pth.tar")
    assert opened.architecture == "densenet121"
    assert "MicroNet's 54" in opened.notes[-1]


def test_safetensors_and_our_own_network_without_its_card(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = build_network("emnet", 4, {"widths": [8, 8, 16, 16]})
    save_file(network.state_dict(), tmp_path / "w.safetensors")
    opened = open_weights(tmp_path / "w.safetensors")
    assert opened.card is not None
    assert opened.options == {"widths": (8, 8, 16, 16)}
    assert len(opened.card.classes) == 4
    x = torch.rand(1, 1, 32, 32)
    with torch.inference_mode():
        assert torch.equal(opened.network.eval()(x), network.eval()(x))


def test_a_missing_head_makes_an_encoder(tmp_path: Path) -> None:
    weights = visual_ccc.original("visualcnn", 3).state_dict()
    torch.save({k: v for k, v in weights.items() if "classifier" not in k}, tmp_path / "a.pth")
    opened = open_weights(tmp_path / "a.pth")
    assert opened.card is None
    assert "no head" in " ".join(opened.notes)


@pytest.mark.parametrize(
    ("outputs", "beside", "message"),
    [
        (3, {"class_map": MAP}, "names 2 classes, its network has 3 outputs"),
        (1, {"class_map": MAP_3}, "names 3 classes, its network has 1 output"),
        (3, {"class_map": {"a": 0, "b": 1, "c": 3}}, "class map"),
        (3, {"class_map": {"a": 0, "b": 0, "c": 1}}, "class map"),
        (3, {"class_map": {"A": 0, "a": 1, "c": 2}}, "name of its own"),
        (3, {"class_map": {"": 0, "b": 1, "c": 2}}, "name of its own"),
        (3, {"class_map": [1, 2, 3]}, "class map"),
        (3, {"class_map": {}}, "class map"),
        (3, {"task": "binary image classification"}, "has 3 outputs"),
        (1, {"task": "multiclass image classification"}, "has 1 output"),
        (1, {"task": "binary segmentation"}, "task"),
        (1, {"classification_threshold": 1.5}, "between 0 and 1"),
        (1, {"classification_threshold": float("nan")}, "between 0 and 1"),
        (1, {"classification_threshold": "half"}, "between 0 and 1"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(
    tmp_path: Path, outputs: int, beside: dict[str, Any], message: str
) -> None:
    path = visual_ccc.save(tmp_path / "a.pth", visual_ccc.original("visualcnn", outputs), **beside)
    with pytest.raises(UnusableModel, match=message):
        open_weights(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_weights_are_refused(tmp_path: Path, value: float) -> None:
    network = visual_ccc.original("visualcnn", 3)
    with torch.no_grad():
        network.features[4].weight[3, 2, 1, 1] = value
    with pytest.raises(UnusableModel, match=r"NaN or infinity \(in features.4.weight\)"):
        open_weights(visual_ccc.save(tmp_path / "a.pth", network))


def test_weights_of_another_network_name_the_nearest(tmp_path: Path) -> None:
    weights = visual_ccc.original("visualcnn", 3).state_dict()
    weights["features.4.weight"] = weights["features.4.weight"][:, :16]
    torch.save(weights, tmp_path / "a.pth")
    with pytest.raises(UnusableModel, match=r"nearest is VisualCNN.*first is features.4.weight"):
        open_weights(tmp_path / "a.pth")
    torch.save(nn.Linear(3, 3).state_dict(), tmp_path / "b.pth")
    with pytest.raises(UnusableModel, match="fit no network that Micrographia knows"):
        open_weights(tmp_path / "b.pth")


def test_more_layers_than_the_network_has_are_refused(tmp_path: Path) -> None:
    """ResNet-18's names are among ResNet-34's, too: what is over must count."""
    weights = visual_ccc.torchvision_network("resnet34", 1000).state_dict()
    torch.save(weights, tmp_path / "a.pth")
    with pytest.raises(UnusableModel, match="fit no network"):
        open_weights(tmp_path / "a.pth", grey=True)
    assert open_weights(tmp_path / "a.pth").architecture == "torchvision/resnet34"


def test_names_of_classes_are_shown_harmlessly(tmp_path: Path) -> None:
    names = {"a\n# b" * 60: 0, "<b>": 1, "Ω": 2}
    network = visual_ccc.original("visualcnn", 3)
    card = open_weights(visual_ccc.save(tmp_path / "a.pth", network, class_map=names)).card
    assert card is not None
    assert card.classes[1:] == ("b", "ω")
    assert all(word.isprintable() and len(word) <= 60 for word in card.display_names.values())

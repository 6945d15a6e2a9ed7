import json
from pathlib import Path

import pytest
import torch

from core.errors import UnusableModel
from core.learning.models import (
    CARD,
    WEIGHTS,
    Classifier,
    ModelCard,
    list_models,
    load_model,
    pick_device,
    save_model,
)
from core.learning.models.networks import build_network

SMALL = {"widths": [8, 8, 8, 8]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    card = ModelCard("small", "emnet", ("a", "b_c"), {"b_c": "b & c"}, options=SMALL)
    save_model(tmp_path / "small", build_network("emnet", 2, SMALL), card)
    return tmp_path / "small"


def test_what_was_saved_is_loaded(folder: Path) -> None:
    classifier = load_model(folder, device="cpu")
    assert classifier.card.classes == ("a", "b_c")
    assert classifier.card.display_name("b_c") == "b & c"
    assert classifier.card.display_name("a") == "a"
    assert not classifier.network.training
    assert not any(p.requires_grad for p in classifier.network.parameters())


def test_installed_models_are_listed_by_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MICROGRAPHIA_MODELS", str(folder.parent))
    assert list_models() == ["small"]
    assert load_model("small", device="cpu").name == "small"


def test_unknown_model_names_the_known_ones(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MICROGRAPHIA_MODELS", str(folder.parent))
    with pytest.raises(UnusableModel, match=r"no model 'large'.*small"):
        load_model("large")


def test_a_name_too_long_for_a_folder_is_an_unknown_model() -> None:
    with pytest.raises(UnusableModel, match="There is no model"):
        load_model("a" * 400)


def test_changed_weights_are_refused(folder: Path) -> None:
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[-1] ^= 1
    (folder / WEIGHTS).write_bytes(bytes(data))
    with pytest.raises(UnusableModel, match="SHA-256 differs"):
        load_model(folder)


def test_missing_weights_are_refused(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    with pytest.raises(UnusableModel, match="cannot be read"):
        load_model(folder)


def test_nan_weights_are_refused(tmp_path: Path) -> None:
    network = build_network("emnet", 2, SMALL)
    with torch.no_grad():
        network.linear.weight.fill_(float("nan"))
    save_model(tmp_path, network, ModelCard("nan", "emnet", ("a", "b"), options=SMALL))
    with pytest.raises(UnusableModel, match="NaN"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classes": ["a", "b", "c"]}, "do not fit its card"),
        ({"options": {"widths": [8, 8, 8, 16]}}, "do not fit its card"),
        ({"options": {"colour": "red"}}, "do not fit its card"),
        ({"architecture": "vgg"}, "architecture 'vgg'"),
        ({"version": 99}, "version 99"),
        ({"classes": ["a"]}, "two or more"),
    ],
)
def test_card_that_disagrees_is_refused(
    folder: Path, change: dict[str, object], message: str
) -> None:
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps(card | change))
    with pytest.raises(UnusableModel, match=message):
        load_model(folder)


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"version": 1}'])
def test_broken_card_is_refused(folder: Path, text: str) -> None:
    (folder / CARD).write_text(text)
    with pytest.raises(UnusableModel, match="card"):
        load_model(folder)


def test_card_survives_json() -> None:
    card = ModelCard("n", "emnet", ("a", "b"), metrics={"x": 1.5}, data=({"source": "s"},))
    assert ModelCard.from_json(card.to_json()) == card


def test_a_named_device_is_taken_as_it_is() -> None:
    assert pick_device("cpu") == "cpu"
    assert pick_device() in {"cuda", "mps", "cpu"}


def test_every_layer_leads_to_the_same_scores(classifier: Classifier) -> None:
    x = torch.randn(2, 1, 32, 48, generator=torch.Generator().manual_seed(0))
    expected = classifier.head(classifier.features(x))
    assert classifier.layers == ("first", "last")
    for layer in classifier.layers:
        logits = classifier.finish(classifier.activation(x, layer), layer)
        assert torch.allclose(logits, expected, atol=1e-6)
    last = classifier.activation(x, "last")
    assert torch.equal(last, classifier.features(x))


def test_an_unknown_layer_names_the_known_ones(classifier: Classifier) -> None:
    with pytest.raises(ValueError, match="'middle'; there are first, last"):
        classifier.activation(torch.zeros(1, 1, 8, 8), "middle")


def test_one_output_becomes_two_scores(binary: Classifier) -> None:
    activation = torch.rand(3, 4, 2, 2, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        probability = torch.softmax(binary.head(activation), dim=1)
        sigmoid = torch.sigmoid(binary.network.head(activation)[:, 0])
    assert torch.allclose(probability[:, 1], sigmoid)
    assert torch.allclose(probability[:, 0], 1 - sigmoid)

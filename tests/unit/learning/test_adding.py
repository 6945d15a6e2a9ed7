"""Models that people bring: files and zipped folders become model folders, or one sentence."""

import gc
import io
import json
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.errors import UnusableModel, UserError
from core.learning import adding, holding
from core.learning.adding import add_model, rename_classes, zip_model
from core.learning.classifying.classification import classify
from core.learning.holding import Hand, held
from core.learning.models import CARD, WEIGHTS, ModelCard, load_model, save_model
from core.learning.models.installed import (
    ADDED,
    find_model,
    list_models,
    read_facts,
    say_what_is_missing,
)
from core.learning.models.networks import build_network
from core.learning.models.reference import Reference
from core.micrograph import Micrograph
from tests.unit.learning import visual_ccc

SMALL = {"widths": [8, 8, 8, 8]}


@pytest.fixture(autouse=True)
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of added models for this test alone."""
    (tmp_path / "added").mkdir()
    monkeypatch.setenv(ADDED, str(tmp_path / "added"))
    return tmp_path / "added"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    card = ModelCard("small", "emnet", ("a", "b_c"), {"b_c": "b & c"}, options=SMALL)
    save_model(tmp_path / "small", build_network("emnet", 2, SMALL), card)
    return tmp_path / "small"


def pack(folder: Path, inside: str = "small/", **changes: Any) -> Path:
    """Zip a model folder, with changes to its card."""
    path = folder.parent / "model.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for part in folder.iterdir():
            data = part.read_bytes()
            if part.name == CARD:
                data = json.dumps(json.loads(data) | changes).encode()
            archive.writestr(f"{inside}{part.name}", data)
    return path


def frame() -> Micrograph:
    pixels = np.random.default_rng(1).integers(0, 256, (300, 400), dtype=np.uint8)
    return Micrograph("noise", pixels)


def test_a_weight_file_becomes_a_model_that_answers_the_same(tmp_path: Path) -> None:
    path = visual_ccc.save(tmp_path / "x", visual_ccc.original("visualcnn", 1), task="binary")
    model = add_model(path, "../../My net (v2).pth")
    assert model.name.startswith("My-net-v2-")
    assert model.card.name == "My net (v2)"
    assert model.is_foreign
    assert any("VisualCNN" in note for note in model.notes)
    kept, direct = load_model(model.name, device="cpu"), load_model(path, device="cpu")
    answers = [classify(each, [frame()])[0].probabilities for each in (kept, direct)]
    assert answers[0] == answers[1]
    assert kept.card.decision_threshold == 0.5
    assert model.name not in list_models()


def test_the_same_file_is_kept_once(tmp_path: Path, added: Path) -> None:
    path = visual_ccc.save(tmp_path / "x", visual_ccc.original("visualcnn", 3))
    assert add_model(path, "a.pth").name == add_model(path, "a.pth").name
    assert len(list(added.iterdir())) == 1


def test_classes_are_named_and_the_network_stays(tmp_path: Path) -> None:
    path = visual_ccc.save(tmp_path / "x", visual_ccc.original("visualcnn", 3))
    before = add_model(path, "a.pth")
    after = rename_classes(before, ["Rods & fibres", " spheroids ", "", "alloys"])
    assert after.name != before.name
    assert "names no classes" in " ".join(before.notes)
    assert "names no classes" not in " ".join(after.notes)
    assert after.notes[-1] == "The classes were named by hand."
    card = load_model(after.name, device="cpu").card
    assert card.classes == ("rods_fibres", "spheroids", "alloys")
    assert card.display_name("rods_fibres") == "Rods & fibres"
    numbers = [
        list(classify(load_model(m.name, device="cpu"), [frame()])[0].probabilities.values())
        for m in (before, after)
    ]
    assert numbers[0] == numbers[1]


def test_a_zipped_folder_that_was_inferred_is_renamed_with_its_reference(tmp_path: Path) -> None:
    card = ModelCard("own", "emnet", ("a", "b"), options=SMALL, training={"inferred": ["by hand"]})
    logits, truth = np.ones((4, 2), np.float32), np.array([0, 1, 0, 1])
    kept = Reference(np.ones((4, 8), np.float32), truth, logits, truth)
    save_model(tmp_path / "own", build_network("emnet", 2, SMALL), card, kept)
    before = add_model(pack(tmp_path / "own"), "model.zip")
    after = rename_classes(before, ["x", "y"])
    loaded = load_model(after.name, device="cpu")
    assert loaded.card.classes == ("x", "y")
    assert loaded.reference is not None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a", "b"], "has 3 classes, 2 names are given"),
        (["a"], "1 name is given"),
        (["a", "b", "c", "d"], "4 names"),
        (["a", "b", "A"], "name of its own"),
    ],
)
def test_wrong_names_are_one_sentence(tmp_path: Path, words: list[str], message: str) -> None:
    path = visual_ccc.save(tmp_path / "x", visual_ccc.original("visualcnn", 3))
    with pytest.raises(UserError, match=message):
        rename_classes(add_model(path, "a.pth"), words)


@pytest.mark.parametrize("inside", ["", "small/", "a/b/"])
def test_a_zipped_folder_comes_back(folder: Path, inside: str) -> None:
    model = add_model(pack(folder, inside), "whatever.zip")
    assert model.card.display_name("b_c") == "b & c"
    assert not model.is_foreign
    assert model.card == load_model(folder, device="cpu").card


def test_what_is_taken_home_can_be_brought_again(tmp_path: Path) -> None:
    path = visual_ccc.save(tmp_path / "x", visual_ccc.original("visualcnn", 3))
    model = rename_classes(add_model(path, "a.pth"), ["x", "y", "z"])
    with zipfile.ZipFile(io.BytesIO(zip_model(model.name))) as archive:
        assert sorted(archive.namelist()) == [f"{model.name}/{CARD}", f"{model.name}/{WEIGHTS}"]
    (tmp_path / "home.zip").write_bytes(zip_model(model.name))
    assert add_model(tmp_path / "home.zip", "home.zip") == model


def spoil(folder: Path) -> Path:
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[-1] ^= 1
    (folder / WEIGHTS).write_bytes(bytes(data))
    return pack(folder)


def truncate(folder: Path) -> Path:
    path = pack(folder)
    path.write_bytes(path.read_bytes()[:-30])
    return path


def two(folder: Path) -> Path:
    path = pack(folder)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("other/card.json", b"{}")
    return path


def climbing(folder: Path) -> Path:
    """Names that would leave the folder are names of nothing here."""
    path = pack(folder)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../../escaped.txt", b"x")
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda f: pack(f, classes=["a", "b", "c"]), "3 classes need"),
        (lambda f: pack(f, options={"widths": [10**7] * 4}), "do not fit its card"),
        (lambda f: pack(f, preparation={"area_px": 10**12}), "area_px must be"),
        (lambda f: pack(f, preparation={"area_px": "big"}), "area_px must be"),
        (lambda f: pack(f, preparation={"kind": "centre-crop", "crop_px": 0}), "crop_px must be"),
        (lambda f: pack(f, classes=[1, 2]), "plain text"),
        (lambda f: pack(f, classes=["a", "b\n# c"]), "plain text"),
        (lambda f: pack(f, calibration={"temperature": 0}), "positive numbers"),
        (lambda f: pack(f, calibration={"temperature": "hot"}), "positive numbers"),
        (lambda f: pack(f, calibration={"conformal_level": 90}), "cannot be"),
        (lambda f: pack(f, training={"inferred": 5}), "cannot be"),
        (lambda f: pack(f, metrics=[1]), "cannot be"),
        (lambda f: pack(f, training_range={"field_width_nm": "wide"}), "no usable answer"),
        (lambda f: pack(f, display_names=3), "no usable answer"),
        (lambda f: pack(f, reference="0" * 64), "reference.safetensors cannot be read"),
        (spoil, "SHA-256 differs"),
        (truncate, "cut short"),
        (two, "several models"),
    ],
)
def test_a_bad_folder_is_one_sentence_and_leaves_nothing(
    folder: Path, added: Path, make: Callable[[Path], Path], message: str
) -> None:
    with pytest.raises(UnusableModel, match=message) as caught:
        add_model(make(folder), "model.zip")
    assert "\n" not in str(caught.value)
    assert not list(added.iterdir())


def test_nothing_is_written_outside(folder: Path, tmp_path: Path) -> None:
    model = add_model(climbing(folder), "model.zip")
    place = find_model(model.name)
    assert place is not None
    assert sorted(path.name for path in place.iterdir()) == [CARD, WEIGHTS]
    assert not list(tmp_path.parent.rglob("escaped.txt"))


def test_weights_whose_answer_is_no_number_are_refused(tmp_path: Path) -> None:
    network = visual_ccc.original("visualcnn", 3)
    with torch.no_grad():
        network.classifier.weight.fill_(3e38)
    with pytest.raises(UnusableModel, match="no usable answer"):
        add_model(visual_ccc.save(tmp_path / "x", network), "a.pth")


def test_the_oldest_make_room(tmp_path: Path, added: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adding, "MOST_MODELS", 2)
    path = visual_ccc.save(tmp_path / "x", visual_ccc.original("visualcnn", 3))
    first = model = add_model(path, "a.pth")
    for word in "abc":
        model = rename_classes(model, [word, "y", "z"])
    assert len(list(added.iterdir())) == 2
    assert find_model(model.name) is not None
    with pytest.raises(UserError, match="make room"):
        rename_classes(first, ["d", "y", "z"])


def test_names_that_one_visitor_tries_out_cost_no_other_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adding, "MOST_MODELS", 5)
    path = visual_ccc.save(tmp_path / "x", visual_ccc.original("visualcnn", 3))
    theirs, own = add_model(path, "a.pth"), add_model(path, "b.pth")
    theirs = rename_classes(theirs, ["p", "q", "r"])
    for number in range(20):
        own = rename_classes(own, [f"class {number}", "y", "z"])
    assert find_model(theirs.name) is not None
    assert find_model(own.name) is not None


def test_many_models_of_one_visitor_cost_no_other_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adding, "MOST_MODELS", 4)
    path = visual_ccc.save(tmp_path / "x", visual_ccc.original("visualcnn", 3))

    def named(word: str, visitor: str) -> str:
        model = add_model(path, f"{word}.pth", visitor)
        return rename_classes(model, [word, "y", "z"]).name

    theirs = [named("theirs", "a"), named("theirs, too", "a")]
    for number in range(9):
        own = named(f"own {number}", "b")
    assert all(find_model(name) for name in (*theirs, own))
    monkeypatch.setattr(adding, "MOST_MB", 0.001)  # now the size is what is short
    last = named("last", "b")
    assert find_model(last) is not None


@pytest.fixture
def bring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], str]:
    monkeypatch.setattr(adding, "MOST_MODELS", 4)
    monkeypatch.setattr(holding, "_used_s", {})
    path = visual_ccc.save(tmp_path / "x", visual_ccc.original("visualcnn", 3))

    def named(word: str, visitor: str) -> str:
        model = add_model(path, f"{word}.pth", visitor)
        return rename_classes(model, [word, "y", "z"]).name

    return named


def test_models_in_hand_outlast_many_visitors_who_bring_one_each(bring):
    theirs = [bring("first", "honest"), bring("second", "honest")]
    hand = Hand()
    hand.hold(theirs)
    for number in range(12):
        last = bring(f"left {number}", f"visitor {number}")
    assert all(find_model(name) for name in (*theirs, last))


def test_a_new_model_is_refused_where_all_are_in_hand(bring, added):
    hands = []
    for number in range(4):
        hands.append(Hand())
        hands[-1].hold([bring(f"own {number}", f"visitor {number}")])
    before = {path.name for path in added.iterdir()}
    for number in range(4, 8):
        with pytest.raises(UserError, match="no room for another model"):
            bring(f"own {number}", f"visitor {number}")
    assert {path.name for path in added.iterdir()} == before
    hands[0].hold([])
    assert held() == before  # its session may only have been cut off
    hands.clear()


def test_what_no_session_holds_any_more_makes_room(bring, monkeypatch):
    monkeypatch.setattr(holding, "AFTER_USE_S", 0.0)
    theirs = bring("theirs", "a")
    hand = Hand()
    hand.hold([theirs])
    assert held() == {theirs}
    del hand
    gc.collect()
    assert held() == set()
    for number in range(4):
        bring(f"own {number}", f"visitor {number}")
    assert not find_model(theirs)


def test_who_holds_more_than_a_share_makes_room(bring, monkeypatch):
    monkeypatch.setattr(holding, "SHARE", 2)
    monkeypatch.setattr(adding, "SHARE", 2)
    own, hand = [], Hand()
    for number in range(4):
        own.append(bring(f"own {number}", "greedy"))
        hand.hold(own)
    first = bring("first", "b")
    assert find_model(first)
    assert [bool(find_model(name)) for name in own] == [False, True, True, True]


def test_names_are_given_in_many_threads_at_once(tmp_path: Path, added: Path) -> None:
    path = visual_ccc.save(tmp_path / "x", visual_ccc.original("visualcnn", 3))
    model = add_model(path, "a.pth")
    with ThreadPoolExecutor(8) as pool:
        words = [[f"class {number}", "y", "z"] for number in range(8)]
        renamed = list(pool.map(lambda names: rename_classes(model, names), words))
        again = list(pool.map(lambda names: rename_classes(renamed[-1], names), words * 8))
    assert len({each.name for each in renamed}) == 8
    assert {each.name for each in again} <= {each.name for each in renamed}
    assert all(find_model(each.name) for each in renamed)
    assert not list(added.glob("adding-*"))


SCORES = {
    "pictures": 9,
    "groups": 3,
    "balanced_accuracy": 0.8,
    "balanced_accuracy_interval_95": [0.7, 0.9],
    "recall": {"a": {"recall": 0.8, "interval_95": [0.7, 0.9], "pictures": 9}},
    "confusion_matrix": [[1, 2], [3, 3]],
}


@pytest.mark.parametrize(
    "changes",
    [
        {"metrics": {"whole_frames": SCORES | {"balanced_accuracy": "high"}}},
        {"metrics": {"whole_frames": SCORES | {"balanced_accuracy": 2}}},
        {"metrics": {"whole_frames": SCORES | {"balanced_accuracy_interval_95": [0.5]}}},
        {"metrics": {"whole_frames": SCORES | {"balanced_accuracy_interval_95": [0.9, 0.1]}}},
        {"metrics": {"pictures": SCORES | {"pictures": "![x](http://a/b.png)"}}},
        {"metrics": {"pictures": SCORES | {"groups": -1}}},
        {"metrics": {"pictures": SCORES | {"recall": {"a": 1}}}},
        {"metrics": {"pictures": SCORES | {"confusion_matrix": [[1], [1, 2]]}}},
        {"metrics": {"pictures": {"confusion_matrix": [[1, 2], [3, 3]]}}},
        {"metrics": {"balanced_accuracy": "high"}},
        {"metrics": {"novelty": {"foreign_pictures": "![x](http://a/b.png)"}}},
        {"metrics": {"shortcuts": {"points": {"a": "b"}}}},
        {"metrics": {"prediction_sets": [{"level": 1}]}},
        {"metrics": {"protocol": 5}},
        {"calibration": {"temperature": 1e-9}},
        {"calibration": {"temperature": True}},
        {"classes": ["a | b", "c"]},
        {"classes": ["a", "b\u202e"]},
        {"classes": ["a", "b" * 121]},
        {"classes": [str(n) for n in range(1001)]},
        {"display_names": {"a": "x\ny"}},
        {"limits": ["x" * 1001]},
        {"limits": "text"},
        {"training_range": {"pixel_size_nm": [1]}},
        {"training_range": {"pixel_size_nm": [5, 1]}},
        {"decision_threshold": 2},
        {"name": ""},
        {"training": {"a": [0] * 300_000}},
        {"options": {"widths": "[" * 10}},
    ],
    ids=lambda changes: str(changes)[:60],
)
def test_a_card_that_pages_could_not_show_is_one_sentence(
    folder: Path, changes: dict[str, Any]
) -> None:
    with pytest.raises(UnusableModel) as caught:
        add_model(pack(folder, **changes), "model.zip")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_card_with_all_its_scores_is_taken(folder: Path) -> None:
    path = pack(folder, metrics={"whole_frames": SCORES, "more": {"x": [1, "y"]}})
    assert add_model(path, "model.zip").card.metrics["whole_frames"]["groups"] == 3


def test_what_is_missing_is_said(folder: Path) -> None:
    said = say_what_is_missing(read_facts(folder))
    assert "has no calibration" in said
    assert "measured scores" in said
    full = ModelCard(
        "m",
        "emnet",
        ("a", "b"),
        calibration={"temperature": 1.0, "conformal_threshold": 0.9},
        metrics={"x": 1},
        reference="0",
    )
    assert say_what_is_missing(asdict(full)) == ""
    assert read_facts("no such model") == {}

"""Micrographs of one's own classes -> a model folder that is like any other."""

import numpy as np
import pytest
import torch

from core.errors import UserError
from core.learning.classifying import classify
from core.learning.explaining import explain
from core.learning.models import load_model
from core.learning.training import save_quick, train_quickly
from core.learning.training.quick.features import look, stack
from core.learning.training.quick.seen import DIGESTS
from core.micrograph import Micrograph


def test_it_learns_scores_and_knows_new_pictures(start, textures):
    model = train_quickly(textures(6), start=start, name="mine")
    found = model.card.metrics["pictures"]
    assert (model.card.name, model.card.classes) == ("mine", ("blobs", "stripes"))
    assert found["balanced_accuracy"] == 1.0
    low, high = found["balanced_accuracy_interval_95"]
    assert low < 0.95 < high == 1.0
    assert (found["pictures"], found["groups"], model.card.metrics["chance"]) == (12, 12, 0.5)
    fresh = textures(3, first=100)
    for label, pictures in fresh.items():
        assert [answer.label for answer in classify(model, pictures)] == [label] * 3


def test_what_is_kept_is_a_folder_that_loads_explains_and_tells_the_truth(
    start, textures, tmp_path
):
    pictures = textures(5)
    made = train_quickly(pictures, start=start)
    card = save_quick(made, tmp_path / "m")
    assert (card.sha256, card.reference) == (made.card.sha256, made.card.reference)
    loaded = load_model(tmp_path / "m")
    assert loaded.has_linear_head
    picture = pictures["blobs"][0]
    explanation = explain(loaded, picture)
    assert explanation.heatmap.shape == picture.shape
    before, after = (classify(one, [picture])[0].probabilities for one in (made, loaded))
    assert before == pytest.approx(after, abs=1e-6)
    text = (tmp_path / "m" / "README.md").read_text()
    assert "no simulated picture took part" in text
    assert "`small`" in text
    assert card.sha256 in text
    assert "| blobs | 5 |" in text


def test_scores_are_the_linear_layer_of_the_pooled_features(start, textures):
    pictures = textures(4)
    model = train_quickly(pictures, start=start)
    features = torch.from_numpy(stack(look(start, pictures["blobs"])))
    logits = model.head(features[:, :, None, None]).numpy()
    assert (logits.argmax(axis=1) == 0).all()
    assert not any(p.requires_grad for p in model.network.parameters())


def test_the_start_is_left_as_it_was(start, textures):
    before = {name: value.clone() for name, value in start.network.state_dict().items()}
    train_quickly(textures(3), start=start)
    for name, value in start.network.state_dict().items():
        assert torch.equal(value, before[name])
    assert start.card.classes == ("a", "b")


def test_two_of_a_class_are_scored_with_a_wide_interval(start, textures):
    card = train_quickly(textures(2), start=start).card
    low, high = card.metrics["pictures"]["balanced_accuracy_interval_95"]
    assert high - low > 0.25
    assert not card.calibration  # four pictures calibrate nothing


def test_one_original_of_a_class_gives_a_model_without_a_score(start, textures):
    pictures = textures(3)
    pictures["blobs"] = pictures["blobs"][:1]
    model = train_quickly(pictures, start=start)
    assert "pictures" not in model.card.metrics
    assert "blobs comes from one original only" in model.card.metrics["protocol"]
    assert classify(model, pictures["blobs"])[0].label == "blobs"


def test_groups_are_never_parted_however_they_are_named(start, textures):
    pictures = textures(4)
    ways = (
        {"stripes": list("aabb"), "blobs": list("ccdd")},
        [*"aabb", *"ccdd"],
        {
            p.name: "abcd"[n // 2 + 2 * (k == "blobs")]
            for k, v in pictures.items()
            for n, p in enumerate(v)
        },
    )
    for groups in ways:
        model = train_quickly(pictures, groups=groups, start=start)
        assert model.card.metrics["pictures"]["groups"] == 4
        assert model.card.metrics["protocol"].startswith("2-fold")


def test_copies_are_one_original_whatever_the_groups_say(start, textures):
    pictures = textures(3)
    first = pictures["blobs"][0]
    brighter = (40 + 0.7 * first.pixels).astype(np.uint8)
    pictures["blobs"] += [Micrograph("copy.png", brighter), Micrograph("t.png", first.pixels.T)]
    model = train_quickly(pictures, start=start)
    assert model.card.metrics["pictures"]["groups"] == 6


def test_grey_levels_that_do_as_well_are_said(start, textures, tmp_path):
    pictures = textures(4)
    dark = [Micrograph(p.name, (p.pixels // 4).astype(np.uint8)) for p in pictures["blobs"]]
    model = train_quickly({"dark": dark, "bright": textures(4, 50)["blobs"]}, start=start)
    assert model.card.metrics["grey_histogram"] == 1.0
    save_quick(model, tmp_path / "m")
    assert "Grey levels alone do as well" in (tmp_path / "m" / "README.md").read_text()


def test_a_start_that_has_seen_the_pictures_is_found(start, textures):
    pictures = textures(5)
    first = train_quickly(pictures, start=start)
    assert first.card.training["seen_by_start"] == 0
    assert len(first.card.training[DIGESTS]) == 10
    again = train_quickly(pictures, start=first)
    assert again.card.training["seen_by_start"] == 10
    assert any("the score is too good" in limit for limit in again.card.limits)
    fresh = train_quickly(textures(5, first=200), start=first)
    assert fresh.card.training["seen_by_start"] < 5


def test_calibration_sets_and_novelty_come_with_numbers(start, textures):
    few = train_quickly(textures(4), start=start).card.calibration
    assert set(few) == {"conformal_level", "conformal_threshold", "novelty_threshold"}
    assert few["conformal_level"] == 0.8
    many = train_quickly(textures(10), start=start).card.calibration
    assert many["conformal_level"] == 0.9
    assert 0.2 <= many["temperature"] <= 5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda p: {"blobs": p["blobs"]}, "fewer than two classes"),
        (lambda p: {"blobs": p["blobs"], "stripes": []}, "fewer than two classes"),
        (lambda p: {}, "fewer than two classes"),
        (lambda p: {"a|b": p["blobs"], "c": p["stripes"]}, "cannot be the name of a class"),
        (lambda p: {"  ": p["blobs"], "c": p["stripes"]}, "cannot be the name of a class"),
        (lambda p: {"a\nb": p["blobs"], "c": p["stripes"]}, "cannot be the name of a class"),
    ],
)
def test_what_cannot_be_learnt_is_one_sentence(start, textures, change, said):
    with pytest.raises(UserError, match=said):
        train_quickly(change(textures(2)), start=start)


def test_progress_is_told_and_the_second_time_costs_no_pass(start, textures, monkeypatch):
    told: list[tuple[int, int]] = []
    pictures = textures(3, first=300)
    train_quickly(pictures, start=start, on_progress=lambda *step: told.append(step))
    assert told == [(n, 6) for n in range(1, 7)]
    monkeypatch.setattr(
        "core.learning.training.quick.features.embed", lambda *a, **k: pytest.fail("looked again")
    )
    train_quickly(pictures, start=start)

"""What a card says of sources left out and of fewer originals."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.learning.models.schema import check_card
from core.learning.training import crossvalidation, readme, run
from core.learning.training.phases import Trainer
from core.learning.training.pictures import LabelledPicture
from core.learning.training.quick import generality
from core.micrograph import Micrograph
from tests.unit.learning.training.quick.conftest import blobs, stripes
from tests.unit.learning.training.test_run import PLAN


def _pictures(sources: str) -> list[LabelledPicture]:
    """Return pictures, a letter each: its source, upper case of the other class."""
    made = []
    for number, letter in enumerate(sources):
        label, draw = ("blobs", blobs) if letter.isupper() else ("stripes", stripes)
        micrograph = Micrograph(f"{number}.png", draw(number))
        made.append(LabelledPicture(micrograph, label, f"g{number}", letter.lower(), "", ""))
    return made


def test_small_sources_share_a_fit_and_large_ones_do_not() -> None:
    pools = generality.pool_sources(_pictures("aAaAaAaAaAaAaAaAaAbBcC"))
    assert pools == [("a",), ("b",), ("c",)]  # b and c together would be 4 of 22
    pools = generality.pool_sources(_pictures("aA" * 15 + "bcdef"))
    assert pools == [("b", "c"), ("d", "e"), ("f",)]  # two of the six of their class


def test_a_class_keeps_two_thirds_of_its_sources() -> None:
    """Learnt from one source alone it would be that source's instrument."""
    assert generality.pool_sources(_pictures("aA" * 15 + "bc")) == [("b",), ("c",)]
    assert generality.pool_sources(_pictures("aA" * 15 + "bC")) == [("a",), ("b", "c")]


def test_a_source_whose_class_is_nowhere_else_is_not_left_out() -> None:
    assert generality.pool_sources(_pictures("aaaaaaBB")) == []


def test_two_small_sources_that_are_a_whole_class_are_not_left_out_together() -> None:
    pools = generality.pool_sources(_pictures("a" * 30 + "BC"))
    assert pools == [("b",), ("c",)]


def test_a_larger_share_holds_a_smaller_one_and_every_class() -> None:
    truth = np.repeat([0, 1, 2], 20)
    groups = np.repeat(np.arange(30), 2)
    parts = [set(generality.take_share(truth, groups, range(60), s)) for s in (0.1, 0.5, 1)]
    assert parts[0] < parts[1] < parts[2] == set(range(60))
    assert {truth[i] for i in parts[0]} == {0, 1, 2}
    assert [len(part) for part in parts] == [6, 30, 60]


def test_rows_of_the_curve_count_right_over_the_truth() -> None:
    """Recall 1/1 and 2/3: the mean over true classes, not over the ones that were said."""
    truth, groups = np.array([0, 1, 1, 1]), np.arange(4)
    row = generality.curve_rows(
        truth, groups, [(0.5, [0, 1], np.arange(4), np.array([0, 1, 1, 0]))], 90, 2
    )[0]
    assert row["balanced_accuracy"] == pytest.approx(5 / 6, abs=1e-4)
    assert (row["accuracy"], row["pictures"], row["held_out"], row["views"]) == (0.75, 2, 4, 90)


def test_a_head_on_features_takes_every_fold_and_each_source_alone() -> None:
    """Features that tell the classes apart, but not in source c: there they are swapped."""
    pictures = _pictures("aA" * 8 + "bB" * 4 + "cC")
    features = np.array([[p.label == "blobs", p.source == "c"] for p in pictures], float)
    features[-2:, 0] = 1 - features[-2:, 0]
    judge = generality.judge_by_features(features, pictures)
    found = generality.measure_by(judge, pictures, replace(PLAN, folds=5), 0)
    right = {(r["source"], r["class"]): r["right"] for r in found["held_out_sources"]}
    assert right[("c", "blobs")] == right[("c", "stripes")] == 0
    assert right[("a", "blobs")] == 8
    assert [r["left_out"] for r in found["held_out_sources"]] == [16, 16, 8, 8, 2, 2]
    assert {(r["folds"], r["held_out"]) for r in found["learning_curve"]} == {(5, 26)}


def test_fits_like_the_kept_one_leave_out_every_source_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is made twice: the curve's last point is what the folds were, names tell the rest."""
    pictures = _pictures("aAaA" * 4 + "bB" * 4 + "cC")
    trainer = Trainer(("blobs", "stripes"), PLAN, "cpu", tmp_path, lambda _: None)
    weights = trainer.new_network().state_dict()
    fits: list[tuple[str, list[str]]] = []

    def finetune(_: Trainer, phase: str, learnt: list[LabelledPicture]) -> dict[str, object]:
        fits.append((phase, sorted({picture.source for picture in learnt})))
        return weights

    monkeypatch.setattr(Trainer, "finetune", finetune)
    views = crossvalidation.show(pictures, None)
    found = generality.measure(trainer, pictures, views, wholly=True, views_before=7200)
    assert found["held_out_sources_views"] == PLAN.finetune_samples + 7200
    asked = {(row["source"], row["class"]): row["pictures"] for row in found["held_out_sources"]}
    assert asked == {
        **{("a", label): 8 for label in ("blobs", "stripes")},
        **{("b", label): 4 for label in ("blobs", "stripes")},
        **{("c", label): 1 for label in ("blobs", "stripes")},
    }
    assert {row["folds"] for row in found["learning_curve"]} == {2}
    foreseen = {generality.name_of(rest) for rest in generality.list_fits(pictures, PLAN)}
    assert {phase for phase, _ in fits if phase.startswith("part")} == foreseen
    assert {phase for phase, _ in fits} - foreseen == {"fold0", "fold1"}


def test_a_network_that_went_on_has_seen_the_views_of_both_fits() -> None:
    earlier = {"finetune_samples": 1920, "went_on_from": {"plan": {"finetune_samples": 7200}}}
    assert readme._all_views(earlier) == 9120
    assert readme._all_views({"finetune_samples": 1920}) == 1920


def test_measured_rows_stand_in_card_and_readme(tmp_path: Path) -> None:
    pictures = _pictures("aA" * 8 + "bB")
    plan = replace(PLAN, finetune_samples=48)
    trainer = Trainer(("blobs", "stripes"), plan, "cpu", tmp_path, lambda _: None)
    found = generality.measure(trainer, pictures, crossvalidation.show(pictures, None))
    assert [row["share"] for row in found["learning_curve"]] == [0.25, 0.5, 0.75, 1.0]
    assert {row["views"] for row in found["learning_curve"]} == {16}
    assert [(r["source"], r["class"], r["pictures"]) for r in found["held_out_sources"]] == [
        ("a", "blobs", 8),
        ("a", "stripes", 8),
        ("b", "blobs", 1),
        ("b", "stripes", 1),
    ]
    card = run.train_pictures(
        pictures,
        tmp_path / "m",
        plan=plan,
        work=tmp_path / "w",
        sources=True,
        report=lambda _: None,
    )
    check_card({"name": "m", "architecture": "x", "classes": ["a", "b"], "metrics": card.metrics})
    text = readme.describe(card)
    assert "*Learning curve.*" in text
    assert "| 25% |" in text
    assert "16 views instead of 48" in text

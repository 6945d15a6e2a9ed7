"""Thorough training of own classes: stopped, gone on with, and what its card says."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import UserError
from core.learning.classifying import NEAR_ANY, classify
from core.learning.models import Classifier, ModelCard, Preparation, build_network
from core.learning.training import (
    LabelledPicture,
    Stopped,
    TrainingPlan,
    Watch,
    can_be_tuned,
    foresee_bytes,
    foresee_s,
    thorough,
    train_thoroughly,
)
from core.learning.training.quick.seen import DIGESTS, short_digest
from core.micrograph import Micrograph
from tests.unit.learning.training.quick.conftest import blobs, stripes

PLAN = TrainingPlan(
    architecture="efficientnet_lite0",
    options={"both": True},
    pretrain_samples=0,
    finetune_samples=24,
    size_px=64,
    batch=6,
    folds=2,
    still_blocks=5,
    views_each=2,
    real_share=1.0,
    near_any_class=True,
    foreign_each=0,
    area_px=64 * 64,
)


@pytest.fixture(scope="module")
def start() -> Classifier:
    torch.manual_seed(2)
    network = build_network("efficientnet_lite0", 2, {"both": True})
    card = ModelCard(
        "start",
        "efficientnet_lite0",
        ("a", "b"),
        options={"both": True},
        preparation=Preparation(area_px=64 * 64).to_dict(),
        sha256="1" * 64,
    )
    return Classifier(network, card, "cpu")


def _pictures(each: int = 3) -> list[LabelledPicture]:
    made = [("blobs", blobs(n), n) for n in range(each)]
    made += [("stripes", stripes(n), n) for n in range(each)]
    return [
        LabelledPicture(Micrograph(f"{label}{n}.png", p), label, f"{label}{n}", "own", "", "")
        for label, p, n in made
    ]


class _StopAfter(Watch):
    """A watch that stops after so many steps."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.left = steps

    def step(self, work_s: float) -> None:
        self.left -= 1
        if self.left == 0:
            self.stop()
        super().step(work_s)


def test_stopped_and_gone_on_with(
    start: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was done is not done again; the end is a model with an honest score."""
    monkeypatch.setattr(thorough, "thorough_plan", lambda pictures: PLAN)
    pictures = _pictures()
    views, steps = len(pictures) * PLAN.views_each, PLAN.finetune_samples // PLAN.batch
    with pytest.raises(Stopped):
        train_thoroughly(pictures, start, tmp_path, watch=_StopAfter(views + 1 + steps + 2))
    kept = {path.name for path in (tmp_path / "unfinished").glob("*.pt")}
    assert {"views.pt", "fold0.pt", "fold0.answers.pt"} <= kept
    watch = _StopAfter(0)
    knows = {DIGESTS: [short_digest(pictures[0].micrograph)]}
    before = Classifier(start.network, replace(start.card, training=knows), "cpu")
    made = train_thoroughly(pictures, before, tmp_path, name="mine", watch=watch)
    assert watch.share == pytest.approx(1, abs=0.05)
    assert -watch.left < views + 2 * (1 + steps) + steps  # the first fold was not fitted again
    card = made.classifier.card
    assert (card.name, card.classes) == ("mine", ("blobs", "stripes"))
    assert card.metrics["pictures"]["groups"] == 6
    low, high = card.metrics["pictures"]["balanced_accuracy_interval_95"]
    assert high - low > 0.3  # six pictures say little, also where all are right
    assert card.training["seen_by_start"] == 1
    assert "1 of 6 pictures, or close copies, are ones that start has learnt from" in made.readme
    assert f"({low:.3f}–{high:.3f})" in made.readme
    assert card.metrics["chance"] == 0.5
    assert set(card.calibration) == {NEAR_ANY}  # six originals calibrate nothing
    assert "prediction_sets" not in card.metrics
    assert "Calibration: none, too few originals." in made.readme
    answer = classify(made.classifier, [pictures[0].micrograph])[0]
    assert not answer.calibrated
    assert answer.novelty is None
    named = {row["picture"] for row in card.metrics["worst_pictures"]}
    assert named == {picture.micrograph.name for picture in pictures}
    assert 0 <= card.metrics["grey_histogram"] <= 1
    assert made.readme.startswith("# mine")
    assert "On the Train page or by `train_thoroughly`, starting from" in made.readme
    assert made.classifier.reference is not None
    assert len(made.classifier.reference.heldout_logits) == 6
    still = start.network.state_dict()["stages.0.0.conv_dw.weight"]
    after = made.classifier.network.state_dict()["stages.0.0.conv_dw.weight"]
    torch.testing.assert_close(still, after)
    assert not (tmp_path / "model").exists()


def test_copies_of_one_field_are_one_original(start: Classifier, tmp_path: Path) -> None:
    same = [
        LabelledPicture(Micrograph(f"{n}.png", blobs(1)), "blobs", f"{n}", "own", "", "")
        for n in range(3)
    ]
    with pytest.raises(UserError, match="comes from one original only"):
        train_thoroughly([*same, *_pictures()[3:]], start, tmp_path)


def test_too_many_pictures_and_other_networks_are_refused(
    start: Classifier, tmp_path: Path
) -> None:
    other = Classifier(
        build_network("emnet", 2, {}), ModelCard("other", "emnet", ("a", "b")), "cpu"
    )
    assert can_be_tuned(start)
    assert not can_be_tuned(other)
    with pytest.raises(UserError, match="cannot be tuned here"):
        train_thoroughly(_pictures(), other, tmp_path)
    with pytest.raises(UserError, match="more than the 400"):
        train_thoroughly(_pictures() * 70, start, tmp_path)


def test_what_is_foreseen_grows_and_stays_bounded() -> None:
    seconds = [foresee_s(n) for n in (10, 30, 100, 400)]
    assert seconds == sorted(seconds)
    assert seconds[0] < 400
    assert seconds[-1] < 3600
    assert max(foresee_bytes(n) for n in (10, 100, 400)) < 600_000_000


def test_the_time_is_known_before_the_first_picture_was_looked_at(
    start: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page asks every second, also while nothing is done."""
    watch = Watch()
    assert (watch.share, watch.left_s) == (0, 0)
    asked: list[float] = []

    def look(*_: object) -> None:
        asked.append(watch.left_s)
        raise Stopped

    monkeypatch.setattr(thorough, "look", look)
    with pytest.raises(Stopped):
        train_thoroughly(_pictures(), start, tmp_path, watch=watch)
    assert asked == [foresee_s(6)]


def test_time_left_counts_only_what_was_done_now() -> None:
    watch = Watch(100.0)
    assert (watch.share, watch.left_s) == (0, 100)
    watch.skip(50)
    assert watch.share == 0.5
    assert watch.left_s == 50
    watch.step(25)
    assert watch.share == 0.75
    assert 0 <= watch.left_s < 5  # 25 s of work took no time at all
    threading.Thread(target=watch.stop).start()
    while not watch.is_stopping:
        pass
    with pytest.raises(Stopped):
        watch.step(1)
    assert np.isclose(watch.share, 0.76)

"""Fine-tuning the last blocks: full fields, cached activations, what is drawn from them."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from core.errors import UserError
from core.imaging.simulation import KINDS
from core.learning.classifying import NEAR_ANY
from core.learning.models import ModelCard, load_model
from core.learning.models.networks import build_network
from core.learning.training import TrainingPlan, crossvalidation, plan_for, train
from core.learning.training.pictures import read_labelled_folders
from core.learning.training.starting import Start
from core.learning.training.tuning import (
    CROWDS,
    DROPS,
    FIELDS,
    SCATTERS,
    Activations,
    simulate_field,
)
from core.learning.training.tuning.activations import FIELD, SIMULATED, Draw, _views

GROUPS = {0: "series", 1: "series", 2: "series", 3: "series", 4: "alone", 5: "other"}


def _plan(**changes: object) -> TrainingPlan:
    values: dict[str, object] = {
        "architecture": "efficientnet_lite0",
        "options": {"both": True},
        "pretrain_samples": 0,
        "finetune_samples": 12,
        "size_px": 64,
        "batch": 6,
        "folds": 2,
        "still_blocks": 5,
        "views_each": 2,
        "simulated_views": 5,
        "real_share": 0.6,
        "field_share": 0.5,
        "half": True,
        "near_any_class": True,
        "foreign_each": 1,
        "area_px": 64 * 64,
    }
    return TrainingPlan(**{**values, **changes})  # type: ignore[arg-type]


def test_every_class_that_is_simulated_has_a_full_field() -> None:
    assert set(FIELDS) == set(KINDS)


@pytest.mark.parametrize("kind", FIELDS)
def test_a_field_is_filled_from_edge_to_edge(kind: str) -> None:
    """No quarter of it is empty, and the same seed draws the same field."""
    fields = [simulate_field(kind, 96, np.random.default_rng(n)) for n in range(4)]
    again = simulate_field(kind, 96, np.random.default_rng(0))
    np.testing.assert_array_equal(fields[0], again)
    assert not np.array_equal(fields[0], fields[1])
    for field in fields:
        assert field.shape == (96, 96)
        assert field.dtype == np.float32
        assert 0 <= field.min() <= field.max() <= 1
        quarters = field.reshape(2, 48, 2, 48).std(axis=(1, 3))
        assert (quarters > 0.02).all()


@pytest.mark.parametrize("kind", {**SCATTERS, **DROPS})
def test_a_scatter_is_seen_and_drawn_again_from_its_seed(kind: str) -> None:
    """Something stands out of the ground of each picture, and nothing leaves the finite."""
    draw = {**SCATTERS, **DROPS}[kind]
    fields = [draw(96, np.random.default_rng(n)) for n in range(12)]
    np.testing.assert_array_equal(fields[0], draw(96, np.random.default_rng(0)))
    assert np.isfinite(fields).all()
    assert all(f.shape == (96, 96) and f.dtype == np.float32 for f in fields)
    assert min(f.std() for f in fields) > 0.01


@pytest.mark.parametrize("kind", CROWDS)
def test_a_crowd_fills_most_of_the_field(kind: str) -> None:
    """The same seed draws the same field, and hardly any quarter is empty."""
    fields = [CROWDS[kind](96, np.random.default_rng(n)) for n in range(8)]
    np.testing.assert_array_equal(fields[0], CROWDS[kind](96, np.random.default_rng(0)))
    stds = np.stack([f.reshape(2, 48, 2, 48).std(axis=(1, 3)) for f in fields])
    assert np.isfinite(fields).all()
    assert (stds > 0.02).mean() > 0.9


def test_tiles_of_whole_frames_belong_to_their_picture(folder: Path) -> None:
    """What is learnt from whole frames is held out with the picture, and crowds are no picture."""
    pictures = read_labelled_folders([folder])
    plan = _plan(tiles_each=3, crowd_views=6, scatter_views=8, views_each=1, simulated_views=0)
    classes = ("alloys", "spheroids")
    wholes = [picture.micrograph for picture in pictures]
    rows = [(o, t) for _, o, t in _views(pictures, classes, classes, plan, wholes)]
    owner = [o for o, _ in rows]
    assert [owner.count(n) for n in range(6)] == [4] * 6
    # Of six crowds and eight scatters, those of the class here that each knows, and drops.
    assert owner.count(FIELD) == 2 + 2 + 2
    assert all(t == classes.index(pictures[o].label) for o, t in rows if o >= 0)
    alone = [o for _, o, _ in _views(pictures, classes, (), plan, ())]
    assert alone == [0, 1, 2, 3, 4, 5]


def _activations(per_picture: int = 10) -> Activations:
    owner = np.repeat([0, 1, 2, 3, 4, 5, SIMULATED, FIELD], per_picture)
    target = np.repeat([0, 0, 0, 0, 0, 1, 1, 1], per_picture)
    values = torch.arange(len(owner), dtype=torch.float16)[:, None, None, None]
    return Activations(values, owner, target)


def test_draws_follow_the_shares_and_long_series_do_not_win() -> None:
    activations = _activations()
    draw = Draw(activations, GROUPS, _plan(batch=4000), seed=1)
    values, target = draw.batch()
    owner = activations.owner[values[:, 0, 0, 0].long().numpy()]
    shares = {name: (owner == number).mean() for name, number in (("s", SIMULATED), ("f", FIELD))}
    assert (owner >= 0).mean() == pytest.approx(0.6, abs=0.03)
    assert shares["s"] == pytest.approx(0.2, abs=0.03)
    assert shares["f"] == pytest.approx(0.2, abs=0.03)
    real = target.numpy()[owner >= 0]
    assert (real == 0).mean() == pytest.approx(0.5, abs=0.04)  # classes are equal
    # Four pictures of one series weigh two, so the one beside them is a third of its class.
    alone = (owner == 4).sum() / (owner[owner >= 0] <= 4).sum()
    assert alone == pytest.approx(1 / 3, abs=0.04)


def test_pictures_that_are_held_out_are_never_drawn() -> None:
    activations = _activations()
    chosen = {number: group for number, group in GROUPS.items() if group != "series"}
    values, _ = Draw(activations, chosen, _plan(batch=500), seed=1).batch()
    owner = activations.owner[values[:, 0, 0, 0].long().numpy()]
    assert not np.isin(owner, [0, 1, 2, 3]).any()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name, sigma in (("alloys", 1), ("spheroids", 4)):
        (tmp_path / "train" / name).mkdir(parents=True)
        for i in range(3):
            picture = cv2.GaussianBlur(rng.normal(128, 90, (72, 72)), (0, 0), sigma)
            cv2.imwrite(
                str(tmp_path / "train" / name / f"{i}.png"), np.clip(picture, 0, 255).astype("u1")
            )
    return tmp_path / "train"


@pytest.fixture
def start() -> Start:
    torch.manual_seed(1)
    weights = build_network("efficientnet_lite0", 2, {}).state_dict()
    body = {name: value for name, value in weights.items() if not name.startswith("classifier")}
    return Start("somewhere", "0" * 64, "efficientnet_lite0", {}, body, ())


def test_only_the_last_blocks_learn(folder: Path, start: Start, tmp_path: Path) -> None:
    """The whole way: a model folder whose first blocks are the start's, kept as 16-bit floats."""
    out = tmp_path / "out"
    card = train(
        folder,
        out,
        plan=_plan(finetune_rate=1e-2),
        start=start,
        work=tmp_path / "w",
        keep_work=True,
        device="cpu",
        report=str,
    )
    assert card.options == {"both": True}
    assert card.calibration[NEAR_ANY] == 1
    assert len(card.metrics["worst_pictures"]) == 6
    assert "full fields" in (out / "README.md").read_text(encoding="utf-8")
    kept = load_model(out, device="cpu").network.state_dict()
    for name, value in start.weights.items():
        if value.dim() < 4:
            continue
        same = torch.equal(kept[name], value.half().float())
        is_still = name.startswith(("conv_stem", "bn1", *(f"stages.{n}." for n in range(4))))
        assert same == is_still, name
    _goes_on(folder, start, tmp_path)


def _goes_on(folder: Path, start: Start, tmp_path: Path) -> None:
    """Each fold goes on from its own network, and other folds or another start are refused."""
    earlier, work = tmp_path / "w", tmp_path / "later"
    plan = _plan(finetune_rate=1e-12, head_rate=1e-12, finetune_samples=6, weight_decay=0.0)

    def go_on(plan: TrainingPlan, start: Start, **more: bool) -> ModelCard:
        given = {"start": start, "work": work, "earlier": earlier, "keep_work": True, **more}
        return train(folder, tmp_path / "on", plan=plan, device="cpu", report=str, **given)  # type: ignore[arg-type]

    card = go_on(plan, start)
    for phase in ("fold0", "fold1", "final"):
        kept, now = (torch.load(place / f"{phase}.pt") for place in (earlier, work))
        for learnt in ("classifier.weight", "stages.5.0.conv_dw.weight"):
            torch.testing.assert_close(now[learnt], kept[learnt])
    assert card.training["went_on_from"]["plan"]["finetune_rate"] == 1e-2
    assert set(card.training["went_on_from"]["weights"]) == {"fold0", "fold1", "final"}
    assert "in an earlier" in (tmp_path / "on" / "README.md").read_text(encoding="utf-8")
    with pytest.raises(UserError, match="not that of a training of these"):
        go_on(replace(plan, seed=1), start)
    with pytest.raises(UserError, match="not that of a training of these"):
        go_on(plan, replace(start, sha256="1" * 64))
    with pytest.raises(UserError, match="kept no fits without whole sources"):
        go_on(plan, start, sources_by_fits=True)
    (earlier / "final.pt").unlink()
    with pytest.raises(UserError, match=r"final is missing"):
        go_on(plan, start)


def test_a_stopped_training_goes_on_after_the_folds_that_are_done(
    folder: Path, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    wanted = train(
        folder,
        tmp_path / "a",
        plan=_plan(),
        start=start,
        work=tmp_path / "wa",
        device="cpu",
        report=str,
    )
    work = tmp_path / "w"
    with monkeypatch.context() as patch:
        patch.setattr(crossvalidation, "calibrate", stop)
        with pytest.raises(KeyboardInterrupt):
            train(
                folder,
                tmp_path / "b",
                plan=_plan(),
                start=start,
                work=work,
                device="cpu",
                report=str,
            )
    assert (work / "fold1.answers.pt").is_file()
    with monkeypatch.context() as patch:
        patch.setattr(crossvalidation, "ask", _refuse_after(crossvalidation.ask, 2))
        again = train(
            folder, tmp_path / "b", plan=_plan(), start=start, work=work, device="cpu", report=str
        )
    assert again.metrics == wanted.metrics
    assert not work.exists()


def _refuse_after(ask, most: int):  # type: ignore[no-untyped-def]
    """Let the finished network be asked for its reference and of foreign pictures, no more."""
    calls = 0

    def counted(*given, **named):  # type: ignore[no-untyped-def]
        nonlocal calls
        calls += 1
        assert calls <= most + 1
        return ask(*given, **named)

    return counted


def test_the_usual_plan_follows_the_start(start: Start) -> None:
    assert plan_for(None) == TrainingPlan()
    plan = plan_for(start, folds=3)
    assert (plan.architecture, plan.still_blocks, plan.folds) == ("efficientnet_lite0", 5, 3)

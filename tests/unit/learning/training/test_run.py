import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import UserError
from core.learning.classifying.classification import classify
from core.learning.models import load_model
from core.learning.training import run
from core.learning.training.pictures import read_labelled_folders
from core.learning.training.run import TrainingPlan, train
from core.learning.training.unfinished import claim, forget
from core.micrograph import Micrograph

PLAN = TrainingPlan(
    pretrain_samples=0,
    finetune_samples=640,
    finetune_rate=3e-3,
    size_px=32,
    batch=16,
    folds=2,
    workers=0,
    foreign_each=2,
)
TINY = replace(PLAN, finetune_samples=32, foreign_each=1)  # where what is learnt does not count


def stripes(rng: np.random.Generator) -> np.ndarray:
    wave = np.sin(np.arange(64) * 0.8 + rng.uniform(0, 6)) * 90 + 128
    return np.tile(wave, (64, 1)) + rng.normal(0, 10, (64, 64))


def noise(rng: np.random.Generator) -> np.ndarray:
    return cv2.GaussianBlur(rng.normal(128, 300, (64, 64)), (0, 0), 3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name, draw in (("noise", noise), ("stripes", stripes)):
        (tmp_path / "train" / name).mkdir(parents=True)
        for i in range(6):
            picture = np.clip(draw(rng), 0, 255).astype(np.uint8)
            cv2.imwrite(str(tmp_path / "train" / name / f"{i}.png"), picture)
    return tmp_path / "train"


def test_training_learns_scores_and_writes_a_usable_model(folder: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    out = tmp_path / "model"
    card = train(folder, out, plan=PLAN, work=tmp_path / "work", device="cpu", report=lines.append)
    assert card.metrics["pictures"]["balanced_accuracy"] >= 0.9
    assert card.metrics["pictures"]["pictures"] == 12
    assert "balanced accuracy" in (out / "README.md").read_text(encoding="utf-8")
    classifier = load_model(out, device="cpu")
    fresh = np.clip(stripes(np.random.default_rng(9)), 0, 255).astype(np.uint8)
    assert classify(classifier, [Micrograph("x", fresh)])[0].label == "stripes"
    assert any("fold 1" in line for line in lines)


def test_a_stopped_training_goes_on(folder: Path, tmp_path: Path) -> None:
    class StoppedError(Exception):
        pass

    def stop_at_the_second_fold(line: str) -> None:
        if line.startswith("fold1"):
            raise StoppedError

    work = tmp_path / "work"
    with pytest.raises(StoppedError):
        train(folder, tmp_path / "m", plan=TINY, work=work, report=stop_at_the_second_fold)
    assert (work / "fold0.pt").is_file()
    lines: list[str] = []
    train(folder, tmp_path / "m", plan=TINY, work=work, report=lines.append)
    assert not any(line.startswith("fold0: step") for line in lines)
    assert (tmp_path / "m" / "card.json").is_file()


def test_groups_come_from_the_table(folder: Path) -> None:
    with (folder.parent / "labels.csv").open("w", newline="") as file:
        rows = csv.DictWriter(file, ["file", "group", "source", "licence"])
        rows.writeheader()
        rows.writerow({"file": "train/noise/0.png", "group": "g1", "source": "s", "licence": "MIT"})
    pictures = {p.relative: p for p in read_labelled_folders([folder])}
    assert pictures["train/noise/0.png"].group == "g1"
    assert pictures["train/noise/0.png"].licence == "MIT"
    assert len({p.group for p in pictures.values()}) == 12


def test_equal_files_share_a_group(folder: Path) -> None:
    copy = folder / "noise" / "copy.png"
    copy.write_bytes((folder / "noise" / "0.png").read_bytes())
    pictures = {p.relative: p.group for p in read_labelled_folders([folder])}
    assert pictures["train/noise/copy.png"] == pictures["train/noise/0.png"]


def test_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no folder"):
        read_labelled_folders([tmp_path / "nowhere"])


def test_one_class_is_too_few(folder: Path) -> None:
    for path in (folder / "noise").iterdir():
        path.unlink()
    with pytest.raises(UserError, match="fewer than two classes"):
        read_labelled_folders([folder])


def test_folders_of_classes_further_down_are_named(folder: Path) -> None:
    with pytest.raises(UserError, match=r"Pictures lie deeper: give .*train if its folders"):
        read_labelled_folders([folder.parent])


def test_a_picture_in_two_classes_is_said(folder: Path) -> None:
    shutil.copy(folder / "noise" / "0.png", folder / "stripes" / "twin.png")
    said = run._say_twins(read_labelled_folders([folder]))
    assert "0.png (noise) and twin.png (stripes)" in said
    (folder / "stripes" / "twin.png").unlink()
    assert run._say_twins(read_labelled_folders([folder])) == ""


def test_more_folds_than_groups_is_said(folder: Path, tmp_path: Path) -> None:
    plan = TrainingPlan(pretrain_samples=0, folds=50)
    with pytest.raises(UserError, match="50 folds need"):
        train(folder, tmp_path / "m", plan=plan, work=tmp_path / "work", report=lambda _: None)


def weights(out: Path) -> str:
    return json.loads((out / "card.json").read_text(encoding="utf-8"))["sha256"]


def stop_after_fold_0(line: str) -> None:
    if line.startswith("fold 0"):
        raise KeyboardInterrupt


def test_nothing_is_gone_on_with_for_other_labels_and_nothing_is_left(
    folder: Path, tmp_path: Path
) -> None:
    """With labels swapped, the second model was the first one, under the second one's card."""
    work = tmp_path / "work"
    train(folder, tmp_path / "a", plan=TINY, work=work, device="cpu", report=lambda _: None)
    assert not work.exists()
    with pytest.raises(KeyboardInterrupt):
        train(folder, tmp_path / "b", plan=TINY, work=work, device="cpu", report=stop_after_fold_0)
    assert (work / "fold0.pt").is_file()
    (folder / "noise").rename(folder / "spare")
    (folder / "stripes").rename(folder / "noise")
    (folder / "spare").rename(folder / "stripes")
    lines: list[str] = []
    train(folder, tmp_path / "b", plan=TINY, work=work, device="cpu", report=lines.append)
    assert any("begins anew" in line for line in lines)
    assert weights(tmp_path / "a") != weights(tmp_path / "b")
    assert not work.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"plan": replace(TINY, finetune_rate=1e-3)},
        {"classes": ("noise", "other")},
        {"group": "g"},
        {"label": "stripes"},
        {"pixels": 1},
        {"count": 11},
    ],
    ids=lambda change: next(iter(change)),
)
def test_phases_of_another_training_go(folder: Path, tmp_path: Path, change: dict) -> None:
    pictures = read_labelled_folders([folder])
    for _ in range(2):
        assert not claim(tmp_path / "w", pictures, ("noise", "stripes"), TINY, None)
        (tmp_path / "w" / "fold0.pt").write_bytes(b"weights")
    first = pictures[0]
    if "pixels" in change:
        pixels = first.micrograph.pixels.copy()
        pixels[0, 0] ^= 1
        first = replace(first, micrograph=Micrograph("x", pixels))
    first = replace(first, **{k: v for k, v in change.items() if k in ("group", "label")})
    others = [first, *pictures[1 : change.get("count", 12)]]
    classes = change.get("classes", ("noise", "stripes"))
    assert claim(tmp_path / "w", others, classes, change.get("plan", TINY), None)
    assert not (tmp_path / "w" / "fold0.pt").exists()


def test_a_work_folder_keeps_what_is_not_ours(folder: Path, tmp_path: Path) -> None:
    pictures = read_labelled_folders([folder])
    claim(tmp_path / "w", pictures, ("noise", "stripes"), TINY, None)
    (tmp_path / "w" / "mine.txt").write_text("mine")
    forget(tmp_path / "w")
    assert [path.name for path in (tmp_path / "w").iterdir()] == ["mine.txt"]


def own_names(folder: Path, count: int) -> Path:
    """Return the folder with `count` pictures of each of two classes that nobody simulates."""
    for own in folder.iterdir():
        for path in sorted(own.iterdir())[count:]:
            path.unlink()
    (folder / "noise").rename(folder / "silver_trees")
    return folder


def test_three_pictures_of_a_class_are_trained_and_the_readme_is_true(
    folder: Path, tmp_path: Path
) -> None:
    lines: list[str] = []
    plan = replace(TINY, folds=5, pretrain_samples=128_000)
    out = tmp_path / "m"
    card = train(
        own_names(folder, 3), out, plan=plan, work=tmp_path / "w", device="cpu", report=lines.append
    )
    assert any("3 folds instead of 5" in line for line in lines)
    assert any("min left of this phase" in line for line in lines)
    assert (card.training["pretrain_samples"], card.training["real_share"]) == (0, 1.0)
    assert card.display_name("silver_trees") == "silver trees"
    text = (out / "README.md").read_text()
    assert "none of them simulated" in text
    assert "128,000" not in text


def test_one_original_of_a_class_is_said_before_anything_starts(
    folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="comes from one group of originals only"):
        train(own_names(folder, 1), tmp_path / "m", plan=TINY, report=lambda _: None)

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import UserError
from core.learning.classifying.classification import classify
from core.learning.models import load_model
from core.learning.training.pictures import read_labelled_folders
from core.learning.training.run import TrainingPlan, train
from core.micrograph import Micrograph

PLAN = TrainingPlan(
    pretrain_samples=0,
    finetune_samples=960,
    finetune_rate=3e-3,
    size_px=32,
    batch=16,
    folds=2,
    workers=0,
)


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
        train(folder, tmp_path / "m", plan=PLAN, work=work, report=stop_at_the_second_fold)
    assert (work / "fold0.pt").is_file()
    lines: list[str] = []
    train(folder, tmp_path / "m", plan=PLAN, work=work, report=lines.append)
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


def test_more_folds_than_groups_is_said(folder: Path, tmp_path: Path) -> None:
    plan = TrainingPlan(pretrain_samples=0, folds=50)
    with pytest.raises(UserError, match="50 folds need"):
        train(folder, tmp_path / "m", plan=plan, work=tmp_path / "work", report=lambda _: None)

"""`python -m core train FOLDER… --quick`: folders in, a model folder out."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.__main__ import main
from core.errors import UserError
from core.learning.models import load_model
from core.learning.training import TrainingPlan
from tests.pages.small_model import save_small_model


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    save_small_model(tmp_path / "installed")
    monkeypatch.setenv("MICROGRAPHIA_MODELS", str(tmp_path / "installed"))
    rng = np.random.default_rng(0)
    for label, blur in (("fine_grain", 1), ("coarse", 8)):
        (tmp_path / "data" / label).mkdir(parents=True)
        for number in range(3):
            small = rng.integers(0, 256, (64 // blur, 80 // blur), dtype=np.uint8)
            picture = Image.fromarray(small).resize((80, 64))
            picture.save(tmp_path / "data" / label / f"{'abc'[number]}{label}.png")
    (tmp_path / "data" / "coarse" / "Thumbs.db").write_bytes(b"")
    return tmp_path / "data"


def test_quick_writes_a_model_that_loads(folder: Path, tmp_path: Path, capsys) -> None:
    assert main(["train", str(folder), "--out", str(tmp_path / "mine"), "--quick"]) == 0
    model = load_model(tmp_path / "mine")
    assert model.card.classes == ("coarse", "fine_grain")
    assert model.card.display_name("fine_grain") == "fine_grain"
    assert (tmp_path / "mine" / "README.md").is_file()
    said = capsys.readouterr()
    assert "looked at 6 of 6 pictures" in said.err
    assert "“coarse” has 3 originals" in said.err
    assert "Balanced accuracy" in said.err
    assert '"learning_curve"' in said.out


def test_what_belongs_to_long_training_is_refused(folder: Path, tmp_path: Path, capsys) -> None:
    wrong = ["train", str(folder), "--out", str(tmp_path / "m"), "--quick", "--folds", "3"]
    assert main(wrong) == 2
    assert "--folds cannot go with --quick" in capsys.readouterr().err


def test_an_unreadable_file_is_named(folder: Path, tmp_path: Path, capsys) -> None:
    (folder / "coarse" / "broken.png").write_bytes(b"")
    assert main(["train", str(folder), "--out", str(tmp_path / "m"), "--quick"]) == 2
    assert "broken.png: The file is empty" in capsys.readouterr().err


@pytest.mark.parametrize(("more", "views"), [([], 0), (["--pretrain-samples", "64"], 64)])
def test_simulated_views_come_only_when_asked_for(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: list[str], views: int
) -> None:
    plans = []

    def noted(*_: object, plan: TrainingPlan, **__: object) -> None:
        plans.append(plan)
        raise UserError("enough")

    monkeypatch.setattr("core.learning.training.run.train", noted)
    monkeypatch.setattr("core.learning.training.train", noted, raising=False)
    main(["train", str(folder), "--out", str(tmp_path / "m"), *more])
    assert [plan.pretrain_samples for plan in plans] == [views]

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from core.errors import UnusableModel
from core.learning.models import ModelCard, load_model, save_model
from core.learning.models.installed import file_digest
from core.learning.models.networks import build_network
from core.learning.models.reference import REFERENCE, Reference

SMALL = {"widths": [8, 8, 8, 8]}


def make_reference(classes: int = 2) -> Reference:
    rng = np.random.default_rng(0)
    return Reference(
        rng.normal(size=(6, 8)).astype(np.float32),
        np.arange(6, dtype=np.int64) % classes,
        rng.normal(size=(4, classes)).astype(np.float32),
        np.arange(4, dtype=np.int64) % classes,
        groups=np.array([0, 0, 1, 1, 2, 2], np.int64),
    )


def save(folder: Path, reference: Reference | None) -> ModelCard:
    torch.manual_seed(0)
    card = ModelCard("small", "emnet", ("a", "b"), options=SMALL)
    return save_model(folder, build_network("emnet", 2, SMALL), card, reference)


def test_what_was_saved_is_loaded_with_the_model(tmp_path: Path) -> None:
    wanted = make_reference()
    card = save(tmp_path, wanted)
    assert len(card.reference) == 64
    found = load_model(tmp_path, device="cpu").reference
    assert found is not None
    for name in ("embeddings", "targets", "heldout_logits", "heldout_targets", "groups"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))


def test_groups_left_out_mean_each_its_own() -> None:
    assert make_reference().heldout_groups.tolist() == [0, 1, 2, 3]


def test_a_model_without_reference_has_none(tmp_path: Path) -> None:
    save(tmp_path, make_reference())
    assert save(tmp_path, None).reference == ""
    assert not (tmp_path / REFERENCE).exists()
    assert load_model(tmp_path, device="cpu").reference is None


def test_another_reference_is_refused(tmp_path: Path) -> None:
    save(tmp_path, make_reference())
    data = bytearray((tmp_path / REFERENCE).read_bytes())
    data[-1] ^= 1
    (tmp_path / REFERENCE).write_bytes(bytes(data))
    with pytest.raises(UnusableModel, match="SHA-256 differs"):
        load_model(tmp_path)


def test_a_missing_reference_is_one_sentence(tmp_path: Path) -> None:
    save(tmp_path, make_reference())
    (tmp_path / REFERENCE).unlink()
    with pytest.raises(UnusableModel, match="cannot be read"):
        load_model(tmp_path)


def test_a_reference_about_other_classes_is_refused(tmp_path: Path) -> None:
    save(tmp_path, make_reference(classes=3))
    with pytest.raises(UnusableModel, match="about 3 classes, its card names 2"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"embeddings": np.zeros((6, 8))}, "embeddings must be 2-D float32"),
        ({"embeddings": np.full((6, 8), np.nan, np.float32)}, "NaN or infinity"),
        ({"targets": np.zeros(5, np.int64)}, "targets must have 6 values, got 5"),
        ({"targets": np.full(6, 2, np.int64)}, "targets must be between 0 and 1"),
        ({"heldout_targets": np.full(4, -1, np.int64)}, "between 0 and 1"),
        ({"groups": np.zeros(6, np.int32)}, "groups must be 1-D int64"),
    ],
)
def test_arrays_that_disagree_are_refused(changes: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(make_reference(), **changes)


@pytest.mark.parametrize(
    ("rows", "channels", "answers", "classes"),
    [(20_001, 1, 1, 2), (20_000, 501, 1, 2), (1, 1, 20_001, 2), (1, 1, 2001, 1000)],
)
def test_more_rows_than_anything_goes_through_are_refused(
    tmp_path: Path, rows: int, channels: int, answers: int, classes: int
) -> None:
    arrays = {
        "embeddings": np.zeros((rows, channels), np.float32),
        "targets": np.zeros(rows, np.int64),
        "heldout_logits": np.zeros((answers, classes), np.float32),
        "heldout_targets": np.zeros(answers, np.int64),
    }
    with pytest.raises(ValueError, match="may have"):
        Reference(**arrays)
    save_file(arrays, tmp_path / REFERENCE)
    with pytest.raises(UnusableModel, match="too large"):
        Reference.load(tmp_path / REFERENCE, file_digest(tmp_path / REFERENCE))

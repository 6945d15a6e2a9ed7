import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from core.errors import UserError
from core.imaging.overlays.finding import find_overlays
from core.imaging.reading.opening import read_micrograph
from core.learning.classifying import streaming
from core.learning.classifying.classification import Classification, classify
from core.learning.classifying.streaming import classify_files, pool_of_workers
from core.learning.models import Classifier
from core.micrograph import Micrograph


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    rng = np.random.default_rng(0)
    paths = []
    for number, shape in enumerate([(60, 80), (80, 60), (64, 64)] * 13):
        path = tmp_path / f"{number:02}.png"
        cv2.imwrite(str(path), rng.integers(0, 255, shape).astype(np.uint8))
        paths.append(path)
    return paths


@pytest.mark.parametrize("exclude", [True, False])
def test_files_are_answered_in_order_like_micrographs(
    classifier: Classifier, files: list[Path], exclude: bool
) -> None:
    found = list(classify_files(classifier, files, exclude_overlays=exclude))
    assert [path for path, _ in found] == files
    micrographs = [read_micrograph(path) for path in files]
    masks = [find_overlays(m) if exclude else None for m in micrographs]
    for (_, answer), wanted in zip(
        found, classify(classifier, micrographs, excludes=masks), strict=True
    ):
        assert isinstance(answer, Classification)
        np.testing.assert_allclose(
            list(answer.probabilities.values()), list(wanted.probabilities.values()), atol=1e-6
        )


def test_a_broken_file_costs_only_itself(classifier: Classifier, files: list[Path]) -> None:
    files[3].write_bytes(b"no picture")
    found = dict(classify_files(classifier, files))
    assert isinstance(found[files[3]], UserError)
    assert sum(isinstance(answer, Classification) for answer in found.values()) == len(files) - 1


def test_an_unexpected_error_of_one_file_is_named_and_the_others_go_on(
    classifier: Classifier, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(path: Path) -> Micrograph:
        if path == files[3]:
            raise ZeroDivisionError
        return read_micrograph(path)

    monkeypatch.setattr(streaming, "read_micrograph", read)
    found = dict(classify_files(classifier, files))
    assert str(found[files[3]]) == "unexpected: ZeroDivisionError"
    assert sum(isinstance(answer, Classification) for answer in found.values()) == len(files) - 1


def test_an_endless_stream_is_taken_from_as_it_is_needed(
    classifier: Classifier, files: list[Path]
) -> None:
    taken = []

    def endless():
        for path in itertools.cycle(files):
            taken.append(path)
            yield path

    assert len(list(itertools.islice(classify_files(classifier, endless()), 20))) == 20
    assert len(taken) <= 5 * 16


def test_nothing_in_nothing_out(classifier: Classifier) -> None:
    assert list(classify_files(classifier, [])) == []


def test_threads_of_the_pool_use_one_thread_each_and_others_keep_theirs() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pool_of_workers(2, one_thread_each=True) as pool:
            inside = list(pool.map(lambda _: torch.get_num_threads(), range(6)))
            outside = torch.get_num_threads()
    finally:
        torch.set_num_threads(before)
    assert inside == [1] * 6
    assert outside == 2

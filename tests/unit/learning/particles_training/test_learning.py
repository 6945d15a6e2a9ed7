"""A particle network learns from numbered pictures, goes on where it stopped, and is written."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import UserError
from core.imaging.simulation import simulate
from core.learning.particles import ParticleNetwork, load_particle_model
from core.learning.particles_training import compare, read_numbered, summary, train_particles
from core.learning.particles_training.targets import targets
from core.learning.particles_training.views import random_view
from core.learning.training import Start


def _start(architecture: str = "efficientnet_lite0") -> Start:
    return Start("nothing", "", architecture, {}, ParticleNetwork().state_dict(), ())


def _numbered(folder: Path, count: int) -> Path:
    for kind in ("images", "instances"):
        (folder / kind).mkdir(parents=True)
    for seed in range(count):
        frame = simulate("spheroids", (96, 96), seed)
        cv2.imwrite(str(folder / "images" / f"{seed}.png"), frame.micrograph.pixels)
        numbers = frame.instances.astype(np.uint16)
        cv2.imwrite(str(folder / "instances" / f"{seed}.png"), numbers)
    return folder


def test_targets_of_two_touching_squares() -> None:
    labels = np.zeros((12, 20), np.uint8)
    labels[2:10, 2:10], labels[2:10, 10:18] = 1, 2
    inside, rim, depth = targets(labels)
    assert (inside == (labels > 0)).all()
    assert rim[5, 9] == rim[5, 10] == 1
    assert rim[5, 5] == 0
    assert depth[labels == 1].max() == depth[labels == 2].max() == 1
    assert not depth[labels == 0].any()
    assert depth[5, 9] < 0.3


def test_a_frame_that_is_all_one_object_has_no_rim() -> None:
    inside, rim, depth = targets(np.ones((8, 8), np.uint8))
    assert inside.all()
    assert not rim.any()
    assert (depth == 1).all()


def test_views_have_one_shape_and_weigh_nothing_beyond_the_picture() -> None:
    pixels = np.zeros((40, 300), np.uint8)
    labels = np.zeros(pixels.shape, np.uint16)
    labels[10:30, 100:130] = 5
    for seed in range(4):
        seen, wanted, known = random_view(pixels, labels, 30.0, np.random.default_rng(seed))
        assert seen.shape == (256, 256)
        assert wanted.shape == (3, 128, 128)
        assert 0 < known.mean() < 1
        assert np.isfinite(seen).all()


def test_objects_are_hit_where_more_than_half_is_shared() -> None:
    truth = np.zeros((10, 30), int)
    truth[:, :10], truth[:, 20:] = 1, 2
    found = np.zeros_like(truth)
    found[:, :8], found[:, 12:17] = 3, 1
    score = compare(found, truth)
    assert (score.hit, score.extra, score.missed) == (1, 1, 1)
    assert score.ap50 == pytest.approx(1 / 3)
    assert score.count_error == 0
    assert summary([score])["f1_pct"] == 50.0


def test_a_training_is_written_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    folder = _numbered(tmp_path / "set", 1)
    steps: list[int] = []
    for minutes in (1e-4, 0.004):
        card = train_particles(
            [folder],
            [folder],
            tmp_path / "model",
            start=_start(),
            minutes=minutes,
            simulated=1,
            work=tmp_path / "work",
            on_step=lambda step, gone, loss: steps.append(step),
        )
    assert steps == list(range(1, len(steps) + 1))
    assert card.metrics["network"]["pictures"] == 1
    _network, read = load_particle_model(tmp_path / "model")
    assert read == card
    assert "AP50" in (tmp_path / "model" / "README.md").read_text()


def test_pictures_without_numbers_and_other_starts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no pictures with numbered particles"):
        read_numbered(tmp_path)
    folder = _numbered(tmp_path / "set", 1)
    (folder / "instances" / "0.png").unlink()
    with pytest.raises(UserError, match=r"Add instances/0\.png"):
        read_numbered(folder)
    with pytest.raises(UserError, match="EfficientNet-Lite0"):
        train_particles([folder], [], tmp_path / "model", start=_start("emnet"))

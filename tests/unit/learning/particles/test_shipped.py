"""The shipped particle model: as its card says, small, and used without being asked for."""

import json

import numpy as np
import pytest

from core.learning.models import file_digest, models_folder
from core.learning.particles import find_particles, load_particle_model
from core.micrograph import Micrograph
from tests.unit.learning.particles.test_finding import DISCS, discs

FOLDER = models_folder() / "em-particles"


def test_it_is_what_its_card_says() -> None:
    network, card = load_particle_model(FOLDER)
    assert card.sha256 == file_digest(FOLDER / "weights.safetensors")
    assert sum(each.numel() for each in network.parameters()) <= 3_000_000
    assert (FOLDER / "weights.safetensors").stat().st_size <= 8_000_000
    assert card.metrics["network"]["ap50_pct"] >= 60
    assert all(each["licence"] for each in json.loads((FOLDER / "card.json").read_text())["data"])


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_discs_are_found_bright_and_dark(dtype: str) -> None:
    pixels = np.tile(discs(), (2, 2))
    for frame in (pixels, 255 - pixels):
        found = find_particles(Micrograph(name="m", pixels=frame.astype(dtype)))
        assert found.dtype == np.int32
        assert found.max() == pytest.approx(4 * len(DISCS), abs=2)
        assert np.mean((found > 0) == (pixels > 125)) > 0.95


def test_excluded_and_blank_frames_hold_nothing() -> None:
    pixels = discs()
    exclude = np.ones(pixels.shape, bool)
    assert not find_particles(Micrograph(name="m", pixels=pixels), exclude=exclude).any()
    blank = Micrograph(name="m", pixels=np.full((64, 96), 9, np.uint16))
    assert not find_particles(blank).any()
    noise = np.random.default_rng(0).normal(100, 15, (96, 96)).astype(np.float32)
    assert not find_particles(Micrograph(name="m", pixels=noise)).any()

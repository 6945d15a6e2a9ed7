"""Particles by a network: its answers are numbered at every size, hostile weights refused."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from core.errors import UnusableModel
from core.learning.models import PARTICLES, list_models
from core.learning.particles import (
    ParticleCard,
    ParticleNetwork,
    find_by_shape,
    find_particles,
    find_with,
    load_particle_model,
    save_particle_model,
)
from core.learning.particles.answers import number_objects
from core.learning.particles.frames import answer, sized
from core.micrograph import Micrograph
from tests.unit.learning.particles.test_finding import DISCS, discs

SMALL = (8, 8, 8, 8)


class Brightness(nn.Module):
    """Answers that what is bright is inside, and deeper the brighter it is."""

    def forward(self, x: Tensor) -> Tensor:
        """Return inside, rim, depth."""
        half = nn.functional.avg_pool2d(x, 2)
        return torch.cat([4 * half, -9 + 0 * half, half / 2], dim=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    place = tmp_path_factory.mktemp("models") / "em-particles"
    save_particle_model(place, ParticleNetwork(SMALL), ParticleCard("em-particles", SMALL))
    return place


def _soft() -> np.ndarray:
    return cv2.GaussianBlur(discs(noise=2), (0, 0), 3)


def test_what_the_network_answers_is_numbered_in_the_frame() -> None:
    found = find_with(Brightness(), Micrograph(name="m", pixels=_soft()))  # type: ignore[arg-type]
    assert found.shape == (128, 128)
    assert found.max() == len(DISCS)
    assert len({int(found[row, col]) for row, col, _ in DISCS} - {0}) == len(DISCS)


def test_what_is_excluded_parts_an_object() -> None:
    exclude = np.zeros((128, 128), bool)
    exclude[78:82] = True
    found = find_with(Brightness(), Micrograph(name="m", pixels=_soft()), exclude=exclude)  # type: ignore[arg-type]
    assert not found[exclude].any()
    assert found[74, 30] != found[86, 30]
    assert 0 not in {found[74, 30], found[86, 30]}


def test_a_frame_in_tiles_is_answered_as_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.random.default_rng(0).random((96, 160), np.float32)
    hidden = np.zeros(pixels.shape, bool)
    whole = answer(Brightness(), pixels, hidden, (384,))  # type: ignore[arg-type]
    monkeypatch.setattr("core.learning.particles.frames._TILE_PX", 256)
    np.testing.assert_allclose(answer(Brightness(), pixels, hidden, (384,)), whole, atol=1e-6)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(48, 48), (512, 700), (100, 800), (4000, 3000)])
def test_frames_are_shown_in_whole_steps_and_no_longer_than_allowed(
    shape: tuple[int, int],
) -> None:
    rows, cols = sized(shape, 384)
    assert rows % 16 == cols % 16 == 0
    assert max(rows, cols) <= 3072
    assert rows / cols == pytest.approx(shape[0] / shape[1], rel=0.05)


def test_two_summits_are_two_objects_and_a_shallow_dip_is_none() -> None:
    places = np.arange(80, dtype=np.float32)
    for dip, count in ((0.6, 2), (0.05, 1)):
        ridge = 1 - dip * np.exp(-(((places - 40) / 8) ** 2))
        depth = np.tile(ridge * (np.abs(places - 40) < 36), (20, 1)).astype(np.float32)
        inside = (depth > 0).astype(np.float32)
        found = number_objects(inside, 0 * inside, depth)
        assert found.max() == count
        assert ((found > 0) == (inside > 0)).all()


def test_a_saved_model_answers_as_before(folder: Path) -> None:
    network, card = load_particle_model(folder)
    assert card.kind == PARTICLES
    assert not network.training
    assert not any(each.requires_grad for each in network.parameters())
    torch.manual_seed(0)
    with torch.inference_mode():
        given = ParticleNetwork(SMALL).eval()(torch.ones(1, 1, 32, 48))
        assert network(torch.ones(1, 1, 32, 48)).shape == (1, 3, 16, 24)
        torch.testing.assert_close(network(torch.ones(1, 1, 32, 48)), given, atol=0.05, rtol=0.05)


def test_a_particle_model_is_no_classifier(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MICROGRAPHIA_MODELS", str(folder.parent))
    assert list_models() == []


def test_without_a_model_threshold_and_shape_decide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MICROGRAPHIA_MODELS", str(tmp_path))
    micrograph = Micrograph(name="m", pixels=discs())
    np.testing.assert_array_equal(find_particles(micrograph), find_by_shape(micrograph))


def _damaged(folder: Path, tmp_path: Path, kind: str) -> Path:
    place = tmp_path / "em-particles"
    place.mkdir()
    weights = load_file(folder / "weights.safetensors")
    card = json.loads((folder / "card.json").read_text())
    first = next(name for name, value in weights.items() if value.is_floating_point())
    if kind == "NaN":
        weights[first] = weights[first] * float("nan")
    if kind == "shape":
        weights[first] = weights[first][:1].clone()
    if kind == "missing":
        del weights[first]
    save_file(weights, place / "weights.safetensors")
    if kind == "wide":
        card["widths"] = [1 << 20] * 4
    if kind == "cut":
        data = (folder / "weights.safetensors").read_bytes()
        (place / "weights.safetensors").write_bytes(data[: len(data) // 2])
    if kind == "kind":
        card["kind"] = "classes"
    if kind != "digest":
        from core.learning.models import file_digest

        card["sha256"] = file_digest(place / "weights.safetensors")
    else:
        card["sha256"] = "0" * 64
    text = json.dumps(card) if kind != "text" else "{"
    (place / "card.json").write_text(text)
    return place


@pytest.mark.parametrize(
    "kind", ["NaN", "shape", "missing", "wide", "cut", "kind", "digest", "text"]
)
def test_damaged_models_are_refused(folder: Path, tmp_path: Path, kind: str) -> None:
    with pytest.raises(UnusableModel):
        load_particle_model(_damaged(folder, tmp_path, kind))


def test_a_folder_without_weights_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text((folder / "card.json").read_text())
    with pytest.raises(UnusableModel, match="cannot be read"):
        load_particle_model(tmp_path)

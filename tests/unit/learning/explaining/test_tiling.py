import numpy as np
import pytest
import torch

from core.errors import OutOfMemory, UserError
from core.learning.explaining.explanation import explain
from core.learning.explaining.tiling import explain_tiled
from core.learning.models import Classifier, ModelCard
from core.learning.models.networks import build_network
from core.micrograph import Micrograph


@pytest.fixture(scope="module")
def deep() -> Classifier:
    torch.manual_seed(3)
    network = build_network("emnet", 3, {"widths": [8, 8, 16, 16]})
    return Classifier(network, ModelCard("deep", "emnet", ("a", "b", "c")))


def periodic(side: int) -> Micrograph:
    row = np.sin(np.arange(side) * 2 * np.pi / 16)
    return Micrograph("waves", (120 + 60 * row * row[:, None]).astype(np.float32))


@pytest.mark.parametrize("shape", [(300, 500), (64, 64), (1, 200), (129, 65)])
def test_the_map_has_the_frames_own_shape(deep: Classifier, shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    found = explain_tiled(deep, Micrograph("x", pixels), target="a", tile_px=64)
    assert found.heatmap.shape == found.raw.shape == shape
    assert np.isfinite(found.raw).all()


def test_there_is_no_seam(deep: Classifier) -> None:
    """On a pattern that repeats, the map steps no more where tiles meet than elsewhere."""
    raw = explain_tiled(deep, periodic(384), target="b", tile_px=128).raw[96:-96, 96:-96]
    steps = np.abs(np.diff(raw, axis=1)).mean(axis=0)
    at_borders = steps[(np.arange(len(steps)) + 97) % 64 == 0]
    assert at_borders.max() <= 1.5 * np.median(steps) + 1e-9
    # and the phase of the tiles leaves no wave behind: their means are the same everywhere
    blocks = raw.reshape(3, 64, 3, 64).mean(axis=(1, 3))
    assert np.ptp(blocks) < 0.05 * np.ptp(raw)


def test_one_tile_of_an_even_texture_equals_the_whole(deep: Classifier) -> None:
    """At native size both ways of explaining agree in the middle of the frame."""
    frame = periodic(256)
    whole = explain(deep, frame, target="c").raw
    tiled = explain_tiled(deep, frame, target="c", tile_px=128).raw
    small = tiled.reshape(16, 16, 16, 16).mean(axis=(1, 3))
    inside = (slice(5, 11), slice(5, 11))
    # The gradient of a tile's score counts a quarter of the cells of the frame's.
    np.testing.assert_allclose(small[inside] / 4, whole[inside], rtol=0.15, atol=2e-4)


def test_it_follows_the_named_class_and_says_how_far_it_is(deep: Classifier) -> None:
    frame = periodic(128)
    shares: list[float] = []
    found = explain_tiled(deep, frame, tile_px=64, on_progress=shares.append)
    assert found.target == explain(deep, frame).target
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_too_many_tiles_and_slow_methods_are_refused(deep: Classifier) -> None:
    large = Micrograph("large", np.zeros((4096, 4096), np.uint8))
    with pytest.raises(UserError, match="crop it"):
        explain_tiled(deep, large, target="a", tile_px=64)
    with pytest.raises(UserError, match="Choose Grad-CAM"):
        explain_tiled(deep, periodic(64), "occlusion", tile_px=64)


def test_tiles_go_through_the_network_a_few_at_a_time(
    deep: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, ...]] = []
    whole = Classifier.activation

    def note(self: Classifier, inputs: torch.Tensor, layer: str) -> torch.Tensor:
        seen.append(tuple(inputs.shape))
        return whole(self, inputs, layer)

    monkeypatch.setattr(Classifier, "activation", note)
    explain_tiled(deep, periodic(384), target="a", tile_px=64)
    assert max(shape[0] for shape in seen) == 16
    seen.clear()
    explain_tiled(deep, periodic(1024), target="a", tile_px=512)
    assert max(shape[0] * shape[2] * shape[3] for shape in seen) <= 80_000 * 16


def test_memory_is_asked_for_before_tiles_are_cut(
    deep: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MICROGRAPHIA_MEMORY_MB", "50")
    monkeypatch.setattr("core.imaging.memory._relief", [])
    with pytest.raises(OutOfMemory):
        explain_tiled(deep, periodic(384), target="a", tile_px=64)


@pytest.mark.parametrize("tile_px", [0, 1, -64, 5000])
def test_tiles_of_no_size_or_of_any_are_refused(deep: Classifier, tile_px: int) -> None:
    with pytest.raises(UserError, match="tile may have"):
        explain_tiled(deep, periodic(384), target="a", tile_px=tile_px)

"""Particles without a setting: counts, polarity, what is left out, and frames that hold nothing."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.imaging.simulation import simulate
from core.learning.particles import find_by_shape
from core.micrograph import Micrograph

DISCS = ((24, 24, 12), (24, 70, 14), (80, 30, 15), (76, 82, 13), (104, 106, 14))


def discs(noise: float = 4.0, ground: float = 60, ink: float = 190) -> np.ndarray:
    pixels = np.full((128, 128), ground, np.float32)
    for row, col, radius in DISCS:
        cv2.circle(pixels, (col, row), radius, ink, -1, cv2.LINE_AA)
    rng = np.random.default_rng(0)
    return np.clip(pixels + rng.normal(0, noise, pixels.shape), 0, 255).astype(np.uint8)


def _find(pixels: np.ndarray, **settings: np.ndarray) -> np.ndarray:
    return find_by_shape(Micrograph(name="m", pixels=pixels), **settings)


def test_every_disc_is_found_where_it_is() -> None:
    found = _find(discs())
    assert found.dtype == np.int32
    assert found.shape == (128, 128)
    assert found.max() == len(DISCS)
    for row, col, radius in DISCS:
        area = np.count_nonzero(found == found[row, col])
        assert area == pytest.approx(np.pi * radius**2, rel=0.1)


def test_polarity_is_found() -> None:
    pixels = discs()
    bright, dark = _find(pixels), _find(255 - pixels)
    assert dark.max() == bright.max()
    assert np.mean((bright > 0) != (dark > 0)) < 0.01


@pytest.mark.parametrize("factor", [1, 257, 1e-6, 1e30])
def test_depth_and_range_change_nothing(factor: float) -> None:
    pixels = discs()
    scaled = pixels.astype(np.uint16) * 257 if factor == 257 else pixels.astype(np.float32) * factor
    np.testing.assert_array_equal(_find(scaled.astype(scaled.dtype)) > 0, _find(pixels) > 0)


def test_strong_noise_adds_no_particle() -> None:
    assert _find(discs(noise=45)).max() == len(DISCS)


def test_shading_is_no_particle() -> None:
    rows = np.linspace(0, 90, 128, dtype=np.float32)[:, None]
    assert _find((discs(ground=40, ink=130) + rows).astype(np.uint8)).max() == len(DISCS)


def test_touching_discs_are_parted_and_rings_filled() -> None:
    pixels = np.full((96, 128), 50, np.uint8)
    for col in (40, 72):
        cv2.circle(pixels, (col, 48), 18, 200, -1)
    cv2.circle(pixels, (72, 48), 8, 50, -1)
    found = _find(pixels)
    assert found.max() == 2
    assert found[48, 72] == found[48, 84] != found[48, 40]


def test_nothing_is_found_where_excluded_and_what_it_cuts_is_cut() -> None:
    exclude = np.zeros((128, 128), bool)
    exclude[:, 60:80] = True
    pixels = discs()
    found = _find(pixels, exclude=exclude)
    assert not found[exclude].any()
    assert 0 < np.count_nonzero(found[10:40, 50:60]) < np.pi * 14**2 / 2


def test_an_exclusion_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="exclude must be bool of shape"):
        _find(discs(), exclude=np.zeros((4, 4), bool))


@pytest.mark.parametrize("seed", [0, 1])
def test_noise_alone_holds_no_particle(seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert not _find(rng.normal(128, 20, (160, 160)).clip(0, 255).astype(np.uint8)).any()


def test_a_shaded_frame_without_objects_holds_no_particle() -> None:
    rows, cols = np.mgrid[:160, :160]
    assert not _find((100 + 0.3 * rows + 0.2 * cols).astype(np.float32)).any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (3, 3), (5, 4), (64, 64)])
def test_constant_and_tiny_frames_are_ground(shape: tuple[int, int]) -> None:
    for dtype in (np.uint8, np.uint16, np.float32):
        found = _find(np.full(shape, 7, dtype))
        assert found.shape == shape
        assert not found.any()


def test_pixels_that_are_not_finite_belong_to_no_particle() -> None:
    pixels = discs().astype(np.float32)
    pixels[:20] = np.nan
    pixels[60, 60] = np.inf
    found = _find(pixels)
    assert not found[:20].any()
    assert found[60, 60] == 0
    assert found.max() == len(DISCS)
    assert not _find(np.full((32, 32), np.nan, np.float32)).any()


def test_a_large_frame_is_searched_reduced() -> None:
    large = cv2.resize(discs(noise=0), (2200, 2100), interpolation=cv2.INTER_LINEAR)
    found = _find(large)
    assert found.shape == (2100, 2200)
    assert found.max() == len(DISCS)


def test_the_simulator_is_counted() -> None:
    frame = simulate("spheroids", (256, 256), 0)
    found = find_by_shape(frame.micrograph)
    assert found.max() == pytest.approx(frame.instances.max(), rel=0.2)


@settings(max_examples=15, deadline=None)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from(["uint8", "uint16", "float32"]),
    st.integers(0, 1000),
)
def test_any_frame_gets_numbers_without_gaps(rows: int, cols: int, dtype: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = _find((rng.random((rows, cols)) * rng.choice([1, 200, 60000])).astype(dtype))
    assert found.shape == (rows, cols)
    assert found.dtype == np.int32
    assert set(np.unique(found)) - {0} == set(range(1, int(found.max()) + 1))

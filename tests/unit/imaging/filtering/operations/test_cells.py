"""Tiles of 8 bits: the loops that are compiled once they pay give the bits of OpenCV's calls."""

import cv2
import numpy as np
import pytest

from core.imaging.filtering.operations import cells
from core.imaging.filtering.operations.contrast import clahe


@pytest.fixture
def loops(monkeypatch):
    """Let the loops serve every frame, without compiling them."""

    def use(are_used):
        plain = lambda: (cells._run_count, cells._run_map)  # noqa: E731
        monkeypatch.setattr(cells, "_loops", plain)
        monkeypatch.setattr(cells, "is_compiled_for", lambda _: are_used)

    return use


@pytest.mark.parametrize("masked", [False, True])
def test_loops_and_calls_give_the_same_bits(masked, loops):
    pixels = np.random.default_rng(0).integers(30, 200, (50, 67), dtype=np.uint8)
    pixels = cv2.GaussianBlur(pixels, (0, 0), 2)[:, ::-1]  # not in one piece of memory
    exclude = np.zeros(pixels.shape, bool) if masked else None
    if masked:
        exclude[20:, :30] = True
    results = []
    for are_used in (False, True):
        loops(are_used)
        results.append(clahe(pixels, exclude, clip_limit=3.0, tile_px=20))
    np.testing.assert_array_equal(*results)
    assert np.ptp(results[0].astype(int)) > 0


def test_tiles_are_counted_without_what_is_excluded(loops):
    pixels = np.array([[1, 1, 7], [1, 2, 7]], np.uint8)
    exclude = np.array([[True, False, False], [False, False, False]])
    rows, cols = np.array([0, 0]), np.array([0, 0, 1])
    for are_used in (False, True):
        loops(are_used)
        counts = cells.count_tiles(pixels, exclude, rows, cols)
        assert counts.shape == (2, 256)
        assert (counts[0, 1], counts[0, 2], counts[1, 7], counts.sum()) == (2, 1, 2, 5)


def test_nobody_waits_for_the_compiler_longer_than_it_saves(monkeypatch):
    monkeypatch.setattr(cells._Mapped, "px", 0)
    monkeypatch.setattr(
        cells._loops, "cache_info", lambda: type("", (), {"currsize": 0}), raising=False
    )
    large = np.broadcast_to(np.uint8(0), (8192, 8192))
    assert not cells.is_compiled_for(large)
    monkeypatch.setattr(cells._Mapped, "px", cells.COMPILED_AFTER_PX)
    assert cells.is_compiled_for(np.zeros((8, 8), np.uint8))

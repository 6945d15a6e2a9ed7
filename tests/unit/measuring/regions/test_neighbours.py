"""Points whose arrangement is known."""

import numpy as np
import pytest

from core.measuring.regions.neighbours import clark_evans


def test_points_by_chance_have_an_index_of_one_and_honest_p():
    rng = np.random.default_rng(0)
    found = [clark_evans(rng.uniform(0, 100, (80, 2)), 1e4, 400) for _ in range(400)]
    assert np.mean([f.index for f in found]) == pytest.approx(1, abs=0.01)
    assert np.mean([f.p < 0.05 for f in found]) == pytest.approx(0.05, abs=0.03)


def test_a_grid_keeps_apart_and_pairs_cluster():
    grid = np.stack(np.mgrid[5:100:10, 5:100:10], axis=-1).reshape(-1, 2).astype(float)
    assert clark_evans(grid, 1e4, 400).index > 1.8  # 2 without the edge
    pairs = np.concatenate([grid[::2], grid[::2] + 0.1])
    assert clark_evans(pairs, 1e4, 400).index < 0.1
    assert np.isnan(clark_evans(grid[:1], 1e4, 400).index)
    with pytest.raises(ValueError, match="area > 0"):
        clark_evans(grid, 0, 400)

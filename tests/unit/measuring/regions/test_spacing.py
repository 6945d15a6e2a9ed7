import numpy as np
import pandas as pd
import pytest

from core.measuring.regions.spacing import (
    centres_against_chance,
    edge_gaps,
    kaplan_meier_median,
    pair_correlation,
)
from core.micrograph import PixelSize


def test_gaps_are_counted_from_edge_to_edge():
    labels = np.zeros((60, 100), int)
    labels[20:30, 20:30], labels[20:30, 40:50], labels[45:50, 22:26] = 1, 2, 3
    found = edge_gaps(labels, PixelSize(2, "nm"))
    assert found.gaps[:2].tolist() == [20, 20]
    assert found.is_sure.tolist() == [True, True, False]  # the third is 10 px from the frame
    assert found.gaps[2] == 2 * 15
    assert found.seen[2] == 2 * 10
    assert found.median == 20
    touching = np.repeat([[1, 2]], 6, axis=0)
    assert edge_gaps(touching).gaps.tolist() == [0, 0]


def test_gaps_agree_with_all_pairs_of_pixels():
    random = np.random.default_rng(0)
    labels = np.zeros((80, 80), int)
    for number in range(1, 13):
        row, col = random.integers(0, 74, 2)
        labels[row : row + 4, col : col + 6][labels[row : row + 4, col : col + 6] == 0] = number
    labels = np.unique(labels, return_inverse=True)[1].reshape(80, 80)
    count = labels.max()
    at = [np.argwhere(labels == number) for number in range(1, count + 1)]
    wide = np.pad(labels, 100)  # far from any edge, so that all are sure
    found = edge_gaps(wide).gaps
    for one in range(count):
        nearest = min(
            np.hypot(*(at[one][:, None] - at[other][None]).transpose(2, 0, 1)).min()
            for other in range(count)
            if other != one
        )
        assert found[one] == pytest.approx(max(0, nearest - 1), abs=0.05)


def test_one_region_has_no_gap():
    found = edge_gaps(np.pad(np.ones((4, 4), int), 3))
    assert np.isnan(found.gaps).all()
    assert np.isnan(found.median)
    assert edge_gaps(np.zeros((5, 5), int)).gaps.size == 0


def test_median_of_values_that_are_only_known_to_be_larger():
    values = np.array([1.0, 2, 3, 4])
    assert kaplan_meier_median(values, np.ones(4, bool)) == 2
    # 1 sure: 3/4 left; 2 unsure; 3 sure: 3/8 left
    assert kaplan_meier_median(values, np.array([True, False, True, True])) == 3


def test_points_at_random_are_within_the_envelope():
    points = np.random.default_rng(3).uniform(-0.5, 255.5, (200, 2))
    found = pair_correlation(points, (256, 256))
    assert found.values.mean() == pytest.approx(1, abs=0.1)
    assert np.mean((found.values >= found.low) & (found.values <= found.high)) > 0.7
    assert found.p > 0.05


def test_points_of_a_grid_keep_apart_and_pairs_cluster():
    grid = np.stack(np.meshgrid(np.arange(8, 256, 16), np.arange(8, 256, 16)), -1).reshape(-1, 2)
    found = pair_correlation(grid, (256, 256))
    assert found.values[found.distances < 12].max() == 0
    assert found.values[np.argmin(np.abs(found.distances - 16))] > found.high.max()
    assert found.p == 0.01
    random = np.random.default_rng(1)
    pairs = random.uniform(5, 250, (80, 2))
    pairs = np.vstack([pairs, pairs + random.normal(0, 2, pairs.shape)])
    assert pair_correlation(pairs, (256, 256)).p == 0.01
    assert np.isnan(pair_correlation(grid[:5], (256, 256)).p)


def test_what_does_not_count_makes_no_gap_in_g():
    included = np.zeros((256, 256), bool)
    included[:, :90], included[:100] = True, True
    random = np.random.default_rng(5)
    points = np.argwhere(included)[random.integers(included.sum(), size=300)]
    found = pair_correlation(points, (256, 256), included=included)
    assert found.values[found.distances > 20].mean() == pytest.approx(1, abs=0.1)
    assert found.p > 0.02


def test_centres_against_chance_use_what_counts():
    grid = np.stack(np.meshgrid(np.arange(8, 256, 16), np.arange(8, 128, 16)), -1).reshape(-1, 2)
    regions = pd.DataFrame({"centroid_col_px": grid[:, 0], "centroid_row_px": grid[:, 1]})
    included = np.zeros((256, 256), bool)
    included[:128] = True
    index = centres_against_chance(regions, (256, 256), included).index
    assert index == pytest.approx(1.9, abs=0.15)  # 2 for a square grid without edges
    assert centres_against_chance(regions, (256, 256)).index < index

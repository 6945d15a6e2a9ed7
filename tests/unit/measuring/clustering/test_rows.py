"""k-means of rows and mixtures on points whose groups are known."""

from itertools import pairwise

import numpy as np
import pytest

from core.errors import UserError
from core.measuring.clustering.mixture import fit_mixture
from core.measuring.clustering.rows import (
    Groups,
    best_start,
    group_rows,
    in_batches,
    nearest_center,
    refine,
    spread_out,
)

TRUTH = np.array([[0, 0], [10, 0], [0, 10], [10, 10]], float)


def planes(count=2000, spread=0.6, seed=0):
    """Points around four corners, as planes (2, n), and which corner each belongs to."""
    random = np.random.default_rng(seed)
    corner = random.integers(4, size=count)
    points = TRUTH[corner] + random.normal(0, spread, (count, 2))
    return points.T.astype(np.float32).copy(), corner


def same_groups(one, other):
    pairs = set(zip(one.tolist(), other.tolist(), strict=True))
    return len(pairs) == len(set(one.tolist())) == len(set(other.tolist()))


def test_four_corners_are_found():
    rows, corner = planes()
    found = group_rows(rows, 4)
    assert isinstance(found, Groups)
    assert same_groups(found.labels, corner)
    np.testing.assert_array_equal(found.counts, np.bincount(found.labels))
    expected = sum(
        ((rows[:, found.labels == n] - c[:, None]) ** 2).sum() for n, c in enumerate(found.centers)
    )
    assert found.inertia == pytest.approx(expected, rel=1e-5)


def test_rows_beyond_one_block_and_one_sample_change_nothing():
    rows, corner = planes(50_000)
    assert same_groups(group_rows(rows, 4).labels, corner)


def test_refining_never_raises_inertia():
    rows, _ = planes(spread=3)
    start = spread_out(rows, 6, np.random.default_rng(1))
    steps = [refine(rows, start, most_steps=n).inertia for n in (1, 2, 4, 8, 30)]
    assert all(later <= earlier * (1 + 1e-9) for earlier, later in pairwise(steps))


def test_batches_come_near_the_full_answer():
    rows, corner = planes(60_000)
    centers = in_batches(rows, best_start(rows, 4))
    assert same_groups(nearest_center(rows, centers), corner)


def test_a_group_that_loses_all_rows_gets_the_farthest_one():
    rows, _ = planes()
    lost = np.array([[0, 0], [10, 0], [0, 10], [500, 500]], float)
    found = refine(rows, lost)
    assert found.counts.min() > 0


def test_a_rare_kind_beside_many_of_one_kind_is_found():
    rows = np.zeros((1, 40_000), np.float32)
    rows[0, 7] = 1
    assert sorted(group_rows(rows, 2).counts.tolist()) == [1, 39_999]
    with pytest.raises(UserError, match="only 2 ways"):
        group_rows(rows, 3)


def test_a_mixture_finds_spreads_that_k_means_cuts_through():
    random = np.random.default_rng(0)
    narrow = random.normal(0, 0.2, (2, 3000))
    wide = random.normal(0, 3.0, (2, 3000)) + np.array([[4.0], [0.0]])
    rows = np.concatenate([narrow, wide], axis=1).astype(np.float32)
    truth = np.repeat([0, 1], 3000)
    start = np.array([[0, 0], [4, 0]], float)
    mixture = fit_mixture(rows, start)
    labels, shares = mixture.assign(rows, soft=True)
    np.testing.assert_allclose(shares.astype(float).sum(axis=0), 1, atol=2e-3)
    right = (labels == truth).mean()
    assert right > 0.96
    assert right > (nearest_center(rows, refine(rows, start).centers) == truth).mean()
    np.testing.assert_allclose(mixture.weights, 0.5, atol=0.05)

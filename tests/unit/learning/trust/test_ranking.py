"""Orders of pixels, and maps that know nothing."""

import numpy as np
import pytest

from core.learning.trust.ranking import random_maps, rank_map, sobel_map


def test_rank_is_the_share_that_is_hotter() -> None:
    ranked = rank_map(np.array([[3.0, -1.0], [2.0, 7.0]], np.float32), (2, 2), seed=0)
    np.testing.assert_array_equal(ranked.rank, np.float32([[0.25, 0.75], [0.5, 0.0]]))
    np.testing.assert_allclose(ranked.heat, np.array([[3, 0], [2, 7]]) / 7, rtol=1e-6)


def test_reversed_rank_is_the_share_that_is_colder() -> None:
    ranked = rank_map(np.array([[3.0, -1.0], [2.0, 7.0]], np.float32), (2, 2), seed=0)
    np.testing.assert_allclose(ranked.reversed_rank, [[0.5, 0.0], [0.25, 0.75]])


def test_ties_have_no_preferred_place() -> None:
    ranked = rank_map(np.zeros((4, 4), np.float32), (32, 32), seed=1)
    assert abs(float(ranked.rank[:16].mean()) - 0.5) < 0.05
    assert len(np.unique(ranked.rank)) == 32 * 32
    assert ranked.heat.max() == 0


def test_a_larger_map_is_averaged_down() -> None:
    stripes = np.tile(np.float32([0, 2]), (8, 4))
    assert np.ptp(rank_map(stripes, (4, 4), seed=0).heat) == 0


def test_like_keeps_the_order_and_takes_the_amount() -> None:
    order = rank_map(np.float32([[1, 2], [3, 4]]), (2, 2), seed=0)
    amount = rank_map(np.float32([[0, 9], [0, 3]]), (2, 2), seed=0)
    alike = order.like(amount)
    np.testing.assert_array_equal(alike.rank, order.rank)
    np.testing.assert_allclose(alike.heat, [[0, 0], [1 / 3, 1]])


@pytest.mark.parametrize("size_hw", [(7, 5), (256, 256), (208, 320)])
def test_the_negative_of_the_negative_has_the_same_order(size_hw: tuple[int, int]) -> None:
    ranked = rank_map(np.random.default_rng(0).normal(size=(4, 4)), size_hw, seed=0)
    again = ranked.negative().negative()
    np.testing.assert_allclose(again.rank, ranked.rank, atol=1e-6)
    like = ranked.negative().like(ranked)
    np.testing.assert_allclose(np.sort(like.heat.ravel()), np.sort(ranked.heat.ravel()))


def test_random_maps_repeat_by_seed_only() -> None:
    first, second = random_maps((3, 4), 2, seed=5)
    assert first.shape == (3, 4)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, random_maps((3, 4), 2, seed=5)[0])


def test_edges_are_averaged_to_the_grid_of_the_map() -> None:
    picture = np.zeros((1, 8, 8), np.float32)
    picture[0, :, 6:] = 1
    edges = sobel_map(picture, (2, 2))
    np.testing.assert_allclose(edges[:, 0], 0)
    assert (edges[:, 1] > 0).all()

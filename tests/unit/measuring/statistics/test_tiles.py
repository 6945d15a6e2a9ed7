"""Tiles of a frame and what comes out of drawing them again."""

import numpy as np
import pytest

from core.measuring.statistics.tiles import draw_again, limits, tile_sums


def test_tiles_hold_every_pixel_once():
    values = np.arange(35.0).reshape(5, 7)
    sums = tile_sums(values, 6)
    assert sums.shape == (2, 3)
    assert sums.sum() == values.sum()
    assert sums[0, 0] == values[:2, :2].sum()
    assert tile_sums(np.ones((2, 3, 4), bool), 1).tolist() == [[[12]], [[12]]]


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 2), (200, 3)])
def test_tiles_are_never_smaller_than_a_pixel(shape):
    sums = tile_sums(np.ones(shape), 64)
    assert sums.sum() == np.prod(shape)
    assert sums.min() >= 1


def test_draws_repeat_and_have_the_spread_of_tiles():
    sums = np.array([[0.0, 1.0], [2.0, 5.0]])
    drawn = draw_again(sums, draws=20_000, seed=3)
    np.testing.assert_array_equal(drawn, draw_again(sums, draws=20_000, seed=3))
    assert drawn.mean() == pytest.approx(8, rel=0.02)
    assert drawn.std() == pytest.approx(np.sqrt(4 * sums.var()), rel=0.02)


def test_alike_neighbours_widen_the_limits():
    drawn = np.random.default_rng(0).normal(size=4000)
    signs = np.random.default_rng(1).permutation([1.0, -1.0] * 32).reshape(8, 8)
    halves = np.repeat([[1.0, -1.0]], 8, axis=0).repeat(4, axis=1)
    scattered, split = limits(0, drawn, signs), limits(0, drawn, halves)
    assert split[1] - split[0] > 2 * (scattered[1] - scattered[0])


def test_limits_of_one_tile_say_nothing():
    assert np.isnan(limits(0.5, np.zeros(10), np.zeros((1, 1)))).all()
    assert np.isnan(limits(0.5, np.full(10, np.inf), np.zeros((2, 2)))).all()

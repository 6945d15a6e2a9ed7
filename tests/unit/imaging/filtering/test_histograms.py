"""Histograms of grey levels, counted by hand."""

import numpy as np
import pytest

from core.imaging.filtering.histograms import MAX_LEVELS, grey_histogram


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.int64])
def test_lists_only_occupied_levels_with_their_counts(dtype):
    histogram = grey_histogram(np.array([[7, 3], [7, 200]], dtype))
    np.testing.assert_array_equal(histogram.levels, [3, 7, 200])
    np.testing.assert_array_equal(histogram.counts, [1, 2, 1])
    assert histogram.exact
    assert len(histogram) == 3


def test_values_that_are_not_finite_do_not_count():
    histogram = grey_histogram(np.array([1, np.nan, np.inf, -np.inf, 1], np.float32))
    np.testing.assert_array_equal(histogram.counts, [2])
    assert len(grey_histogram(np.full((2, 2), np.nan, np.float32))) == 0


def test_sixteen_bits_keep_all_levels():
    histogram = grey_histogram(np.arange(65_536, dtype=np.uint16))
    assert len(histogram) == 65_536
    assert histogram.exact


def test_too_many_values_share_equal_bins_and_keep_their_sums():
    values = np.random.default_rng(0).normal(size=200_000).astype(np.float32)
    histogram = grey_histogram(values)
    width = np.ptp(values.astype(np.float64)) / MAX_LEVELS
    exact = values.astype(np.float64)
    assert not histogram.exact
    assert len(histogram) <= MAX_LEVELS
    assert histogram.counts.sum() == values.size
    assert np.all(histogram.upper - histogram.lower <= width * (1 + 1e-9))
    assert np.all(histogram.upper[:-1] < histogram.lower[1:])
    assert (histogram.levels * histogram.counts).sum() == pytest.approx(exact.sum(), abs=1e-6)
    spread = (histogram.counts * histogram.levels**2).sum() + histogram.scatter.sum()
    assert spread == pytest.approx((exact**2).sum(), rel=1e-12)


def test_spikes_do_not_squeeze_floats_into_one_bin() -> None:
    values = np.random.default_rng(0).random(200_000)
    values[:2] = 1e12, -1e12
    found = grey_histogram(values)
    assert len(found) > 60_000
    assert found.counts.sum() == values.size
    assert (found.lower[0], found.upper[-1]) == (-1e12, 1e12)
    assert np.all(found.lower[1:] > found.upper[:-1])

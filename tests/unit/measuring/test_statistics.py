import math

import numpy as np
import pytest

from core.measuring.statistics import mean_interval, wilson_interval


def test_mean_interval_of_three_values_by_hand():
    # mean 2, standard deviation 1, t(0.975, 2) = 4.30265: half width 4.30265 / sqrt(3)
    mean, low, high, n = mean_interval([1.0, 2.0, 3.0])
    assert (mean, n) == (2.0, 3)
    assert high - mean == pytest.approx(2.484138, abs=1e-6)
    assert mean - low == pytest.approx(2.484138, abs=1e-6)


def test_nan_is_not_a_field_of_view():
    assert mean_interval([1.0, math.nan, 3.0]).n == 2


def test_one_value_has_a_mean_and_no_limits():
    mean, low, high, n = mean_interval([5.0])
    assert (mean, n) == (5.0, 1)
    assert math.isnan(low)
    assert math.isnan(high)


def test_no_values_have_no_mean():
    assert math.isnan(mean_interval([]).estimate)


def test_95_percent_of_intervals_hold_the_mean():
    rng = np.random.default_rng(0)
    draws = rng.normal(10, 2, (4000, 5))
    held = [low <= 10 <= high for _, low, high, _ in map(mean_interval, draws)]
    # standard error of the share is 0.0034
    assert np.mean(held) == pytest.approx(0.95, abs=0.012)


def test_wilson_of_a_published_example():
    # 81 of 263: 0.2553 to 0.3662 (Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<857)
    share, low, high, n = wilson_interval(81, 263)
    assert (share, n) == (pytest.approx(81 / 263), 263)
    assert (low, high) == (pytest.approx(0.2553, abs=5e-5), pytest.approx(0.3662, abs=5e-5))


@pytest.mark.parametrize(("successes", "n"), [(0, 1), (0, 20), (1, 1), (20, 20), (1, 3)])
def test_wilson_stays_within_0_and_1_and_holds_the_proportion(successes, n):
    share, low, high, _ = wilson_interval(successes, n)
    assert 0 <= low <= share <= high <= 1
    assert high - low > 0


def test_wilson_of_nothing_says_nothing():
    assert wilson_interval(0, 0)[1:3] == (0.0, 1.0)


def test_impossible_counts_are_refused():
    with pytest.raises(ValueError, match="got 3 and 2"):
        wilson_interval(3, 2)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0, math.nan])
def test_impossible_confidence_is_refused(confidence):
    with pytest.raises(ValueError, match="confidence"):
        mean_interval([1, 2], confidence)

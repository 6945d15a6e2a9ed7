"""Samples compared over their fields."""

import numpy as np
import pytest
import scipy

from core.measuring.statistics.samples import compare_samples, holm


def test_the_difference_is_welchs_and_the_test_is_of_ranks():
    first, second = [20.1, 22.3, 19.5, 21.0], [25.2, 24.1, 27.9, np.nan, 26.0, 23.3]
    found = compare_samples(first, second)
    known = np.array(second)[~np.isnan(second)]
    theirs = scipy.stats.ttest_ind(known, first, equal_var=False).confidence_interval(0.95)
    assert found.difference[1:3] == pytest.approx((theirs.low, theirs.high))
    assert found.difference.n == 9
    assert found.p == pytest.approx(2 / 126)  # all of one above all of the other: 9 over 4 ways


def test_one_field_gives_no_limits_and_none_nothing():
    alone = compare_samples([1.0], [2.0, 3.0])
    assert alone.difference.estimate == 1.5
    assert np.isnan(alone.difference.low)
    assert np.isnan(compare_samples([], [1.0]).p)
    with pytest.raises(ValueError, match="confidence"):
        compare_samples([1], [2], 2)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, np.nan]).tolist()[:3] == pytest.approx([0.03, 0.06, 0.06])
    assert np.isnan(holm([np.nan])).all()
    assert holm([0.9, 0.8]).tolist() == [1, 1]

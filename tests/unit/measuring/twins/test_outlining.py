"""What a mask drawn by a person would give: the same objects with outlines farther out."""

import cv2
import numpy as np
import pytest

from core.measuring.twins import OUTSIDE_PX, QUANTITIES, Quantities, drawn_by_hand
from core.measuring.twins.errors import measured_quantities


def discs(radius):
    """Return 16 discs on a grid, numbered."""
    labels = np.zeros((400, 400), np.int32)
    for number in range(16):
        centre = (50 + 100 * (number % 4), 50 + 100 * (number // 4))
        cv2.circle(labels, centre, radius, number + 1, -1)
    return labels


def test_discs_with_outlines_farther_out_measure_as_is_said():
    counted = np.ones((400, 400), bool)
    small, large = (measured_quantities(discs(radius), counted) for radius in (20, 23))
    by = 3 / OUTSIDE_PX[0]  # in units of which three pixels are what people add
    said = drawn_by_hand(small, small, small, by)[0]
    for name in ("d10", "d50", "d90", "chord"):
        assert said[name] == pytest.approx(large[name], rel=0.02)
    assert said.fraction == pytest.approx(large.fraction, rel=0.04)
    assert (said.count, said.circularity) == (small.count, small.circularity)


def test_limits_hold_those_of_the_edge_and_of_the_hand():
    low, true, high = (
        Quantities.of(np.array([f, n, d, d, d, d, 0.8]))
        for f, n, d in ((0.1, 9, 18), (0.12, 10, 20), (0.15, 12, 22))
    )
    middle, least, most = drawn_by_hand(true, low, high, 1.0)
    for name in QUANTITIES:
        assert least[name] <= middle[name] <= most[name]
        assert most[name] - middle[name] >= high[name] - true[name] - 1e-9
    assert middle.d50 == pytest.approx(20 + 2 * OUTSIDE_PX[0])
    assert least.d50 == pytest.approx(middle.d50 - np.hypot(2, 2 * (OUTSIDE_PX[0] - OUTSIDE_PX[1])))


def test_no_mask_covers_more_than_everything_and_what_is_unknown_stays_so():
    full = Quantities.of(np.array([0.95, 4, np.nan, np.nan, np.nan, 3.0, np.nan]))
    middle, _, most = drawn_by_hand(full, full, full, 1.0)
    assert middle.fraction == most.fraction == 1
    assert np.isnan(most.d50)

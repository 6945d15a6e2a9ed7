"""The share of pixels at levels where the signal was cut off."""

import numpy as np
import pytest

from core.imaging.filtering.exposure import saturated_share
from core.micrograph import Micrograph


def share(values: list[float], dtype: type, exclude: list[bool] | None = None) -> float:
    mask = None if exclude is None else np.array([exclude])
    return saturated_share(Micrograph("m", np.array([values], dtype)), mask)


def test_ends_of_eight_bits_count_even_when_rare():
    assert share([0, 1, 1, 2, 254, 254, 255, 255], np.uint8) == pytest.approx(3 / 8)


def test_levels_inside_the_range_do_not_count():
    assert share([10, 20, 20, 30, 40, 40, 50], np.uint8) == 0


def test_pile_up_below_the_end_counts_as_of_a_twelve_bit_camera():
    assert share([100, 200, 200, 4000, 4095, 4095, 4095, 300], np.uint16) == pytest.approx(3 / 8)


def test_floats_pile_up_too_and_nan_takes_no_part():
    values = [np.nan, 0.5, 0.6, 0.6, 0.7, 1.5, 1.5]
    assert share(values, np.float32) == pytest.approx(2 / 6)


def test_what_is_excluded_does_not_count():
    assert share([0, 0, 5, 6, 6, 7], np.uint8, [True, True, False, False, False, False]) == 0


def test_one_level_alone_counts_only_at_an_end_of_the_range():
    assert share([255, 255], np.uint8) == 1
    assert share([90, 90], np.uint8) == 0
    assert share([1.5, 1.5], np.float32) == 0


def test_nothing_left_is_zero():
    assert share([0, 1], np.uint8, [True, True]) == 0
    assert share([np.nan, np.nan], np.float32) == 0


def test_mask_of_another_shape_is_a_mistake():
    with pytest.raises(ValueError, match="exclude must be"):
        saturated_share(Micrograph("m", np.zeros((2, 3), np.uint8)), np.zeros((3, 2), bool))

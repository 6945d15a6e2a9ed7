import numpy as np
import pytest

from core.measuring.regions import measure_widths
from core.measuring.statistics import area_fraction, both_masks, count_points, two_point


def test_nan_of_a_mask_of_floats_does_not_count():
    mask = np.random.default_rng(0).random((96, 96)) < 0.3
    known = np.ones(mask.shape, bool)
    known[:30] = False
    holed = np.where(known, mask, np.nan)
    for measure in (area_fraction, count_points):
        assert measure(holed) == measure(mask, known)
    assert two_point(holed).share == two_point(mask, included=known).share
    wide = np.zeros((60, 60))
    wide[20:40], wide[:, 50:] = 1, np.nan
    there = ~np.isnan(wide)
    expected = measure_widths(wide == 1, included=there)
    assert measure_widths(wide).to_frame().equals(expected.to_frame())


def test_masks_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match="share a shape"):
        both_masks(np.ones((3, 4)), np.ones((4, 3), bool))
    with pytest.raises(ValueError, match="share a shape"):
        both_masks(np.ones((0, 4)))

"""A mask becomes an edit that adds the same pixels."""

import numpy as np
import pytest

from core.errors import UserError
from core.measuring.segmentation import add_mask, from_objects, replay
from core.micrograph import Micrograph


def test_an_added_mask_has_its_pixels_without_the_smaller_piece_and_with_its_hole():
    rows, columns = np.indices((80, 100))
    disc = (rows - 40) ** 2 + (columns - 50) ** 2 <= 25**2
    mask = disc.copy()
    mask[38:42, 48:52] = False
    mask[2:5, 2:5] = True
    micrograph = Micrograph("blank", np.zeros(mask.shape, np.uint8))
    found = from_objects(np.zeros(mask.shape, np.int32), micrograph)
    made = replay(found, (add_mask(mask),), micrograph.pixels)
    assert np.mean((made.labels > 0) != disc) < 0.003
    assert made.labels.max() == 1


def test_a_ragged_mask_has_no_more_corners_than_an_edit_takes():
    noise = np.random.default_rng(0).random((400, 400)) < 0.75
    assert 3 <= len(add_mask(noise).corners) <= 1_500


@pytest.mark.parametrize("count", [0, 1])
def test_a_mask_without_an_area_is_refused(count):
    mask = np.zeros((9, 9), bool)
    mask[4, 4 : 4 + count] = True
    with pytest.raises(UserError, match="draw a box"):
        add_mask(mask)

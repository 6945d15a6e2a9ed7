"""The hatch over what takes no part."""

import numpy as np

from core.imaging.display.hatching import hatch


def test_picture_outside_the_mask_stays():
    picture = np.arange(64, dtype=np.uint8).reshape(8, 8)
    mask = np.zeros((8, 8), bool)
    mask[6:] = True
    shown = hatch(picture, mask)
    assert shown.shape == (8, 8, 3)
    assert shown.dtype == np.uint8
    assert (shown[:6] == picture[:6, :, None]).all()
    assert not (shown[6:] == picture[6:, :, None]).all(axis=2).any()


def test_stripes_have_two_tones_on_black_and_on_white():
    for level in (0, 255):
        shown = hatch(np.full((40, 40), level, np.uint8), np.ones((40, 40), bool))
        tones = shown[5:-5, 5:-5].astype(int)
        assert np.ptp(tones[..., 0]) > 60


def test_thin_parts_survive_when_the_mask_is_larger():
    mask = np.zeros((400, 400), bool)
    mask[200, 50:350] = True
    shown = hatch(np.full((40, 40), 90, np.uint8), mask)
    assert (shown[20] != 90).any(axis=1).sum() >= 30


def test_empty_mask_is_the_grey_picture():
    picture = np.full((5, 6), 17, np.uint8)
    assert (hatch(picture, np.zeros((5, 6), bool)) == 17).all()

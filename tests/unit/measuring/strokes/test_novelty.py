"""Micrographs unlike the painted ones are told by what their pixels are like."""

import numpy as np
import pytest

from core.imaging.simulation import simulate
from core.measuring.strokes import UNLIKE, describe_pixels, learn_familiar
from core.micrograph import Micrograph


def maps_of(kind: str, seed: int, shape=(192, 192), **options):
    return describe_pixels(simulate(kind, shape=shape, seed=seed).micrograph, **options)


@pytest.fixture(scope="module")
def familiar():
    return learn_familiar([maps_of("spheroids", 1)])


def test_a_painted_micrograph_is_like_itself_whether_its_maps_are_kept_or_not(familiar):
    assert familiar.unlike(maps_of("spheroids", 1)) == pytest.approx(0.01, abs=0.005)
    assert familiar.unlike(maps_of("spheroids", 1, keep=False)) < 0.1


def test_noise_is_unlike_and_the_next_field_is_not(familiar):
    wide = simulate("spheroids", shape=(256, 512), seed=1).micrograph.pixels
    left, right = (Micrograph("half", np.ascontiguousarray(x)) for x in np.split(wide, 2, axis=1))
    assert learn_familiar([describe_pixels(left)]).unlike(describe_pixels(right)) < UNLIKE
    noise = np.random.default_rng(0).integers(0, 255, (192, 192), np.uint8)
    assert familiar.unlike(describe_pixels(Micrograph("noise", noise))) > UNLIKE


def test_what_is_like_one_of_several_is_like_them():
    noise = Micrograph("noise", np.random.default_rng(0).integers(0, 255, (192, 192), np.uint8))
    both = learn_familiar([maps_of("spheroids", 1), describe_pixels(noise)])
    assert both.unlike(maps_of("spheroids", 1)) < 0.02
    assert both.unlike(describe_pixels(noise)) < 0.02


def test_blank_and_hidden_frames_raise_nothing(familiar):
    blank = Micrograph("blank", np.full((64, 64), 9, np.uint8))
    assert 0 <= familiar.unlike(describe_pixels(blank)) <= 1
    hidden = describe_pixels(blank, np.ones((64, 64), bool))
    assert np.isnan(familiar.unlike(hidden))
    assert np.isnan(learn_familiar([hidden]).unlike(describe_pixels(blank)))
    assert 0 <= learn_familiar([describe_pixels(blank)]).unlike(maps_of("spheroids", 1)) <= 1

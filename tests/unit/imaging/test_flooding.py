"""Watersheds of pieces are those of the whole frame."""

import cv2
import numpy as np
import pytest
import skimage

from core.imaging.parting import flood, number_connected
from core.imaging.parting import flooding as flooding_module


def _ground(share: float, shape=(300, 420), seed=0):
    """Return heights, a mask of their upper part and seeds at its maxima."""
    random = np.random.default_rng(seed).normal(size=shape)
    grey = cv2.GaussianBlur(random, (0, 0), 4)
    inside = grey > np.quantile(grey, share)
    return grey, inside, number_connected(skimage.morphology.local_maxima(grey) & inside)


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("share", [0.45, 0.7, 0.95])
def test_a_flood_by_pieces_is_that_of_the_frame(share, connectivity):
    grey, inside, seeds = _ground(share)
    theirs = skimage.segmentation.watershed(
        -grey, seeds, connectivity=1 if connectivity == 4 else 2, mask=inside
    )
    assert len(np.unique(theirs)) > 20
    np.testing.assert_array_equal(flood(-grey, seeds, inside, connectivity), theirs)


def test_pieces_without_a_seed_stay_empty_and_single_seeds_fill_theirs():
    inside = np.zeros((300, 300), bool)
    inside[10:40, 10:40] = inside[100:140, 100:140] = inside[200:220, 50:290] = True
    seeds = np.zeros(inside.shape, np.int32)
    seeds[120, 120], seeds[210, 60], seeds[210, 280], seeds[0, 0] = 7, 3, 5, 9
    found = flood(np.zeros(inside.shape), seeds, inside)
    assert not found[:50].any()
    assert (found[100:140, 100:140] == 7).all()
    assert set(np.unique(found[200:220, 50:290])) == {3, 5}


def test_nested_pieces_are_flooded_at_once(monkeypatch):
    down, right = np.mgrid[:400, :400] - 199.5
    inside = np.hypot(down, right) % 20 < 12
    seeds = np.zeros(inside.shape, np.int32)
    places = np.flatnonzero(inside)[:: 1 << 9]
    seeds.ravel()[places] = np.arange(1, len(places) + 1)
    calls = []
    whole = flooding_module._flooded
    monkeypatch.setattr(
        flooding_module, "_flooded", lambda *given: calls.append(given[1].shape) or whole(*given)
    )
    found = flood(down.copy(), seeds, inside)
    assert calls == [inside.shape]
    theirs = skimage.segmentation.watershed(down, seeds, connectivity=2, mask=inside)
    np.testing.assert_array_equal(found, theirs)

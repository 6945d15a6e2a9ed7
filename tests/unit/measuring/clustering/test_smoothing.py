"""Labels that hang together: votes of neighbours, superpixels."""

import numpy as np
import pytest

from core.measuring.clustering import (
    Smoothing,
    cluster_gray,
    compare_fractions,
    moved_share,
    smooth_labels,
)


@pytest.fixture
def speckled():
    """Two halves with one pixel in fifty on the wrong side."""
    rng = np.random.default_rng(0)
    image = np.full((60, 80), 40, np.uint8)
    image[:, 40:] = 200
    wrong = rng.random(image.shape) < 0.02
    image[wrong] = 240 - image[wrong]
    return image


@pytest.mark.parametrize(
    "smoothing", [Smoothing("majority", 2), Smoothing("superpixels", side_px=10)]
)
def test_speckles_vanish_and_halves_stay(speckled, smoothing):
    found = cluster_gray(speckled, 2)
    smooth = smooth_labels(found, speckled, smoothing)
    truth = np.zeros(speckled.shape, int)
    truth[:, 40:] = 1
    assert (smooth.labels == truth).mean() > 0.99 > (found.labels == truth).mean()
    assert smooth.thresholds.size == 0
    np.testing.assert_array_equal(smooth.centers, found.centers)
    np.testing.assert_allclose(smooth.fractions, np.bincount(smooth.labels.ravel()) / 4800)


@pytest.mark.parametrize("kind", ["majority", "superpixels"])
def test_excluded_pixels_stay_excluded_and_do_not_vote(speckled, kind):
    exclude = np.zeros(speckled.shape, bool)
    exclude[:, 36:40] = True
    found = cluster_gray(speckled, 2, exclude=exclude)
    smooth = smooth_labels(found, speckled, Smoothing(kind))
    assert np.array_equal(smooth.labels == -1, exclude)
    assert smooth.included_share == found.included_share


def test_a_tie_leaves_pixels_where_they_are():
    stripes = np.tile(np.array([0, 255], np.uint8).repeat(4), (16, 4))
    found = cluster_gray(stripes, 2)
    np.testing.assert_array_equal(
        smooth_labels(found, stripes, Smoothing("majority", 1)).labels, found.labels
    )


def test_the_effect_is_told(speckled):
    found = cluster_gray(speckled, 2)
    smooth = smooth_labels(found, speckled, Smoothing("majority"))
    table = compare_fractions(found, smooth)
    np.testing.assert_allclose(table["change_points"].sum(), 0, atol=1e-9)
    np.testing.assert_allclose(table["after_pct"] - table["before_pct"], table["change_points"])
    assert moved_share(found, smooth) == pytest.approx((found.labels != smooth.labels).mean())
    assert smooth_labels(found, speckled, Smoothing()) is found
    with pytest.raises(ValueError, match="one image"):
        compare_fractions(found, cluster_gray(speckled[:30], 2))


@pytest.mark.parametrize("wrong", [{"kind": "magic"}, {"radius_px": 0}, {"side_px": 1000}])
def test_impossible_smoothings_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Smoothing(**wrong)

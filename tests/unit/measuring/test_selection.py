"""Regions of interest: boxes and polygons as masks."""

import numpy as np
import pytest

from core.errors import UserError
from core.measuring.selection import Region, leave_out


def test_both_corners_belong_to_a_box_in_any_order():
    for corners in (((2, 3), (4, 6)), ((4, 6), (2, 3)), ((4, 3), (2, 6))):
        mask = Region(corners).mask((8, 9))
        assert mask.sum() == 3 * 4
        assert mask[2:5, 3:7].all()


def test_a_box_ends_at_the_frame():
    assert Region(((-5, -5), (100, 100))).mask((6, 7)).all()
    assert Region(((-5, 2.6), (0.4, 3.2))).mask((6, 7)).sum() == 1


def test_a_polygon_has_its_area():
    angles = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    corners = tuple(zip(100 + 60 * np.sin(angles), 120 + 60 * np.cos(angles), strict=True))
    region = Region(corners)
    assert not region.is_box
    inside = region.mask((200, 240))
    assert inside.sum() == pytest.approx(np.pi * 60**2, rel=0.03)
    assert inside[100, 120]
    assert not inside[10, 10]


@pytest.mark.parametrize(
    "corners", [((100, 100), (120, 120)), ((-9, -9), (-3, -3)), ((50, 50), (60, 50), (55, 60))]
)
def test_a_region_beside_the_frame_is_explained(corners):
    with pytest.raises(UserError, match="holds no pixel"):
        Region(corners).mask((20, 20))


@pytest.mark.parametrize("corners", [((1, 1),), ((1, 1), (np.nan, 2)), ()])
def test_what_is_no_region_is_refused(corners):
    with pytest.raises(ValueError, match="two finite corners"):
        Region(corners)


def test_outside_and_overlays_are_left_out_together():
    overlays = np.zeros((4, 5), bool)
    overlays[3] = True
    assert leave_out((4, 5), overlays, None) is overlays
    both = leave_out((4, 5), overlays, Region(((0, 0), (3, 2))))
    assert both is not None
    np.testing.assert_array_equal(~both, [[1, 1, 1, 0, 0]] * 3 + [[0] * 5])


@pytest.mark.parametrize("scale", [1, 5, 100, 1e7])
def test_far_corners_do_not_bend_a_polygon(scale):
    # Corners used to be moved nearer: at 100 times the frame a quarter of it came out wrong.
    far = 1000.0 * scale
    mask = Region(((0, 0), (far / 2, far), (0, far))).mask((200, 200))
    down, right = np.mgrid[:200, :200]
    assert np.count_nonzero(mask != (right >= 2 * down)) <= 400  # the outline belongs to it
    around = Region(((-far, -far), (-far, far), (far, far), (far, -far)))
    assert around.mask((20, 30)).all()

"""Circles within and around regions, and how convex they are: known answers."""

import cv2
import numpy as np
import pytest

from core.measuring.regions import label_regions, measure_labels, measure_regions
from core.measuring.regions.runs import find_runs
from core.measuring.regions.shapes import circles
from core.micrograph import PixelSize

INSIDE, AROUND = "inscribed_diameter_px", "circumscribed_diameter_px"


def disc(radius, row=0.0, col=0.0):
    side = np.arange(int(2 * radius) + 7) - radius - 3
    return np.hypot(side[:, None] - row, side[None, :] - col) <= radius


@pytest.mark.parametrize("radius", [5, 12.3, 40])
@pytest.mark.parametrize("shift", [(0, 0), (0.5, 0.5), (0.25, 0.4)])
def test_circles_of_a_disc_are_the_disc(radius, shift):
    row = measure_regions(disc(radius, *shift)).iloc[0]
    assert 2 * radius - 1.5 <= row[INSIDE] <= 2 * radius
    assert 2 * radius <= row[AROUND] <= 2 * radius + 1.001
    assert row["convexity"] == pytest.approx(1, abs=0.005)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9), (4, 30), (5, 30), (6, 6)])
def test_a_bar_holds_a_circle_of_its_width(height, width):
    mask = np.zeros((20, 40), bool)
    mask[3 : 3 + height, 4 : 4 + width] = True
    row = measure_regions(mask).iloc[0]
    assert row[INSIDE] == height
    long = max(np.hypot(height - 1, width), np.hypot(height, width - 1))
    assert row[AROUND] == pytest.approx(long, abs=0.2)
    assert row["convexity"] == 1 or height == width == 1


def test_a_hole_leaves_the_circle_its_wall():
    mask = disc(30)
    mask &= ~np.pad(disc(20), 10)
    assert measure_regions(mask)[INSIDE][0] == pytest.approx(10, abs=1)


def test_convexity_of_an_angle():
    mask = np.zeros((120, 120), bool)
    mask[10:110, 10:40] = mask[80:110, 10:110] = True
    hull = 100 + 100 + 30 + 30 + np.hypot(70, 70)
    assert measure_regions(mask)["convexity"][0] == pytest.approx(hull / 400, rel=0.01)


def test_three_points_lie_on_the_circle_around_an_equilateral_triangle():
    mask = np.zeros((220, 220), np.uint8)
    corners = 110 + 100 * np.array([[np.cos(a), np.sin(a)] for a in np.radians([90, 210, 330])])
    cv2.fillPoly(mask, [np.rint(corners).astype(np.int32)], 1)
    row = measure_regions(mask).iloc[0]
    assert row[AROUND] == pytest.approx(200, abs=2)  # of the longest side: 173
    assert row[INSIDE] == pytest.approx(100, abs=1.5)


def test_touching_labels_have_circles_of_their_own_in_any_band(monkeypatch):
    noise = cv2.GaussianBlur(np.random.default_rng(0).random((300, 200)), (0, 0), 3)
    labels = label_regions(noise > np.median(noise), split=True, least_solidity=0)
    labels[100:104] = labels.max() + 1  # touches what it cuts
    labels = np.unique(labels, return_inverse=True)[1].reshape(labels.shape).astype(np.int32)
    together = measure_labels(labels)
    for number in range(1, labels.max() + 1, 9):
        alone = measure_regions((labels == number).astype(np.uint8), PixelSize(2, "nm"))
        if len(alone) == 1:
            assert alone["inscribed_diameter_nm"][0] == 2 * together[INSIDE][number - 1]
    monkeypatch.setattr(circles, "_PIXELS_AT_ONCE", 1)
    banded = circles.inscribed_diameters(labels, find_runs(labels))
    np.testing.assert_array_equal(banded, together[INSIDE])
    assert (together[INSIDE] <= together["feret_min_px"] + 0.3).all()

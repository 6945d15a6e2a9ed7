"""Region measures against scikit-image's, which works them out region by region."""

import time

import cv2
import numpy as np
import pytest
from skimage.measure import label, regionprops_table

from core.measuring.regions.labels import label_regions
from core.measuring.regions.table import measure_labels, measure_regions

PROPERTIES = (
    "area", "equivalent_diameter_area", "perimeter", "eccentricity", "solidity", "centroid",
    "orientation", "mean_intensity", "feret_diameter_max", "axis_major_length", "axis_minor_length",
)  # fmt: skip


def ellipses(seed, side=12, cell_px=34):
    rng = np.random.default_rng(seed)
    mask = np.zeros((side * cell_px, side * cell_px), np.uint8)
    for row, col in np.ndindex(side, side):
        centre = (cell_px * col + cell_px // 2, cell_px * row + cell_px // 2)
        axes = [int(n) for n in rng.integers(0, cell_px // 2, 2)]
        cv2.ellipse(mask, centre, axes, float(rng.integers(180)), 0, 360, 255, -1)
    return mask > 0


@pytest.mark.parametrize(
    "mask",
    [ellipses(0), np.random.default_rng(1).random((60, 80)) < 0.3, np.ones((6, 9), bool)],
    ids=["ellipses", "noise", "full"],
)
def test_measures_equal_scikit_image(mask):
    grey = np.random.default_rng(2).random(mask.shape)
    theirs = regionprops_table(label(mask, connectivity=2), grey, properties=PROPERTIES)
    ours = measure_regions(mask, intensity=grey)
    for name, theirs_name in [
        ("area_px", "area"),
        ("equivalent_diameter_px", "equivalent_diameter_area"),
        ("eccentricity", "eccentricity"),
        ("solidity", "solidity"),
        ("centroid_row_px", "centroid-0"),
        ("centroid_col_px", "centroid-1"),
        ("mean_grey", "mean_intensity"),
    ]:
        np.testing.assert_allclose(ours[name], theirs[theirs_name], atol=1e-6, err_msg=name)
    # scikit-image measures the hull's pixels, not the hull: up to a pixel more
    assert np.abs(ours["feret_max_px"] - theirs["feret_diameter_max"]).max() < 1
    # scikit-image's perimeter runs through the outer pixels' middles, 8 % too long where slanting
    large = theirs["area"] > 300
    ratios = ours["perimeter_px"][large] / theirs["perimeter"][large]
    assert ratios.between(0.94, 1.04).all()
    wide = theirs["axis_minor_length"] > 1e-6
    ratio = theirs["axis_major_length"][wide] / theirs["axis_minor_length"][wide]
    np.testing.assert_allclose(ours["aspect_ratio"][wide], ratio, rtol=1e-6)
    # theirs counts from the row axis; shapes without direction are left out
    long = ours["aspect_ratio"].to_numpy() > 1.05
    difference = ours["orientation_deg"] - (np.degrees(theirs["orientation"]) + 90)
    turns = difference.to_numpy()[long] / 180
    np.testing.assert_allclose(turns, np.round(turns), atol=1e-6)


def test_labels_equal_scikit_image():
    mask = np.random.default_rng(3).random((70, 50)) < 0.3
    np.testing.assert_array_equal(label_regions(mask), label(mask, connectivity=2))


def test_two_thousand_regions_take_less_than_two_seconds():
    mask = ellipses(4, side=46, cell_px=24)
    start = time.perf_counter()
    frame = measure_regions(mask)
    assert len(frame) > 2000
    assert time.perf_counter() - start < 2


def test_touching_labels_equal_scikit_image():
    labels = label_regions(ellipses(5) | ellipses(6), split=True)
    names = ("area", "solidity", "centroid", "eccentricity")
    theirs = regionprops_table(labels, properties=names)
    ours = measure_labels(labels)
    for name, theirs_name in [
        ("area_px", "area"), ("solidity", "solidity"),
        ("centroid_row_px", "centroid-0"), ("eccentricity", "eccentricity"),
    ]:  # fmt: skip
        np.testing.assert_allclose(ours[name], theirs[theirs_name], atol=1e-6, err_msg=name)

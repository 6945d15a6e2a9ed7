"""Texture maps on images whose answer can be counted by hand."""

import numpy as np
import pytest

from core.imaging.filtering.texture import maps
from core.imaging.filtering.texture.maps import PROPERTIES, glcm_map, glcm_maps

STRIPES = np.tile(np.array([0, 1], np.uint8), (6, 4))


def test_stripes_have_full_contrast_across_and_none_along():
    assert np.all(glcm_map(STRIPES, "contrast", window=3, angle_deg=0) == 1)
    assert np.all(glcm_map(STRIPES, "contrast", window=3, angle_deg=90) == 0)


def test_contrast_of_one_edge_is_the_share_of_pairs_that_cross_it():
    image = np.zeros((5, 6), np.uint8)
    image[:, 3:] = 1
    row = glcm_map(image, "contrast", window=5)[2]
    # pairs per row in the clipped window 2, 3, 4, 4, 3, 2; one of them crosses from column 1 on
    np.testing.assert_allclose(row, [0, 1 / 3, 1 / 4, 1 / 4, 1 / 3, 0])


def test_energy_of_alternating_stripes_is_that_of_two_equal_entries():
    np.testing.assert_allclose(glcm_map(STRIPES, "ASM", window=3), 0.5)
    np.testing.assert_allclose(glcm_map(STRIPES, "energy", window=3), np.sqrt(0.5))
    np.testing.assert_allclose(glcm_map(STRIPES, "entropy", window=3), np.log(2))
    np.testing.assert_allclose(glcm_map(STRIPES, "correlation", window=3), -1)


@pytest.mark.parametrize("value", [0, 3, 7])
def test_constant_image_has_the_values_of_a_single_entry(value):
    image = np.full((9, 7), value, np.uint8)
    expected = {"homogeneity": 1, "mean": value, "correlation": 1, "ASM": 1, "energy": 1}
    for prop in PROPERTIES:
        result = glcm_map(image, prop, levels=8)
        np.testing.assert_array_equal(result, np.full((9, 7), expected.get(prop, 0.0)))


def test_windows_without_a_pair_give_zero_and_correlation_one():
    column = np.ones((4, 1), np.uint8)
    assert np.all(glcm_map(column, "homogeneity") == 0)
    assert np.all(glcm_map(column, "ASM") == 0)
    assert np.all(glcm_map(column, "correlation") == 1)


def test_result_is_float64_and_the_input_untouched():
    image = STRIPES.copy()
    image.flags.writeable = False
    assert glcm_map(image).dtype == np.float64
    np.testing.assert_array_equal(image, STRIPES)


def test_accepts_bool_int64_and_strided_images():
    wide = np.repeat(STRIPES, 2, axis=1)[:, ::2]
    expected = glcm_map(STRIPES)
    for image in (STRIPES.astype(bool), STRIPES.astype(np.int64), wide):
        np.testing.assert_array_equal(glcm_map(image), expected)


def test_sums_stay_exact_over_a_large_image():
    image = np.random.default_rng(0).integers(0, 256, (64, 3000)).astype(np.uint8)
    image[:, -40:] = 9  # a drifting running sum would leave a residue here
    assert np.all(glcm_map(image, "contrast", levels=256)[:, -30:] == 0)
    assert np.all(glcm_map(image, "variance", levels=256)[:, -30:] == 0)


def test_bands_of_rows_leave_no_seam(monkeypatch):
    image = np.random.default_rng(1).integers(0, 8, (90, 40)).astype(np.uint8)
    options = {"window": 7, "levels": 8, "distance": 2, "angle_deg": 45}
    whole = glcm_maps(image, list(PROPERTIES), **options)
    monkeypatch.setattr(maps, "_BAND_PX", 1)
    for prop, result in glcm_maps(image, list(PROPERTIES), **options).items():
        np.testing.assert_allclose(result, whole[prop], rtol=0, atol=1e-12, err_msg=prop)


@pytest.mark.parametrize("symmetric", [True, False])
def test_boxes_and_running_counts_agree(monkeypatch, symmetric):
    image = np.random.default_rng(2).integers(0, 3, (20, 30)).astype(np.uint8)
    options = {"levels": 3, "window": 5, "angle_deg": 135, "symmetric": symmetric}
    boxes = glcm_maps(image, ["ASM", "entropy"], **options)
    monkeypatch.setattr(maps, "_FEW_LEVELS", 0)
    for prop, result in glcm_maps(image, ["ASM", "entropy"], **options).items():
        np.testing.assert_allclose(result, boxes[prop], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"prop": "cluster_shade"}, "one of contrast"),
        ({"window": 4}, "odd"),
        ({"window": 1}, "odd"),
        ({"window": 257}, "odd"),
        ({"levels": 1}, "levels"),
        ({"levels": 257}, "levels"),
        ({"distance": 0}, "distance"),
        ({"distance": 5}, "distance"),
        ({"angle_deg": 361}, "angle_deg"),
        ({"angle_deg": float("nan")}, "angle_deg"),
        ({"angle_deg": "all"}, "angle_deg"),
    ],
)
def test_parameters_out_of_range_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        glcm_map(STRIPES, **options)


@pytest.mark.parametrize(
    "options", [{"window": 5.0}, {"levels": True}, {"distance": "1"}, {"angle_deg": None}]
)
def test_parameters_that_are_no_integers_are_refused(options):
    with pytest.raises(TypeError, match="must be a"):
        glcm_map(STRIPES, **options)


def test_images_that_hold_no_levels_are_refused():
    with pytest.raises(TypeError, match="integers"):
        glcm_map(STRIPES.astype(np.float32))
    with pytest.raises(ValueError, match="0 <= v < 2, got 0 to 2"):
        glcm_map(STRIPES * 2)
    with pytest.raises(ValueError, match="-1"):
        glcm_map(STRIPES.astype(np.int8) - 1)
    with pytest.raises(ValueError, match=r"\(H, W\)"):
        glcm_map(np.zeros((0, 4), np.uint8))
    with pytest.raises(ValueError, match=r"\(H, W\)"):
        glcm_map(np.zeros(4, np.uint8))

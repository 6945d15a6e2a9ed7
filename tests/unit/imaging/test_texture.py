"""Texture maps on images whose answer can be counted by hand."""

import numpy as np
import pytest

from core.imaging.texture import PROPERTIES, glcm_map

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


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"prop": "cluster_shade"}, "one of contrast"),
        ({"window": 4}, "odd"),
        ({"window": 1}, "odd"),
        ({"window": 257}, "odd"),
        ({"levels": 1}, "levels"),
        ({"levels": 257}, "levels"),
        ({"prop": "ASM", "levels": 33}, "2 to 32 for ASM"),
        ({"distance": 0}, "distance"),
        ({"distance": 5}, "distance"),
        ({"angle_deg": 30}, "angle_deg"),
    ],
)
def test_parameters_out_of_range_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        glcm_map(STRIPES, **options)


@pytest.mark.parametrize("options", [{"window": 5.0}, {"levels": True}, {"distance": "1"}])
def test_parameters_that_are_no_integers_are_refused(options):
    with pytest.raises(TypeError, match="integer"):
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

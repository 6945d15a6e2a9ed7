"""The texture maps against scikit-image, window by window."""

import numpy as np
import pytest
from skimage.feature import graycomatrix, graycoprops

from core.imaging.filtering.texture.maps import (
    ANGLES_DEG,
    FOUR_ANGLES,
    PROPERTIES,
    glcm_map,
    glcm_maps,
)


def reference(image, prop, window, levels, distance, angle_deg, symmetric=True):
    """Evaluate scikit-image on each window, clipped to the image."""
    half = window // 2
    out = np.empty(image.shape)
    for r, c in np.ndindex(*image.shape):
        patch = image[max(r - half, 0) : r + half + 1, max(c - half, 0) : c + half + 1]
        matrix = graycomatrix(
            patch,
            [distance],
            [np.deg2rad(angle_deg)],
            levels=levels,
            symmetric=symmetric,
            normed=True,
        )
        out[r, c] = graycoprops(matrix, prop)[0, 0]
    return out


@pytest.mark.parametrize("prop", PROPERTIES)
@pytest.mark.parametrize("angle_deg", ANGLES_DEG)
def test_every_property_equals_scikit_image_including_corners(prop, angle_deg):
    rng = np.random.default_rng(1)
    for shape, window, levels, distance in [((11, 14), 5, 2, 1), ((9, 8), 3, 8, 1)]:
        image = rng.integers(0, levels, shape).astype(np.uint8)
        image[:5, :6] = levels - 1  # flat windows too
        ours = glcm_map(
            image, prop, window=window, levels=levels, distance=distance, angle_deg=angle_deg
        )
        theirs = reference(image, prop, window, levels, distance, angle_deg)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


@pytest.mark.parametrize("angle_deg", ANGLES_DEG)
@pytest.mark.parametrize("distance", [2, 3, 4, 6])
def test_long_offsets_equal_scikit_image(angle_deg, distance):
    image = np.random.default_rng(2).integers(0, 5, (10, 9)).astype(np.uint8)
    for prop in ("contrast", "correlation", "ASM"):
        ours = glcm_map(image, prop, window=7, levels=5, distance=distance, angle_deg=angle_deg)
        theirs = reference(image, prop, 7, 5, distance, angle_deg)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (2, 2), (3, 5)])
@pytest.mark.parametrize("prop", PROPERTIES)
def test_tiny_images_equal_scikit_image(shape, prop):
    image = np.random.default_rng(3).integers(0, 3, shape).astype(np.uint8)
    for angle_deg in ANGLES_DEG:
        ours = glcm_map(image, prop, window=5, levels=3, distance=1, angle_deg=angle_deg)
        theirs = reference(image, prop, 5, 3, 1, angle_deg)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


@pytest.mark.parametrize("levels", [2, 3, 8, 256])
@pytest.mark.parametrize("symmetric", [True, False])
def test_every_property_at_every_depth_in_both_orders(levels, symmetric):
    image = np.random.default_rng(4).integers(0, levels, (8, 9)).astype(np.uint8)
    image[:, :4] //= 2
    ours = glcm_maps(image, list(PROPERTIES), window=7, levels=levels, symmetric=symmetric)
    for prop, result in ours.items():
        theirs = reference(image, prop, 7, levels, 1, 0, symmetric)
        np.testing.assert_allclose(result, theirs, rtol=1e-9, atol=1e-9, err_msg=prop)


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize(
    ("distance", "angle_deg"), [(1, 180), (2, 225), (2, 30), (3, 107.5), (3, 270), (2, -60)]
)
def test_any_angle_equals_scikit_image(symmetric, distance, angle_deg):
    image = np.random.default_rng(5).integers(0, 6, (9, 8)).astype(np.uint8)
    for prop in ("contrast", "mean", "correlation", "entropy"):
        options = {"window": 7, "levels": 6, "distance": distance, "angle_deg": angle_deg}
        ours = glcm_map(image, prop, symmetric=symmetric, **options)
        theirs = reference(image, prop, *options.values(), symmetric)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9, err_msg=prop)


def test_the_mean_of_four_angles_is_just_that():
    image = np.random.default_rng(6).integers(0, 5, (9, 8)).astype(np.uint8)
    for prop in ("contrast", "ASM"):
        theirs = np.mean([reference(image, prop, 5, 5, 2, angle) for angle in ANGLES_DEG], axis=0)
        ours = glcm_map(image, prop, levels=5, distance=2, angle_deg=FOUR_ANGLES)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


def test_a_float_map_keeps_to_a_millionth_in_every_window_of_a_wide_image():
    image = np.random.default_rng(7).integers(0, 32, (12, 160)).astype(np.uint8)
    image[:, 60:110] = 3  # running sums must come back to nothing
    for prop in ("ASM", "entropy"):
        ours = glcm_map(image, prop, window=9, levels=32)
        assert np.abs(ours - reference(image, prop, 9, 32, 1, 0)).max() < 1e-9

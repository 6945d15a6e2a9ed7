"""The texture maps against scikit-image, window by window."""

import numpy as np
import pytest
from skimage.feature import graycomatrix, graycoprops

from core.imaging.texture import ANGLES_DEG, PER_CODE, PROPERTIES, glcm_map


def reference(image, prop, window, levels, distance, angle_deg):
    """Evaluate scikit-image on each window, clipped to the image."""
    half = window // 2
    out = np.empty(image.shape)
    for r, c in np.ndindex(*image.shape):
        patch = image[max(r - half, 0) : r + half + 1, max(c - half, 0) : c + half + 1]
        matrix = graycomatrix(
            patch, [distance], [np.deg2rad(angle_deg)], levels=levels, symmetric=True, normed=True
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


def test_eight_bit_levels_equal_scikit_image():
    image = np.random.default_rng(4).integers(0, 256, (8, 8)).astype(np.uint8)
    for prop in [name for name in PROPERTIES if name not in PER_CODE]:
        ours = glcm_map(image, prop, window=7, levels=256)
        np.testing.assert_allclose(ours, reference(image, prop, 7, 256, 1, 0), rtol=1e-10)

"""Laws of texture maps."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from core.imaging.filtering.texture.maps import PROPERTIES, glcm_map

images = arrays(
    np.uint8,
    array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12),
    elements=st.integers(0, 3),
)
options = st.fixed_dictionaries(
    {
        "prop": st.sampled_from(list(PROPERTIES)),
        "window": st.sampled_from([3, 5, 9]),
        "distance": st.integers(1, 2),
    }
)


@settings(deadline=None)
@given(images, options)
def test_quarter_turn_swaps_the_angles(image, chosen):
    flat = glcm_map(image, levels=4, angle_deg=0, **chosen)
    turned = glcm_map(np.rot90(image), levels=4, angle_deg=90, **chosen)
    np.testing.assert_allclose(np.rot90(flat), turned, atol=1e-12)


@settings(deadline=None)
@given(images, options, st.sampled_from([(45, 135), (0, 0), (90, 90)]))
def test_mirroring_swaps_the_diagonals(image, chosen, angles):
    plain = glcm_map(image, levels=4, angle_deg=angles[0], **chosen)
    mirrored = glcm_map(image[:, ::-1], levels=4, angle_deg=angles[1], **chosen)
    np.testing.assert_allclose(plain[:, ::-1], mirrored, atol=1e-12)


@settings(deadline=None)
@given(images, options, st.sampled_from([0, 45, 90, 135]))
def test_inverting_the_levels_changes_only_the_mean(image, chosen, angle_deg):
    plain = glcm_map(image, levels=4, angle_deg=angle_deg, **chosen)
    inverted = glcm_map(3 - image, levels=4, angle_deg=angle_deg, **chosen)
    if chosen["prop"] == "mean":
        empty = glcm_map(image, "ASM", levels=4, angle_deg=angle_deg, window=chosen["window"],
                         distance=chosen["distance"]) == 0  # fmt: skip
        plain = np.where(empty, 0, 3 - plain)
    np.testing.assert_allclose(inverted, plain, atol=1e-12)


@settings(deadline=None)
@given(images, options)
def test_values_stay_in_the_range_of_the_property(image, chosen):
    result = glcm_map(image, levels=4, **chosen)
    top = {"contrast": 9, "dissimilarity": 3, "mean": 3, "variance": 2.25, "std": 1.5}
    top["entropy"] = np.log(16)
    low = -1 if chosen["prop"] == "correlation" else 0
    assert result.shape == image.shape
    assert result.min() >= low - 1e-12
    assert result.max() <= top.get(chosen["prop"], 1) + 1e-12

"""Laws of filters and pipelines."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from core.imaging.filters import FILTERS, Pipeline, Step
from core.micrograph import Micrograph

shapes = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=20)
images = st.one_of(
    arrays(np.uint8, shapes),
    arrays(np.uint16, shapes),
    arrays(np.float32, shapes, elements=st.floats(-1e4, 1e4, width=32)),
)
SYMMETRIC = ["gaussian", "median", "invert", "gamma", "stretch", "sobel", "otsu", "white_tophat"]


def value_of(parameter):
    if parameter.kind == "choice":
        return st.sampled_from(parameter.choices)
    if parameter.kind == "float":
        return st.floats(parameter.low, parameter.high)
    whole = st.integers(int(parameter.low), min(int(parameter.high), 40))
    return whole.map(lambda v: v | 1) if parameter.kind == "odd" else whole


def step_of(spec):
    settings_ = st.fixed_dictionaries({p.name: value_of(p) for p in spec.parameters})
    return settings_.map(lambda parameters: (spec.name, parameters))


steps = st.one_of(*map(step_of, FILTERS.values())).filter(
    lambda s: (
        s[1].get("low_pct", 0) < s[1].get("high_pct", 1)
        and s[1].get("distance_px", 0) < s[1].get("window_px", 1)
        and s[1].get("size_px", 3) <= 15
    )
)


@settings(deadline=None, max_examples=150)
@given(images, steps)
def test_any_setting_on_any_image_keeps_shape_and_input(pixels, chosen):
    before = pixels.copy()
    step = Step(*chosen)
    result = Pipeline([step])(Micrograph("a", pixels))
    assert result.shape == pixels.shape
    assert np.isfinite(result.pixels).all()
    np.testing.assert_array_equal(pixels, before)
    assert result.metadata["history"] == [str(step)]


@settings(deadline=None)
@given(st.lists(steps, max_size=5))
def test_json_goes_there_and_back(chosen):
    pipeline = Pipeline([Step(*step) for step in chosen])
    assert Pipeline.from_json(pipeline.to_json()) == pipeline


@pytest.mark.parametrize("name", SYMMETRIC)
@settings(deadline=None, max_examples=25)
@given(pixels=images)
def test_filters_without_direction_commute_with_a_quarter_turn(name, pixels):
    run = Pipeline([Step(name)])
    turned = run(Micrograph("a", np.rot90(pixels).copy())).pixels
    expected = np.rot90(run(Micrograph("a", pixels)).pixels).astype(np.float64)
    tolerance = 1 if FILTERS[name].result == "same depth" and pixels.dtype.kind == "u" else 0.02
    np.testing.assert_allclose(turned, expected, atol=tolerance, rtol=1e-5)


@settings(deadline=None)
@given(images, st.sampled_from(["gaussian", "gamma"]))
def test_zero_strength_is_the_identity(pixels, name):
    step = Step(name, {"sigma_px": 0} if name == "gaussian" else {"exponent": 1})
    result = Pipeline([step])(Micrograph("a", pixels)).pixels
    np.testing.assert_allclose(result, pixels, rtol=1e-5, atol=1e-2)


@settings(deadline=None)
@given(images, st.sampled_from(["gaussian", "median", "bilateral", "clahe", "gamma"]))
def test_smoothing_and_contrast_stay_within_the_grey_range(pixels, name):
    result = Pipeline([Step(name)])(Micrograph("a", pixels)).pixels.astype(np.float64)
    low, high = float(pixels.min()), float(pixels.max())
    slack = 1e-4 * max(abs(low), abs(high), 1)
    if name != "gamma" or pixels.dtype.kind == "f":
        assert low - slack <= result.min()
        assert result.max() <= high + slack

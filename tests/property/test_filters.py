"""Laws of filters and pipelines."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from core.imaging.filtering.operations.frequency import spectrum
from core.imaging.filtering.pipeline import FILTERS, Pipeline, Step
from core.micrograph import Micrograph

shapes = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=20)
images = st.one_of(
    arrays(np.uint8, shapes),
    arrays(np.uint16, shapes),
    arrays(np.float32, shapes, elements=st.floats(-1e4, 1e4, width=32)),
)
SYMMETRIC = [
    *("gaussian", "median", "invert", "gamma", "stretch", "equalise", "sobel", "scharr", "otsu"),
    *("white_tophat", "black_tophat", "erode", "dilate", "opening", "closing", "fill_holes"),
    *("diffusion", "hot_pixels", "wavelet", "remove_small", "clear_border", "distance_map"),
    *("unsharp", "local_deviation", "coherence"),
]
OTHER = Micrograph("other", np.arange(1, 401, dtype=np.uint16).reshape(20, 20))


def value_of(parameter):
    if parameter.kind == "choice":
        return st.sampled_from(parameter.choices)
    if parameter.kind == "image":
        return st.just(OTHER.sha256)
    if parameter.kind == "spots":
        return st.lists(st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5)), max_size=2)
    if parameter.kind == "float":
        return st.floats(parameter.low, parameter.high)
    whole = st.integers(int(parameter.low), min(int(parameter.high), 40))
    return whole.map(lambda v: v | 1) if parameter.kind == "odd" else whole


def step_of(spec):
    settings_ = st.fixed_dictionaries({p.name: value_of(p) for p in spec.parameters})
    return settings_.map(lambda parameters: (spec.name, parameters))


def is_sound(chosen):
    """No two settings contradict each other, and no flat field of another size."""
    name, parameters = chosen
    pairs = (("low_pct", "high_pct"), ("distance_px", "window_px"), ("smallest_px", "largest_px"))
    return (
        all(parameters.get(low, 0) < parameters.get(high, 1e9) for low, high in pairs)
        and parameters.get("size_px", 3) <= 15
        and name not in ("flat_field", "minimum")
    )


steps = st.one_of(*map(step_of, FILTERS.values())).filter(is_sound)


@settings(deadline=None, max_examples=200)
@given(images, steps)
def test_any_setting_on_any_image_keeps_shape_and_input(pixels, chosen):
    before = pixels.copy()
    step = Step(*chosen)
    result = Pipeline([step])(Micrograph("a", pixels), others={OTHER.sha256: OTHER})
    assert result.shape == pixels.shape
    if step.spec.result == "same depth":
        assert result.pixels.dtype == pixels.dtype
    assert step.spec.direction or np.isfinite(result.pixels).all()
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
@example(pixels=np.array([[0, 1], [1, 1]], np.float32))
def test_filters_without_direction_commute_with_a_quarter_turn(name, pixels):
    run = Pipeline([Step(name)])
    turned = run(Micrograph("a", np.rot90(pixels).copy())).pixels
    expected = np.rot90(run(Micrograph("a", pixels)).pixels).astype(np.float64)
    tolerance = 1 if FILTERS[name].result == "same depth" and pixels.dtype.kind == "u" else 0.02
    np.testing.assert_allclose(turned, expected, atol=tolerance, rtol=1e-5)


NOTHING = [
    ("gaussian", {"sigma_px": 0}),
    ("gamma", {"exponent": 1}),
    ("unsharp", {"amount": 0}),
    ("total_variation", {"weight": 0}),
    ("non_local_means", {"strength": 0}),
    ("wavelet", {"strength": 0}),
    ("diffusion", {"iterations": 0}),
    ("notch", {"spots": []}),
]


@settings(deadline=None)
@given(images, st.sampled_from(NOTHING))
def test_zero_strength_is_the_identity(pixels, chosen):
    result = Pipeline([Step(*chosen)])(Micrograph("a", pixels)).pixels
    np.testing.assert_allclose(result, pixels, rtol=1e-5, atol=2e-2)


@settings(deadline=None)
@given(images, st.sampled_from(["opening", "closing"]), st.integers(1, 7))
def test_opening_and_closing_twice_is_once(pixels, name, radius_px):
    run = Pipeline([Step(name, {"radius_px": radius_px})])
    once = run(Micrograph("a", pixels))
    np.testing.assert_array_equal(run(once).pixels, once.pixels)
    wider = np.less_equal if name == "opening" else np.greater_equal
    assert wider(once.pixels, pixels).all()


@settings(deadline=None)
@given(images, st.sampled_from(["otsu", "fill_holes", "clear_border"]))
def test_what_is_done_is_done(pixels, name):
    once = Pipeline([Step("otsu"), Step(name)])(Micrograph("a", pixels))
    twice = Pipeline([Step(name)])(once)
    if name != "otsu" or len(np.unique(once.pixels)) == 2:
        np.testing.assert_array_equal(twice.pixels, once.pixels)


@settings(deadline=None, max_examples=30)
@given(
    arrays(np.float32, (24, 26), elements=st.floats(0, 100, width=32)),
    st.sampled_from(
        ["gaussian", "median", "sobel", "scharr", "wavelet", "opening", "laplacian_of_gaussian"]
    ),
)
def test_a_shifted_image_gives_the_shifted_result(pixels, name):
    """Far from the edges; the image stands in a frame of its mean grey."""
    frame = np.full((100, 102), pixels.mean(), np.float32)
    results = []
    for top, left in ((40, 40), (36, 43)):
        shifted = frame.copy()
        shifted[top : top + 24, left : left + 26] = pixels
        result = Pipeline([Step(name)])(Micrograph("a", shifted)).pixels
        results.append(result[top - 8 : top + 32, left - 8 : left + 34])
    np.testing.assert_allclose(results[0], results[1], rtol=1e-4, atol=2e-3)


@settings(deadline=None, max_examples=40)
@given(arrays(np.float32, (20, 23), elements=st.floats(0, 100, width=32)), st.floats(4, 30))
def test_frequency_filters_part_the_energy_between_them(pixels, size_px):
    """What a low-pass keeps and a high-pass keeps add up to the image, and neither gains."""
    micrograph = Micrograph("a", pixels)
    low = Pipeline([Step("low_pass", {"smallest_px": size_px})])(micrograph).pixels
    high = Pipeline([Step("high_pass", {"largest_px": size_px})])(micrograph).pixels
    np.testing.assert_allclose(low + high - pixels.mean(), pixels, atol=1e-2)


@settings(deadline=None, max_examples=40)
@given(arrays(np.float32, shapes, elements=st.floats(-100, 100, width=32)))
def test_the_power_spectrum_keeps_the_energy(pixels):
    power = spectrum(pixels, taper="none")
    energy = np.sum((pixels - pixels.mean(dtype=np.float64)) ** 2, dtype=np.float64)
    assert np.isclose(power.sum(dtype=np.float64), energy, rtol=1e-3, atol=1e-2)


@settings(deadline=None)
@given(images, st.sampled_from(["gaussian", "median", "bilateral", "clahe", "gamma"]))
def test_smoothing_and_contrast_stay_within_the_grey_range(pixels, name):
    result = Pipeline([Step(name)])(Micrograph("a", pixels)).pixels.astype(np.float64)
    low, high = float(pixels.min()), float(pixels.max())
    slack = 1e-4 * max(abs(low), abs(high), 1)
    if name != "gamma" or pixels.dtype.kind == "f":
        assert low - slack <= result.min()
        assert result.max() <= high + slack

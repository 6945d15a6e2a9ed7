"""Filter steps and pipelines: what they accept, what they carry, and how they are written down."""

import copy
import json

import numpy as np
import pytest

from core.errors import UserError
from core.imaging.filters import FILTERS, Pipeline, Step, otsu_threshold
from core.imaging.operations import gaussian
from core.micrograph import Micrograph, PixelSize

PIXELS = np.random.default_rng(0).integers(0, 60_000, (30, 41)).astype(np.uint16)
MICROGRAPH = Micrograph("steel", PIXELS, PixelSize(2, "nm"), {"voltage_kv": 200})
RESULT_DTYPES = {"8-bit mask": np.uint8, "32-bit float": np.float32}


def test_registry_names_agree_and_defaults_are_allowed():
    for name, spec in FILTERS.items():
        assert spec.name == name
        assert spec.title
        assert spec.help
        assert Step(name).parameters == {p.name: p.default for p in spec.parameters}


def test_offers_the_filters_people_expect():
    expected = "gaussian median bilateral stretch clahe gamma invert white_tophat sobel otsu"
    assert set(FILTERS) == {*expected.split(), "glcm_texture"}


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("shape", [(1, 1), (1, 17), (17, 1), (2, 3), (33, 21)])
def test_every_filter_keeps_the_shape_and_the_depth_it_promises(name, dtype, shape):
    rng = np.random.default_rng(1)
    for pixels in ((rng.random(shape) * 250).astype(dtype), np.full(shape, 9, dtype)):
        before = pixels.copy()
        result = Pipeline([Step(name)])(Micrograph("a", pixels))
        assert result.shape == shape
        assert result.pixels.dtype == RESULT_DTYPES.get(FILTERS[name].result, dtype)
        assert np.isfinite(result.pixels).all()
        np.testing.assert_array_equal(pixels, before)


@pytest.mark.parametrize("name", FILTERS)
def test_pixels_that_are_not_finite_stay_so_and_spoil_no_others(name):
    pixels = np.random.default_rng(2).random((24, 24)).astype(np.float32)
    pixels[4:9, 5], pixels[20, 20] = np.nan, np.inf
    result = Pipeline([Step(name)])(Micrograph("a", pixels)).pixels
    hollow = ~np.isfinite(pixels)
    assert np.isfinite(result[~hollow]).all()
    if FILTERS[name].result == "8-bit mask":
        assert not result[hollow].any()
    else:
        assert np.isnan(result[hollow]).all()


def test_a_micrograph_without_any_valid_pixel_is_explained():
    with pytest.raises(UserError, match="no valid pixel"):
        Pipeline([Step("gaussian")])(Micrograph("a", np.full((3, 3), np.nan, np.float32)))


def test_steps_run_in_order_and_join_the_history():
    pipeline = Pipeline([Step("gaussian", {"sigma_px": 2}), Step("otsu")])
    result = pipeline(MICROGRAPH)
    smooth = gaussian(PIXELS, sigma_px=2)
    np.testing.assert_array_equal(result.pixels == 255, smooth > otsu_threshold(smooth))
    assert result.metadata["history"] == ["gaussian(sigma_px=2)", "otsu()"]
    assert result.pixel_size == MICROGRAPH.pixel_size
    assert result.metadata["voltage_kv"] == 200
    assert result.sha256 == pipeline(MICROGRAPH).sha256 != MICROGRAPH.sha256


def test_an_empty_pipeline_returns_the_micrograph_itself():
    assert Pipeline()(MICROGRAPH) is MICROGRAPH
    assert Pipeline().stages(MICROGRAPH) == []


def test_stages_show_each_step_and_where_otsu_cut():
    stages = Pipeline([Step("invert"), Step("otsu")]).stages(MICROGRAPH)
    assert [stage.step.filter for stage in stages] == ["invert", "otsu"]
    assert stages[0].threshold is None
    assert stages[1].threshold == otsu_threshold(stages[0].micrograph.pixels)


def test_excluded_pixels_do_not_move_the_threshold():
    pixels = np.array([[10, 20, 250, 250]], np.uint8)
    micrograph = Micrograph("a", pixels)
    exclude = pixels == 250
    plain, masked = (Pipeline([Step("otsu")]).stages(micrograph, exclude=e)[0] for e in
                     (None, exclude))  # fmt: skip
    assert (plain.threshold, masked.threshold) == (20, 10)
    assert plain.micrograph.sha256 != masked.micrograph.sha256
    assert "outside mask" in masked.micrograph.metadata["history"][0]


def test_an_excluded_area_leaves_the_digest_of_local_filters_alone():
    exclude = np.zeros(MICROGRAPH.shape, bool)
    exclude[0] = True
    pipeline = Pipeline([Step("median")])
    assert pipeline(MICROGRAPH, exclude=exclude).sha256 == pipeline(MICROGRAPH).sha256


def test_wrong_masks_are_refused():
    with pytest.raises(ValueError, match=r"bool of shape \(30, 41\)"):
        Pipeline([Step("otsu")])(MICROGRAPH, exclude=np.zeros((2, 2), bool))
    with pytest.raises(ValueError, match="bool of shape"):
        Pipeline([Step("otsu")])(MICROGRAPH, exclude=np.zeros((30, 41), np.uint8))


def test_step_text_is_short_and_tells_all_settings():
    assert str(Step("gaussian", {"sigma_px": 2})) == "gaussian(sigma_px=2)"
    assert str(Step("gaussian", {"sigma_px": 0.1})) == "gaussian(sigma_px=0.1)"
    assert str(Step("invert")) == "invert()"
    assert str(Step("clahe", {"tile_px": 32})) == "clahe(clip_limit=2, tile_px=32)"


def test_equal_steps_are_equal_hash_alike_and_travel():
    first = Step("clahe", {"tile_px": 32, "clip_limit": 2})
    second = Step("clahe", {"clip_limit": 2.0, "tile_px": np.int64(32)})
    assert first == second
    assert hash(Pipeline([first])) == hash(Pipeline([second]))
    assert Pipeline([first]).to_json() == Pipeline([second]).to_json()
    assert copy.deepcopy(Pipeline([first])) == Pipeline([second])


def test_json_goes_there_and_back():
    pipeline = Pipeline([Step(name) for name in FILTERS])
    assert Pipeline.from_json(pipeline.to_json()) == pipeline
    assert Pipeline.from_json('{"steps": []}') == Pipeline()
    assert Pipeline.from_json('{"steps": [{"filter": "otsu"}]}') == Pipeline([Step("otsu")])


@pytest.mark.parametrize(
    ("filter_", "parameters", "words"),
    [
        ("gausian", {}, "no filter called 'gausian'. Choose one of gaussian"),
        (7, {}, "no filter called '7'"),
        (["gaussian"], {}, "no filter called"),
        ("gaussian", {"sigma": 2}, "no setting called 'sigma'; it takes sigma_px"),
        ("invert", {"x": 1}, "takes no settings"),
        ("gaussian", [1], "names and values"),
        ("gaussian", None, "names and values"),
        ("gaussian", {"sigma_px": "2"}, "a number from 0 to 50, but it is '2'"),
        ("gaussian", {"sigma_px": True}, "a number"),
        ("gaussian", {"sigma_px": None}, "a number"),
        ("gaussian", {"sigma_px": float("nan")}, "a number from 0 to 50, but it is nan"),
        ("gaussian", {"sigma_px": -0.1}, "from 0 to 50"),
        ("gaussian", {"sigma_px": 10**400}, "from 0 to 50"),
        ("clahe", {"tile_px": 32.0}, "a whole number"),
        ("clahe", {"tile_px": True}, "a whole number"),
        ("clahe", {"tile_px": 7}, "from 8 to 1024"),
        ("median", {"size_px": 4}, "an odd whole number"),
        ("median", {"size_px": 17}, "from 3 to 15"),
        ("glcm_texture", {"prop": "shade"}, "one of contrast"),
        ("glcm_texture", {"angle_deg": 30}, "one of 0, 45, 90, 135"),
        ("glcm_texture", {"angle_deg": False}, "one of 0"),
        ("glcm_texture", {"prop": ["contrast"]}, "one of contrast"),
    ],
)
def test_wrong_steps_are_explained(filter_, parameters, words):
    with pytest.raises(UserError) as caught:
        Step(filter_, parameters)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ('{"steps": [' + "[" * 99_000, "not valid JSON"),
        ('{"steps": []}' + " " * 200_000, "not valid JSON"),
        ('{"steps": [], "steps": []}', "not valid JSON"),
        ('{"steps": [{"filter": "gaussian", "parameters": {"sigma_px": NaN}}]}', "not valid JSON"),
        ('{"steps": [{"filter": "gaussian", "parameters": {"sigma_px": Infinity}}]}', "JSON"),
        ("[]", "one entry called “steps”"),
        ('{"steps": [], "more": 1}', "one entry called “steps”"),
        ('{"steps": {}}', "must be a list"),
        ('{"steps": ["otsu"]}', "“filter” and “parameters”"),
        ('{"steps": [{"parameters": {}}]}', "“filter” and “parameters”"),
        ('{"steps": [{"filter": "otsu", "note": 1}]}', "“filter” and “parameters”"),
        ('{"steps": [{"filter": "otsu", "parameters": []}]}', "names and values"),
        ('{"steps": [{"filter": "gaussian", "parameters": {"sigma_px": 1e999}}]}', "from 0 to 50"),
    ],
)
def test_wrong_json_is_explained(text, words):
    with pytest.raises(UserError) as caught:
        Pipeline.from_json(text)
    assert words in str(caught.value)


def test_long_pipelines_are_refused():
    assert len(Pipeline([Step("invert")] * 32).steps) == 32
    with pytest.raises(UserError, match="33 filter steps; at most 32"):
        Pipeline([Step("invert")] * 33)
    with pytest.raises(UserError, match="at most 32"):
        Pipeline.from_json(json.dumps({"steps": [{"filter": "invert"}] * 33}))


def test_a_pipeline_is_made_of_steps():
    with pytest.raises(TypeError, match="made of steps"):
        Pipeline(["otsu"])

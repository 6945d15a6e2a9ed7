"""Filter steps and pipelines: what they accept, what they carry, and how they are written down."""

import copy
import hashlib
import json

import numpy as np
import pytest
from scipy import ndimage

from core.errors import UserError
from core.imaging.filtering.operations import gaussian
from core.imaging.filtering.pipeline import FAMILIES, FILTERS, Pipeline, Step, otsu_threshold
from core.imaging.filtering.specs import SAME
from core.imaging.simulation.samples import simulate
from core.micrograph import Micrograph, PixelSize

PIXELS = np.random.default_rng(0).integers(0, 60_000, (30, 41)).astype(np.uint16)
MICROGRAPH = Micrograph("steel", PIXELS, PixelSize(2, "nm"), {"voltage_kv": 200})
RESULT_DTYPES = {
    "8-bit mask": np.uint8,
    "8-bit classes": np.uint8,
    "32-bit float": np.float32,
}
ISSUE = (
    "stretch gamma equalise clahe invert match_histogram "
    "gaussian median bilateral non_local_means total_variation wavelet diffusion hot_pixels "
    "rolling_ball white_tophat black_tophat subtract_gaussian subtract_surface flat_field destripe "
    "sobel scharr canny laplacian_of_gaussian frangi sato meijering "
    "otsu multi_otsu li triangle yen isodata minimum local_mean niblack sauvola hysteresis "
    "opening closing erode dilate fill_holes remove_small clear_border skeleton distance_map "
    "watershed_split power_spectrum low_pass high_pass band_pass notch glcm_texture "
    "local_binary_pattern gabor_bank local_deviation local_entropy orientation coherence"
)


def step_of(name, other=None):
    """A step with its defaults; one that needs another micrograph gets it."""
    digest = other.sha256 if other else "0" * 64
    return Step(name, {p.name: digest for p in FILTERS[name].parameters if p.kind == "image"})


def run(name, pixels, **more):
    """Run one filter with its defaults; "minimum" may say that there is no valley."""
    other = Micrograph("flat", np.full(pixels.shape, 7, np.uint8))
    pipeline = Pipeline([step_of(name, other)])
    return pipeline(Micrograph("a", pixels), others={other.sha256: other}, **more)


def test_registry_names_agree_and_defaults_are_allowed():
    for name, spec in FILTERS.items():
        assert spec.name == name
        assert spec.title
        assert spec.help
        assert Step(name).parameters == {p.name: p.default for p in spec.parameters}


def test_offers_the_filters_people_expect():
    assert set(ISSUE.split()) <= set(FILTERS)
    assert len(FILTERS) >= 40
    assert {spec.family for spec in FILTERS.values()} == set(FAMILIES)


def refusal(pixels):
    """What "minimum" says to an image whose histogram has no valley, else nothing."""
    try:
        run("minimum", pixels)
    except UserError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_every_filter_keeps_the_shape_and_the_depth_it_promises(name, dtype):
    rng = np.random.default_rng(1)
    for shape in [(1, 1), (1, 17), (17, 1), (2, 3), (33, 21)]:
        ramp = np.linspace(0, 250, shape[0] * shape[1]).reshape(shape)
        two_peaks = np.where(rng.random(shape) < 0.5, 60, 190) + rng.normal(0, 4, shape)
        for pixels in (ramp.astype(dtype), two_peaks.astype(dtype), np.full(shape, 9, dtype)):
            before = pixels.copy()
            if name == "minimum" and "two peaks" in refusal(pixels):
                continue
            result = run(name, pixels)
            assert result.shape == shape
            assert result.pixels.dtype == RESULT_DTYPES.get(FILTERS[name].result, dtype)
            hollow = ~np.isfinite(result.pixels)  # where there is no direction
            assert FILTERS[name].direction or not hollow.any()
            np.testing.assert_array_equal(pixels, before)


@pytest.mark.parametrize("name", FILTERS)
def test_pixels_that_are_not_finite_stay_so_and_spoil_no_others(name):
    rng = np.random.default_rng(2)
    pixels = (
        np.where(rng.random((24, 24)) < 0.5, 0.2, 0.8) + rng.normal(0, 0.02, (24, 24))
    ).astype(np.float32)
    pixels[4:9, 5], pixels[20, 20] = np.nan, np.inf
    result = run(name, pixels).pixels
    hollow = ~np.isfinite(pixels)
    assert np.isfinite(result[~hollow]).all()
    if result.dtype.kind == "u":
        assert not result[hollow].any()
    else:
        assert np.isnan(result[hollow]).all()


@pytest.mark.parametrize("name", FILTERS)
def test_what_is_excluded_does_not_bias_what_counts(name):
    """A white bar of letters below, or a black one: the specimen far above stays the same."""
    rng = np.random.default_rng(3)
    shape = (96, 40)
    specimen = np.where(ndimage.gaussian_filter(rng.normal(size=shape), 3) > 0, 900, 2200)
    pixels = (specimen + rng.normal(0, 40, shape)).astype(np.uint16)
    exclude = np.zeros(shape, bool)
    exclude[76:] = True
    results = []
    for paint in (0, 65_535):
        painted = pixels.copy()
        painted[76:] = paint
        painted[80:88, 5:30] = 65_535 - paint
        results.append(run(name, painted, exclude=exclude).pixels[:40].astype(np.float64))
    spread = max(np.ptp(results[0]), 1e-9)
    local = name in {"match_histogram", "power_spectrum", "flat_field"}  # flat field: of its mean
    if name != "power_spectrum":
        assert np.abs(results[0] - results[1]).max() <= (0.02 if not local else 0.05) * spread


@pytest.mark.parametrize("name", [n for n, spec in FILTERS.items() if spec.paints_over])
def test_an_info_bar_does_not_reach_into_the_specimen_beside_it(name):
    rng = np.random.default_rng(3)
    pixels = rng.integers(90, 160, (96, 64)).astype(np.uint8)
    exclude = np.zeros(pixels.shape, bool)
    exclude[70:] = exclude[20:24, 30:40] = True
    results = []
    for paint in (0, 255):
        painted = np.where(exclude, paint, pixels).astype(np.uint8)
        results.append(run(name, painted, exclude=exclude).pixels)
        if FILTERS[name].result == SAME:
            np.testing.assert_array_equal(results[-1][exclude], painted[exclude])
    np.testing.assert_array_equal(results[0][~exclude], results[1][~exclude])


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
    pipeline = Pipeline([step_of(name) for name in list(FILTERS)[:32]])
    assert Pipeline.from_json(pipeline.to_json()) == pipeline
    pipeline = Pipeline([step_of(name) for name in list(FILTERS)[32:]])
    assert Pipeline.from_json(pipeline.to_json()) == pipeline
    assert Pipeline.from_json('{"steps": []}') == Pipeline()
    assert Pipeline.from_json('{"steps": [{"filter": "otsu"}]}') == Pipeline([Step("otsu")])


@pytest.mark.parametrize(
    ("filter_", "parameters", "words"),
    [
        ("gausian", {}, "no filter called 'gausian'. Did you mean 'gaussian'?"),
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
        ("gaussian", {"sigma_px": 2, "sigma_nm": 2}, "both sigma_px and sigma_nm"),
        ("gaussian", {"sigma_nm": -1}, "sigma_nm must be a number of nanometres"),
        ("gaussian", {"sigma_nm": "2"}, "sigma_nm must be a number of nanometres"),
        ("clahe", {"clip_limit_nm": 2}, "no setting called"),
        ("flat_field", {"other": "../../etc/passwd"}, "SHA-256"),
        ("flat_field", {"other": 7}, "SHA-256"),
        ("notch", {"spots": [[0.1]]}, "pairs of frequencies"),
        ("notch", {"spots": [[0.1, 0.6]]}, "pairs of frequencies"),
        ("notch", {"spots": [["a", 0.1]]}, "pairs of frequencies"),
        ("notch", {"spots": "0.1 0.1"}, "pairs of frequencies"),
        ("notch", {"spots": [[0.1, 0.1]] * 65}, "at most 64"),
        ("notch", {"spots": {"a": 1}}, "pairs of frequencies"),
        ("rolling_ball", {"radius_px": 10**9}, "from 2 to 500"),
        ("gaussian", {"sigma_px": 10**5000}, "far too large"),
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


def test_lengths_in_nanometres_follow_the_pixel_size():
    step = Step("gaussian", {"sigma_nm": 4})
    in_nm = Pipeline([step])(MICROGRAPH)
    in_px = Pipeline([Step("gaussian", {"sigma_px": 2})])(MICROGRAPH)
    np.testing.assert_array_equal(in_nm.pixels, in_px.pixels)
    assert in_nm.metadata["history"] == ["gaussian(sigma_nm=4) at 2 nm/px"]
    assert Pipeline.from_json(Pipeline([step]).to_json()) == Pipeline([step])
    odd = Step("local_deviation", {"window_nm": 13}).spec
    assert odd.resolve({"window_nm": 13.0}, PixelSize(2, "nm")) == {"window_px": 7}


def test_lengths_in_nanometres_need_a_pixel_size_and_a_fitting_one():
    step = Step("opening", {"radius_nm": 4})
    with pytest.raises(UserError, match=r"Step 1, Open: .* has no pixel size"):
        Pipeline([step])(Micrograph("a", PIXELS))
    with pytest.raises(UserError, match=r"is 4e\+06 px at 0.001 nm/px; it must be 1 to 200"):
        Pipeline([Step("opening", {"radius_nm": 4000})])(
            Micrograph("a", PIXELS, PixelSize(0.001, "nm"))
        )


def test_another_micrograph_is_named_by_its_digest():
    rng = np.random.default_rng(0)
    field = Micrograph("field", (rng.random(PIXELS.shape) + 1).astype(np.float32))
    pipeline = Pipeline([Step("invert"), Step("flat_field", {"other": field.sha256})])
    assert pipeline.steps[1].others == (field.sha256,)
    with pytest.raises(UserError, match="Step 2, Flat field: It needs another micrograph, the one"):
        pipeline(MICROGRAPH)
    result = pipeline(MICROGRAPH, others={field.sha256: field})
    even = (65_535 - PIXELS.astype(np.float64)) * field.pixels.mean() / field.pixels
    np.testing.assert_allclose(result.pixels, even.clip(0, 65_535), atol=0.51)
    assert field.sha256 in result.metadata["history"][1]
    with pytest.raises(UserError, match="none is chosen"):
        Pipeline([Step("flat_field")])(MICROGRAPH)
    small = Micrograph("small", np.ones((3, 3), np.uint8))
    with pytest.raises(UserError, match="Choose one of the same size"):
        Pipeline([Step("flat_field", {"other": small.sha256})])(
            MICROGRAPH, others={small.sha256: small}
        )


def test_recipes_of_the_first_version_stay_readable_and_mean_the_same():
    text = """{"steps": [
        {"filter": "gaussian", "parameters": {"sigma_px": 2.0}},
        {"filter": "white_tophat", "parameters": {"radius_px": 12}},
        {"filter": "glcm_texture", "parameters": {"prop": "contrast", "window_px": 5,
            "levels": 2, "distance_px": 1, "angle_deg": 0}}]}"""
    pipeline = Pipeline.from_json(text)
    assert pipeline.steps[2] == Step("glcm_texture")
    assert pipeline(MICROGRAPH).pixels.dtype == np.float32


def test_a_golden_chain_gives_the_same_picture_at_every_depth():
    """The same micrograph in 8, 16 and 32 bits: what is found in it must not depend on that."""
    levels = simulate("spheroids", (160, 200), seed=1).micrograph.pixels
    chain = Pipeline(
        [
            Step("hot_pixels"),
            Step("median", {"size_px": 3}),
            Step("subtract_surface", {"degree": 2}),
            Step("gaussian", {"sigma_px": 1.5}),
            Step("otsu"),
            Step("opening", {"radius_px": 2}),
            Step("remove_small", {"area_px": 20}),
        ]
    )
    masks = [
        chain(Micrograph("a", pixels)).pixels
        for pixels in (levels, levels.astype(np.uint16) * 257, levels.astype(np.float32) / 255)
    ]
    assert 0.05 < (masks[0] == 255).mean() < 0.95
    assert (masks[1] != masks[2]).mean() < 2e-3
    assert (masks[0] != masks[1]).mean() < 0.01
    digest = hashlib.sha256(np.packbits(masks[0] == 255).tobytes()).hexdigest()
    assert digest[:16] == "7834e779412fe350"


def test_slow_settings_say_so():
    assert Step("non_local_means").is_slow
    assert not Step("median").is_slow
    assert Step("median", {"size_px": 7}).is_slow
    assert not Step("gaussian", {"sigma_nm": 9000}).is_slow

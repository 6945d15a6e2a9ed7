"""What a recipe leaves to the pictures is decided once per sample, and written down."""

import json
from dataclasses import replace

import numpy as np
import pytest
from skimage.draw import disk

from core.measuring.clustering import Smoothing
from core.micrograph import Micrograph, PixelSize
from core.reporting.batch.deciding import decide
from core.reporting.batch.sources import list_sources
from core.reporting.decisions import Decision, RegionLimits
from core.reporting.recipe import Recipe


def discs(name: str, *, noise: float = 0, dark: bool = False, few: int = 9, nm: float | None = 2.0):
    """Return discs of 24 px on a ground, bright or dark."""
    mask = np.zeros((180, 180), np.float32)
    for number in range(few):
        row, col = divmod(number, 3)
        mask[disk((30 + 60 * row, 30 + 60 * col), 12)] = 1
    grain = np.random.default_rng(3).normal(size=mask.shape) * noise
    grey = (190 - 70 * mask if dark else 80 + 70 * mask) + grain
    pixels = np.clip(np.rint(grey), 0, 255).astype(np.uint8)
    return Micrograph(name, pixels, PixelSize(nm, "nm") if nm else None)


@pytest.fixture
def left_open(recipe):
    return replace(recipe, clusters=2, sample_from="name:1")


def test_each_sample_has_its_own_target_and_smoothing(run, left_open):
    dark = [discs(f"bf_{n}.tif", dark=True) for n in range(3)]
    noisy = [discs(f"sem_{n}.tif", noise=28) for n in range(2)]
    result = run([*dark, *noisy], recipe=left_open)
    rows = result.rows
    assert rows["target_cluster"].tolist() == [0, 0, 0, 1, 1]
    assert rows["regions"].tolist() == [9] * 5
    assert rows["target_percent"].tolist() == pytest.approx([12.5] * 5, abs=1.5)
    assert rows["smoothing"].tolist()[:3] == ["none"] * 3
    assert set(rows["smoothing"][3:]) <= {"greys 1 px", "greys 1.5 px"}
    written = json.loads((result.out / "recipe.json").read_text(encoding="utf-8"))
    assert [each["sample"] for each in written["decided"]] == ["bf", "sem"]
    assert written["target_cluster"] is None
    assert written["smoothing"]["kind"] == "auto"


def test_what_was_decided_is_repeated_and_not_decided_anew(run, left_open, tmp_path):
    first = run([discs("bf_1.tif", dark=True)], recipe=left_open)
    again = Recipe.from_json((first.out / "recipe.json").read_bytes())
    assert again.decided == first.recipe.decided
    bright = run([discs("bf_2.tif")], tmp_path / "again", recipe=again)
    assert bright.rows["target_cluster"].tolist() == [0]  # as its sample's, not as it would be


def test_one_frame_does_not_outvote_the_others(run, left_open):
    frames = [discs(f"a_{n}.tif", dark=True) for n in range(4)]
    result = run([*frames, discs("a_9.tif")], recipe=left_open)
    (decided,) = result.recipe.decided
    assert (decided.target_cluster, decided.frames, decided.agreeing) == (0, 5, 4)
    assert set(result.rows["target_cluster"]) == {0}


def test_without_samples_the_batch_decides_once(left_open):
    listed = list_sources([discs("a.tif", dark=True), ("b.tif", b"no picture")])
    found = decide(replace(left_open, sample_from=""), listed)
    (decided,) = found.decided
    assert (decided.sample, decided.target_cluster, decided.frames) == ("", 0, 1)


def test_a_recipe_that_states_everything_is_left_alone(recipe):
    stated = replace(recipe, target_cluster=-1, smoothing=Smoothing())
    assert decide(stated, []) is stated


def test_the_smallest_region_is_a_length_where_the_scale_is_known(left_open):
    clean = decide(left_open, list_sources([discs("a.tif")])).decided[0]
    assert clean.smallest_region_px == 10
    assert clean.smallest_region_nm == pytest.approx(2 * np.sqrt(40 / np.pi))
    noisy = decide(left_open, list_sources([discs("a.tif", noise=28)])).decided[0]
    sigma_px = noisy.smoothing.sigma_px
    assert noisy.smallest_region_nm == pytest.approx(2 * 4 * sigma_px, rel=0.05)
    assert noisy.smallest_region_px >= np.pi / 4 * (4 * sigma_px) ** 2
    bare = decide(left_open, list_sources([discs("a.tif", nm=None)])).decided[0]
    assert bare.smallest_region_nm is None


def test_one_length_holds_at_two_magnifications(run, recipe):
    stated = replace(recipe, clusters=2, smallest_region_nm=30.0, smallest_region_by="stated")
    coarse, fine = discs("a.tif", nm=2.0), discs("b.tif", nm=1.0)  # discs of 48 and of 24 nm
    rows = run([coarse, fine], recipe=stated).rows
    assert rows["regions"].tolist() == [9, 0]
    assert rows["smallest_region_px"].tolist() == [177, 707]


def test_regions_beyond_the_limits_count_as_area_alone(run, recipe):
    pixels = np.full((120, 120), 80, np.uint8)
    pixels[disk((30, 30), 12)] = 200
    pixels[80:86, 10:110] = 200  # a rod
    one = Micrograph("both", pixels)
    every = run([one], recipe=replace(recipe, clusters=2)).rows.iloc[0]
    limits = RegionLimits(least_circularity=0.8)
    round_ones = run([one], recipe=replace(recipe, clusters=2, region_limits=limits)).rows.iloc[0]
    assert (every["regions"], round_ones["regions"]) == (2, 1)
    assert every["target_area_px"] == round_ones["target_area_px"]
    rods = RegionLimits(least_aspect_ratio=3.0)
    result = run([one], recipe=replace(recipe, clusters=2, region_limits=rods))
    assert result.regions["area_px"].tolist() == [600]
    small = RegionLimits(diameter_px=25.0)
    result = run([one], recipe=replace(recipe, clusters=2, region_limits=small))
    assert result.regions["aspect_ratio"].tolist() == [pytest.approx(1, abs=0.02)]


def test_limits_and_decisions_survive_json_and_refuse_nonsense(recipe):
    wanted = replace(
        recipe,
        region_limits=RegionLimits(diameter_nm=50.0, most_aspect_ratio=2.0),
        decided=(Decision("a", 1, Smoothing("greys", sigma_px=2.0), 51, 16.0, 8, 7),),
    )
    again = Recipe.from_json(wanted.to_json())
    assert again == wanted
    assert again.decided == wanted.decided
    assert again.for_sample("b") is None
    with pytest.raises(ValueError, match="least circularity"):
        RegionLimits(least_circularity=0.9, most_circularity=0.1)
    with pytest.raises(ValueError, match="must not be auto"):
        Decision("a", 1, Smoothing("auto"))
    with pytest.raises(ValueError, match="target_cluster must be from 0 to 19"):
        Decision("a", -1)


def test_limits_follow_the_unit_of_the_table():
    limits = RegionLimits(diameter_nm=50.0, diameter_px=9.0)
    assert limits.columns("px", None) == {"equivalent_diameter_px": (None, pytest.approx(9))}
    assert limits.columns("px", 2.0) == {"equivalent_diameter_px": (None, pytest.approx(25))}
    assert limits.columns("µm", 2.0) == {"equivalent_diameter_µm": (None, pytest.approx(0.05))}
    assert RegionLimits().columns("nm", 1.0) == {}

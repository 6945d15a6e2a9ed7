"""Which pixel size a recipe gives a micrograph, and what is said of it."""

import numpy as np
import pytest

from core.errors import UserError
from core.imaging.scale import READ_FROM_PICTURE, ScaleBar, ScaleReading, words
from core.micrograph import Micrograph, PixelSize
from core.reporting.batch import calibrating
from core.reporting.batch.calibrating import calibrate
from core.reporting.recipe import Recipe

BLANK = Micrograph("S1/a.png", np.zeros((64, 64), np.uint8))
STATED = Micrograph("S1/b.tif", np.zeros((64, 64), np.uint8), PixelSize(7, "nm"))


def source(micrograph):
    return micrograph.metadata.get("calibration", "")


def reads(monkeypatch, reading):
    monkeypatch.setattr(calibrating, "read_scale", lambda micrograph: reading)


def reading(is_sure=True):
    bar = ScaleBar(50, 10, 30)
    return ScaleReading(PixelSize(10, "nm"), "200 nm", bar, is_sure, 200, "nm", "one way")


def test_nothing_is_read_unless_the_recipe_says_so(monkeypatch):
    reads(monkeypatch, reading())
    assert calibrate(BLANK, Recipe()) is BLANK
    found = calibrate(BLANK, Recipe(pixel_size_from="read"))
    assert found.pixel_size == PixelSize(10, "nm")
    assert source(found) == READ_FROM_PICTURE


def test_the_file_comes_before_the_picture(monkeypatch):
    reads(monkeypatch, reading())
    assert calibrate(STATED, Recipe(pixel_size_from="read")) is STATED


def test_unsure_readings_are_never_used_and_said(monkeypatch):
    reads(monkeypatch, reading(is_sure=False))
    found = calibrate(BLANK, Recipe(pixel_size_from="read"))
    assert found.pixel_size is None
    assert "“200 nm” is written in the picture, and is not sure" in source(found)


def test_what_home_read_is_left_out_by_default_and_said():
    read = words.set_pixel_size(BLANK, PixelSize(3, "nm"), READ_FROM_PICTURE)
    left = calibrate(read, Recipe())
    assert left.pixel_size is None
    assert "may not be used" in source(left)
    assert calibrate(read, Recipe(pixel_size_from="read")) is read


def test_missing_networks_are_a_sentence_and_the_batch_goes_on(monkeypatch):
    def fail(micrograph):
        raise UserError("Install it.")

    monkeypatch.setattr(calibrating, "read_scale", fail)
    assert source(calibrate(BLANK, Recipe(pixel_size_from="read"))) == "no pixel size: Install it."


def test_a_fixed_length_counts_for_all_and_one_of_a_sample_before_it():
    recipe = Recipe(pixel_size_from="0.5 µm", pixel_sizes=(("S1", "2.5 nm"),), sample_from="folder")
    assert calibrate(STATED, recipe).pixel_size.to("nm") == 2.5
    assert source(calibrate(STATED, recipe)) == "set by the recipe for sample S1"
    other = calibrate(STATED, recipe, "S2/b.tif")
    assert other.pixel_size.to("nm") == 500
    assert source(other) == "set by the recipe"


def test_a_file_that_contradicts_itself_is_not_settled_by_reading(monkeypatch):
    reads(monkeypatch, reading())
    torn = Micrograph("m", BLANK.pixels, None, {words.STATED_SIZES: (("A", 1.0), ("B", 2.0))})
    assert calibrate(torn, Recipe(pixel_size_from="read")) is torn


def test_recipe_with_pixel_sizes_survives_its_json():
    recipe = Recipe(pixel_size_from="read", pixel_sizes=(("S1", "2.5 nm"), ("S2", "1 µm")))
    assert Recipe.from_json(recipe.to_json()) == recipe


@pytest.mark.parametrize(
    "wrong",
    [
        {"pixel_size_from": "guess"},
        {"pixel_size_from": "0 nm"},
        {"pixel_size_from": 3},
        {"pixel_sizes": (("S1", "big"),)},
        {"pixel_sizes": (("S1", "1 nm"), ("S1", "2 nm"))},
        {"pixel_sizes": (("S1",),)},
    ],
)
def test_wrong_rules_are_refused(wrong):
    with pytest.raises(ValueError, match="pixel_size"):
        Recipe(**wrong)

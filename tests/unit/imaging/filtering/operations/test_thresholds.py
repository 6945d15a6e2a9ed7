"""Thresholds: the depth of a picture must not decide its area."""

import numpy as np
import pytest

from core.imaging.filtering import FILTERS, Step, cut_levels, grey_histogram, run_step
from core.imaging.filtering.histograms import without_spikes
from core.imaging.filtering.operations import thresholds
from core.imaging.simulation.samples import KINDS, simulate
from core.micrograph import Micrograph

GLOBAL = ("otsu", "li", "triangle", "yen", "isodata", "minimum")


def shares(name, pixels):
    """Return the share of pixels in each brighter class, None where there is no answer."""
    try:
        levels = getattr(thresholds, f"{name}_levels")(pixels)
    except Exception as error:
        return type(error).__name__
    return float((pixels > levels[0]).mean())


def of_every_depth(kind, seed, spike=None):
    """Yield the same picture in 16 bits and as floats, with a spike at one end."""
    small = simulate(kind, (256, 256), seed=seed).micrograph.pixels.copy()
    large = simulate(kind, (256, 256), seed=seed, depth="16-bit").micrograph.pixels.copy()
    if spike is not None:
        where = np.random.default_rng(seed).random(small.shape) < 0.08
        small[where], large[where] = 255 * spike, 65_535 * spike
    yield small
    yield large
    yield (large / np.float32(65_535)).astype(np.float32)
    yield large.astype(np.float32)
    yield small.astype(np.uint16) * 257
    yield small + np.float32(1e6)
    yield small * np.float32(1e-20)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("spike", [None, 0, 1])
def test_8_16_and_32_bits_agree_within_one_point_of_area(kind, spike):
    for seed in range(2):
        small, *others = of_every_depth(kind, seed, spike)
        for name in GLOBAL:
            wanted = shares(name, small)
            for pixels in others:
                assert shares(name, pixels) == pytest.approx(wanted, abs=0.01), (name, pixels.dtype)


@pytest.mark.parametrize("name", [*GLOBAL, "multi_otsu"])
@pytest.mark.parametrize("spread", [0, 6])
def test_small_ranges_on_an_offset_are_no_error(name, spread):
    greys = 1_000_000 + np.random.default_rng(0).integers(0, spread + 1, (50, 50))
    if name == "minimum" and spread:
        greys[greys > 1_000_001] = 1_000_006
    stage = run_step(Step(name), Micrograph("x", greys.astype(np.float32)))
    assert set(np.unique(stage.micrograph.pixels)) <= {0, 85, 128, 170, 255}
    assert (stage.micrograph.pixels == 0).all() == (spread == 0)


def test_several_classes_are_exact_at_16_bits():
    pixels = np.zeros((60, 60), np.uint16)
    pixels[20:40], pixels[40:] = 1100, 60_000
    levels = thresholds.multi_otsu_levels(pixels, classes=3)
    assert levels == (550, 30_550)
    classes = thresholds.classes_between(pixels, levels=levels)
    assert [np.unique(classes[row]).tolist() for row in (0, 25, 45)] == [[0], [128], [255]]
    assert levels == tuple(cut_levels(grey_histogram(pixels), 3).thresholds)


def test_fewer_levels_than_classes_get_a_class_each():
    two = np.repeat(np.array([[5, 5, 9, 9]], np.uint8), 4, axis=0)
    assert thresholds.multi_otsu_levels(two, classes=4) == (7,)
    assert thresholds.multi_otsu_levels(np.full((4, 4), 5, np.uint8), classes=4) == ()


def test_the_valley_takes_whole_bins():
    """Levels 0, 200 and 60,000 at 16 bits: 200 lies in the upper half of its bin, and is dark."""
    pixels = np.repeat(np.array([0, 200, 60_000, 60_000], np.uint16), 25)[None, :]
    assert shares("minimum", pixels) == 0.5


@pytest.mark.parametrize("name", [n for n, spec in FILTERS.items() if spec.levels is not None])
def test_constant_pictures_have_nothing_bright(name):
    if name in ("fixed", "niblack", "sauvola", "local_mean", "hysteresis"):
        return
    for pixels in (np.full((9, 9), 7, np.uint16), np.full((9, 9), 1e30, np.float32)):
        assert not run_step(Step(name), Micrograph("x", pixels)).micrograph.pixels.any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", GLOBAL)
@pytest.mark.parametrize("far", [2, 100, 1e9])
def test_a_hot_pixel_on_an_offset_moves_no_threshold(kind, name, far):
    pixels = simulate(kind, seed=3, depth="16-bit").micrograph.pixels / np.float32(65_535)
    pixels += np.float32(100)
    wanted = shares(name, pixels)
    hot = pixels.copy()
    hot[5, 5], hot[-3, 7] = 100 + 1.5 * far, 100 - far
    assert shares(name, hot) == pytest.approx(wanted, abs=0.012)


def test_hot_pixels_do_not_shift_integers_either():
    pixels = np.random.default_rng(1).normal(1000, 60, (400, 400)).astype(np.uint16)
    pixels[:, 200:] += 500
    wanted = thresholds.otsu_threshold(pixels)
    pixels[3, 3] = 65_535
    assert thresholds.otsu_threshold(pixels) == wanted


def test_few_levels_and_small_objects_are_no_spikes():
    drawn = np.zeros((400, 400), np.uint8)
    drawn[5, 5] = 255
    assert np.count_nonzero(drawn > thresholds.otsu_threshold(drawn)) == 1
    noisy = np.random.default_rng(1).integers(0, 20, (400, 400)).astype(np.uint8)
    noisy[8:11, 8:11] = 250
    assert len(without_spikes(grey_histogram(noisy))) == 21


@pytest.mark.parametrize("name", ["sauvola", "niblack", "local_mean"])
@pytest.mark.parametrize("offset", [0.5, 50.0, 5000.0])
def test_an_offset_of_floats_moves_no_local_threshold(name, offset):
    grey = simulate("spheroids", (128, 128), seed=3).micrograph.pixels.astype(np.float32)
    plain = run_step(Step(name), Micrograph("x", grey)).micrograph.pixels
    moved = run_step(Step(name), Micrograph("x", grey + np.float32(offset))).micrograph.pixels
    assert np.mean(plain != moved) < 1e-3


@pytest.mark.parametrize("name", ["triangle", "yen", "isodata"])
def test_rounding_of_floats_on_an_offset_moves_no_threshold(name):
    grey = simulate("spheroids", (512, 512), seed=3).micrograph.pixels
    share = [
        np.mean(run_step(Step(name), Micrograph("x", each)).micrograph.pixels > 0)
        for each in (grey, grey.astype(np.float32) / 255 + 100)
    ]
    assert share[0] == pytest.approx(share[1], abs=1e-4)


@pytest.mark.parametrize("factor", [16, 64, 257])
@pytest.mark.parametrize("name", ["sauvola", "niblack", "local_mean", "triangle", "li", "minimum"])
def test_a_camera_of_12_or_14_bits_has_the_area_of_8(name, factor):
    grey = simulate("alloys", (256, 256), seed=3).micrograph.pixels
    deep = grey.astype(np.uint16) * np.uint16(factor)
    shares = [
        np.mean(run_step(Step(name), Micrograph("x", each)).micrograph.pixels > 0)
        for each in (grey, deep)
    ]
    assert shares[0] == pytest.approx(shares[1], abs=0.01)

"""What the filter bench measures and shows: quality, line profiles, directions as colours."""

import io

import numpy as np
import pytest
from PIL import Image

from core.imaging.display.directions import agreement, color_directions, direction_wheel_png
from core.imaging.filtering.operations.frequency import nearest_peak
from core.imaging.filtering.presets import PRESETS
from core.imaging.filtering.profiles import line_profile
from core.imaging.filtering.quality import measure_quality
from core.micrograph import Micrograph, PixelSize


def noisy_step(scale, dtype):
    rng = np.random.default_rng(0)
    grey = np.where(np.arange(120) < 60, 60.0, 180.0) + rng.normal(0, 6, (100, 120))
    return Micrograph("a", (grey * scale).astype(dtype))


def test_quality_is_the_same_at_every_depth():
    eight, sixteen, floats = (
        measure_quality(noisy_step(scale, dtype))
        for scale, dtype in ((1, np.uint8), (250, np.uint16), (1 / 255, np.float32))
    )
    assert eight.noise_pct == pytest.approx(100 * 6 / 149, rel=0.1)
    for other in (sixteen, floats):
        assert other.noise_pct == pytest.approx(eight.noise_pct, rel=0.03)
        assert other.contrast_pct == pytest.approx(eight.contrast_pct, rel=0.01)
        assert other.sharpness_pct_per_px == pytest.approx(eight.sharpness_pct_per_px, rel=0.05)


def test_quality_ignores_what_is_excluded_or_not_finite():
    micrograph = noisy_step(1, np.float32)
    painted = micrograph.pixels.copy()
    painted[80:] = np.random.default_rng(1).choice([0, 5000], painted[80:].shape)
    painted[3, 3] = np.nan
    exclude = np.zeros(painted.shape, bool)
    exclude[80:] = True
    found = measure_quality(Micrograph("a", painted), exclude)
    wanted = measure_quality(Micrograph("a", micrograph.pixels[:80]))
    assert found.noise_pct == pytest.approx(wanted.noise_pct, rel=0.05)
    assert found.contrast_pct == pytest.approx(wanted.contrast_pct, rel=0.02)


@pytest.mark.parametrize("pixels", [np.full((1, 1), 3, np.uint8), np.full((5, 6), np.nan, "f4")])
def test_quality_of_nothing_is_nothing(pixels):
    found = measure_quality(Micrograph("a", pixels))
    assert (found.noise_pct, found.contrast_pct, found.sharpness_pct_per_px) == (0, 0, 0)


def test_a_profile_has_native_greys_and_a_length_with_a_unit():
    ramp = np.tile(np.arange(0, 500, 10, dtype=np.uint16), (20, 1))
    micrograph = Micrograph("a", ramp, PixelSize(2, "nm"))
    profile = line_profile(micrograph, (5, 10), (5, 30))
    np.testing.assert_allclose(profile.values, np.arange(100, 301, 10))
    distance, unit = profile.distance()
    assert unit == "nm"
    np.testing.assert_allclose(distance, np.arange(0, 41, 2))
    assert line_profile(Micrograph("a", ramp), (0, 0), (3, 4)).distance()[1] == "px"
    assert line_profile(Micrograph("a", ramp), (0, 0), (3, 4)).distance_px[-1] == 5


def test_a_profile_is_averaged_across_and_clipped_to_the_frame():
    pixels = np.zeros((9, 12), np.uint8)
    pixels[4] = 90
    assert line_profile(Micrograph("a", pixels), (4, 2), (4, 9)).values == pytest.approx(90)
    wide = line_profile(Micrograph("a", pixels), (4, 2), (4, 9), width_px=3)
    assert wide.values == pytest.approx(30)
    beyond = line_profile(Micrograph("a", pixels), (-5, -5), (4, 400))
    assert beyond.distance_px[-1] == pytest.approx(np.hypot(4, 11))
    point = line_profile(Micrograph("a", pixels), (4, 2), (4, 2))
    assert point.values.tolist() == [90]


def test_half_a_turn_is_the_same_colour_and_unknown_is_grey():
    degrees = np.array([[0.0, 179.9, 90.0, np.nan]], np.float32)
    colours = color_directions(degrees, np.full(degrees.shape, 200, np.uint8)).astype(int)
    assert np.abs(colours[0, 0] - colours[0, 1]).max() < 12
    assert np.abs(colours[0, 0] - colours[0, 2]).max() > 100
    assert np.ptp(colours[0, 3]) == 0
    pale = color_directions(degrees, np.full(degrees.shape, 200, np.uint8), np.zeros((1, 4)))
    assert np.ptp(pale.astype(int), axis=2).max() == 0


def test_directions_agree_where_they_are_alike_across_the_turn_too():
    alike = np.where(np.arange(40) % 2, 1.0, 179.0) * np.ones((40, 1))
    assert agreement(alike.astype(np.float32)).min() > 0.99
    crossed = np.where(np.arange(40) % 2, 0.0, 90.0) * np.ones((40, 1))
    assert agreement(crossed.astype(np.float32))[10:-10, 10:-10].max() < 0.05


def test_the_wheel_is_clear_outside_its_ring():
    wheel = np.asarray(Image.open(io.BytesIO(direction_wheel_png(64))))
    assert wheel.shape == (64, 64, 4)
    assert wheel[32, 32, 3] == wheel[0, 0, 3] == 0
    assert wheel[32, 60, 3] == 255
    assert wheel[32, 60, 0] > wheel[32, 60, 2] + 100  # red along the rows


@pytest.mark.parametrize("shape", [(100, 128), (101, 127)])
def test_a_click_near_a_spot_finds_it(shape):
    rows, cols = np.indices(shape)
    wave = np.sin(2 * np.pi * (rows * 20 / shape[0] + cols * 16 / shape[1]))
    pixels = (wave * 90 + 120).astype(np.uint8)
    found = nearest_peak(pixels, None, (20 / shape[0] + 0.012, 16 / shape[1] - 0.01), 0.02)
    assert found == pytest.approx((20 / shape[0], 16 / shape[1]))
    assert nearest_peak(np.zeros((1, 1), np.uint8), None, (0.5, -0.5)) == (0, 0)


def test_presets_are_named_and_explained():
    assert [preset.name for preset in PRESETS] == [
        "SEM cleaning",
        "Visual-CCC analysis",
        "TEM lattice",
        "Particles",
    ]
    assert [step.filter for step in PRESETS[1].steps] == ["otsu", "glcm_texture"]
    assert all(preset.help for preset in PRESETS)


def test_unknown_directions_take_no_part_in_agreement():
    """They counted as 0 degrees: one unknown half lowered what the other half agrees on."""
    degrees = np.full((40, 40), 90, np.float32)
    degrees[:, 20:] = np.nan
    agreed = agreement(degrees, sigma_px=2)
    assert agreed[:, :20].min() > 0.99
    assert agreed[:, 36:].max() == 0

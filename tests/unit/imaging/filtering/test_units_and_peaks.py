"""Units of settings, reciprocal axes, spacings between bins, line profiles with gaps."""

import numpy as np
import pytest

from core.errors import UserError
from core.imaging.filtering import (
    FILTERS,
    Step,
    line_profile,
    nearest_peak,
    run_step,
    spacing_of,
    strongest_peaks,
)
from core.imaging.filtering.operations import denoise, morphology, textures
from core.micrograph import Micrograph, PixelSize

NOISE = np.random.default_rng(0).integers(0, 255, (64, 96), dtype=np.uint8)


def test_a_power_spectrum_has_no_pixel_size():
    before = Micrograph("a", NOISE, PixelSize(2, "nm"), {"calibration": "FEI"})
    after = run_step(Step("power_spectrum"), before).micrograph
    assert after.pixel_size is None
    assert after.metadata["calibration"] == "no pixel size: reciprocal axes"


@pytest.mark.parametrize(
    ("name", "given", "at_2_nm", "at_4_nm"),
    [
        ("remove_small", {"area_nm2": 400}, {"area_px": 100}, {"area_px": 25}),
        ("notch", {"radius_per_nm": 0.02}, {"radius_per_px": 0.04}, {"radius_per_px": 0.08}),
        ("gaussian", {"sigma_nm": 4}, {"sigma_px": 2}, {"sigma_px": 1}),
    ],
)
def test_lengths_areas_and_frequencies_scale_each_in_its_own_way(name, given, at_2_nm, at_4_nm):
    step = Step(name, given)
    for nm, wanted in ((2.0, at_2_nm), (4.0, at_4_nm)):
        found = step.spec.resolve(step.parameters, PixelSize(nm, "nm"))
        assert {key: found[key] for key in wanted} == pytest.approx(wanted)


def test_an_area_that_was_read_as_a_length_is_refused():
    with pytest.raises(UserError, match="Write area_nm2"):
        Step("remove_small", {"area_nm": 50})


def test_every_setting_in_nanometres_states_its_power():
    for spec in FILTERS.values():
        for parameter in spec.parameters:
            assert parameter.is_length == (
                parameter.unit in ("px", "px²", "1/px") and parameter.name.endswith("_px")
            )


@pytest.mark.parametrize("side", [512, 1024])
@pytest.mark.parametrize("spacing_px", [12.0, 11.87, 37.3, 96.0])
def test_spacings_are_right_between_bins(side, spacing_px):
    rows, cols = np.mgrid[:side, :side]
    angle = np.radians(25)
    phase = (cols * np.cos(angle) - rows * np.sin(angle)) / spacing_px
    pixels = (128 + 60 * np.sin(2 * np.pi * phase)).astype(np.uint8)
    (spot, *_) = strongest_peaks(pixels, count=1)
    click = (spot[0] + 1 / side, spot[1])
    for found in (spot, nearest_peak(pixels, None, click)):
        length, degrees = spacing_of(found)
        assert length == pytest.approx(spacing_px, rel=5e-3)
        assert degrees == pytest.approx(25, abs=0.5)


def test_a_gap_stays_where_it_was_in_a_line_profile():
    pixels = np.arange(42, dtype=np.float32).reshape(6, 7)
    pixels[2, 4] = np.nan
    micrograph = Micrograph("x", pixels, PixelSize(2, "nm"))
    assert np.isfinite(line_profile(micrograph, (1, 0), (1, 6)).values).all()
    through = line_profile(micrograph, (2, 0), (2, 6))
    assert np.flatnonzero(np.isnan(through.values)).tolist() == [4]
    assert through.ends_nm() == ((4, 0), (4, 12))
    assert (through.length_px, through.angle_deg) == (6, 0)
    assert line_profile(micrograph, (5, 1), (1, 1)).angle_deg == 90
    assert list(through.to_frame()) == ["distance_px", "distance_nm", "grey"]


def test_flat_ground_and_excluded_pixels_have_no_direction():
    assert np.isnan(textures.orientation(np.full((16, 16), 7, np.uint8), sigma_px=2)).all()
    exclude = np.zeros(NOISE.shape, bool)
    exclude[-8:] = True
    np.testing.assert_array_equal(
        np.isnan(textures.orientation(NOISE, exclude, sigma_px=2)), exclude
    )


def test_a_gaussian_keeps_its_precision_on_an_offset():
    small = np.random.default_rng(0).integers(-3, 4, (64, 64)).astype(np.float32)
    shifted = denoise.gaussian(small + np.float32(1e6), sigma_px=2) - np.float32(1e6)
    np.testing.assert_allclose(shifted, denoise.gaussian(small, sigma_px=2), atol=0.04)


def test_a_notch_at_the_frames_corner_is_no_hole():
    mask = np.full((20, 20), 255, np.uint8)
    mask[:3, :3] = mask[9:11, 9:11] = 0
    kept = morphology.remove_small(mask, area_px=30)
    assert (kept[:3, :3] == 0).all()
    assert (kept[9:11, 9:11] == 255).all()


def test_pixels_belong_to_the_micrograph():
    source = np.zeros((4, 4), np.uint8)
    micrograph = Micrograph("x", source)
    source[0, 0] = 9
    assert micrograph.pixels[0, 0] == 0
    assert not micrograph.pixels.flags.writeable
    swapped = Micrograph("x", np.arange(6, dtype=">u2").reshape(2, 3)).pixels
    assert swapped.dtype.isnative
    assert swapped.tolist() == [[0, 1, 2], [3, 4, 5]]

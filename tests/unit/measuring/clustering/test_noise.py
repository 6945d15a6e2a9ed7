"""What is noise makes no regions: greys are averaged as far as the picture's noise asks for it."""

import cv2
import numpy as np
import pytest
from skimage.draw import disk

from core.imaging.simulation import simulate
from core.measuring.clustering import (
    AUTO,
    GREYS,
    Smoothing,
    average_greys,
    cluster_gray,
    decide_smoothing,
    find_noise,
    group_pixels,
)
from core.measuring.clustering.grain import find_grain
from core.measuring.defaults import smallest_region
from core.measuring.regions import measure_regions
from core.micrograph import Micrograph

_GAP = 60


def _discs() -> np.ndarray:
    """Return 36 discs of 20 px, 10.6 % of the frame."""
    mask = np.zeros((336, 336), np.float32)
    for row in range(28, 336, 56):
        for col in range(28, 336, 56):
            mask[disk((row, col), 10)] = 1
    return mask


def _frame(noise: float, alike_px: float = 0, *, dtype=np.uint8) -> Micrograph:
    rng = np.random.default_rng(1)
    grain = rng.normal(size=(336, 336)).astype(np.float32)
    if alike_px:
        grain = cv2.GaussianBlur(grain, (0, 0), alike_px)
        grain /= grain.std()
    grey = cv2.GaussianBlur(_discs(), (0, 0), 0.8) * _GAP + 90 + noise * grain
    scale = np.iinfo(dtype).max // 255 if dtype != np.float32 else 1
    top = 255 * scale
    return Micrograph("discs", np.clip(np.rint(grey * scale), 0, top).astype(dtype))


def _regions(frame: Micrograph, k: int, smoothing: Smoothing):
    found = group_pixels(frame, k, smoothing=smoothing)
    return measure_regions(found.labels == k - 1, min_area_px=10)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("noise", [22, 30])
def test_a_noisy_frame_has_about_the_regions_that_are_there(noise, k, dtype):
    frame = _frame(noise, dtype=dtype)
    untouched = _regions(frame, k, Smoothing())
    automatic = _regions(frame, k, Smoothing(AUTO))
    assert len(untouched) > 60 or k == 3
    assert len(automatic) == 36
    assert automatic["equivalent_diameter_px"].median() == pytest.approx(20, abs=1)
    assert automatic["equivalent_diameter_px"].quantile(0.1) > 18


def test_noise_that_is_alike_in_neighbours_is_seen():
    frame = _frame(18, 1.0)
    assert len(_regions(frame, 2, Smoothing())) > 300
    assert len(_regions(frame, 2, Smoothing(AUTO))) == pytest.approx(36, abs=4)


def _sixty_discs() -> np.ndarray:
    rows, cols = np.mgrid[40:600:70, 45:600:85]
    mask = np.zeros((600, 600), np.float32)
    for row, col in list(zip(rows.ravel(), cols.ravel(), strict=True))[:60]:
        mask[disk((row, col), 14, shape=mask.shape)] = 1
    return mask


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize(("alike_px", "noise"), [(1.5, 30), (2.0, 20)])
def test_noise_with_a_grain_of_pixels_makes_no_regions(alike_px, noise, k):
    discs = _sixty_discs()
    count = int(measure_regions(discs > 0).shape[0])
    grain = cv2.GaussianBlur(
        np.random.default_rng(2).normal(size=discs.shape).astype(np.float32), (0, 0), alike_px
    )
    grey = 90 + _GAP * cv2.GaussianBlur(discs, (0, 0), 0.8) + noise * grain / grain.std()
    frame = Micrograph("discs", np.clip(np.rint(grey), 0, 255).astype(np.uint8))
    smoothing = decide_smoothing(frame, k)
    assert smoothing.kind == GREYS
    found = group_pixels(frame, k, smoothing=smoothing)
    regions = measure_regions(
        found.labels == k - 1, min_area_px=smallest_region(smoothing.sigma_px)
    )
    assert len(_regions(frame, k, Smoothing())) > 3 * count
    assert len(regions) == pytest.approx(count, abs=0.1 * count)


@pytest.mark.parametrize("reach_px", [0.8, 1.5, 3.0])
def test_a_grain_is_measured_between_pixels_that_differ(reach_px):
    noise = np.random.default_rng(0).normal(size=(400, 400)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), reach_px)
    noise *= 20 / noise.std()
    grain = find_grain(noise, np.zeros(noise.shape, np.int16))
    assert grain.sigma == pytest.approx(20, rel=0.05)
    assert grain.reach_px == pytest.approx(reach_px, rel=0.08)
    assert find_grain(noise**3, np.zeros(noise.shape, np.int16)) is None
    assert find_grain(noise, np.full(noise.shape, -1, np.int16)) is None
    assert find_grain(noise[:9, :9], np.zeros((9, 9), np.int16)) is None


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("noise", [0, 3, 8])
def test_a_clean_frame_stays_as_it_is_bit_for_bit(noise, k):
    frame = _frame(noise)
    assert decide_smoothing(frame, k) == Smoothing()
    automatic = group_pixels(frame, k, smoothing=Smoothing(AUTO))
    found = cluster_gray(frame, k)
    np.testing.assert_array_equal(automatic.labels, found.labels)
    np.testing.assert_array_equal(automatic.centers, found.centers)


@pytest.mark.parametrize("kind", ["dendrites", "polyhedra", "rods_fibres"])
def test_fine_structure_is_no_noise(kind):
    assert decide_smoothing(simulate(kind, (256, 256), 0).micrograph, 3) == Smoothing()


def test_noise_is_measured_in_grey_levels_at_any_depth():
    assert find_noise(_frame(20).pixels, 2).noise == pytest.approx(20, rel=0.05)
    deep = find_noise(_frame(20, dtype=np.uint16).pixels, 2)
    assert deep.noise == pytest.approx(20 * 257, rel=0.05)
    assert deep.sigma_px == find_noise(_frame(20).pixels, 2).sigma_px > 0


def test_what_does_not_count_moves_neither_noise_nor_means():
    frame = _frame(30)
    bar = np.zeros(frame.shape, bool)
    bar[300:] = True
    painted = frame.pixels.copy()
    painted[300:] = 255
    plain = find_noise(frame.pixels, 2, bar)
    assert find_noise(painted, 2, bar) == plain
    averaged = average_greys(painted, bar, 2.0)
    np.testing.assert_array_equal(averaged[:300], average_greys(frame.pixels, bar, 2.0)[:300])
    assert averaged[299].mean() < 105  # the white bar adds nothing


def test_averaging_keeps_a_constant_and_what_is_not_finite():
    flat = np.full((9, 9), 1e6, np.float32)
    np.testing.assert_array_equal(average_greys(flat, None, 1.5), flat)
    flat[4, 4] = np.nan
    assert np.isnan(average_greys(flat, None, 1.5)[4, 4])
    assert np.isnan(average_greys(flat, None, 1.5)).sum() == 1
    assert average_greys(flat, None, 0) is flat


def test_frames_too_small_or_too_flat_are_left_alone():
    assert find_noise(np.zeros((2, 2), np.uint8), 2).sigma_px == 0
    assert find_noise(np.full((40, 40), 7, np.uint8), 3).sigma_px == 0
    nothing = np.ones((40, 40), bool)
    assert find_noise(np.full((40, 40), 7, np.uint8), 3, nothing).sigma_px == 0


def test_greys_are_averaged_as_far_as_a_person_says():
    frame = _frame(30)
    found = group_pixels(frame, 2, smoothing=Smoothing(GREYS, sigma_px=2.0))
    expected = cluster_gray(average_greys(frame.pixels, None, 2.0), 2)
    np.testing.assert_array_equal(found.labels, expected.labels)
    with pytest.raises(ValueError, match="sigma_px must be from"):
        Smoothing(GREYS, sigma_px=20.0)


def test_features_are_smoothed_anyway():
    assert decide_smoothing(_frame(30), 2, "k-means") == Smoothing()

"""Filters against the same calls of scikit-image, OpenCV and SciPy."""

import cv2
import numpy as np
import pytest
import skimage
from scipy import ndimage
from skimage import exposure, feature, filters, morphology

from core.imaging.filtering.operations import (
    background,
    base,
    contrast,
    denoise,
    edges,
    frequency,
    textures,
    thresholds,
)
from core.imaging.filtering.operations import morphology as shapes
from core.imaging.simulation.samples import simulate

SPHERES = simulate("spheroids", (120, 150), seed=2).micrograph.pixels
DEPTHS = [SPHERES, SPHERES.astype(np.uint16) * 200, (SPHERES / np.float32(300)).astype(np.float32)]
IDS = ["8-bit", "16-bit", "float"]


@pytest.mark.parametrize("pixels", DEPTHS, ids=IDS)
@pytest.mark.parametrize("name", ["li", "triangle", "yen", "isodata"])
def test_global_thresholds_cut_where_scikit_image_cuts_8_bits(pixels, name):
    """Among 65,536 bins scikit-image lets a spike decide, and it cuts floats inside a bin."""
    (ours,) = getattr(thresholds, f"{name}_levels")(pixels)
    theirs = getattr(filters, f"threshold_{name}")(SPHERES)
    np.testing.assert_array_equal(pixels > ours, theirs < SPHERES)


def test_multi_otsu_and_minimum_cut_where_scikit_image_cuts():
    ours = thresholds.multi_otsu_levels(SPHERES, classes=3)
    theirs = filters.threshold_multiotsu(
        SPHERES, 3
    )  # equally good levels may differ by an empty bin
    differing = np.digitize(SPHERES, theirs, right=True) != np.digitize(SPHERES, ours, right=True)
    assert differing.mean() < 5e-3
    two = np.where(np.random.default_rng(0).random((60, 60)) < 0.4, 60, 180).astype(np.float64)
    two = (two + np.random.default_rng(1).normal(0, 8, two.shape)).astype(np.uint8)
    assert thresholds.minimum_levels(two) == (filters.threshold_minimum(two),)


@pytest.mark.parametrize("pixels", DEPTHS, ids=IDS)
def test_local_thresholds_equal_scikit_image(pixels):
    grey = pixels.astype(np.float64)
    black = grey.min() if pixels.dtype.kind == "f" else 0  # where a picture's greys begin
    inner = np.s_[12:-12, 12:-12]
    for name, theirs in (
        ("niblack", filters.threshold_niblack(grey, 21, k=0.3)),
        (
            "sauvola",
            black + filters.threshold_sauvola(grey - black, 21, k=0.3, r=half_range(pixels)),
        ),
    ):
        ours = getattr(thresholds, f"_{name}_surface")(pixels, None, 21, 0.3)
        np.testing.assert_allclose(ours[inner], theirs[inner], rtol=1e-6, err_msg=name)
    for weights, method in (("equal", "mean"), ("gaussian", "gaussian")):
        theirs = filters.threshold_local(grey, 21, method=method)
        ours = thresholds._mean_surface(pixels, None, 21, weights)
        np.testing.assert_allclose(ours[inner], theirs[inner], rtol=2e-3, err_msg=weights)


def half_range(pixels):
    return np.ptp(pixels) / 2 if pixels.dtype.kind == "f" else np.iinfo(pixels.dtype).max / 2


def test_hysteresis_equals_scikit_image():
    low, high = np.percentile(SPHERES, [70, 95])
    ours = thresholds.connected_above(SPHERES, levels=(low, high))
    theirs = filters.apply_hysteresis_threshold(SPHERES, low, high)
    np.testing.assert_array_equal(ours == 255, theirs)


@pytest.mark.parametrize("pixels", DEPTHS, ids=IDS)
@pytest.mark.parametrize("radius_px", [1, 4, 5, 9, 40])
def test_discs_by_lines_equal_opencv(pixels, radius_px):
    disc = base.disc(radius_px)
    np.testing.assert_array_equal(base.erode_disc(pixels, radius_px), cv2.erode(pixels, disc))
    np.testing.assert_array_equal(base.dilate_disc(pixels, radius_px), cv2.dilate(pixels, disc))
    tophat = cv2.morphologyEx(pixels, cv2.MORPH_TOPHAT, disc)
    np.testing.assert_array_equal(background.white_tophat(pixels, radius_px=radius_px), tophat)


def test_masks_equal_scikit_image():
    bright = thresholds.otsu_threshold(SPHERES) < SPHERES
    mask = base.to_mask(bright)
    np.testing.assert_array_equal(shapes.fill_holes(mask) == 255, ndimage.binary_fill_holes(bright))
    np.testing.assert_array_equal(shapes.skeleton(mask) == 255, morphology.skeletonize(bright))
    np.testing.assert_array_equal(
        shapes.clear_border(mask) == 255, skimage.segmentation.clear_border(bright)
    )
    np.testing.assert_allclose(shapes.distance_map(mask), ndimage.distance_transform_edt(bright))
    small = morphology.remove_small_objects(bright, max_size=39, connectivity=2)
    small = np.pad(small, 1)  # what the frame cuts is no hole
    small = morphology.remove_small_holes(small, max_size=39, connectivity=2)[1:-1, 1:-1]
    np.testing.assert_array_equal(shapes.remove_small(mask, area_px=40) == 255, small)


@pytest.mark.parametrize("pixels", DEPTHS[:2], ids=IDS[:2])
def test_matched_histograms_equal_scikit_image(pixels):
    other = np.sqrt(pixels.astype(np.float64) + 3).astype(pixels.dtype) * 3
    theirs = exposure.match_histograms(pixels, other)
    ours = contrast.match_histogram(pixels, other=other)
    assert np.abs(ours.astype(float) - theirs).max() <= 1


def test_equalisation_comes_close_to_scikit_image():
    ours = contrast.equalise(SPHERES) / 255
    assert np.abs(ours - exposure.equalize_hist(SPHERES)).max() < 0.03


@pytest.mark.parametrize("pixels", DEPTHS, ids=IDS)
def test_edges_equal_scikit_image(pixels):
    grey = pixels.astype(np.float64)
    inner = np.s_[2:-2, 2:-2]
    for name in ("sobel", "scharr"):
        theirs = np.hypot(*(getattr(filters, f"{name}_{axis}")(grey) for axis in "hv"))
        ours = getattr(edges, name)(pixels)
        np.testing.assert_allclose(
            ours[inner], theirs[inner] / 2, rtol=1e-3, atol=1e-3 * np.ptp(grey)
        )
    theirs = -4 * ndimage.gaussian_laplace(grey, 2.0, mode="nearest")
    ours = edges.laplacian_of_gaussian(pixels, sigma_px=2.0)
    np.testing.assert_allclose(ours, theirs, atol=1e-4 * np.ptp(grey))


def test_canny_and_ridges_equal_scikit_image():
    share = (SPHERES - float(SPHERES.min())) / np.ptp(SPHERES)
    theirs = feature.canny(share, 1.5, low_threshold=0.08, high_threshold=0.2)
    ours = edges.canny(SPHERES, sigma_px=1.5, low_pct=1.0, high_pct=2.5)
    assert (theirs != (ours == 255)).mean() < 1e-3
    for name in ("frangi", "sato", "meijering"):
        find = getattr(filters, name)
        theirs = find(share, sigmas=[2.0], black_ridges=False, mode="nearest")
        ours = edges.ridges(SPHERES, method=name, lines="bright", smallest_px=2.0, largest_px=2.0)
        np.testing.assert_allclose(ours, theirs, atol=1e-4 * theirs.max(), err_msg=name)


def test_total_variation_and_non_local_means_equal_scikit_image():
    low, width = float(SPHERES.min()), float(np.ptp(SPHERES))
    share = ((SPHERES - low) / width).astype(np.float32)
    theirs = skimage.restoration.denoise_tv_chambolle(share, weight=0.1) * width + low
    assert np.abs(denoise.total_variation(SPHERES, weight=0.1) - theirs).max() <= 0.51
    sigma = denoise.noise_sigma(share)
    theirs = skimage.restoration.denoise_nl_means(share, 5, 6, 0.8 * sigma, sigma=sigma)
    ours = denoise.non_local_means(SPHERES, patch_px=5, search_px=6, strength=0.8)
    assert np.abs(ours - (theirs * width + low)).max() <= 0.51


def test_rolling_ball_of_a_small_radius_is_scikit_images():
    share = (SPHERES - float(SPHERES.min())) / np.ptp(SPHERES) * 255
    ground = skimage.restoration.rolling_ball(share, radius=8)
    ours = background.rolling_ball(SPHERES, radius_px=8)
    assert np.abs(ours - (share - ground) * np.ptp(SPHERES) / 255).max() <= 0.6


def test_binary_patterns_and_entropy_equal_scikit_image():
    theirs = feature.local_binary_pattern(SPHERES, 8, 1.0, "uniform")
    ours = textures.local_binary_pattern(SPHERES, radius_px=1.0, points=8)
    np.testing.assert_array_equal(ours, theirs)
    levels = textures.quantise(SPHERES, None, 64)
    theirs = filters.rank.entropy(levels, morphology.disk(4))
    np.testing.assert_allclose(textures.local_entropy(SPHERES, radius_px=4), theirs, rtol=1e-6)


def test_coherence_and_orientation_follow_scikit_images_structure_tensor():
    share = ((SPHERES - float(SPHERES.min())) / np.ptp(SPHERES)).astype(np.float64)
    rows, mixed, cols = feature.structure_tensor(share, sigma=4.0, mode="reflect", order="rc")
    theirs = np.hypot(rows - cols, 2 * mixed) / (rows + cols)
    ours = textures.coherence(SPHERES, sigma_px=4.0)
    assert np.corrcoef(ours[9:-9, 9:-9].ravel(), theirs[9:-9, 9:-9].ravel())[0, 1] > 0.99


@pytest.mark.parametrize("angle_deg", [0, 20, 45, 90, 135, 170])
def test_orientation_of_a_line_pattern_is_its_own_angle(angle_deg):
    rows, cols = np.mgrid[:80, :90]
    across = cols * np.sin(np.radians(angle_deg)) + rows * np.cos(np.radians(angle_deg))
    pattern = (127 + 100 * np.sin(2 * np.pi * across / 9)).astype(np.uint8)
    found = textures.orientation(pattern, sigma_px=4.0)[20:-20, 20:-20]
    assert np.abs((found - angle_deg + 90) % 180 - 90).max() < 1.5
    assert textures.coherence(pattern, sigma_px=4.0)[20:-20, 20:-20].min() > 0.95


def test_the_power_spectrum_is_numpys():
    for pixels in (SPHERES, SPHERES[:, :-1], SPHERES[:-1]):
        grey = pixels - pixels.mean()
        theirs = np.abs(np.fft.fftshift(np.fft.fft2(grey, norm="ortho"))) ** 2
        ours = frequency.spectrum(pixels, taper="none")
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5 * theirs.max())


def test_a_notch_removes_one_wave_and_leaves_another():
    rows, cols = np.mgrid[:128, :120]
    keep, hum = np.sin(2 * np.pi * cols / 24), np.sin(2 * np.pi * (rows * 0.125 + cols * 0.2))
    pixels = (10 + keep + hum).astype(np.float32)
    clean = frequency.notch(pixels, spots=((0.125, 0.2),), radius_per_px=0.02)
    assert np.abs(clean - 10 - keep)[20:-20, 20:-20].max() < 0.1


def test_radial_power_peaks_at_the_period_of_a_pattern():
    rows, cols = np.mgrid[:200, :256]
    pattern = (np.sin(2 * np.pi * np.hypot(rows - 100, cols - 128) / 8) * 100 + 120).astype(
        np.uint8
    )
    found = frequency.radial_power(pattern)
    assert found.frequency[np.argmax(found.power)] == pytest.approx(1 / 8, abs=0.006)


def test_noise_is_measured_within_a_few_percent():
    rng = np.random.default_rng(0)
    slope = np.add.outer(np.arange(200.0), np.arange(210.0))
    noisy = (slope * 20 + rng.normal(0, 55, slope.shape) + 500).astype(np.uint16)
    assert denoise.noise_sigma(noisy) == pytest.approx(55, rel=0.03)

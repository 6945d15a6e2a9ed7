"""Filters worked out in bands give what they give at once, and what scikit-image gives."""

import cv2
import numpy as np
import pytest
import scipy
import skimage

from core.imaging.filtering.operations import background, denoise, edges, morphology, textures
from core.imaging.filtering.operations import bands as in_rows
from core.imaging.filtering.operations.base import blur, share_of_range, wide_blur
from core.imaging.simulation.samples import simulate


@pytest.fixture
def picture():
    grey = simulate("spheroids", (160, 210), seed=1).micrograph.pixels.astype(np.uint16)
    return (grey * 200 + np.random.default_rng(0).integers(0, 200, grey.shape)).astype(np.uint16)


@pytest.fixture
def thin_bands(monkeypatch):
    def in_bands(*given, **named):
        return in_rows.in_bands(*given, **{**named, "band_px": 5_000})

    monkeypatch.setattr(edges, "in_bands", in_bands)


@pytest.mark.parametrize("is_masked", [False, True])
@pytest.mark.parametrize("sigma_px", [1.0, 2.5])
def test_canny_is_that_of_scikit_image_pixel_for_pixel(picture, is_masked, sigma_px, thin_bands):
    exclude = None
    if is_masked:
        exclude = np.zeros(picture.shape, bool)
        exclude[140:] = exclude[20:40, 50:90] = True
    ours = edges.canny(picture, exclude, sigma_px=sigma_px, low_pct=2.0, high_pct=5.0)
    counted = picture if exclude is None else picture[~exclude]
    theirs = skimage.feature.canny(
        share_of_range(picture, float(counted.min()), float(counted.max())).astype(float),
        sigma_px,
        low_threshold=0.16,
        high_threshold=0.4,
        mask=None if exclude is None else ~exclude,
    )
    assert theirs.any()
    np.testing.assert_array_equal(ours > 0, theirs)


@pytest.mark.parametrize("method", ["frangi", "meijering", "sato"])
@pytest.mark.parametrize("lines", ["dark", "bright"])
def test_ridges_in_bands_are_those_of_the_whole_frame(picture, method, lines, thin_bands):
    ours = edges.ridges(picture, method=method, lines=lines, smallest_px=0.5, largest_px=1.0)
    share = share_of_range(picture, float(picture.min()), float(picture.max()))
    theirs = getattr(skimage.filters, method)(
        share,
        sigmas=np.unique(np.geomspace(0.5, 1.0, 4)),
        black_ridges=lines == "dark",
        mode="nearest",
    )
    np.testing.assert_allclose(ours, np.nan_to_num(theirs), atol=1e-7)


@pytest.mark.parametrize("weight", [0.02, 0.2])
def test_least_variation_is_that_of_scikit_image(picture, weight, monkeypatch):
    share = share_of_range(picture, float(picture.min()), float(picture.max()))
    theirs = skimage.restoration.denoise_tv_chambolle(share, weight)
    np.testing.assert_allclose(denoise.least_variation(share, weight), theirs, atol=2e-6)
    monkeypatch.setattr(denoise, "_PLACES_AT_ONCE", 3_000)
    np.testing.assert_allclose(denoise.least_variation(share, weight), theirs, atol=2e-6)


@pytest.mark.parametrize("sigma_px", [17, 120])
@pytest.mark.parametrize("shape", [(500, 701), (1024, 1024)])
def test_a_wide_blur_is_within_a_hundredth_of_its_range(shape, sigma_px):
    grey = np.random.default_rng(0).random(shape).astype(np.float32)
    grey[200:300] += 1
    exact = blur(grey, sigma_px)
    assert np.abs(wide_blur(grey, sigma_px) - exact).max() < 0.01 * np.ptp(exact)


@pytest.mark.parametrize("sigma_px", [20, 120])
def test_a_wide_blur_of_nothing_but_noise_is_as_exact(sigma_px):
    noise = np.random.default_rng(0).random((500, 701)).astype(np.float32)
    edge = 2 * int(np.ceil(4 * sigma_px)) + 1
    exact = cv2.GaussianBlur(noise, (edge, edge), sigma_px, borderType=cv2.BORDER_REFLECT)
    assert np.abs(wide_blur(noise, sigma_px) - exact).max() < 0.01 * np.ptp(exact)


@pytest.mark.parametrize("stripes", ["horizontal", "vertical"])
def test_lines_are_shifted_alike_in_bands(picture, stripes, monkeypatch):
    settings = {"stripes": stripes, "method": "median", "width_px": 20}
    whole = background.destripe(picture, **settings)
    monkeypatch.setattr(background, "row_bands", lambda shape: in_rows.row_bands(shape, 5_000))
    np.testing.assert_array_equal(background.destripe(picture, **settings), whole)


def test_waves_in_bands_are_those_of_the_whole_frame(picture, monkeypatch):
    settings = {"period_px": 4.0, "directions": 4}
    whole = textures.gabor_bank(picture, **settings)

    def in_bands(*given, **named):
        return in_rows.in_bands(*given, **{**named, "band_px": 5_000})

    monkeypatch.setattr(textures, "in_bands", in_bands)
    apart = np.abs(textures.gabor_bank(picture, **settings) - whole)
    assert apart.max() < 1e-3 * whole.max()  # at the frame's edges, where mirrored pixels end


@pytest.mark.parametrize("separation_px", [3, 8])
def test_a_watershed_split_in_pieces_and_bands_is_that_of_the_frame(separation_px, monkeypatch):
    smooth = blur(np.random.default_rng(0).normal(size=(310, 420)).astype(np.float32), 5)
    bright = smooth > np.quantile(smooth, 0.55)
    distance = scipy.ndimage.gaussian_filter(scipy.ndimage.distance_transform_edt(bright), 1.0)
    peaks = skimage.feature.peak_local_max(
        distance * bright, min_distance=separation_px, threshold_abs=0, exclude_border=False
    )
    markers = np.zeros(bright.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    parts = skimage.segmentation.watershed(-distance, markers, mask=bright, connectivity=2)
    line = (parts > 0) & (scipy.ndimage.maximum_filter(parts, 3) > parts)

    def in_bands(*given, **named):
        return in_rows.in_bands(*given, **{**named, "band_px": 9_000})

    monkeypatch.setattr(morphology, "in_bands", in_bands)
    mask = bright.astype(np.uint8) * np.uint8(255)
    ours = morphology.watershed_split(mask, separation_px=separation_px)
    assert len(peaks) > 20
    np.testing.assert_array_equal(ours > 0, bright & ~line)

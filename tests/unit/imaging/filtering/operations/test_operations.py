"""What each filter does to pixels, on arrays small enough to check by eye."""

import cv2
import numpy as np
import pytest
from scipy import ndimage
from skimage.filters import threshold_otsu

from core.errors import UserError
from core.imaging.filtering import FILTERS, Pipeline, Step, operations
from core.imaging.filtering.operations import bands, morphology, otsu_threshold, thresholds
from core.imaging.filtering.texture.maps import glcm_map
from core.micrograph import Micrograph

DTYPES = [np.uint8, np.uint16, np.float32]


def noise(dtype, shape=(40, 50), seed=0):
    top = {"uint8": 255, "uint16": 65_535, "float32": 1}[np.dtype(dtype).name]
    return (np.random.default_rng(seed).random(shape) * top).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_gaussian_spreads_an_impulse_and_keeps_its_sum(dtype):
    image = np.zeros((41, 41), dtype)
    image[20, 20] = 250
    smooth = operations.gaussian(image, sigma_px=1.0)
    assert smooth.dtype == dtype
    assert smooth.sum() == pytest.approx(250, abs=6 if dtype != np.float32 else 1e-3)
    # the centre keeps about 1 / (2 pi) of the impulse
    assert smooth[20, 20] == pytest.approx(250 / (2 * np.pi), rel=0.02)


def test_gaussian_of_sixteen_bits_keeps_fine_steps():
    ramp = np.tile(np.arange(30_000, 30_064, dtype=np.uint16), (16, 1))
    smooth = operations.gaussian(ramp, sigma_px=1.0)
    np.testing.assert_array_equal(smooth[:, 8:-8], ramp[:, 8:-8])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size_px", [3, 5, 7, 9])
def test_median_is_the_same_at_every_depth(dtype, size_px):
    image = noise(dtype)
    expected = ndimage.median_filter(image, size_px, mode="nearest")
    np.testing.assert_array_equal(operations.median(image, size_px=size_px), expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_bilateral_smooths_noise_and_keeps_the_edge(dtype):
    top = 200 if dtype == np.uint8 else 60_000
    step = np.zeros((30, 30))
    step[:, 15:] = top
    noisy = (step + noise(np.float32, (30, 30)) * top / 50).astype(dtype)
    smooth = operations.bilateral(noisy, sigma_px=2.0, sigma_grey_pct=20.0).astype(np.float64)
    assert smooth.std(axis=0)[:14].mean() < noisy.astype(np.float64).std(axis=0)[:14].mean() / 2
    assert np.all(smooth[:, 15] - smooth[:, 14] > 0.95 * top)


def test_white_tophat_keeps_a_dot_and_drops_the_slope():
    slope = np.tile(np.arange(0, 120, 2, dtype=np.uint8), (60, 1))
    dotted = slope.copy()
    dotted[30, 30] += 100
    result = operations.white_tophat(dotted, radius_px=3)
    assert result[30, 30] == pytest.approx(100, abs=8)
    assert np.delete(result, 30, axis=1).max() <= 8


@pytest.mark.parametrize("dtype", DTYPES)
def test_invert_twice_gives_the_image_back(dtype):
    image = noise(dtype)
    twice = operations.invert(operations.invert(image))
    np.testing.assert_allclose(twice, image, atol=1e-6)
    assert operations.invert(image).argmax() == image.argmin()


def test_invert_uses_the_full_range_of_integers():
    assert operations.invert(np.array([[0, 10]], np.uint16)).tolist() == [[65_535, 65_525]]


@pytest.mark.parametrize("dtype", DTYPES)
def test_gamma_of_one_is_the_identity_and_keeps_the_ends(dtype):
    image = noise(dtype)
    np.testing.assert_allclose(operations.gamma(image, exponent=1.0), image, rtol=1e-6)
    bent = operations.gamma(image, exponent=0.5)
    assert bent.dtype == dtype
    assert np.all(bent >= image - 1e-6)


def test_gamma_of_half_turns_a_quarter_into_a_half():
    image = np.array([[0, 0.25, 1]], np.float32)
    np.testing.assert_allclose(operations.gamma(image, exponent=0.5), [[0, 0.5, 1]])


def test_stretch_fills_the_range_and_clips_the_rest():
    image = np.arange(100, 201, dtype=np.uint8).reshape(1, -1)
    result = operations.stretch(image, low_pct=10.0, high_pct=90.0)
    assert result[0, 10] == 0
    assert result[0, 90] == 255
    assert result[0, 50] == 128
    assert result[0, 0] == 0
    floats = operations.stretch(image.astype(np.float32), low_pct=0.0, high_pct=100.0)
    np.testing.assert_allclose(floats[0], np.linspace(0, 1, 101), atol=1e-6)


def test_stretch_ignores_excluded_pixels_in_its_range():
    image = np.array([[0, 100, 150, 200]], np.uint8)
    exclude = np.array([[True, False, False, False]])
    result = operations.stretch(image, exclude, low_pct=0.0, high_pct=100.0)
    assert result.tolist() == [[0, 0, 128, 255]]


def test_stretch_refuses_percentiles_that_cross():
    with pytest.raises(UserError, match="must be below"):
        operations.stretch(noise(np.uint8), low_pct=60.0, high_pct=40.0)


def test_clahe_raises_faint_local_contrast_at_every_depth():
    rng = np.random.default_rng(0)
    faint = 0.5 + 0.02 * rng.standard_normal((128, 128))
    faint[0, 0], faint[-1, -1] = 0, 1  # a wide range that only two pixels use
    results = []
    for dtype, top in ((np.uint8, 255), (np.uint16, 65_535), (np.float32, 1)):
        image = (faint * top).astype(dtype)
        result = operations.clahe(image, clip_limit=4.0, tile_px=32)
        assert result.dtype == dtype
        assert result.astype(np.float64).std() > 2 * image.astype(np.float64).std()
        results.append(result / top)
    assert np.abs(results[1] - results[2]).max() < 1e-3
    assert np.abs(results[0] - results[1]).mean() < 0.02


def test_clahe_comes_close_to_opencv_at_eight_bits():
    image = operations.gaussian(noise(np.uint8, (256, 256)), sigma_px=6.0)
    image = operations.stretch(image, low_pct=0.0, high_pct=100.0)
    theirs = cv2.createCLAHE(2.0, (4, 4)).apply(image).astype(np.float64)
    ours = operations.clahe(image, clip_limit=2.0, tile_px=64)
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.99
    assert np.abs(ours - theirs).mean() < 6


def test_clahe_in_one_large_tile_is_histogram_equalisation():
    image = np.repeat(np.array([0, 10, 20, 255], np.uint8), 16).reshape(8, 8)
    result = operations.clahe(image, clip_limit=256.0, tile_px=1000)
    np.testing.assert_allclose(np.unique(result) / 255, [0, 0.25, 0.5, 1], atol=0.02)


def test_clahe_with_a_tile_that_is_wholly_excluded_works():
    image = noise(np.uint8, (64, 64))
    exclude = np.zeros(image.shape, bool)
    exclude[32:] = True
    result = operations.clahe(image, exclude, clip_limit=2.0, tile_px=16)
    changed = image.copy()
    changed[32:] = np.clip(changed[32:], image[:32].min(), image[:32].max())[::-1]
    again = operations.clahe(changed, exclude, clip_limit=2.0, tile_px=16)
    np.testing.assert_array_equal(result[:32], again[:32])


@pytest.mark.parametrize("dtype", DTYPES)
def test_sobel_of_a_ramp_is_its_slope_in_floats(dtype):
    ramp = np.tile(np.arange(0, 60, 3), (20, 1)).astype(dtype)
    for image in (ramp, np.ascontiguousarray(ramp.T)):
        result = operations.sobel(image)
        assert result.dtype == np.float32
        np.testing.assert_allclose(result[1:-1, 1:-1], 3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_otsu_threshold_equals_scikit_image(dtype):
    for seed in range(5):
        image = noise(dtype, seed=seed)
        image[:20] //= 3
        bins = None if dtype == np.uint8 else int(image.max()) - int(image.min()) + 1
        expected = threshold_otsu(image) if bins is None else threshold_otsu(image, nbins=bins)
        dark = image <= otsu_threshold(image)
        np.testing.assert_array_equal(dark, image <= expected)


def test_otsu_is_exact_where_eight_bits_would_merge_the_levels():
    image = np.array([[30_000, 30_001, 30_010, 30_011]], np.uint16)
    assert otsu_threshold(image) == 30_001
    np.testing.assert_array_equal(operations.otsu(image), [[0, 0, 255, 255]])
    assert otsu_threshold(image.astype(np.float32) / 65_536) == np.float32(30_001 / 65_536)


def test_otsu_threshold_ignores_excluded_and_invalid_pixels():
    image = np.array([[10, 20, 250, 250], [10, 20, 250, 250]], np.float32)
    exclude = image == 250
    assert otsu_threshold(image) == 20
    assert otsu_threshold(image, exclude) == 10
    image[:, 1] = np.nan
    assert otsu_threshold(image) == 10


def test_otsu_of_a_constant_image_is_its_level_and_nothing_is_bright():
    image = np.full((3, 3), 7, np.uint8)
    assert otsu_threshold(image) == 7
    assert not operations.otsu(image).any()


def test_nothing_to_measure_is_explained():
    everything = np.ones((4, 4), bool)
    with pytest.raises(UserError, match="Every pixel is excluded"):
        otsu_threshold(noise(np.uint8, (4, 4)), everything)
    with pytest.raises(UserError, match="no valid pixel"):
        otsu_threshold(np.full((2, 2), np.nan, np.float32))


def test_texture_of_two_levels_is_that_of_the_otsu_mask():
    image = noise(np.uint16)
    options = {"prop": "contrast", "window_px": 5, "distance_px": 1, "angle_deg": 0}
    result = operations.glcm_texture(image, levels=2, **options)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, glcm_map((image > otsu_threshold(image)).astype(int)))


def test_texture_of_more_levels_uses_equal_steps_of_grey():
    image = np.tile(np.array([0, 64, 128, 255], np.uint8), (4, 2))
    result = operations.glcm_texture(
        image, prop="mean", window_px=3, levels=4, distance_px=1, angle_deg=90
    )
    np.testing.assert_allclose(result[:, 1:3], [[1, 2]] * 4)
    flat = operations.glcm_texture(
        np.full((3, 3), 9, np.uint8), prop="mean", window_px=3, levels=4, distance_px=1, angle_deg=0
    )
    assert not flat.any()


def test_texture_refuses_pairs_longer_than_the_window():
    with pytest.raises(UserError, match="smaller than the window"):
        operations.glcm_texture(
            noise(np.uint8), prop="ASM", window_px=3, levels=2, distance_px=3, angle_deg=0
        )


def banded(monkeypatch, small):
    """Let frames be cut into many bands, or into one."""
    size = 12_000 if small else 1 << 40
    monkeypatch.setattr(bands.row_bands, "__defaults__", (size,))
    monkeypatch.setitem(bands.in_bands.__kwdefaults__, "band_px", size)


IN_BANDS = (
    *("gaussian", "wavelet", "diffusion", "clahe", "flat_field", "subtract_surface"),
    *("multi_otsu", "niblack", "sauvola", "local_deviation", "orientation", "coherence"),
    *("gabor_bank", "low_pass", "band_pass", "sato", "local_entropy"),
)


@pytest.mark.parametrize("name", IN_BANDS)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_large_frames_in_bands_are_the_same_frames(name, masked, kind, monkeypatch):
    rng = np.random.default_rng(0)
    pixels = cv2.GaussianBlur(rng.random((230, 190)), (0, 0), 1.5)
    pixels = ((pixels - pixels.min()) / np.ptp(pixels) * 250).astype(kind)
    exclude = np.zeros(pixels.shape, bool) if masked else None
    if masked:
        exclude[-60:], exclude[20:40, 30:90] = True, True
    spec = FILTERS[name]
    settings = {each.name: each.default for each in spec.parameters}
    settings |= {each.name: pixels for each in spec.parameters if each.kind == "image"}
    if spec.levels is not None:
        settings["levels"] = spec.levels(pixels, exclude, **settings)
    banded(monkeypatch, False)
    whole = spec.function(pixels, exclude, **settings)
    banded(monkeypatch, True)
    parts = spec.function(pixels, exclude, **settings)
    assert parts.dtype == whole.dtype
    if name == "gabor_bank":  # transforms of other lengths: the last digit
        np.testing.assert_allclose(parts, whole, rtol=1e-5, atol=1e-4)
    elif name in ("niblack", "sauvola", "local_deviation"):  # running sums: the last digit
        assert np.mean(~np.isclose(whole.astype(float), parts, rtol=1e-5, atol=1e-5)) < 1e-4
    else:
        np.testing.assert_array_equal(parts, whole)


def test_a_square_without_a_counted_pixel_takes_the_mean_of_the_image():
    pixels = np.random.default_rng(0).random((90, 90)).astype(np.float32)
    exclude = np.zeros(pixels.shape, bool)
    exclude[40:] = True
    mean, deviation = thresholds.local_moments(pixels, exclude, 9)
    assert mean[60:] == pytest.approx(pixels[:40].mean(), abs=1e-6)
    assert (deviation[60:] == 0).all()


def _grains_of_boundaries():
    seeds = np.random.default_rng(1).random((40, 2)) * 160
    places = np.stack(np.mgrid[:160, :160], axis=-1)[:, :, None]
    grains = ((places - seeds) ** 2).sum(axis=-1).argmin(axis=-1)
    edges = np.zeros(grains.shape, bool)
    edges[:, 1:] = grains[:, 1:] != grains[:, :-1]
    edges[1:] |= grains[1:] != grains[:-1]
    return ndimage.binary_dilation(edges, np.ones((2, 2)))


@pytest.mark.parametrize("bar", [0, 30])
def test_skeleton_reaches_every_cut_so_that_grains_there_stay_apart(bar):
    edges = _grains_of_boundaries()
    exclude = np.zeros(edges.shape, bool)
    exclude[160 - bar :] = True
    mask = np.where(exclude, 255, 255 * edges).astype(np.uint8)
    thin = Pipeline([Step("skeleton")])(Micrograph("edges", mask), exclude=exclude).pixels > 0
    assert ndimage.label(~thin & ~exclude)[1] == ndimage.label(~edges & ~exclude)[1]
    assert not thin[exclude].any()


def test_skeleton_of_a_band_runs_along_its_middle_from_edge_to_edge():
    band = np.zeros((60, 90), np.uint8)
    band[:, 30:51] = 255  # 21 px wide
    assert np.argwhere(morphology.skeleton_to_edges(band)).tolist() == [
        [row, 40] for row in range(60)
    ]
    full = np.full((30, 40), 255, np.uint8)
    assert 0 < np.count_nonzero(morphology.skeleton_to_edges(full)) <= 40

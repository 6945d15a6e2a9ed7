"""Clusters of pixels by features: what they find, what they refuse, and that they repeat."""

import tracemalloc

import cv2
import numpy as np
import pytest

from core.errors import UserError
from core.measuring.clustering import (
    MIXTURE,
    FeatureSet,
    cluster_features,
    feature_maps,
    features,
    frame,
    pixels,
    small_feature_maps,
)
from core.micrograph import Micrograph

PLAIN = FeatureSet(smoothed=False, gradient=False, texture=False)


def two_textures(shape=(96, 128), dtype=np.uint8):
    """Left half smooth, right half rough, of one mean grey."""
    rng = np.random.default_rng(0)
    image = rng.normal(0, 1, shape)
    image[:, : shape[1] // 2] *= 4
    image[:, shape[1] // 2 :] *= 40
    top = np.iinfo(dtype).max
    return (np.clip(image + 128, 0, 255) / 255 * top).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("method", ["k-means", MIXTURE])
def test_textures_of_one_grey_are_told_apart(dtype, method):
    texture = FeatureSet(intensity=False, smoothed=False, gradient=False)
    found = cluster_features(two_textures(dtype=dtype), 2, features=texture, method=method)
    rough = found.labels[:, 70:].astype(float).mean()
    smooth = found.labels[:, :58].astype(float).mean()
    assert abs(rough - smooth) > 0.95


def test_numbers_run_from_dark_to_bright_and_add_up():
    image = two_textures()
    image[20:50, 10:60] = 250
    found = cluster_features(Micrograph("a", image), 4)
    means = [image[found.labels == n].mean() for n in range(4)]
    np.testing.assert_allclose(found.centers, means, rtol=1e-9)
    assert means == sorted(means)
    np.testing.assert_allclose(found.fractions, np.bincount(found.labels.ravel()) / image.size)
    assert found.thresholds.size == 0
    assert found.included_share == 1
    assert found.feature_centers.shape == (4, len(found.names))


def test_inertia_is_that_of_the_standardised_features():
    image = two_textures()
    found = cluster_features(image, 3)
    rows = np.stack([m.ravel() for m in feature_maps(image).values()]).astype(np.float64)
    rows = (rows - rows.mean(axis=1, keepdims=True)) / rows.std(axis=1, keepdims=True)
    labels = found.labels.ravel()
    within = sum(
        ((rows[:, labels == n] - rows[:, labels == n].mean(axis=1, keepdims=True)) ** 2).sum()
        for n in range(3)
    )
    assert found.inertia == pytest.approx(within, rel=1e-4)


def test_overlays_change_nothing_of_the_specimen_beside_them():
    image = two_textures()
    exclude = np.zeros(image.shape, bool)
    exclude[80:] = True
    bright, dark = image.copy(), image.copy()
    bright[80:], dark[80:] = 255, 0
    found = [cluster_features(one, 3, exclude=exclude) for one in (bright, dark)]
    np.testing.assert_array_equal(found[0].labels, found[1].labels)
    assert np.all(found[0].labels[80:] == -1)
    assert found[0].included_share == pytest.approx(80 / 96)


def test_a_region_counts_alone_and_keeps_its_surroundings():
    image = two_textures()
    region = np.zeros(image.shape, bool)
    region[10:40, 10:100] = True
    found = cluster_features(image, 2, region=region)
    assert np.array_equal(found.labels >= 0, region)
    assert found.included_share == pytest.approx(region.mean())


def test_pixels_that_are_not_finite_are_excluded():
    image = two_textures().astype(np.float32)
    image[5, 5], image[6, 7] = np.nan, np.inf
    found = cluster_features(image, 2)
    assert found.labels[5, 5] == found.labels[6, 7] == -1
    assert np.isfinite(found.inertia)


def test_soft_maps_of_a_mixture_add_up_and_agree_with_its_labels(monkeypatch):
    image = two_textures()
    exclude = np.zeros(image.shape, bool)
    exclude[:4] = True
    found = cluster_features(image, 3, exclude=exclude, method=MIXTURE)
    assert found.memberships is not None
    np.testing.assert_allclose(found.memberships[:, 4:].sum(axis=0), 1, atol=3e-3)
    assert not found.memberships[:, :4].any()
    agreed = found.memberships[:, 4:].argmax(axis=0) == found.labels[4:]
    assert agreed.mean() > 0.99
    monkeypatch.setattr(pixels, "SOFT_BYTES", 100)
    again = cluster_features(image, 3, exclude=exclude, method=MIXTURE)
    assert again.memberships is None
    np.testing.assert_array_equal(again.labels, found.labels)


def test_bands_and_batches_of_a_large_frame_find_the_same_phases(monkeypatch):
    image = two_textures((160, 192))
    image[30:90, 30:150] //= 2
    whole = cluster_features(image, 3)
    monkeypatch.setattr(frame, "_BAND_PX", 192 * 50)
    banded = cluster_features(image, 3)
    assert (banded.labels == whole.labels).mean() > 0.999
    monkeypatch.setattr(pixels, "MEGAPIXEL", 1000)
    monkeypatch.setattr(pixels, "SAMPLE_ROWS", 8000)
    batched = cluster_features(image, 3)
    assert (batched.labels == whole.labels).mean() > 0.97
    assert batched.inertia <= 1.02 * whole.inertia


@pytest.mark.parametrize("method", ["k-means", MIXTURE])
def test_a_region_in_the_last_band_of_a_large_frame_is_clustered_as_in_a_small_one(
    monkeypatch, method
):
    """Only the first band was grouped, and bands without a pixel of the region failed."""
    image = two_textures((150, 192))
    image[100:, 96:] = 200
    region = np.zeros(image.shape, bool)
    region[95:140] = True
    whole = cluster_features(image, 2, region=region, method=method)
    monkeypatch.setattr(frame, "_BAND_PX", 192 * 30)
    banded = cluster_features(image, 2, region=region, method=method)
    np.testing.assert_array_equal(banded.labels >= 0, region)
    assert np.mean(banded.labels != whole.labels) < 0.001
    assert cluster_features(image, 2, method=method).included_share == 1


def test_memory_of_a_large_frame_stays_near_that_of_its_bands(monkeypatch):
    """Twice the frame takes little more: maps are described band by band."""
    monkeypatch.setattr(frame, "_BAND_PX", 1 << 16)
    monkeypatch.setattr(pixels, "MEGAPIXEL", 1 << 14)
    monkeypatch.setattr(pixels, "SAMPLE_ROWS", 1 << 13)
    peaks = []
    for side in (384, 768):
        image = cv2.resize(two_textures(), (side, side))
        tracemalloc.start()
        cluster_features(image, 2)
        peaks.append(tracemalloc.get_traced_memory()[1] / image.size)
        tracemalloc.stop()
    assert peaks[1] < peaks[0]  # bytes per pixel fall as the frame grows


def test_one_pixel_of_absurd_brightness_leaves_every_map_a_number():
    image = two_textures().astype(np.float32) / 1e6
    image[5, 5] = 3e38
    assert all(np.isfinite(values).all() for values in feature_maps(image).values())
    assert np.isfinite(cluster_features(image, 3).feature_centers).all()


def test_seeds_are_kept_and_repeat():
    image = two_textures()
    first, again = (cluster_features(image, 5, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.labels, again.labels)
    assert first.seed == 3
    assert first.inertia == again.inertia


def test_progress_rises_to_its_end():
    told = []
    cluster_features(two_textures(), 2, on_progress=lambda share, what: told.append((share, what)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] <= 1
    assert all(what for _, what in told)


@pytest.mark.parametrize(
    ("image", "options", "said"),
    [
        (np.full((20, 20), 7, np.uint8), {}, "alike"),
        (np.zeros((1, 1), np.uint8), {}, "alike"),
        (np.full((8, 8), np.nan, np.float32), {}, "No pixel is left"),
        (np.ones((9, 9), np.uint8), {"exclude": np.ones((9, 9), bool)}, "No pixel is left"),
        (np.ones((9, 9), np.uint8), {"region": np.zeros((9, 9), bool)}, "No pixel is left"),
        (np.eye(9, dtype=np.uint8), {"features": PLAIN, "k": 3}, "too few for 3"),
    ],
)
def test_what_cannot_be_clustered_is_explained(image, options, said):
    with pytest.raises(UserError, match=said):
        cluster_features(image, **({"k": 2} | options))


def test_impossible_arguments_are_refused():
    image = two_textures()
    with pytest.raises(ValueError, match="k must be"):
        cluster_features(image, 1)
    with pytest.raises(ValueError, match="method"):
        cluster_features(image, 2, method="magic")
    with pytest.raises(ValueError, match="exclude must be bool"):
        cluster_features(image, 2, exclude=np.zeros((3, 3), bool))
    with pytest.raises(UserError, match="No feature"):
        FeatureSet(intensity=False, smoothed=False, gradient=False, texture=False)
    many = tuple(1 + n / 10 for n in range(13))
    for wrong in (
        {"scales_px": (2, 1)},
        {"scales_px": many},
        {"scales_px": (99.0,)},
        {"window_px": 4},
    ):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            FeatureSet(**wrong)


def test_every_feature_has_a_map_of_the_frames_shape():
    every = FeatureSet(laplacian=True, structure=True, position=True, scales_px=(1, 3))
    image = two_textures()
    maps = feature_maps(image, every)
    assert {m.shape for m in maps.values()} == {image.shape}
    assert {m.dtype for m in maps.values()} == {np.dtype(np.float32)}
    assert len(maps) == 1 + 2 * 5 + 3 + 2
    assert maps["coherence 1 px"].max() <= 1
    np.testing.assert_array_equal(maps["row"][:, 0], np.arange(96))


def test_small_maps_are_means_of_the_maps_and_take_no_memory_of_whole_ones(monkeypatch):
    image = two_textures((192, 256))
    for name, values in small_feature_maps(image, longest_px=512).items():
        np.testing.assert_array_equal(values, feature_maps(image)[name])
    monkeypatch.setattr(features, "_BAND_PX", 256 * 20)
    for name, values in small_feature_maps(image, longest_px=64).items():
        squares = feature_maps(image)[name].reshape(48, 4, 64, 4).mean(axis=(1, 3))
        np.testing.assert_allclose(values, squares, rtol=1e-4, atol=1e-4)
    large = cv2.resize(image, (1024, 1024))
    peaks = []
    for draw in (feature_maps, small_feature_maps):
        tracemalloc.start()
        draw(large)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] / 2


def test_coherence_is_high_on_stripes_and_low_on_noise():
    stripes = np.tile(np.sin(np.arange(96) / 3) * 90 + 128, (96, 1)).astype(np.uint8)
    noise = np.random.default_rng(0).integers(0, 255, (96, 96)).astype(np.uint8)
    only = FeatureSet(
        intensity=False,
        smoothed=False,
        gradient=False,
        texture=False,
        structure=True,
        scales_px=(2,),
    )
    high, low = (feature_maps(i, only)["coherence 2 px"].mean() for i in (stripes, noise))
    assert high > 0.95 > 0.6 > low


def test_contrast_and_depth_do_not_change_what_is_found():
    image = two_textures()
    deep = image.astype(np.uint16) * 200 + 1000
    first, second = cluster_features(image, 3), cluster_features(deep, 3)
    assert (first.labels == second.labels).mean() > 0.999

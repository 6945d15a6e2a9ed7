"""Grey-level clusters whose best answer is known on paper."""

import numpy as np
import pytest

from core.errors import UserError
from core.imaging.simulation import simulate
from core.measuring.clustering import Clustering, cluster_gray
from core.micrograph import Micrograph, PixelSize

THREE = np.array([[10, 10, 11], [100, 100, 101], [200, 201, 201]], np.uint8)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_finds_three_separate_groups_from_dark_to_bright(dtype):
    result = cluster_gray(THREE.astype(dtype), 3)
    np.testing.assert_array_equal(result.labels, [[0, 0, 0], [1, 1, 1], [2, 2, 2]])
    np.testing.assert_allclose(result.centers, [31 / 3, 301 / 3, 602 / 3])
    np.testing.assert_allclose(result.fractions, 1 / 3)
    np.testing.assert_allclose(result.thresholds, [55.5, 150.5])
    assert result.inertia == pytest.approx(3 * 2 / 3)
    assert result.labels.dtype == np.int16
    assert result.included_share == 1


def test_takes_micrographs_and_arrays_alike():
    micrograph = Micrograph("a", THREE)
    np.testing.assert_array_equal(cluster_gray(micrograph, 2).labels, cluster_gray(THREE, 2).labels)


def test_as_many_clusters_as_levels_leave_no_inertia():
    image = np.array([[0, 1, 65_534, 65_535]], np.uint16)
    result = cluster_gray(image, 4)
    assert result.inertia == 0
    np.testing.assert_array_equal(result.labels, [[0, 1, 2, 3]])
    assert cluster_gray(image, 3).inertia == 0.5


def test_many_pixels_in_one_level_pull_the_threshold():
    image = np.repeat(np.array([0, 4, 10], np.uint8), [100, 1, 1]).reshape(1, -1)
    result = cluster_gray(image, 2)  # 4 joins 10 (inertia 18) or 0 (about 15.8): the latter
    assert result.thresholds[0] == 7
    assert result.inertia == pytest.approx(16 * 100 / 101)


def test_excluded_pixels_do_not_count():
    exclude = np.zeros(THREE.shape, bool)
    exclude[2] = True
    result = cluster_gray(THREE, 2, exclude=exclude)
    np.testing.assert_array_equal(result.labels, [[0, 0, 0], [1, 1, 1], [-1, -1, -1]])
    np.testing.assert_allclose(result.fractions, 0.5)
    assert result.included_share == pytest.approx(2 / 3)


def test_pixels_that_are_not_finite_are_excluded():
    image = THREE.astype(np.float32)
    image[0, 0], image[2, 2] = np.nan, np.inf
    result = cluster_gray(image, 3)
    assert result.labels[0, 0] == -1
    assert result.labels[2, 2] == -1
    np.testing.assert_allclose(result.fractions, [2 / 7, 3 / 7, 2 / 7])


@pytest.mark.parametrize("shape", [(1, 9), (9, 1)])
def test_single_lines_work(shape):
    assert cluster_gray(THREE.reshape(shape), 3).inertia == pytest.approx(2)


def test_a_large_offset_costs_no_precision():
    steps = np.array([[0, 1e-3, 1, 1 + 1e-3, 5]], np.float64)
    shifted = cluster_gray(steps + 2.0**20, 3)
    np.testing.assert_array_equal(shifted.labels, cluster_gray(steps, 3).labels)


def test_neighbouring_floats_are_told_apart():
    image = np.array([[1, np.nextafter(np.float32(1), np.float32(2))]], np.float32)
    np.testing.assert_array_equal(cluster_gray(image, 2).labels, [[0, 1]])


def test_continuous_floats_stay_within_the_stated_bound():
    values = np.random.default_rng(1).normal(size=90_000).astype(np.float32)
    result = cluster_gray(values.reshape(300, 300), 2)
    grey = np.sort(values.astype(np.float64))
    n, total = np.arange(1, grey.size), np.cumsum(grey)[:-1]
    best_gain = (total**2 / n + (grey.sum() - total) ** 2 / (grey.size - n)).max()
    best = (grey**2).sum() - best_gain
    width = np.ptp(grey) / 65_536
    fullest = np.bincount(((grey - grey[0]) / width).astype(int)).max()
    assert result.inertia >= best * (1 - 1e-12)
    assert result.inertia <= best + 2 * width * np.ptp(grey) * fullest


def test_table_has_one_row_per_cluster_and_areas_only_when_calibrated():
    result = cluster_gray(THREE, 3)
    plain = result.to_frame()
    assert list(plain.columns) == ["cluster", "fraction_pct", "pixels", "mean_grey"]
    assert plain["pixels"].tolist() == [3, 3, 3]
    assert plain["fraction_pct"].sum() == pytest.approx(100)
    assert result.to_frame(PixelSize(2, "nm"))["area_nm2"].tolist() == [12, 12, 12]
    assert result.to_frame(PixelSize(0.5, "µm"))["area_µm2"].tolist() == [0.75] * 3


def test_too_few_grey_levels_are_explained():
    with pytest.raises(UserError, match="same grey level"):
        cluster_gray(np.full((4, 4), 9, np.uint8), 2)
    with pytest.raises(UserError, match=r"only 2 different grey levels.*at most 2"):
        cluster_gray(np.array([[0, 255]], np.uint8), 3)
    with pytest.raises(UserError, match="Every pixel is excluded"):
        cluster_gray(THREE, 2, exclude=np.ones(THREE.shape, bool))
    with pytest.raises(UserError, match="Every pixel is excluded"):
        cluster_gray(np.full((2, 2), np.nan, np.float32), 2)


@pytest.mark.parametrize("k", [-1, 0, 1, 21])
def test_impossible_numbers_of_clusters_are_refused(k):
    with pytest.raises(ValueError, match="from 2 to 20"):
        cluster_gray(THREE, k)


@pytest.mark.parametrize("k", [2.0, "2", True])
def test_a_number_of_clusters_must_be_an_integer(k):
    with pytest.raises(TypeError, match="integer"):
        cluster_gray(THREE, k)


def test_wrong_masks_and_images_are_refused():
    with pytest.raises(ValueError, match=r"bool of shape \(3, 3\)"):
        cluster_gray(THREE, 2, exclude=np.zeros((2, 2), bool))
    with pytest.raises(ValueError, match="bool of shape"):
        cluster_gray(THREE, 2, exclude=np.zeros((3, 3), np.uint8))
    with pytest.raises(ValueError, match=r"\(H, W\)"):
        cluster_gray(np.zeros((2, 2, 3), np.uint8), 2)


def test_result_states_what_does_not_fit():
    good = cluster_gray(THREE, 2)
    parts = {name: getattr(good, name) for name in Clustering.__slots__}
    for change, words in [
        ({"labels": good.labels.astype(np.int32)}, "int16"),
        ({"centers": good.centers[:1]}, r"centers must have shape \(2,\)"),
        ({"centers": good.centers[::-1]}, "ascend"),
        ({"fractions": good.fractions / 2}, "add up to 1"),
        ({"thresholds": good.centers}, "thresholds"),
        ({"included_share": 0.0}, "included_share"),
    ]:
        with pytest.raises(ValueError, match=words):
            Clustering(**(parts | change))


@pytest.mark.parametrize(
    ("dtype", "low", "high", "hot"), [(np.uint16, 200, 3000, 65_535), (np.float32, 0, 1, 50)]
)
def test_hot_pixels_are_no_cluster(dtype, low, high, hot):
    fine = simulate("spheroids", (256, 256), seed=3, depth="16-bit").micrograph.pixels / 65_535
    clean = (low + (high - low) * fine).astype(dtype)
    spoilt = clean.copy()
    spoilt.ravel()[np.random.default_rng(1).permutation(clean.size)[:65]] = hot
    spoilt[0, 0] = hot
    for k in (2, 3):
        wanted, found = cluster_gray(clean, k), cluster_gray(spoilt, k)
        np.testing.assert_allclose(found.fractions, wanted.fractions, atol=0.01)
        np.testing.assert_allclose(found.centers, wanted.centers, rtol=0.01)
        assert found.labels[0, 0] == wanted.labels[0, 0]

"""Clusters and what helps to choose them against scikit-learn and scikit-image."""

import numpy as np
import pytest
from skimage.filters import threshold_multiotsu
from sklearn.cluster import KMeans
from sklearn.metrics import calinski_harabasz_score, silhouette_score
from sklearn.mixture import GaussianMixture

from core.measuring.clustering import choose_k_gray, cluster_features, cluster_gray, feature_maps
from core.measuring.clustering.choice import silhouette
from core.measuring.clustering.mixture import fit_mixture


def mixture(dtype, top, seed):
    rng = np.random.default_rng(seed)
    means = rng.choice([0.2, 0.45, 0.7, 0.85], size=(48, 64))
    noisy = means + rng.normal(0, 0.07, means.shape)
    return (np.clip(noisy, 0, 1) * top).astype(dtype)


@pytest.mark.parametrize("k", [2, 3, 5, 8])
@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 255), (np.uint16, 65_535), (np.float32, 1)])
def test_inertia_is_never_above_ten_starts_of_iterative_k_means(dtype, top, k):
    image = mixture(dtype, top, seed=k)
    values = image.reshape(-1, 1).astype(np.float64)
    theirs = KMeans(k, n_init=10, random_state=0).fit(values)
    ours = cluster_gray(image, k)
    assert ours.inertia <= theirs.inertia_ * (1 + 1e-9)
    assert ours.inertia >= 0.8 * theirs.inertia_  # the same quantity, not another one


def test_separate_groups_give_the_same_partition_as_iterative_k_means():
    image = np.random.default_rng(0).choice([10, 12, 90, 92, 200, 205], (20, 20)).astype(np.uint8)
    theirs = KMeans(3, n_init=10, random_state=0).fit(image.reshape(-1, 1))
    ours = cluster_gray(image, 3)
    np.testing.assert_allclose(ours.centers, np.sort(theirs.cluster_centers_.ravel()))


def test_two_to_five_classes_part_where_multi_otsu_parts_them():
    """Otsu's criterion and k-means' are one: least variance within classes."""
    image = mixture(np.uint8, 255, seed=1)
    for k in (2, 3, 4, 5):
        theirs = threshold_multiotsu(image, k, nbins=256)
        ours = cluster_gray(image, k)
        np.testing.assert_array_equal(ours.labels, np.digitize(image, theirs, right=True))


def test_silhouette_and_variance_ratio_are_scikit_learns():
    random = np.random.default_rng(0)
    rows = np.concatenate([random.normal(m, 1, (150, 3)) for m in (0, 3, 7)]).astype(np.float32)
    labels = KMeans(3, n_init=3, random_state=0).fit_predict(rows)
    assert silhouette(rows.T, labels) == pytest.approx(silhouette_score(rows, labels), abs=1e-6)
    lonely = labels.copy()
    lonely[0] = 3
    assert silhouette(rows.T, lonely) == pytest.approx(silhouette_score(rows, lonely), abs=1e-6)
    image = mixture(np.uint8, 255, seed=2)
    found = choose_k_gray(image).table.set_index("k")
    for k in (2, 4):
        labels = cluster_gray(image, k).labels.ravel()
        theirs = calinski_harabasz_score(image.reshape(-1, 1).astype(float), labels)
        assert found.loc[k, "calinski_harabasz"] == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize("k", [2, 4, 7])
def test_features_have_no_more_inertia_than_iterative_k_means(k):
    image = np.kron(mixture(np.uint8, 255, seed=3), np.ones((2, 2), np.uint8))
    ours = cluster_features(image, k)
    rows = np.stack([m.ravel() for m in feature_maps(image).values()], axis=1).astype(np.float64)
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    theirs = KMeans(k, n_init=10, random_state=0).fit(rows)
    assert ours.inertia <= 1.02 * theirs.inertia_


def test_a_mixture_is_as_likely_as_scikit_learns():
    random = np.random.default_rng(0)
    rows = np.concatenate(
        [random.normal(0, (1, 3), (800, 2)), random.normal((6, 2), (2, 0.5), (800, 2))]
    ).astype(np.float32)
    start = np.array([[0.0, 0.0], [6.0, 2.0]])
    theirs = GaussianMixture(2, means_init=start, random_state=0, tol=1e-5).fit(rows)
    ours = fit_mixture(np.ascontiguousarray(rows.T), start)
    assert ours.log_likelihood == pytest.approx(theirs.score(rows), abs=0.02)
    np.testing.assert_allclose(ours.means, theirs.means_, atol=0.1)

"""Exact clusters against scikit-learn's iterative k-means."""

import numpy as np
import pytest
from sklearn.cluster import KMeans

from core.measuring.clustering import cluster_gray


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

"""Laws of exact grey-level clustering."""

from itertools import combinations

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from core.measuring.clustering import cluster_gray

shapes = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=6)
bytes_ = arrays(np.uint8, shapes, elements=st.integers(0, 255))
words = arrays(np.uint16, shapes, elements=st.integers(0, 65_535))
floats = arrays(np.float32, shapes, elements=st.floats(-1e6, 1e6, width=32))


def least_inertia(values, k):
    """Try every way to cut the sorted values."""
    grey = np.sort(values.astype(np.float64).ravel())
    cuts = np.flatnonzero(np.diff(grey)) + 1
    return min(
        sum(((part - part.mean()) ** 2).sum() for part in np.split(grey, chosen))
        for chosen in combinations(cuts, k - 1)
    )


@settings(deadline=None, max_examples=60)
@given(st.one_of(bytes_, words, floats), st.integers(2, 4))
def test_no_partition_has_less_inertia(image, k):
    assume(np.unique(image).size >= k)
    scatter = ((image - image.astype(np.float64).mean()) ** 2).sum()
    best = least_inertia(image, k)
    assert abs(cluster_gray(image, k).inertia - best) <= 1e-10 * scatter


@settings(deadline=None)
@given(st.one_of(bytes_, words, floats), st.integers(2, 6))
def test_parts_of_the_result_agree(image, k):
    assume(np.unique(image).size >= k)
    result = cluster_gray(image, k)
    grey = image.astype(np.float64)
    np.testing.assert_array_equal(result.labels, (grey[..., None] > result.thresholds).sum(axis=-1))
    means = [grey[result.labels == cluster].mean() for cluster in range(k)]
    np.testing.assert_allclose(result.centers, means, rtol=1e-9, atol=1e-9)
    spread = ((grey - result.centers[result.labels]) ** 2).sum()
    np.testing.assert_allclose(result.inertia, spread, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(
        result.fractions, np.bincount(result.labels.ravel(), minlength=k) / grey.size
    )


@settings(deadline=None)
@given(bytes_, st.integers(2, 5), st.randoms(use_true_random=False))
def test_order_and_repetition_of_pixels_do_not_matter(image, k, random):
    assume(np.unique(image).size >= k)
    order = list(range(image.size))
    random.shuffle(order)
    shuffled = np.tile(image.ravel()[order], (2, 1))
    plain, mixed = cluster_gray(image, k), cluster_gray(shuffled, k)
    np.testing.assert_array_equal(plain.labels.ravel()[order], mixed.labels[0])
    np.testing.assert_array_equal(plain.centers, mixed.centers)


@settings(deadline=None)
@given(bytes_, st.integers(2, 5))
def test_the_depth_of_the_image_does_not_matter(image, k):
    assume(np.unique(image).size >= k)
    plain = cluster_gray(image, k)
    deep = cluster_gray(image.astype(np.uint16) * 257, k)
    np.testing.assert_array_equal(plain.labels, deep.labels)
    np.testing.assert_allclose(plain.centers * 257, deep.centers)


@settings(deadline=None)
@given(bytes_, st.integers(2, 5))
def test_one_more_cluster_never_adds_inertia(image, k):
    assume(np.unique(image).size > k)
    fewer, more = cluster_gray(image, k), cluster_gray(image, k + 1)
    assert more.inertia <= fewer.inertia * (1 + 1e-9) + 1e-9

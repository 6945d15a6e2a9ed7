"""Distances are the same whatever number of threads OpenCV has."""

import cv2
import numpy as np
import pytest

from core.imaging.distances import distance_inside


@pytest.mark.parametrize("shape", [(1, 1), (40, 50), (127, 129), (200, 300)])
def test_one_thread_gives_the_digits_of_several(shape: tuple[int, int]) -> None:
    inside = np.random.default_rng(0).random(shape) > 0.002
    inside[0, 0] = False
    before, found = cv2.getNumThreads(), []
    try:
        for threads in (1, 2, 4):
            cv2.setNumThreads(threads)
            found.append(distance_inside(inside))
    finally:
        cv2.setNumThreads(before)
    assert found[0].dtype == np.float32
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[2], found[1])
    exact = np.sqrt(np.rint(np.square(found[1], dtype=np.float64))).astype(np.float32)
    assert np.array_equal(found[1], exact)

"""Simulated objects have numbers of their own."""

import numpy as np
import pytest

from core.imaging.simulation.samples import KINDS, simulate
from core.imaging.simulation.scene import Scene


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_lie_where_the_mask_does_and_have_no_gaps(kind):
    for seed in range(4):
        simulation = simulate(kind, (160, 200), seed=seed)
        assert simulation.instances.dtype == np.int32
        np.testing.assert_array_equal(simulation.instances > 0, simulation.mask)
        found = np.unique(simulation.instances)
        np.testing.assert_array_equal(found[found > 0], np.arange(1, found.max() + 1))


def test_the_nearer_object_hides_the_farther():
    scene = Scene.empty((4, 6))
    window = (slice(0, 4), slice(0, 4))
    scene.add(window, np.full((4, 4), 5, np.float32), np.ones((4, 4), np.float32), 0.0)
    window = (slice(0, 4), slice(2, 6))
    scene.add(window, np.full((4, 4), 3, np.float32), np.ones((4, 4), np.float32), 0.0)
    assert scene.instances.tolist() == [[1, 1, 1, 1, 2, 2]] * 4

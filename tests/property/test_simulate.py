"""What holds for every simulated micrograph, whatever its kind, shape and seed."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.imaging.simulation.samples import KINDS, simulate

shapes = st.tuples(st.integers(16, 140), st.integers(16, 140))


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(KINDS), shapes, st.integers(0, 2**40), st.booleans())
def test_every_seed_gives_a_valid_picture_with_a_usable_truth(kind, shape, seed, annotations):
    simulation = simulate(kind, shape, seed, annotations=annotations)
    assert simulation.micrograph.pixels.shape == shape
    assert simulation.micrograph.pixels.dtype == np.uint8
    assert 0 < np.count_nonzero(simulation.mask) < simulation.mask.size
    assert simulation.micrograph.pixel_size.to("nm") > 0


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(KINDS), st.integers(0, 2**40))
def test_a_picture_depends_on_its_arguments_alone(kind, seed):
    first, second = (simulate(kind, (48, 64), seed) for _ in range(2))
    assert first.micrograph.key == second.micrograph.key

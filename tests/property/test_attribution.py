"""Laws of attribution."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from core.measuring.attribution import attribution_share, attribution_table

SHAPES = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)


@st.composite
def scenes(draw):
    shape = draw(SHAPES)
    heat = draw(arrays(np.float64, shape, elements=st.floats(0, 1, width=32)))
    labels = draw(arrays(np.int16, shape, elements=st.integers(-1, 3)))
    labels.flat[0] = 0
    return heat, labels


@settings(deadline=None, max_examples=60)
@given(scenes(), st.floats(0.01, 100))
def test_shares_add_up_and_a_brighter_map_changes_nothing(scene, factor):
    heat, labels = scene
    found = attribution_share(heat, labels)
    assert np.isclose(found["area_share"].sum(), 1)
    if heat[labels >= 0].sum() > 1e-30:
        assert np.isclose(found["evidence_share"].sum(), 1)
        known = found.dropna()
        assert np.isclose((known["lift"] * known["area_share"]).sum(), 1)
        again = attribution_share(heat * factor, labels)
        np.testing.assert_allclose(found, again, rtol=1e-6)


@settings(deadline=None, max_examples=40)
@given(scenes())
def test_limits_hold_the_estimate(scene):
    found = attribution_table(*scene, draws=50)
    for name in ("lift", "evidence"):
        middle = found["lift" if name == "lift" else "evidence_share"]
        known = found[f"{name}_low"].notna() & found[f"{name}_high"].notna()
        assert (found[f"{name}_low"][known] <= middle[known] + 1e-9).all()
        assert (found[f"{name}_high"][known] >= middle[known] - 1e-9).all()

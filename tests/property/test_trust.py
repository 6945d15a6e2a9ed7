"""Laws of the trust card's parts."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.learning.trust.agreement import compare_maps
from core.learning.trust.imputation import impute
from core.learning.trust.ranking import rank_map

SHAPES = st.tuples(st.integers(1, 12), st.integers(1, 12))
VALUES = st.floats(-10, 10, width=32)
MAPS = SHAPES.flatmap(lambda shape: arrays(np.float32, shape, elements=VALUES))


@settings(max_examples=40, deadline=None)
@given(MAPS, st.tuples(st.integers(1, 40), st.integers(1, 40)), st.integers(0, 5))
def test_every_place_in_the_order_is_taken_once(raw, size_hw, seed) -> None:
    ranked = rank_map(raw, size_hw, seed)
    places = np.sort(np.rint(ranked.rank.astype(np.float64) * ranked.rank.size).ravel())
    np.testing.assert_array_equal(places, np.arange(ranked.rank.size))
    assert 0 <= ranked.heat.min() <= ranked.heat.max() <= 1
    removed = [int((ranked.rank < share).sum()) for share in (0.1, 0.5, 0.9)]
    wanted = [share * ranked.rank.size for share in (0.1, 0.5, 0.9)]
    np.testing.assert_allclose(removed, wanted, atol=1)


@settings(max_examples=40, deadline=None)
@given(MAPS, st.floats(0.1, 5), st.floats(-3, 3))
def test_scale_and_offset_keep_the_order_of_clear_differences(raw, scale, offset) -> None:
    ranked = rank_map(raw, raw.shape, 0)
    other = rank_map(raw * np.float32(scale) + np.float32(offset), raw.shape, 0)
    hotter = np.subtract.outer(raw.ravel(), raw.ravel()) > 1e-3
    assert ((ranked.rank.ravel()[:, None] < ranked.rank.ravel()) | ~hotter).all()
    assert ((other.rank.ravel()[:, None] < other.rank.ravel()) | ~hotter).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(arrays(np.float32, (5, 6), elements=VALUES), min_size=2, max_size=4))
def test_agreement_is_symmetric_and_within_bounds(maps) -> None:
    matrix = compare_maps({str(n): each for n, each in enumerate(maps)}).spearman
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-12)
    known = matrix[np.isfinite(matrix)]
    assert (np.abs(known) <= 1 + 1e-9).all()
    diagonal = np.diag(matrix)
    np.testing.assert_allclose(diagonal[np.isfinite(diagonal)], 1)


@settings(max_examples=40, deadline=None)
@given(MAPS, st.integers(0, 100))
def test_imputed_values_stay_within_those_seen(raw, seed) -> None:
    rng = np.random.default_rng(seed)
    hidden = rng.random(raw.shape) < 0.5
    filled = impute(raw, hidden, rng, 0.0)
    np.testing.assert_array_equal(filled[~hidden], raw[~hidden])
    if not hidden.all() and hidden.any():
        low, high = raw[~hidden].min(), raw[~hidden].max()
        assert filled[hidden].min() >= low - 0.05
        assert filled[hidden].max() <= high + 0.05

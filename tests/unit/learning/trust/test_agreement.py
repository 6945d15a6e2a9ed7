"""Rank correlations between maps."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from core.learning.trust.agreement import compare_maps, rank_correlation

RNG = np.random.default_rng(0)
MAP = RNG.normal(size=(8, 8))


def test_equals_scipy_with_ties() -> None:
    other = np.round(MAP + RNG.normal(size=(8, 8)))
    expected = spearmanr(MAP.ravel().astype(np.float32), other.ravel()).statistic
    assert rank_correlation(MAP, other) == pytest.approx(expected, abs=1e-9)


def test_scale_and_curvature_do_not_matter_and_the_sign_does() -> None:
    assert rank_correlation(MAP, np.exp(3 * MAP)) == pytest.approx(1)
    assert rank_correlation(MAP, -MAP) == pytest.approx(-1)


def test_a_constant_map_has_no_order() -> None:
    found = compare_maps({"a": MAP, "flat": np.zeros((8, 8)), "b": MAP})
    assert np.isnan(found.spearman[1]).all()
    assert found.spearman[0, 2] == pytest.approx(1)
    assert found.with_method("a") == {"b": pytest.approx(1)}
    assert rank_correlation(MAP, np.zeros((8, 8))) == 0


def test_the_coarser_grid_decides() -> None:
    fine = np.kron(MAP, np.ones((4, 4)))
    assert rank_correlation(MAP, fine) == pytest.approx(1)


def test_maps_that_coincide_confirm_nothing() -> None:
    noisy, other = MAP + RNG.normal(size=(8, 8)), MAP + RNG.normal(size=(8, 8))
    found = compare_maps(
        {"cam": MAP, "grad-cam": 2 * MAP, "x": noisy, "y": 3 * noisy, "z": other, "random": -MAP}
    )
    assert found.coinciding() == (("cam", "grad-cam"), ("x", "y"))
    assert set(found.independent_of("cam")) == {"x", "z"}
    assert set(found.independent_of("y")) == {"cam", "z"}

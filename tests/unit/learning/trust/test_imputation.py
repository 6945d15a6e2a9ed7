"""Filling hidden pixels."""

import numpy as np
import pytest

from core.learning.trust.imputation import impute

RAMP = np.add.outer(np.linspace(-1, 1, 40), np.linspace(0, 2, 50)).astype(np.float32)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_a_plane_is_its_own_weighted_mean() -> None:
    hidden = np.zeros(RAMP.shape, bool)
    hidden[10:30, 15:35] = True
    broken = np.where(hidden, 99, RAMP)
    np.testing.assert_allclose(impute(broken, hidden, rng(), 0.0), RAMP, atol=0.01)


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_a_constant_stays_one_up_to_the_border(share: float) -> None:
    hidden = rng().random((33, 47)) < share
    filled = impute(np.full(hidden.shape, 0.7, np.float32), hidden, rng(), 0.0)
    np.testing.assert_allclose(filled, 0.7, atol=0.01)


def test_what_is_seen_is_left_alone_and_the_input_untouched() -> None:
    hidden = rng().random(RAMP.shape) < 0.5
    before = RAMP.copy()
    filled = impute(RAMP, hidden, rng(), 0.1)
    np.testing.assert_array_equal(filled[~hidden], RAMP[~hidden])
    np.testing.assert_array_equal(RAMP, before)


def test_noise_has_the_stated_spread() -> None:
    hidden = np.zeros((60, 60), bool)
    hidden[1:-1, 1:-1] = True
    noise = impute(np.zeros((60, 60), np.float32), hidden, rng(), 0.2)[hidden]
    assert noise.std() == pytest.approx(0.2, rel=0.05)


def test_nothing_hidden_is_the_identity() -> None:
    hidden = np.zeros(RAMP.shape, bool)
    np.testing.assert_array_equal(impute(RAMP, hidden, rng(), 0.1), RAMP)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (5, 4)])
def test_all_hidden_or_tiny_survives(shape: tuple[int, int]) -> None:
    filled = impute(np.ones(shape, np.float32), np.ones(shape, bool), rng(), 0.01)
    assert filled.shape == shape
    assert np.isfinite(filled).all()

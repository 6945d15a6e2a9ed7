"""Filling hidden pixels."""

import itertools

import cv2
import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg

from core.learning.trust.imputation import NOISE_SD, impute

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


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_the_system_is_solved_to_less_than_the_noise(share: float) -> None:
    """Against a direct solution of the same equations, on smooth areas as maps hide them."""
    draw = np.random.default_rng(0)
    picture = cv2.GaussianBlur(draw.standard_normal((96, 96)).astype(np.float32), (0, 0), 1.5)
    picture = (picture - picture.mean()) / picture.std()
    order = cv2.GaussianBlur(draw.standard_normal((96, 96)).astype(np.float32), (0, 0), 8)
    hidden = order > np.quantile(order, 1 - share)
    found = impute(picture, hidden, draw, 0.0)
    assert np.abs(found - _direct(picture, hidden)).max() < NOISE_SD


def _direct(picture: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    height, width = picture.shape
    number = np.full(picture.shape, -1)
    number[hidden] = np.arange(hidden.sum())
    matrix = scipy.sparse.lil_matrix((hidden.sum(), hidden.sum()))
    known = np.zeros(hidden.sum())
    for row, col in zip(*np.nonzero(hidden), strict=True):
        own = number[row, col]
        for down, right in itertools.product((-1, 0, 1), repeat=2):
            there = row + down, col + right
            if (down, right) == (0, 0) or not (0 <= there[0] < height and 0 <= there[1] < width):
                continue
            weight = 1 / 12 if down and right else 1 / 6
            matrix[own, own] += weight
            if hidden[there]:
                matrix[own, number[there]] -= weight
            else:
                known[own] += weight * picture[there]
    filled = picture.astype(np.float64)
    filled[hidden] = scipy.sparse.linalg.spsolve(matrix.tocsc(), known)
    return filled

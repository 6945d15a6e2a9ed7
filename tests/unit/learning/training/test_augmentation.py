import numpy as np
import pytest

from core.learning.training.augmentation import random_view


@pytest.mark.parametrize("shape", [(384, 384), (90, 200), (32, 32)])
def test_views_are_standardised_squares(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, shape).astype(np.uint8)
    for _ in range(20):
        view = random_view(image, rng, 64)
        assert view.shape == (64, 64)
        assert view.dtype == np.float32
        assert abs(view.mean()) < 0.1
        assert np.abs(view).max() <= 4


def test_the_same_generator_gives_the_same_view() -> None:
    image = np.random.default_rng(0).integers(0, 255, (100, 100)).astype(np.uint8)
    first, second = (random_view(image, np.random.default_rng(5), 48) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_the_picture_is_left_alone() -> None:
    image = np.random.default_rng(0).random((80, 80), dtype=np.float32)
    before = image.copy()
    rng = np.random.default_rng(1)
    for _ in range(20):
        random_view(image, rng, 80)
    np.testing.assert_array_equal(image, before)


def test_constant_picture_gives_finite_views() -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        assert np.isfinite(random_view(np.full((60, 60), 9, np.uint8), rng, 32)).all()


def test_polarity_is_no_cue() -> None:
    """A bright square on dark becomes a dark square on bright about half of the time."""
    image = np.zeros((100, 100), np.uint8)
    image[35:65, 35:65] = 255
    rng = np.random.default_rng(3)
    skews = [(random_view(image, rng, 48) ** 3).mean() for _ in range(200)]
    assert 0.35 < np.mean(np.array(skews) > 0) < 0.65

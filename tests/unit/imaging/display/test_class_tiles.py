import numpy as np
import pytest

from core.imaging.display.class_tiles import STRONGEST, class_colors, draw_class_tiles


def test_opacity_is_the_probability() -> None:
    grey = np.full((4, 6), 100, np.uint8)
    labels = np.zeros((4, 6), np.int64)
    labels[:, 3:] = 1
    sure = np.full((4, 6), 1.0)
    sure[:2] = 0.0
    drawn = draw_class_tiles(grey, labels, sure, 2)
    assert drawn.shape == (4, 6, 3)
    assert (drawn[:2] == 100).all()
    first, second = (np.array(tuple(bytes.fromhex(c[1:]))) for c in class_colors(2))
    np.testing.assert_allclose(drawn[3, 0], 0.25 * 100 + STRONGEST * first, atol=1)
    np.testing.assert_allclose(drawn[3, 5], 0.25 * 100 + STRONGEST * second, atol=1)


def test_tiles_without_an_answer_stay_as_they_are() -> None:
    grey = np.arange(24, dtype=np.uint8).reshape(4, 6)
    drawn = draw_class_tiles(grey, np.full((4, 6), -1), np.zeros((4, 6)), 3)
    np.testing.assert_array_equal(drawn, np.repeat(grey[..., None], 3, axis=2))


@pytest.mark.parametrize("k", [1, 5, 7, 30])
def test_colours_differ(k: int) -> None:
    assert len(set(class_colors(k))) == k

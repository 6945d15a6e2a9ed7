import numpy as np
import pytest

from core.imaging.display import legends


def grey(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), 128, np.uint8)


def test_color_bar_stands_below_the_untouched_picture() -> None:
    barred = legends.add_color_bar(grey(200, 400), ("none", "most"))
    assert barred.shape[1:] == (400, 3)
    assert 200 < barred.shape[0] <= 240
    assert (barred[:200] == 128).all()
    strip = barred[200:].astype(int)
    assert (strip.max(axis=2) - strip.min(axis=2) > 60).any()  # colours
    assert (strip < 60).all(axis=2).any()  # letters


@pytest.mark.parametrize("width", [1, 2, 30])
def test_labels_are_left_out_where_they_do_not_fit(width: int) -> None:
    barred = legends.add_color_bar(grey(40, width), ("no evidence", "strongest"))
    assert barred.shape[1] == width


def test_contour_runs_where_the_heat_reaches_the_level() -> None:
    heat = np.zeros((60, 60))
    heat[20:40, 20:40] = 1
    drawn = legends.draw_contour(grey(60, 60), heat, 0.5)
    changed = (drawn != 128).any(axis=2)
    assert changed[20, 30]
    assert changed[39, 30]
    assert not changed[30, 30]
    assert not changed[5, 5]
    assert (legends.draw_contour(grey(60, 60), np.zeros((60, 60)), 0.5) == 128).all()


def test_what_was_not_seen_is_darker() -> None:
    drawn = legends.outline_box(grey(60, 80), (10, 20, 50, 60))
    assert (drawn[5, 5] == 64).all()
    assert (drawn[30, 40] == 128).all()

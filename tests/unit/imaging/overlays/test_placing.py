"""Our own scale bar covers nothing that the picture says."""

import numpy as np
import pytest

from core.imaging.display import draw_scale_bar
from core.imaging.overlays import clear_place, place_scale_bar
from core.micrograph import PixelSize


def covered(mask, place, size):
    return mask[place[0] : place[0] + size[0], place[1] : place[1] + size[1]].any()


def test_lower_right_corner_of_a_clean_picture():
    assert place_scale_bar(np.zeros((200, 300), bool), (20, 60)) == (176, 236)


def test_above_an_info_bar_and_beside_the_instruments_bar():
    mask = np.zeros((200, 300), bool)
    mask[170:] = True
    mask[140:165, 200:290] = True
    place = place_scale_bar(mask, (20, 60))
    assert not covered(mask, place, (20, 60))
    assert place[0] + 20 <= 170


def test_least_is_covered_where_something_must_be():
    mask = np.ones((100, 100), bool)
    mask[10:20, 10:30] = False
    row, col = place_scale_bar(mask, (20, 40))
    assert row <= 10
    assert row + 20 >= 20
    assert col <= 10
    assert col + 40 >= 30


def test_a_bar_larger_than_the_frame_starts_at_its_corner():
    assert place_scale_bar(np.zeros((10, 10), bool), (20, 40)) == (0, 0)
    with pytest.raises(ValueError, match="above zero"):
        place_scale_bar(np.zeros((10, 10), bool), (0, 4))


def test_own_bar_covers_neither_letters_nor_another_bar_in_a_smaller_picture():
    mask = np.zeros((400, 600), bool)
    mask[360:, :] = True  # an info bar
    mask[300:350, 400:] = True  # letters in the lower right corner
    shown = np.full((200, 300), 90, np.uint8)
    drawn = draw_scale_bar(shown, PixelSize(1, "nm"), 600, clear_place(mask, shown.shape))
    changed = drawn != shown
    assert changed.any()
    assert not (changed & mask[::2, ::2]).any()
    assert (draw_scale_bar(shown, PixelSize(1, "nm"), 600) != shown)[
        180:
    ].any()  # without it, it did

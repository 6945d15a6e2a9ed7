"""Where a scale bar starts and ends."""

import numpy as np
import pytest

from core.imaging.scale.bar import ScaleBar, draw_ends, find_scale_bar
from core.micrograph import Micrograph
from tests.unit.imaging.overlays.test_finding import info_bar, specimen, write


def find(pixels: np.ndarray):
    return find_scale_bar(Micrograph("m", pixels))


@pytest.mark.parametrize("level", [0, 255])
def test_bar_over_the_specimen_is_found_to_the_pixel(level):
    picture = specimen()
    picture[370:376, 350:470] = level
    write(picture, "200 nm", 362, 375, 18, level)
    bar = find(picture)
    assert (bar.left, bar.right) == (350, 470)
    assert 370 <= bar.row < 376


def test_bar_in_an_info_bar_is_found():
    band = info_bar(500, 40)
    band[33:35, 380:460] = 255
    bar = find(np.vstack([specimen(), band]))
    assert (bar.left, bar.right) == (380, 460)
    assert bar.row == 434


def test_bar_in_two_pieces_around_its_label_is_one():
    band = info_bar(900, 40)
    band[:, 600:] = 0
    band[20:22, 620:680] = 255
    band[20:22, 760:820] = 255
    write(band, "2 um", 27, 695, 16, 255)
    bar = find(np.vstack([specimen((400, 900)), band]))
    assert (bar.left, bar.right) == (620, 820)


def test_bar_in_a_large_picture_is_found_to_a_few_pixels():
    picture = np.repeat(np.repeat(specimen((600, 800)), 4, 0), 4, 1)
    picture[2240:2280, 2400:3000] = 255
    bar = find(picture)
    assert bar.left == pytest.approx(2400, abs=4)
    assert bar.right == pytest.approx(3000, abs=4)


def test_clean_or_tiny_pictures_have_none():
    assert find(specimen()) is None
    assert find(np.zeros((20, 20), np.uint8)) is None


def test_ends_are_drawn_with_a_line_left_of_each_end():
    pixels = np.zeros((60, 90), np.uint8)
    pixels[30, 20:70] = 255
    shown = draw_ends(Micrograph("m", pixels), ScaleBar(30, 20, 70))
    left, right = shown[:, :160], shown[:, -160:]
    line = (shown[0, 80] == (240, 148, 90)).all()
    assert line
    middle = shown.shape[0] // 2 + 2
    assert (left[middle, 82:150] == 255).all()
    assert (left[middle, 10:78] == 0).all()
    assert (right[middle, 10:78] == 255).all()
    assert (right[middle, 82:150] == 0).all()


def test_ends_can_be_drawn_at_the_very_edge():
    shown = draw_ends(Micrograph("m", np.ones((5, 6), np.uint8)), ScaleBar(4, 0, 6))
    assert shown.ndim == 3
    assert shown.shape[1] == 330

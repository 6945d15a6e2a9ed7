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


@pytest.mark.parametrize("pad", [4, 12, 20])
@pytest.mark.parametrize("ink", [0, 255])
def test_bar_on_a_plate_is_the_bar_and_not_its_plate(pad, ink):
    picture = specimen()
    picture[330 : 376 + pad, 350 - pad : 470 + pad] = 255 - ink
    picture[370:376, 350:470] = ink
    write(picture, "200 nm", 362, 375, 18, ink)
    bar = find(picture)
    assert (bar.left, bar.right) == (350, 470)


def test_outlined_bar_is_what_the_outline_holds():
    picture = specimen()
    picture[368:380, 346:474] = 0
    picture[372:376, 350:470] = 255
    write(picture, "200 nm", 360, 375, 18, 255)
    bar = find(picture)
    assert (bar.left, bar.right) == (350, 470)


@pytest.mark.parametrize("ink", [0, 255])
def test_eleven_ticks_are_ten_intervals(ink):
    picture = np.full((400, 500), 120, np.uint8)
    picture[:] += np.random.default_rng(0).integers(0, 20, picture.shape, dtype=np.uint8)
    for i in range(11):
        picture[360 : 372 if i in (0, 10) else 368, 300 + 17 * i : 302 + 17 * i] = ink
    bar = find(picture)
    assert bar.right - bar.left == 170
    ten = picture.copy()
    ten[355:375, 295:305] = 130
    assert find(ten) is None


def test_bar_over_the_specimen_comes_before_the_ruler_and_letters():
    picture = specimen()
    picture[370:376, 300:470] = 255
    write(picture, "200 nm", 362, 350, 18, 255)
    band = info_bar(500, 40)
    band[33:35, 380:460] = 255
    bar = find(np.vstack([picture, band]))
    assert (bar.left, bar.right) == (300, 470)


def test_stroke_of_a_letter_is_no_ruler():
    band = info_bar(500, 40)
    band[:, 380:] = 0
    band[6:9, 400:430] = 255
    band[6:36, 413:417] = 255  # a large T
    assert find(np.vstack([specimen(), band])) is None


@pytest.mark.parametrize(
    ("dtype", "hot"), [(np.uint16, 2000), (np.uint16, 65535), (np.float32, 3e3)]
)
def test_hot_and_dead_pixels_hide_no_bar(dtype, hot):
    band = info_bar(500, 40)
    band[33:35, 380:460] = 255
    picture = np.vstack([specimen(), band]).astype(dtype)
    right = find(picture)
    picture[100, 100] = hot
    picture[200, 50:53] = 0
    assert right is not None
    assert find(picture) == right

"""Backgrounds: dark or bright ground."""

import numpy as np

from core.imaging.filtering.operations.background import brighter_ground, rolling_ball


def test_a_ball_above_bright_ground_is_a_ball_below_the_inverted_image():
    rows, cols = np.mgrid[:90, :120]
    dark = (40 + cols / 4 + 120 * (np.hypot(rows % 30 - 15, cols % 30 - 15) < 6)).astype(np.uint8)
    bright = (255 - dark).astype(np.uint8)
    below = rolling_ball(dark, radius_px=20, ground="dark")
    above = rolling_ball(bright, radius_px=20, ground="bright")
    np.testing.assert_allclose(bright.max() - above.astype(int), below, atol=1)
    assert (brighter_ground(dark), brighter_ground(bright)) == (False, True)
    for pixels, wanted in ((dark, below), (bright, above)):
        np.testing.assert_array_equal(rolling_ball(pixels, radius_px=20, ground="auto"), wanted)

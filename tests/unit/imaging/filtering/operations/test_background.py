"""Backgrounds: dark or bright ground."""

import cv2
import numpy as np
import pytest

from core.imaging.filtering import Step, run_step
from core.imaging.filtering.operations.background import pick_ground, rolling_ball
from core.micrograph import Micrograph


def test_a_ball_above_bright_ground_is_a_ball_below_the_inverted_image():
    rows, cols = np.mgrid[:90, :120]
    dark = (40 + cols / 4 + 120 * (np.hypot(rows % 30 - 15, cols % 30 - 15) < 6)).astype(np.uint8)
    bright = (255 - dark).astype(np.uint8)
    below = rolling_ball(dark, radius_px=20, ground="dark")
    above = rolling_ball(bright, radius_px=20, ground="bright")
    np.testing.assert_allclose(bright.max() - above.astype(int), below, atol=1)
    assert (pick_ground(dark), pick_ground(bright)) == ("dark", "bright")
    for pixels, wanted in ((dark, below), (bright, above)):
        np.testing.assert_array_equal(rolling_ball(pixels, radius_px=20, ground="auto"), wanted)


def discs(share=0.15, shape=(300, 400), seed=0):
    """Return where discs lie that do not overlap much."""
    rng = np.random.default_rng(seed)
    found = np.zeros(shape, np.uint8)
    while found.mean() < share:
        centre = rng.integers(0, shape[1]), rng.integers(0, shape[0])
        cv2.circle(found, (int(centre[0]), int(centre[1])), 9, 1, -1)
    return found.astype(bool)


def picture(objects, contrast, tilt=60.0, noise=4.0):
    rows, cols = np.mgrid[: objects.shape[0], : objects.shape[1]] / 400
    grey = 120 + tilt * cols + tilt / 2 * rows + contrast * objects
    return (grey + noise * np.random.default_rng(1).normal(size=objects.shape)).astype(np.float32)


def tilt(pixels, objects):
    """Return how far the mean greys of the ground differ between strips of 20 columns."""
    ground = np.where(objects, np.nan, pixels).reshape(300, 20, 20)
    return np.ptp(np.nanmean(ground, axis=(0, 2)))


@pytest.mark.parametrize("share", [0.03, 0.15, 0.35])
@pytest.mark.parametrize("tilt", [0, 60, 150])
def test_the_ground_is_told_also_where_light_is_uneven(share, tilt):
    objects = discs(share)
    assert pick_ground(picture(objects, 60, tilt)) == "dark"
    assert pick_ground(picture(objects, -60, tilt)) == "bright"
    assert pick_ground(picture(objects, 0, tilt)) == "all"


@pytest.mark.parametrize("contrast", [60, -60])
def test_objects_in_one_corner_do_not_tilt_the_plane(contrast):
    objects = discs(0.3)
    objects[:, :250] = False
    step = Step("subtract_surface", {"degree": 1, "ground": "auto"})
    given = picture(objects, contrast)
    found = run_step(step, Micrograph("x", given)).micrograph
    assert found.pixels.mean() == pytest.approx(given.mean(), abs=0.1)
    plain = run_step(Step("subtract_surface", {"degree": 1}), Micrograph("x", given)).micrograph
    assert tilt(found.pixels, objects) < 5 < 20 < tilt(plain.pixels, objects)  # 60 in the picture
    word = "dark" if contrast > 0 else "bright"
    assert found.metadata["picked"] == [f"subtract_surface: ground {word}"]


@pytest.mark.parametrize("contrast", [60, -60])
def test_a_top_hat_shows_objects_bright_on_either_ground(contrast):
    objects = discs(0.1)
    found = run_step(
        Step("tophat", {"radius_px": 14}), Micrograph("x", picture(objects, contrast))
    ).micrograph.pixels
    assert np.median(found[objects]) > 45
    assert np.median(found[~objects]) < 20


def test_a_choice_is_not_replaced():
    chosen = Step("rolling_ball", {"ground": "dark"})
    after = run_step(chosen, Micrograph("x", picture(discs(), -60))).micrograph
    assert "picked" not in after.metadata

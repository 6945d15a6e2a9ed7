"""The side of a threshold that holds the objects, however much of the frame they cover."""

import cv2
import numpy as np
import pytest

from core.imaging.filtering import Pipeline, Step
from core.measuring.segmentation import are_dark, from_chain
from core.micrograph import Micrograph

EVERYTHING = np.ones((240, 320), bool)


def spheres(step: int, radius: int, shape=(240, 320)) -> np.ndarray:
    """Bright spheres on a lattice of hexagons, dark between them."""
    pixels = np.full(shape, 40, np.uint8)
    for row, y in enumerate(range(step // 2, shape[0] + step, round(step * 0.87))):
        for x in range(step // 2 + (row % 2) * step // 2, shape[1] + step, step):
            cv2.circle(pixels, (x, y), radius, 200, cv2.FILLED)
    return pixels


@pytest.mark.parametrize(("step", "radius"), [(40, 18), (60, 28), (120, 30), (48, 8)])
@pytest.mark.parametrize("inverted", [False, True])
def test_spheres_are_the_objects_even_where_they_cover_most_of_the_frame(step, radius, inverted):
    pixels = spheres(step, radius)
    pixels = 240 - pixels if inverted else pixels
    bright = pixels > 120
    assert are_dark(bright, EVERYTHING, pixels) == inverted
    found = from_chain(Micrograph("spheres", pixels), Pipeline([Step("otsu")]))
    assert found.mask(1)[step // 2, step // 2]
    if (step, radius) == (40, 18):
        assert found.fraction().estimate > 0.6


def test_shapeless_sides_go_by_the_edge_and_empty_ones_are_bright():
    bands = np.zeros((240, 320), bool)
    bands[100:140] = True
    assert not are_dark(bands, EVERYTHING, np.where(bands, 200, 40).astype(np.uint8))
    assert are_dark(~bands, EVERYTHING, np.where(bands, 40, 200).astype(np.uint8))
    for whole in (np.ones_like(bands), np.zeros_like(bands)):
        assert not are_dark(whole, EVERYTHING, whole.astype(np.uint8))
    assert not are_dark(bands, np.zeros_like(bands), bands.astype(np.uint8))


def test_floats_with_gaps_have_a_side():
    pixels = spheres(40, 18).astype(np.float32)
    pixels[:5] = np.nan
    assert not are_dark(pixels > 120, np.isfinite(pixels), pixels)

"""Pictures for the screen, and what is said of a micrograph before it is looked at."""

import io

import numpy as np
import pytest
from PIL import Image

from core.micrograph import Micrograph, PixelSize
from core.ui import cache


def size_of(png: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(png)).size


def test_tiny_picture_is_enlarged_by_whole_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (68, 40), dtype=np.uint8)
    micrograph = Micrograph("tiny", pixels)
    shown = np.asarray(Image.open(io.BytesIO(cache.micrograph_png(micrograph))).convert("L"))
    assert shown.shape == (68 * 8, 40 * 8)
    assert np.array_equal(shown[::8, ::8], shown[7::8, 7::8])
    assert size_of(cache.micrograph_png(micrograph, full=True)) == (40, 68)


def test_all_pictures_of_a_tiny_micrograph_have_one_size():
    pixels = np.random.default_rng(1).integers(0, 256, (64, 48), dtype=np.uint8)
    micrograph = Micrograph("tiny", pixels, PixelSize(2.0, "nm"))
    sizes = {
        size_of(cache.micrograph_png(micrograph)),
        size_of(cache.clusters_png(micrograph, cache.ClusterChoice(3))),
    }
    assert sizes == {(48 * 8, 64 * 8)}


@pytest.mark.parametrize(
    ("pixels", "blank"),
    [
        (np.full((9, 9), 7, np.uint8), True),
        (np.full((9, 9), np.nan, np.float32), True),
        (np.array([[1.0, np.nan]], np.float32), True),
        (np.array([[1, 2]], np.uint16), False),
    ],
)
def test_blank_means_one_grey_level(pixels, blank):
    assert cache.is_blank(Micrograph("m", pixels), False) is blank

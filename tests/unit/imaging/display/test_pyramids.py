import zlib

import numpy as np
import pytest

from core.imaging.display import build_layer, build_pyramid
from core.imaging.display.pyramids import TILE_PX, Pyramid


def put_together(pyramid: Pyramid, level: int, dtype: np.dtype) -> np.ndarray:
    """A level from its tiles, read as the viewer reads them."""
    start = sum(-(-rows // TILE_PX) * -(-cols // TILE_PX) for rows, cols in pyramid.shapes[:level])
    rows, cols = pyramid.shapes[level]
    whole = np.zeros((rows, cols), dtype)
    for number, top in enumerate(range(0, rows, TILE_PX)):
        for place, left in enumerate(range(0, cols, TILE_PX)):
            index = start + number * -(-cols // TILE_PX) + place
            data = pyramid.data[pyramid.offsets[index] : pyramid.offsets[index + 1]]
            data = zlib.decompress(data) if pyramid.deflated else data
            box = whole[top : top + TILE_PX, left : left + TILE_PX]
            box[:] = np.frombuffer(data, dtype).reshape(box.shape)
    return whole


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_the_finest_level_is_the_picture_itself(dtype):
    pixels = (np.random.default_rng(0).random((700, 1301)) * 250).astype(dtype)
    pyramid = build_pyramid(pixels)
    np.testing.assert_array_equal(put_together(pyramid, 0, pixels.dtype), pixels)
    assert pyramid.shapes == ((700, 1301), (350, 651), (175, 326))
    assert pyramid.offsets[-1] == len(pyramid.data)


def test_coarse_levels_keep_the_mean():
    pixels = np.random.default_rng(0).integers(0, 60000, (1024, 1024), np.uint16)
    pyramid = build_pyramid(pixels)
    blocks = pixels.reshape(512, 2, 512, 2).mean(axis=(1, 3))
    assert np.abs(put_together(pyramid, 1, pixels.dtype) - blocks).max() <= 0.5


def test_a_small_picture_is_one_tile():
    pyramid = build_pyramid(np.zeros((3, 5), np.uint8))
    assert pyramid.shapes == ((3, 5),)
    assert pyramid.offsets == (0, 15)


def test_labels_are_never_averaged():
    labels = np.random.default_rng(0).choice(np.array([0, 7, 200], np.uint8), (1100, 900))
    pyramid = build_layer(labels, smooth=False)
    np.testing.assert_array_equal(put_together(pyramid, 0, labels.dtype), labels)
    for level in (1, 2):
        assert set(np.unique(put_together(pyramid, level, labels.dtype))) <= {0, 7, 200}
    assert pyramid.deflated


def test_colours_have_three_bytes():
    assert build_pyramid(np.zeros((4, 4, 3), np.uint8)).dtype == "rgb"

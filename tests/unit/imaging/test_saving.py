import io

import numpy as np
import pytest
import tifffile

from core.imaging.reading import read_micrograph
from core.imaging.saving import save_npy_bytes, save_png_bytes, save_tiff_bytes
from core.micrograph import Micrograph, PixelSize


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_pixels_and_depth_come_back(dtype):
    pixels = np.arange(35).reshape(5, 7).astype(dtype) * 7
    again = read_micrograph(save_tiff_bytes(Micrograph("m", pixels)), "m.tif")
    assert again.pixels.dtype == dtype
    assert np.array_equal(again.pixels, pixels)
    assert again.pixel_size is None


@pytest.mark.parametrize("size", [PixelSize(0.137, "nm"), PixelSize(2.5, "µm"), PixelSize(1, "Å")])
def test_pixel_size_comes_back(size):
    micrograph = Micrograph("m", np.zeros((4, 6), np.uint16), size)
    again = read_micrograph(save_tiff_bytes(micrograph), "m.tif")
    assert again.pixel_size is not None
    # TIFF stores the scale as a ratio of two 32-bit integers
    assert again.pixel_size.to("nm") == pytest.approx(size.to("nm"), rel=1e-6)


def test_missing_values_stay_missing():
    pixels = np.array([[1.5, np.nan]], np.float32)
    stored = tifffile.imread(io.BytesIO(save_tiff_bytes(Micrograph("m", pixels))))
    assert np.array_equal(stored.ravel(), pixels.ravel(), equal_nan=True)


def test_numpy_file_holds_the_array():
    array = np.array([[-1.25, 3]], np.float32)
    again = np.load(io.BytesIO(save_npy_bytes(array)), allow_pickle=False)
    assert again.dtype == np.float32
    assert np.array_equal(again, array)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_keeps_every_level(dtype):
    pixels = (np.arange(35).reshape(5, 7) * 7).astype(dtype)
    again = read_micrograph(save_png_bytes(Micrograph("m", pixels)), "m.png")
    assert again.pixels.dtype == dtype
    assert np.array_equal(again.pixels, pixels)


def test_png_of_floats_is_stretched_to_eight_bits():
    pixels = np.linspace(-3, 9, 48, dtype=np.float32).reshape(6, 8)
    again = read_micrograph(save_png_bytes(Micrograph("m", pixels)), "m.png")
    assert again.pixels.dtype == np.uint8
    assert (again.pixels.min(), again.pixels.max()) == (0, 255)

import io

import numpy as np
import pytest
import tifffile
from PIL import Image

from core.imaging.display.saving import (
    file_stem,
    save_labels_bytes,
    save_mask_bytes,
    save_npy_bytes,
    save_palette_bytes,
    save_png_bytes,
    save_tiff_bytes,
)
from core.imaging.reading.opening import read_micrograph
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


LABELS = np.array([[0, 0, 3], [1, 2, 2]])


def test_labels_come_back_as_imagej_reads_them():
    data = save_labels_bytes(LABELS, PixelSize(2.5, "nm"))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        assert file.is_imagej
        assert file.imagej_metadata["unit"] == "nm"
        assert file.imagej_metadata["max"] == 3
        above, below = file.pages[0].tags["XResolution"].value
        assert above / below == pytest.approx(0.4)
        stored = file.asarray()
    assert stored.dtype == np.uint16
    assert np.array_equal(stored, LABELS)
    again = read_micrograph(data, "labels.tif")
    assert again.pixel_size is not None
    assert again.pixel_size.to("nm") == pytest.approx(2.5)
    assert read_micrograph(save_labels_bytes(LABELS), "labels.tif").pixel_size is None


def test_more_labels_than_sixteen_bits_hold_are_kept():
    many = np.arange(70_000).reshape(200, 350)
    assert np.array_equal(tifffile.imread(io.BytesIO(save_labels_bytes(many))), many)
    assert tifffile.imread(io.BytesIO(save_labels_bytes(LABELS * 0))).max() == 0


def test_masks_are_white_on_black():
    shown = np.asarray(Image.open(io.BytesIO(save_mask_bytes(LABELS > 0))))
    assert shown.tolist() == [[0, 0, 255], [255, 255, 255]]


def test_a_palette_picture_holds_numbers_and_colours():
    picture = Image.open(io.BytesIO(save_palette_bytes(LABELS - 1, 3)))
    assert picture.mode == "P"
    assert np.asarray(picture).tolist() == [[255, 255, 2], [0, 1, 1]]
    colours = np.asarray(picture.convert("RGB"))
    assert colours[0, 0].tolist() == [128, 128, 128]
    assert len(np.unique(colours.reshape(-1, 3), axis=0)) == 4


def test_what_is_no_label_image_is_refused():
    with pytest.raises(ValueError, match="from 0"):
        save_labels_bytes(LABELS - 1)
    with pytest.raises(ValueError, match="from -1 to 1"):
        save_palette_bytes(LABELS, 2)
    with pytest.raises(ValueError, match="bool"):
        save_mask_bytes(LABELS)


@pytest.mark.parametrize(
    ("name", "stem", "plain"),
    [
        ("grid 3.tif", "grid_3", "grid-3"),
        ("../../etc/passwd", "etc_passwd", "etc-passwd"),
        ("Grün 3.png", "Grün_3", "Grun-3"),
        ("显微.tif", "显微", "micrograph"),
        ("….", "micrograph", "micrograph"),
        ("", "micrograph", "micrograph"),
        ("x" * 200 + ".png", "x" * 60, "x" * 60),
    ],
)
def test_a_stem_can_be_a_file_name_anywhere(name, stem, plain):
    assert file_stem(name) == stem
    assert file_stem(name, joint="-", ascii_only=True) == plain

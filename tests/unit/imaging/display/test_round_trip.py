"""What is saved as TIFF is read back: by our reader and by tifffile, pixels and pixel size."""

import io

import numpy as np
import pytest
import tifffile

from core.imaging.display.saving import save_tiff_bytes
from core.imaging.reading.opening import read_micrograph
from core.micrograph import Micrograph, PixelSize

LEVELS = np.random.default_rng(2).integers(0, 65_536, (17, 23))
PIXELS = {
    "uint8": (LEVELS >> 8).astype(np.uint8),
    "uint16": LEVELS.astype(np.uint16),
    "float32": (LEVELS / 7 - 1000).astype(np.float32),
}
SIZES = [None, *(PixelSize(v, u) for v, u in ((0.0081, "nm"), (3.85417, "nm"), (0.5, "µm")))]


@pytest.mark.parametrize("depth", PIXELS)
@pytest.mark.parametrize("size", [*SIZES, PixelSize(263.97, "µm"), PixelSize(8.2, "pm")], ids=str)
def test_saved_tiff_reads_back_the_same(depth: str, size: PixelSize | None) -> None:
    micrograph = Micrograph("m", PIXELS[depth], size)
    data = save_tiff_bytes(micrograph)
    again = read_micrograph(data)
    assert again.pixels.dtype == depth
    assert np.array_equal(again.pixels, micrograph.pixels)
    if size is None:
        assert again.pixel_size is None
    else:
        assert again.pixel_size is not None
        assert again.pixel_size.to("nm") == pytest.approx(size.to("nm"), rel=1e-6)


@pytest.mark.parametrize("depth", PIXELS)
def test_other_programs_find_pixels_unit_and_resolution(depth: str) -> None:
    data = save_tiff_bytes(Micrograph("m", PIXELS[depth], PixelSize(4, "nm")))
    with tifffile.TiffFile(io.BytesIO(data)) as tif:
        assert np.array_equal(tif.asarray(), PIXELS[depth])
        assert tif.is_imagej
        assert (tif.imagej_metadata or {})["unit"] == "nm"
        numerator, denominator = tif.pages.first.tags["XResolution"].value
        assert numerator / denominator == pytest.approx(0.25)

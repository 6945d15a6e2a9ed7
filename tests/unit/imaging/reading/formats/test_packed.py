"""Pictures in packings whose decoders run in the bounded process; turned ones; two detectors."""

import io

import numpy as np
import pytest
import tifffile
from PIL import Image

from core.errors import UnreadableMicrograph
from core.imaging.reading.frame import upright
from core.imaging.reading.opening import frame_labels, read_micrograph

GREY = np.random.default_rng(2).integers(0, 60_000, (32, 48)).astype(np.uint16)
codecs = pytest.importorskip("imagecodecs")


def tiff(values: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, values, **options)
    return stream.getvalue()


@pytest.mark.parametrize("compression", ["zstd", "lzma", "lerc", "jpeg2000"])
def test_tiffs_in_rare_packings_are_read_as_stored(compression: str) -> None:
    options = {"compressionargs": {"reversible": True}} if compression == "jpeg2000" else {}
    found = read_micrograph(tiff(GREY, compression=compression, **options))
    assert np.array_equal(found.pixels, GREY)


@pytest.mark.parametrize("codec", ["jp2", "j2k"])
def test_jpeg_2000_is_read_as_stored(codec: str) -> None:
    data = codecs.jpeg2k_encode(GREY, reversible=True, codecformat=codec)
    found = read_micrograph(bytes(data))
    assert np.array_equal(found.pixels, GREY)
    assert found.metadata["format"] == "JPEG 2000"
    assert found.pixel_size is None
    with pytest.raises(UnreadableMicrograph):
        read_micrograph(bytes(data)[:200])


def test_a_page_that_holds_more_than_it_announces_is_refused() -> None:
    data = bytearray(tiff(GREY, compression="jpeg2000"))
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as tif:
        at = tif.pages.first.tags["ImageWidth"].valueoffset
    data[at : at + 2] = (20).to_bytes(2, "little")
    with pytest.raises(UnreadableMicrograph):
        read_micrograph(bytes(data))


def test_the_first_frame_of_a_gif_is_read() -> None:
    frames = [Image.fromarray(np.full((4, 6), level, np.uint8)) for level in (90, 200)]
    stream = io.BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:])
    found = read_micrograph(stream.getvalue())
    assert np.all(found.pixels == 90)
    assert "first of several frames" in found.metadata["conversion"]


EIGHT = {  # what becomes of [[1, 2], [3, 4]], as TIFF 6.0 defines where row 0 and column 0 lie
    1: [[1, 2], [3, 4]],
    2: [[2, 1], [4, 3]],
    3: [[4, 3], [2, 1]],
    4: [[3, 4], [1, 2]],
    5: [[1, 3], [2, 4]],
    6: [[3, 1], [4, 2]],
    7: [[4, 2], [3, 1]],
    8: [[2, 4], [1, 3]],
}


@pytest.mark.parametrize("orientation", EIGHT)
def test_orientation_is_applied_and_said(orientation: int) -> None:
    values = np.array([[1, 2], [3, 4]], np.uint8)
    turned, notes = upright(values, orientation)
    assert turned.tolist() == EIGHT[orientation]
    assert bool(notes) == (orientation != 1)
    in_tiff = read_micrograph(tiff(values, extratags=[(274, 3, 1, orientation, True)]))
    assert in_tiff.pixels.tolist() == EIGHT[orientation]
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(values).save(stream, "PNG", exif=exif)
    in_png = read_micrograph(stream.getvalue())
    assert in_png.pixels.tolist() == EIGHT[orientation]
    assert ("orientation tag" in in_png.metadata.get("conversion", "")) == (orientation != 1)


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_two_detectors_are_two_frames(planar: str) -> None:
    both = np.stack([GREY, GREY[::-1]])
    values = both if planar == "separate" else np.moveaxis(both, 0, -1)
    data = tiff(values, planarconfig=planar, photometric="minisblack", extrasamples=[0])
    assert frame_labels(data) == ["page 1, detector 1", "page 1, detector 2"]
    assert np.array_equal(read_micrograph(data, frame=0).pixels, GREY)
    assert np.array_equal(read_micrograph(data, frame=1).pixels, GREY[::-1])


def test_stated_transparency_is_left_out() -> None:
    values = np.stack([GREY, GREY], axis=-1)
    data = tiff(values, planarconfig="contig", photometric="minisblack", extrasamples=[2])
    assert len(frame_labels(data)) == 1
    assert "transparency" in read_micrograph(data).metadata["conversion"]


def test_channels_of_imagej_keep_their_names() -> None:
    metadata = {"axes": "CYX", "Labels": ["SE", "BSE"], "mode": "composite"}
    data = tiff(np.stack([GREY, GREY]), imagej=True, metadata=metadata)
    assert frame_labels(data) == ["SE", "BSE"]


def test_floats_with_an_inverted_table_are_as_stored() -> None:
    values = GREY.astype(np.float32) / 7
    data = tiff(
        values, photometric="miniswhite", description="ImageJ=1.53t\nunit=nm\n", metadata=None
    )
    found = read_micrograph(data)
    assert np.array_equal(found.pixels, values)
    assert "for the screen" in found.metadata["conversion"]

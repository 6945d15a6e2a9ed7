"""Every format, every depth, every way in which a file can be bad."""

import contextlib
import hashlib
import io
import json
import struct
import time
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from core.errors import UnreadableMicrograph
from core.imaging.reading import limits
from core.imaging.reading.opening import frame_labels, read_micrograph

GREY8 = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
GREY16 = np.arange(12, dtype=np.uint16).reshape(3, 4) * 5000 + 7
COLOR8 = np.stack([GREY8, GREY8 // 2, 255 - GREY8], axis=2)


def pil_bytes(values: np.ndarray, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, kind, **options)
    return stream.getvalue()


def tiff_bytes(values: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, values, **options)
    return stream.getvalue()


def png_16_bit(values: np.ndarray) -> bytes:
    """Encode (H, W, C) uint16 by hand: Pillow writes no 16-bit colour."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    height, width, channels = values.shape
    kind = {2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def png_header(width: int, height: int) -> bytes:
    body = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", body), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in chunks
    )


def luminance(color: np.ndarray) -> np.ndarray:
    return color[..., :3] @ np.array([0.299, 0.587, 0.114])


# --- depths and formats -----------------------------------------------------------------------


@pytest.mark.parametrize("values", [GREY8, GREY16], ids=["8-bit", "16-bit"])
@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_grey_levels_come_back_as_stored(kind: str, values: np.ndarray) -> None:
    data = pil_bytes(values, "PNG") if kind == "png" else tiff_bytes(values)
    micrograph = read_micrograph(data)
    assert micrograph.pixels.dtype == values.dtype
    assert np.array_equal(micrograph.pixels, values)
    assert "conversion" not in micrograph.metadata


def test_bmp_comes_back_as_stored() -> None:
    assert np.array_equal(read_micrograph(pil_bytes(GREY8, "BMP")).pixels, GREY8)


def test_jpeg_comes_back_as_pillow_decodes_it() -> None:
    values = np.full((16, 16), 130, np.uint8)
    assert np.array_equal(read_micrograph(pil_bytes(values, "JPEG")).pixels, values)


def test_one_bit_becomes_black_and_white() -> None:
    mask = np.array([[True, False], [False, True]])
    for data in (
        pil_bytes(mask, "PNG"),
        tiff_bytes(mask, photometric="minisblack"),
        pil_bytes(mask, "BMP"),
    ):
        assert read_micrograph(data).pixels.tolist() == [[255, 0], [0, 255]]


def test_palette_becomes_its_colors() -> None:
    picture = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
    picture.putpalette([10, 10, 10, 200, 200, 200])
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    assert read_micrograph(stream.getvalue()).pixels.tolist() == [[10, 200]]


def test_transparent_palette_gives_no_warning() -> None:
    picture = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
    picture.putpalette([10, 10, 10, 200, 200, 200])
    stream = io.BytesIO()
    picture.save(stream, "PNG", transparency=bytes([0, 128]))
    assert read_micrograph(stream.getvalue()).pixels.tolist() == [[10, 200]]


@pytest.mark.parametrize("alpha", [False, True])
def test_equal_channels_give_that_channel(alpha: bool) -> None:
    channels = [GREY8] * 3 + ([GREY8 // 3] if alpha else [])
    for encode in (lambda v: pil_bytes(v, "PNG"), lambda v: tiff_bytes(v, photometric="rgb")):
        micrograph = read_micrograph(encode(np.stack(channels, axis=2)))
        assert np.array_equal(micrograph.pixels, GREY8)
        assert "luminance" not in micrograph.metadata.get("conversion", "")


@pytest.mark.parametrize("kind", ["png", "tiff", "bmp", "planar tiff"])
def test_color_becomes_luminance_and_says_so(kind: str) -> None:
    data = {
        "png": lambda: pil_bytes(COLOR8, "PNG"),
        "bmp": lambda: pil_bytes(COLOR8, "BMP"),
        "tiff": lambda: tiff_bytes(COLOR8, photometric="rgb"),
        "planar tiff": lambda: tiff_bytes(
            np.moveaxis(COLOR8, 2, 0), photometric="rgb", planarconfig="separate"
        ),
    }[kind]()
    micrograph = read_micrograph(data)
    assert micrograph.pixels.dtype == np.uint8
    assert np.abs(micrograph.pixels - luminance(COLOR8)).max() <= 0.51
    assert "ITU-R BT.601" in micrograph.metadata["conversion"]


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_sixteen_bit_png_keeps_its_lower_bits_in_every_channel(channels: int) -> None:
    values = np.repeat(GREY16[..., None], channels, axis=2)
    micrograph = read_micrograph(png_16_bit(values))
    assert micrograph.pixels.dtype == np.uint16
    assert np.array_equal(micrograph.pixels, GREY16)


def test_sixteen_bit_color_png_keeps_the_order_of_channels() -> None:
    color = np.zeros((2, 2, 3), np.uint16)
    color[..., 0] = 50_000  # red alone: 0.299
    assert int(read_micrograph(png_16_bit(color)).pixels[0, 0]) == pytest.approx(14_950, abs=1)


def test_cmyk_jpeg_is_read() -> None:
    stream = io.BytesIO()
    Image.new("CMYK", (8, 8), (0, 0, 0, 255)).save(stream, "JPEG")
    assert read_micrograph(stream.getvalue()).pixels.max() <= 3


@pytest.mark.parametrize("compression", ["lzw", "deflate", "packbits", None])
@pytest.mark.parametrize("values", [GREY8, GREY16, GREY16.astype(np.float32)])
def test_compressed_tiff_is_read(values: np.ndarray, compression: str | None) -> None:
    micrograph = read_micrograph(tiff_bytes(values, compression=compression))
    assert micrograph.pixels.dtype == values.dtype
    assert np.array_equal(micrograph.pixels, values)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("bigtiff", [False, True])
def test_tiff_of_either_byte_order_and_size_is_read(byteorder: str, bigtiff: bool) -> None:
    data = tiff_bytes(GREY16, byteorder=byteorder, bigtiff=bigtiff)
    assert np.array_equal(read_micrograph(data).pixels, GREY16)


def test_tiled_tiff_is_read() -> None:
    values = np.arange(40 * 50, dtype=np.uint16).reshape(40, 50)
    assert np.array_equal(read_micrograph(tiff_bytes(values, tile=(16, 16))).pixels, values)


def test_white_is_zero_is_turned_round() -> None:
    micrograph = read_micrograph(tiff_bytes(255 - GREY8, photometric="miniswhite"))
    assert np.array_equal(micrograph.pixels, GREY8)
    assert "inverted" in micrograph.metadata["conversion"]


def test_tiff_palette_becomes_its_colors() -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint16)[::-1][None] * 257, 3, axis=0)
    data = tiff_bytes(GREY8, photometric="palette", colormap=ramp)
    micrograph = read_micrograph(data)
    assert micrograph.pixels.dtype == np.uint8
    assert np.array_equal(micrograph.pixels, 255 - GREY8)


@pytest.mark.parametrize(
    ("dtype", "note"),
    [
        ("int8", "int8 to 32-bit float, exact"),
        ("int16", "int16 to 32-bit float, exact"),
        ("int32", "int32 to 32-bit float, exact"),
        ("uint32", "uint32 to 32-bit float, exact"),
        ("float16", "float16 to 32-bit float, exact"),
        ("float64", "float64 to 32-bit float, rounded"),
    ],
)
def test_other_numbers_become_floats_and_say_so(dtype: str, note: str) -> None:
    values = np.array([[0, 1], [2, 100]], dtype)
    micrograph = read_micrograph(tiff_bytes(values))
    assert micrograph.pixels.dtype == np.float32
    assert micrograph.pixels.tolist() == values.tolist()
    assert micrograph.metadata["conversion"] == note


def test_negative_levels_survive() -> None:
    values = np.array([[-32_768, -1], [0, 32_767]], np.int16)
    assert read_micrograph(tiff_bytes(values)).pixels.tolist() == values.tolist()


def test_doubles_on_an_offset_say_that_their_steps_are_lost() -> None:
    values = 1e9 + np.arange(64.0).reshape(8, 8) % 4
    said = read_micrograph(tiff_bytes(values)).metadata["conversion"]
    assert said.endswith(
        "rounded to steps of 64, coarse for a range of 3: subtract the offset of the values before "
        "export"
    )


def test_large_integers_say_that_they_were_rounded() -> None:
    values = np.array([[2**24 + 1, 0]], np.uint32)
    assert read_micrograph(tiff_bytes(values)).metadata["conversion"].endswith("rounded")


def test_doubles_beyond_float32_become_nan_without_a_warning() -> None:
    pixels = read_micrograph(tiff_bytes(np.array([[1e300, 1.0]]))).pixels
    assert np.isnan(pixels[0, 0])
    assert pixels[0, 1] == 1


def test_infinities_become_nan_and_nan_stays() -> None:
    values = np.array([[np.inf, -np.inf, np.nan, 2.5]], np.float32)
    micrograph = read_micrograph(tiff_bytes(values))
    assert np.isnan(micrograph.pixels).tolist() == [[True, True, True, False]]
    assert micrograph.metadata["conversion"] == "2 infinite pixels as NaN"


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1)])
def test_smallest_pictures_are_what_they_are(shape: tuple[int, int]) -> None:
    values = np.full(shape, 77, np.uint8)
    for data in (pil_bytes(values, "PNG"), tiff_bytes(values, photometric="minisblack")):
        assert np.array_equal(read_micrograph(data).pixels, values)


# --- frames, names, digests -------------------------------------------------------------------


def test_frames_of_a_stack_are_counted_and_read() -> None:
    stack = np.arange(3 * 20, dtype=np.uint16).reshape(3, 4, 5)
    for data in (
        tiff_bytes(stack, photometric="minisblack"),
        tiff_bytes(stack, imagej=True),
        tiff_bytes(stack, imagej=True, byteorder=">", compression=None),
    ):
        assert len(frame_labels(data)) == 3
        micrograph = read_micrograph(data, frame=2)
        assert np.array_equal(micrograph.pixels, stack[2])
        assert (micrograph.metadata["frames"], micrograph.metadata["frame"]) == (3, 2)


def test_planes_behind_one_page_are_read() -> None:
    stack = np.arange(3 * 20, dtype=np.uint16).reshape(3, 4, 5)
    data = tiff_bytes(stack, imagej=True)
    with tifffile.TiffFile(io.BytesIO(data)) as tif:  # large ImageJ stacks have one page only
        end = tif.pages[0].offset + 2 + 12 * len(tif.pages[0].tags)
    cut = data[:end] + b"\0\0\0\0" + data[end + 4 :]
    assert len(frame_labels(cut)) == 3
    assert np.array_equal(read_micrograph(cut, frame=1).pixels, stack[1])


def test_reduced_copies_are_no_frames() -> None:
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        writer.write(GREY8)
        writer.write(GREY8[::2, ::2], subfiletype=1)
    assert len(frame_labels(stream.getvalue())) == 1


def test_missing_frame_says_how_many_there_are() -> None:
    with pytest.raises(UnreadableMicrograph, match="no frame 4; it holds 1"):
        read_micrograph(tiff_bytes(GREY8), frame=4)


def test_negative_frame_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="counted from 0"):
        read_micrograph(tiff_bytes(GREY8), frame=-1)


def test_single_pictures_have_one_frame() -> None:
    assert len(frame_labels(pil_bytes(GREY8, "PNG"))) == 1


def test_digest_is_that_of_the_bytes_and_of_the_frame() -> None:
    data = tiff_bytes(np.zeros((2, 4, 4), np.uint8), photometric="minisblack")
    assert read_micrograph(data).sha256 == hashlib.sha256(data).hexdigest()
    assert read_micrograph(data, frame=1).sha256 == hashlib.sha256(data + b"#1").hexdigest()


def test_name_is_given_or_the_file_name(tmp_path: Path) -> None:
    path = tmp_path / "steel 01.png"
    path.write_bytes(pil_bytes(GREY8, "PNG"))
    assert read_micrograph(path).name == "steel 01.png"
    assert read_micrograph(path, "other").name == "other"
    assert read_micrograph(path.read_bytes()).name == "micrograph"


def test_content_decides_not_the_extension(tmp_path: Path) -> None:
    path = tmp_path / "really_a_png.tif"
    path.write_bytes(pil_bytes(GREY8, "PNG"))
    assert read_micrograph(path).metadata["format"] == "PNG"


def test_metadata_holds_plain_values() -> None:
    metadata = read_micrograph(tiff_bytes(GREY16)).metadata
    assert json.loads(json.dumps(dict(metadata))) == metadata
    assert metadata == {"format": "TIFF", "bit_depth": "16-bit grey"}


# --- scale ------------------------------------------------------------------------------------


def test_imagej_scale_is_read() -> None:
    data = tiff_bytes(GREY8, imagej=True, resolution=(4, 4), metadata={"unit": "nm"})
    pixel_size = read_micrograph(data).pixel_size
    assert pixel_size is not None
    assert pixel_size.to("nm") == pytest.approx(0.25)


@pytest.mark.parametrize("unit", ["um", "micron", "\\u00B5m", "µm"])
def test_imagej_micrometres_are_read_however_they_are_written(unit: str) -> None:
    data = tiff_bytes(
        GREY8, resolution=(2, 2), description=f"ImageJ=1.54f\nunit={unit}\n".encode("latin-1")
    )
    pixel_size = read_micrograph(data).pixel_size
    assert pixel_size is not None
    assert pixel_size.to("µm") == pytest.approx(0.5)


@pytest.mark.parametrize("unit", ["pixel", "inch", "cm", "1/nm", "", "eV"])
def test_imagej_units_that_say_nothing_of_the_specimen_give_no_scale(unit: str) -> None:
    data = tiff_bytes(GREY8, imagej=True, resolution=(300, 300), metadata={"unit": unit})
    assert read_micrograph(data).pixel_size is None


@pytest.mark.parametrize("unit", ["INCH", "CENTIMETER"])
def test_print_resolution_is_no_pixel_size(unit: str) -> None:
    data = tiff_bytes(GREY8, resolution=(300, 300), resolutionunit=unit)
    assert read_micrograph(data).pixel_size is None
    assert read_micrograph(pil_bytes(GREY8, "PNG", dpi=(300, 300))).pixel_size is None
    assert read_micrograph(pil_bytes(GREY8, "JPEG", dpi=(300, 300))).pixel_size is None


def test_zero_resolution_gives_no_scale() -> None:
    data = tiff_bytes(GREY8, imagej=True, resolution=(0, 0), metadata={"unit": "nm"})
    assert read_micrograph(data).pixel_size is None


def test_oblong_pixels_give_no_scale_and_say_so() -> None:
    data = tiff_bytes(GREY8, imagej=True, resolution=(4, 2), metadata={"unit": "nm"})
    micrograph = read_micrograph(data)
    assert micrograph.pixel_size is None
    assert "not square (0.25 nm wide, 0.5 nm high)" in micrograph.metadata["calibration"]


def test_reciprocal_axes_give_no_scale_and_say_so() -> None:
    data = tiff_bytes(GREY8, imagej=True, resolution=(4, 4), metadata={"unit": "1/nm"})
    micrograph = read_micrograph(data)
    assert micrograph.pixel_size is None
    assert micrograph.metadata["reciprocal_pixel_size"] == "0.25 1/nm"


def test_jeol_pages_without_a_bar_come_before_their_copies_with_one() -> None:
    xml = (
        "<TemReporter><EosMode>eosTEM</EosMode><SelectorUnitString>X</SelectorUnitString>"
        "<SelectorValue>1000</SelectorValue></TemReporter>"
    )
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        for values in (GREY8, GREY16):
            writer.write(values, description=xml, metadata=None, resolution=(25_400, 25_400))
            xml = ""
    micrograph = read_micrograph(stream.getvalue())
    assert np.array_equal(micrograph.pixels, GREY16)
    assert str(micrograph.pixel_size) == "1 nm/px"
    assert frame_labels(stream.getvalue()) == ["page 2", "page 1"]


def test_jpeg_in_a_tiff_is_read() -> None:
    smooth = np.tile(np.arange(64, dtype=np.uint8) * 3, (64, 1))
    pixels = read_micrograph(tiff_bytes(smooth, compression="jpeg")).pixels
    assert np.abs(pixels.astype(int) - smooth).max() < 8


TESCAN = (
    "\x10\x00junk[MAIN]\r\nDate=2019-07-01\r\nTime=15:39:08\r\nDevice=S8252G\r\nMagnification=1e+04\r\n"
    "PixelSizeX=5.58e-09\r\nPixelSizeY=5.58e-09\r\n[SEM]\r\nDetector=SE\r\nHV=5000\r\nWD=0.0041\r\n"
)


def test_tescan_fields_are_read() -> None:
    data = tiff_bytes(GREY8, metadata=None, extratags=[(50431, 7, len(TESCAN), TESCAN.encode(), 1)])
    micrograph = read_micrograph(data)
    assert micrograph.pixel_size is not None
    assert micrograph.pixel_size.to("nm") == pytest.approx(5.58)
    assert micrograph.metadata == {
        "format": "TIFF",
        "bit_depth": "8-bit grey",
        "calibration": "TESCAN",
        "voltage_kv": 5.0,
        "working_distance_mm": 4.1,
        "magnification": 10_000.0,
        "detector": "SE",
        "instrument": "TESCAN S8252G",
        "date": "2019-07-01",
        "time": "15:39:08",
    }


def test_ome_scale_is_read() -> None:
    stream = io.BytesIO()
    metadata = {"axes": "YX", "PhysicalSizeX": 3.5, "PhysicalSizeXUnit": "nm"}
    metadata |= {"PhysicalSizeY": 3.5, "PhysicalSizeYUnit": "nm"}
    tifffile.imwrite(stream, GREY8, ome=True, metadata=metadata)
    micrograph = read_micrograph(stream.getvalue())
    assert micrograph.pixel_size is not None
    assert micrograph.pixel_size.to("nm") == pytest.approx(3.5)
    assert micrograph.metadata["calibration"] == "OME"


FEI = (
    "[User]\r\nDate=02/13/2025\r\nTime=01:40:09 PM\r\n[System]\r\nSystemType=Apreo\r\n"
    "[Beam]\r\nHV=10000\r\nBeam=EBeam\r\n[EBeam]\r\nWD=0.004\r\nHFW=5.92e-06\r\n"
    "[Scan]\r\nPixelWidth=2e-09\r\nPixelHeight=2e-09\r\n[Image]\r\nMagCanvasRealWidth=0.2072\r\n"
    "[Detectors]\r\nName=ETD\r\n"
)


def fei_tiff(text: str) -> bytes:
    return tiff_bytes(GREY8, metadata=None, extratags=[(34682, 2, 0, text, True)])


def test_fei_fields_are_read() -> None:
    micrograph = read_micrograph(fei_tiff(FEI))
    assert str(micrograph.pixel_size) == "2 nm/px"
    assert micrograph.metadata == {
        "format": "TIFF",
        "bit_depth": "8-bit grey",
        "calibration": "FEI",
        "voltage_kv": 10.0,
        "working_distance_mm": 4.0,
        "magnification": 35_000.0,
        "detector": "ETD",
        "instrument": "Apreo",
        "date": "2025-02-13",
        "time": "13:40:09",
    }


@pytest.mark.parametrize(
    "text", ["[Beam]\r\nHV=\r\n", "[Scan]\r\nPixelWidth=\r\n", "[Scan]\r\nPixelWidth=-1\r\n", "x"]
)
def test_fei_without_a_pixel_size_has_no_scale(text: str) -> None:
    micrograph = read_micrograph(fei_tiff(text))
    assert micrograph.pixel_size is None
    assert "calibration" not in micrograph.metadata


# --- bad files --------------------------------------------------------------------------------


def assert_one_clear_sentence(error: UnreadableMicrograph) -> None:
    message = str(error)
    assert message.endswith(".")
    assert 20 < len(message) < 200
    assert "Traceback" not in message
    assert "Error" not in message


NOT_PICTURES = {
    "text": b"hello, this is not an image at all\n" * 10,
    "html": b"<html><body>404</body></html>",
    "dm3": bytes.fromhex("00000003000531 3f00000001".replace(" ", "")) + bytes(100),
    "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(100),
    "pickle": b"\x80\x04\x95" + bytes(50),
    "one byte": b"\0",
    "png magic": b"\x89PNG\r\n\x1a\n",
    "jpeg magic": b"\xff\xd8\xff\xe0",
    "bmp magic": b"BM",
    "tiff magic": b"II*\0",
    "tiff to nowhere": b"II*\0\xff\xff\xff\x7f",
    "tiff to itself": b"II*\0\x08\0\0\0\0\0\x08\0\0\0",
    "gif": b"GIF89a\x01\0\x01\0\0\0\0;",
}


@pytest.mark.parametrize("data", NOT_PICTURES.values(), ids=NOT_PICTURES.keys())
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableMicrograph) as raised:
        read_micrograph(data)
    assert_one_clear_sentence(raised.value)


@pytest.mark.parametrize("kind", ["text", "dm3", "one byte", "tiff magic", "tiff to nowhere"])
def test_frames_of_what_is_no_picture_are_not_counted(kind: str) -> None:
    with pytest.raises(UnreadableMicrograph) as raised:
        frame_labels(NOT_PICTURES[kind])
    assert_one_clear_sentence(raised.value)


def test_what_is_no_picture_names_the_formats() -> None:
    with pytest.raises(UnreadableMicrograph, match="PNG, JPEG, BMP or TIFF"):
        read_micrograph(NOT_PICTURES["text"])


def test_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.png"
    path.touch()
    for source in (b"", path):
        with pytest.raises(UnreadableMicrograph, match="0 bytes"):
            read_micrograph(source)


def test_folder_and_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableMicrograph, match="is a folder"):
        read_micrograph(tmp_path)
    with pytest.raises(UnreadableMicrograph, match="no file “nothing"):
        read_micrograph(tmp_path / "nothing.png")


def test_text_as_source_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="bytes or a Path"):
        read_micrograph("file.png")  # type: ignore[arg-type]


NOISE = np.random.default_rng(1).integers(0, 256, (64, 64)).astype(np.uint8)
WHOLE = {
    "png": pil_bytes(NOISE, "PNG"),
    "16-bit png": png_16_bit(np.repeat(NOISE[..., None].astype(np.uint16) * 257, 3, axis=2)),
    "jpeg": pil_bytes(NOISE, "JPEG"),
    "progressive jpeg": pil_bytes(NOISE, "JPEG", progressive=True),
    "bmp": pil_bytes(NOISE, "BMP"),
    "tiff": tiff_bytes(NOISE),
    "lzw tiff": tiff_bytes(NOISE, compression="lzw"),
    "tiled tiff": tiff_bytes(NOISE, tile=(16, 16), compression="deflate"),
}


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99, "last 8 bytes"])
@pytest.mark.parametrize("kind", WHOLE)
def test_truncated_pictures_are_refused_not_half_shown(kind: str, share: float | str) -> None:
    data = WHOLE[kind]
    assert read_micrograph(data).shape == (64, 64)
    cut = data[:-8] if isinstance(share, str) else data[: int(len(data) * share)]
    with pytest.raises(UnreadableMicrograph) as raised:
        read_micrograph(cut)
    assert_one_clear_sentence(raised.value)


def test_damaged_png_is_refused() -> None:
    data = bytearray(WHOLE["png"])
    data[len(data) // 2] ^= 255
    with pytest.raises(UnreadableMicrograph):
        read_micrograph(bytes(data))


BOMBS = {
    "png": png_header(20_000, 20_000),
    "bmp": b"BM"
    + struct.pack("<IHHIIiiHHIIiiII", 1000, 0, 0, 54, 40, 20_000, 20_000, 1, 8, *[0] * 6),
}


def tiff_header(width: int, height: int, samples: int = 1) -> bytes:
    """A TIFF that announces a size and holds 16 bytes."""
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1)]
    entries += [(262, 3, 1, 1), (273, 4, 1, 8), (277, 3, 1, samples), (278, 4, 1, height)]
    entries += [(279, 4, 1, 16)]
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    head = b"II*\0" + struct.pack("<I", 24) + bytes(16)
    return head + struct.pack("<H", len(entries)) + table + bytes(4)


@pytest.mark.parametrize("data", [*BOMBS.values(), tiff_header(20_000, 20_000)])
def test_header_bombs_are_refused_before_decoding(data: bytes) -> None:
    with pytest.raises(UnreadableMicrograph, match="400 megapixels") as raised:
        read_micrograph(data)
    assert_one_clear_sentence(raised.value)


def test_announced_pixels_that_are_not_there_are_refused() -> None:
    for data in (png_header(9_000, 9_000), tiff_header(9_000, 9_000)):
        with pytest.raises(UnreadableMicrograph):
            read_micrograph(data)


def test_doubles_that_take_too_much_memory_are_refused_before_decoding() -> None:
    head = bytearray(tiff_header(9_000, 9_000))
    at = head.find(struct.pack("<HHII", 258, 3, 1, 8))
    struct.pack_into("<HHII", head, at, 258, 3, 1, 64)
    with pytest.raises(UnreadableMicrograph, match="takes 648 MB of memory") as raised:
        read_micrograph(bytes(head))
    assert_one_clear_sentence(raised.value)


@pytest.mark.parametrize("tiled", [False, True])
@pytest.mark.parametrize("place", ["size", "tables"])
def test_jpeg_larger_than_its_tiff_is_refused_before_decoding(tiled: bool, place: str) -> None:
    options = {"tile": (32, 32)} if tiled else {"rowsperstrip": 16}
    data = bytearray(tiff_bytes(NOISE, compression="jpeg", **options))
    assert read_micrograph(bytes(data)).shape == (64, 64)
    frame = data.rfind(b"\xff\xc0")
    if place == "size":
        struct.pack_into(">HH", data, frame + 5, 60_000, 60_000)
    else:
        data[frame + 1] = 0xFE  # a comment: no size at all
    with pytest.raises(UnreadableMicrograph, match="damaged JPEG"):
        read_micrograph(bytes(data))


HOSTILE_TEXTS = {
    "ome": b'<OME xmlns="o"><Pixels ' + b"a" * 400_000 + b"></OME>",
    "ome elements": b"<OME>" + b"<Pixels" * 60_000 + b"</OME>",
    "imagej": b"ImageJ=1.54f\nunit=" + b"n" * 400_000 + b"\n",
    "jeol": b"<TemReporter>" + b"<DateTime>" * 40_000,
}


@pytest.mark.parametrize("kind", HOSTILE_TEXTS)
def test_hostile_descriptions_take_no_time(kind: str) -> None:
    data = tiff_bytes(GREY8, description=HOSTILE_TEXTS[kind], metadata=None, resolution=(2, 2))
    started_s = time.process_time()
    with contextlib.suppress(UnreadableMicrograph):
        micrograph = read_micrograph(data)
        assert micrograph.pixel_size is None
        assert all(len(str(value)) < 300 for value in micrograph.metadata.values())
    assert time.process_time() - started_s < 2


def test_hostile_settings_of_tescan_take_no_time() -> None:
    started_s = time.process_time()
    read_micrograph(tiff_bytes(GREY8, extratags=[(50431, 7, 400_000, b"a" * 400_000, True)]))
    assert time.process_time() - started_s < 2


def test_long_chains_of_pages_take_no_time() -> None:
    body = tiff_header(2, 2)[24:-4]
    at, parts = 24, [tiff_header(2, 2)[:24]]
    for _ in range(100_000):
        at += len(body) + 4
        parts.append(body + struct.pack("<I", at))
    started_s = time.process_time()
    with contextlib.suppress(UnreadableMicrograph):
        assert len(frame_labels(b"".join(parts))) == limits.MAX_FRAMES
    assert time.process_time() - started_s < 2


def test_many_channels_are_refused() -> None:
    with pytest.raises(UnreadableMicrograph, match="200 channels"):
        read_micrograph(tiff_header(20, 20, samples=200))


def test_pillows_own_guard_stays() -> None:
    before = Image.MAX_IMAGE_PIXELS
    read_micrograph(WHOLE["png"])
    assert before is not None
    assert before == Image.MAX_IMAGE_PIXELS


def test_too_large_a_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(limits, "MAX_FILE_MB", 0.001)
    path = tmp_path / "large.png"
    path.write_bytes(WHOLE["png"])
    for source in (path, WHOLE["png"]):
        with pytest.raises(UnreadableMicrograph, match="export it below"):
            read_micrograph(source)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_floats_without_a_number_are_refused(value: float) -> None:
    with pytest.raises(UnreadableMicrograph, match="NaN or infinite"):
        read_micrograph(tiff_bytes(np.full((4, 4), value, np.float32)))


def test_complex_values_open_as_log_magnitude_and_say_so() -> None:
    values = np.array([[0, 3 + 4j], [1j, -1]], np.complex64)
    micrograph = read_micrograph(tiff_bytes(values))
    assert micrograph.pixels.tolist() == pytest.approx(np.log1p([[0, 5], [1, 1]]), rel=1e-6)
    assert micrograph.metadata["conversion"] == "complex values to log(1 + magnitude)"


def test_print_colors_are_refused() -> None:
    data = tiff_bytes(np.ones((4, 4, 4), np.uint8), photometric="separated")
    with pytest.raises(UnreadableMicrograph, match="grey or RGB"):
        read_micrograph(data)


def test_unusual_compression_is_refused() -> None:
    with pytest.raises(UnreadableMicrograph, match="with LZW"):
        read_micrograph(tiff_bytes(NOISE, compression="jpegxr"))


def test_no_warning_and_no_log_line_leaks(caplog: pytest.LogCaptureFixture) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for data in NOT_PICTURES.values():
            with pytest.raises(UnreadableMicrograph):
                read_micrograph(data)
    assert [record for record in caplog.records if record.name.startswith("tifffile")] == []


def test_threads_read_the_same() -> None:
    files = [*WHOLE.values()] * 8
    alone = [read_micrograph(data).pixels for data in files]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda data: read_micrograph(data).pixels, files))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


# --- real instruments -------------------------------------------------------------------------

REAL = {  # file under native/tiff: shape, dtype, nm per pixel, kV, working distance in mm
    "zeiss/test_tiff_Zeiss_SEM_1k.tif": ((768, 1024), "uint8", 2614.514, 25, 14.808),
    "fei/FEI-Helios-Ebeam-8bits.tif": ((471, 512), "uint8", 3372.4, 5, 4.03466),
    "fei/FEI-Helios-navcam.tif": ((551, 768), "uint8", 263_974, None, None),
    "fei/FEI-Helios-navcam-with-no-IRBeam.tif": ((551, 768), "uint8", None, None, None),
    "jeol/JEOL-SightX-Ronchigram-dummy.tif": ((556, 556), "uint16", None, 200, None),
    "jeol/JEOL-SightX-TEM-mag-dummy.tif": ((556, 556), "uint16", 1.82079, 200, None),
    "olympus/olympus_SIS.tif": ((101, 112), "uint16", 0.0239279, None, None),
    "imagej/test_loading_image_saved_with_imageJ.tif": ((68, 68), "float32", 168.67, None, None),
    "imagej/test_loading_image_saved_with_imageJ_stack.tif": (
        (68, 68),
        "float32",
        168.67,
        None,
        None,
    ),
    "dm_export/test_loading_image_saved_with_DM.tif": ((68, 68), "float32", 168.67, None, None),
    "apreo/Ag_2e-9_010_2025-02-09.tif": ((1094, 1536), "uint16", 3.85417, 10, 3.77067),
    "apreo/Ag_1e-8_007.tif": ((1094, 1536), "uint16", 3.85417, 10, 4.02198),
}


@pytest.mark.parametrize("file", REAL)
def test_real_instrument_files_agree_with_their_truth(file: str, shared_data: Path) -> None:
    shape, dtype, nm, kilovolts, distance_mm = REAL[file]
    micrograph = read_micrograph(shared_data / "native" / "tiff" / file)
    assert (micrograph.shape, micrograph.pixels.dtype) == (shape, dtype)
    size = micrograph.pixel_size
    assert (size and size.to("nm")) == (nm and pytest.approx(nm, rel=1e-4))
    assert micrograph.metadata.get("voltage_kv") == kilovolts
    assert micrograph.metadata.get("working_distance_mm") == distance_mm

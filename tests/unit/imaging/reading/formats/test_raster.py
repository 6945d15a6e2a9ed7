"""PBM to PFM, WebP and NPY: levels as stored; signed, cut and oversized ones."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from core.errors import UnreadableMicrograph
from core.imaging.reading.opening import frame_labels, read_micrograph

GREY8 = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
GREY12 = np.arange(12, dtype=np.uint16).reshape(3, 4) * 300


def npy_bytes(values: np.ndarray, **options: bool) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values, **options)
    return stream.getvalue()


def npy_with_header(text: str, body: bytes = bytes(64)) -> bytes:
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text.encode() + body


def webp_bytes(values: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, "WEBP", **options)
    return stream.getvalue()


# --- PBM, PGM, PPM, PFM -----------------------------------------------------------------------


def test_pgm_keeps_its_levels_whatever_its_largest_is() -> None:
    data = b"P5\n# from a camera\n4 3\n4095\n" + GREY12.astype(">u2").tobytes()
    micrograph = read_micrograph(data)
    assert micrograph.pixels.dtype == np.uint16
    assert np.array_equal(micrograph.pixels, GREY12)
    assert micrograph.metadata == {"format": "PGM", "bit_depth": "16-bit grey"}


def test_eight_bit_pgm_comes_back_as_stored() -> None:
    micrograph = read_micrograph(b"P5 4 3 255 " + GREY8.tobytes())
    assert micrograph.pixels.dtype == np.uint8
    assert np.array_equal(micrograph.pixels, GREY8)


def test_text_pgm_is_read() -> None:
    text = b"P2\n4 3 # width, height\n255\n" + " ".join(map(str, GREY8.ravel())).encode() + b"\n"
    assert np.array_equal(read_micrograph(text).pixels, GREY8)


@pytest.mark.parametrize("data", [b"P1\n3 2\n1 0 1\n010\n", b"P4\n3 2\n" + bytes([0xA0, 0x40])])
def test_bits_are_black_where_one(data: bytes) -> None:
    assert read_micrograph(data).pixels.tolist() == [[0, 255, 0], [255, 0, 255]]


@pytest.mark.parametrize("kind", ["P6", "P3"])
def test_ppm_becomes_luminance(kind: str) -> None:
    body = bytes([200, 0, 0] * 2) if kind == "P6" else b"200 0 0 " * 2
    micrograph = read_micrograph(f"{kind}\n2 1\n255\n".encode() + body)
    assert micrograph.pixels.tolist() == [[60, 60]]
    assert "luminance" in micrograph.metadata["conversion"]


@pytest.mark.parametrize(("scale", "order"), [("-1.0", "<f4"), ("1.0", ">f4")])
def test_pfm_rows_run_from_the_bottom_up(scale: str, order: str) -> None:
    values = np.array([[1.5, -2], [3, 4e9]], np.float32)
    data = f"Pf\n2 2\n{scale}\n".encode() + values[::-1].astype(order).tobytes()
    micrograph = read_micrograph(data)
    assert np.array_equal(micrograph.pixels, values)
    assert micrograph.metadata == {"format": "PFM", "bit_depth": "32-bit grey"}


@pytest.mark.parametrize(
    "data",
    [
        b"P5\n4 3\n255\nshort",
        b"P5\n4 -3\n255\n" + bytes(20),
        b"P5\n0 3\n255\n" + bytes(20),
        b"P5\n4 3\n70000\n" + bytes(50),
        b"P5\n4 3\n100\n" + bytes([101] * 12),
        b"P2\n2 1\n255\n1 x",
        b"P2\n2 1\n255\n1 999999",
        b"P5\n4",
        b"P5\n99999999999999999999999 1\n255\n",
        b"Pf\n2 2\nnumber\n" + bytes(16),
        b"P5\n20000 20000\n255\n",
    ],
)
def test_broken_headers_and_missing_levels_are_refused(data: bytes) -> None:
    with pytest.raises(UnreadableMicrograph):
        read_micrograph(data)


def test_large_pictures_as_text_are_refused() -> None:
    with pytest.raises(UnreadableMicrograph, match="export it as binary PGM"):
        read_micrograph(b"P2 4000 4000 255 " + b"1 " * 1000)


# --- WebP -------------------------------------------------------------------------------------


def test_lossless_webp_comes_back_as_stored() -> None:
    data = webp_bytes(np.stack([GREY8] * 3, axis=2), lossless=True)
    micrograph = read_micrograph(data)
    assert np.array_equal(micrograph.pixels, GREY8)
    assert micrograph.metadata["format"] == "WEBP"


def test_lossy_webp_is_close() -> None:
    smooth = np.tile(np.arange(64, dtype=np.uint8) * 3, (64, 1))
    pixels = read_micrograph(webp_bytes(smooth, quality=95)).pixels
    assert np.abs(pixels.astype(int) - smooth).mean() < 3


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
@pytest.mark.parametrize("lossless", [True, False])
def test_cut_webp_is_refused(share: float, lossless: bool) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 40)).astype(np.uint8)
    data = webp_bytes(noise, lossless=lossless)
    with pytest.raises(UnreadableMicrograph):
        read_micrograph(data[: int(len(data) * share)])


@pytest.mark.parametrize(
    "body",
    [
        b"VP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff\x3f\0" + b"\xff\x3f\0",
        b"VP8L" + struct.pack("<I", 10) + b"\x2f" + struct.pack("<I", 0x0FFFFFFF) + bytes(5),
        b"VP8 " + struct.pack("<I", 10) + b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 16383, 16383),
    ],
)
def test_giant_webp_is_refused_before_its_canvas_is_made(body: bytes) -> None:
    data = b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body
    with pytest.raises(UnreadableMicrograph, match="268 megapixels"):
        read_micrograph(data)


# --- NPY --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2", "<f4", ">f4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_come_back_as_saved(dtype: str, order: str) -> None:
    values = np.asarray(np.arange(12).reshape(3, 4), dtype, order=order)
    micrograph = read_micrograph(npy_bytes(values))
    assert np.array_equal(micrograph.pixels, values)
    assert micrograph.pixels.dtype == values.dtype.newbyteorder("=")


@pytest.mark.parametrize("order", ["C", "F"])
def test_every_slice_of_a_stack_is_a_frame(order: str) -> None:
    stack = np.asarray(np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5), np.int16, order=order)
    data = npy_bytes(stack)
    assert len(frame_labels(data)) == 6
    assert frame_labels(data)[5] == "slice 6"
    assert np.array_equal(read_micrograph(data, frame=4).pixels, stack[1, 1])


def test_colors_are_no_stack() -> None:
    assert len(frame_labels(npy_bytes(np.zeros((5, 6, 3), np.uint8)))) == 1
    assert len(frame_labels(npy_bytes(np.zeros((5, 6, 3), np.float32)))) == 5


def test_long_stacks_are_read_to_the_limit() -> None:
    data = npy_bytes(np.zeros((600, 2, 2), np.uint8))
    assert len(frame_labels(data)) == 512
    assert read_micrograph(data, frame=511).metadata["frames"] == 512
    with pytest.raises(UnreadableMicrograph, match="first 512 of the file's 600"):
        read_micrograph(data, frame=512)


def test_transform_becomes_log_magnitude() -> None:
    values = np.array([[3 + 4j, 0]])
    assert read_micrograph(npy_bytes(values)).pixels.tolist() == [[pytest.approx(np.log(6)), 0]]


def test_pickles_are_refused_and_never_run() -> None:
    data = npy_bytes(np.array([[{"a": 1}, None]], object), allow_pickle=True)
    with pytest.raises(UnreadableMicrograph, match="no plain numbers"):
        read_micrograph(data)


@pytest.mark.parametrize(
    "data",
    [
        npy_bytes(np.zeros(5)),
        npy_bytes(np.float64(3)),
        npy_bytes(np.zeros((0, 4))),
        npy_bytes(np.zeros((4, 4)))[:-1],
        npy_bytes(np.array([["a", "b"]])),
        npy_bytes(np.zeros((2, 2), "m8[s]")),
        npy_bytes(np.zeros((2, 2), [("r", "u1"), ("g", "u1")])),
        npy_with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (999999, 999999), }"),
        npy_with_header("{'descr': __import__('os').getcwd(), 'shape': (2, 2), }"),
        npy_with_header("{'descr': '<f3', 'fortran_order': False, 'shape': (2, 2), }"),
        npy_with_header("(" * 5000),
        b"\x93NUMPY\x01\0",
        b"\x93NUMPY\x03\0\xff\xff\xff\xff",
    ],
)
def test_what_is_no_image_of_plain_numbers_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableMicrograph):
        read_micrograph(data)


def test_list_of_numbers_is_called_that() -> None:
    with pytest.raises(UnreadableMicrograph, match="no image but a list of numbers"):
        read_micrograph(npy_bytes(np.zeros(5)))


def test_oversized_slices_are_refused() -> None:
    header = "{'descr': '|u1', 'fortran_order': False, 'shape': (20000, 20000), }"
    with pytest.raises(UnreadableMicrograph):
        read_micrograph(npy_with_header(header))

"""Laws of reading: what was written comes back, and no bytes whatever can crash it."""

import contextlib
import io
import zipfile

import numpy as np
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from core.errors import UnreadableMicrograph
from core.imaging.reading.archive import read_archive
from core.imaging.reading.opening import read_micrograph
from tests.small_files import mrc_bytes

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=20)


def encode(values: np.ndarray, kind: str) -> bytes:
    stream = io.BytesIO()
    if kind == "PNG":
        Image.fromarray(values).save(stream, "PNG")
    else:
        tifffile.imwrite(stream, values, photometric="minisblack", compression=kind or None)
    return stream.getvalue()


@given(
    st.one_of(hnp.arrays(np.uint8, SHAPES), hnp.arrays(np.uint16, SHAPES)),
    st.sampled_from(["PNG", "", "lzw", "deflate"]),
)
def test_integers_survive_every_lossless_format(values: np.ndarray, kind: str) -> None:
    micrograph = read_micrograph(encode(values, kind))
    assert micrograph.pixels.dtype == values.dtype
    assert np.array_equal(micrograph.pixels, values)


@given(st.one_of(hnp.arrays(np.uint8, SHAPES), hnp.arrays(np.uint16, SHAPES)))
def test_integers_survive_plain_formats(values: np.ndarray) -> None:
    height, width = values.shape
    largest = np.iinfo(values.dtype).max
    body = values.astype(values.dtype.newbyteorder(">")).tobytes()
    pgm = f"P5\n{width} {height}\n{largest}\n".encode() + body
    text = (
        f"P2\n{width} {height}\n{largest}\n".encode()
        + " ".join(str(v) for v in values.ravel()).encode()
    )
    stream = io.BytesIO()
    np.save(stream, np.asfortranarray(values))
    for data in (pgm, text, stream.getvalue()):
        micrograph = read_micrograph(data)
        assert micrograph.pixels.dtype == values.dtype
        assert np.array_equal(micrograph.pixels, values)


AREAS = hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=20)  # a line is no image


@settings(deadline=None, max_examples=30)
@given(hnp.arrays(np.float32, AREAS, elements=st.floats(-(2.0**99), 2.0**99, width=32)))
def test_floats_come_back_from_the_decoding_process(values: np.ndarray) -> None:
    assert np.array_equal(read_micrograph(mrc_bytes(values)).pixels, values)


@given(hnp.arrays(np.float32, SHAPES, elements=st.floats(-(2.0**99), 2.0**99, width=32)))
def test_finite_floats_survive(values: np.ndarray) -> None:
    assert np.array_equal(read_micrograph(encode(values, "lzw")).pixels, values)


def read_or_refuse(data: bytes) -> None:
    """Anything but a micrograph or the one kind of refusal fails the test."""
    with contextlib.suppress(UnreadableMicrograph):
        assert read_micrograph(data).pixels.size


HEADS = st.sampled_from(
    [
        *(b"", b"II*\0", b"MM\0*", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM"),
        *(b"P1 ", b"P2 ", b"P4 2 2 ", b"P5 2 2 ", b"P6 1 1 255 ", b"Pf 1 1 -1 ", b"\x93NUMPY\1\0"),
        *(b"RIFF\x40\0\0\0WEBPVP8 ", b"RIFF\x40\0\0\0WEBPVP8X", b"\x89HDF\r\n\x1a\n"),
        *(b"\0\0\0\3\0\0\0\1\0\0\0\1", b"\0\0\0\4" + bytes(8) + b"\0\0\0\1"),
        *(b"II\x97\1\x10\2", b"II\x97\1\x20\2", b"JK\0\2"),
    ]
)


@settings(deadline=None)  # the first of some formats starts a process
@given(HEADS, st.binary(min_size=1, max_size=200))
def test_no_bytes_can_crash_reading(head: bytes, body: bytes) -> None:
    read_or_refuse(head + body)


NOISE = np.random.default_rng(3).integers(0, 256, (24, 24)).astype(np.uint8)
FILES = [encode(NOISE, kind) for kind in ("PNG", "", "lzw", "deflate")]


@settings(max_examples=300, deadline=None)  # a damaged size may cost a large allocation
@given(st.sampled_from(FILES), st.data())
def test_no_damaged_byte_can_crash_reading(file: bytes, draw: st.DataObject) -> None:
    damaged = bytearray(file)
    for _ in range(draw.draw(st.integers(1, 4))):
        damaged[draw.draw(st.integers(0, len(file) - 1))] = draw.draw(st.integers(0, 255))
    read_or_refuse(bytes(damaged))


@given(st.binary(max_size=300), st.integers(0, 400), st.binary(min_size=1, max_size=8))
def test_no_damaged_archive_can_crash_unpacking(content: bytes, at: int, noise: bytes) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a/b.tif", content)
    whole = stream.getvalue()
    assert list(read_archive(whole)) == [("b.tif", content)]
    with contextlib.suppress(UnreadableMicrograph):
        list(read_archive(whole[:at] + noise + whole[at + len(noise) :]))


@given(st.sampled_from(FILES), st.integers(1, 2000))
def test_cut_files_never_show_half_a_picture(file: bytes, missing: int) -> None:
    try:
        micrograph = read_micrograph(file[: max(1, len(file) - missing)])
    except UnreadableMicrograph:
        return
    assert np.array_equal(micrograph.pixels, NOISE)

"""MRC in both byte orders, with and without a stamp, and what its header does not state."""

import struct

import numpy as np
import pytest

from core.errors import UnreadableMicrograph
from core.imaging.reading.opening import read_micrograph

NOISE = np.random.default_rng(3).integers(0, 200, (6, 9))


def mrc(
    data: bytes,
    mode: int,
    shape: tuple[int, int] = (6, 9),
    *,
    order: str = "<",
    cell: tuple[float, float] = (90.0, 60.0),
    grid: tuple[int, int] = (9, 6),
    stamp: bytes = b"MAP ",
    extended: bytes = b"",
) -> bytes:
    header = bytearray(1024)
    struct.pack_into(f"{order}4i", header, 0, shape[1], shape[0], 1, mode)
    struct.pack_into(f"{order}3i", header, 28, *grid, 1)
    struct.pack_into(f"{order}6f", header, 40, *cell, 1, 90, 90, 90)
    struct.pack_into(f"{order}3i", header, 64, 1, 2, 3)
    struct.pack_into(f"{order}i", header, 92, len(extended))
    struct.pack_into(f"{order}i", header, 108, 20140)
    header[208:212] = stamp
    header[212:216] = b"DD\0\0" if order == "<" else b"\x11\x11\0\0"
    return bytes(header) + extended + data


def floats(order: str = "<") -> bytes:
    return NOISE.astype(f"{order}f4").tobytes()


@pytest.mark.parametrize("stamp", [b"MAP ", b"\0\0\0\0"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_both_byte_orders_are_read_stamped_or_not(order: str, stamp: bytes) -> None:
    micrograph = read_micrograph(mrc(floats(order), 2, order=order, stamp=stamp))
    assert np.array_equal(micrograph.pixels, NOISE)
    assert micrograph.pixel_size is not None
    assert micrograph.pixel_size.to("nm") == pytest.approx(1)
    assert micrograph.metadata["format"] == "MRC"


def test_big_endian_without_its_stamp_is_told_by_the_mode() -> None:
    data = bytearray(mrc(floats(">"), 2, order=">"))
    data[212:216] = b"DD\0\0"
    assert np.array_equal(read_micrograph(bytes(data)).pixels, NOISE)


@pytest.mark.parametrize(
    ("cell", "grid"),
    [
        ((-90.0, -60.0), (9, 6)),
        ((0.0, 0.0), (9, 6)),
        ((90.0, 60.0), (0, 0)),
        ((9.0, 6.0), (9, 6)),
        ((float("nan"), 60.0), (9, 6)),
        ((90.0, -60.0), (9, 6)),
        ((90.0, 120.0), (9, 6)),
    ],
    ids=["negative", "no cell", "no grid", "placeholder", "nan", "one negative", "oblong"],
)
def test_a_cell_that_states_nothing_gives_no_scale(
    cell: tuple[float, float], grid: tuple[int, int]
) -> None:
    assert read_micrograph(mrc(floats(), 2, cell=cell, grid=grid)).pixel_size is None


def test_placeholder_and_negative_cells_say_why() -> None:
    said = read_micrograph(mrc(floats(), 2, cell=(9, 6))).metadata["calibration"]
    assert "cell equals the grid" in said
    said = read_micrograph(mrc(floats(), 2, cell=(-9, -6))).metadata["calibration"]
    assert "not calibrated" in said


def test_colours_and_half_bytes_are_read() -> None:
    color = np.stack([NOISE, NOISE // 2, NOISE // 3], axis=-1).astype(np.uint8)
    luminance = color @ np.array([0.299, 0.587, 0.114])
    found = read_micrograph(mrc(color.tobytes(), 16)).pixels
    assert np.abs(found - luminance).max() <= 1
    nibbles = (NOISE % 16).astype(np.uint8)
    padded = np.pad(nibbles, ((0, 0), (0, 1)))
    packed = padded[:, ::2] | padded[:, 1::2] << 4
    assert np.array_equal(read_micrograph(mrc(packed.tobytes(), 101)).pixels, nibbles)


def test_complex_shorts_become_their_magnitude() -> None:
    pairs = np.stack([NOISE, 0 * NOISE], axis=-1).astype("<i2")
    found = read_micrograph(mrc(pairs.tobytes(), 3)).pixels
    assert np.allclose(found, np.log1p(NOISE))


def test_edge_in_the_extended_header_of_fei_counts() -> None:
    extended = bytearray(1024 * 128)
    struct.pack_into("<f", extended, 44, 2.5e-9)
    micrograph = read_micrograph(mrc(floats(), 2, extended=bytes(extended)))
    assert micrograph.pixel_size is not None
    assert micrograph.pixel_size.to("nm") == pytest.approx(2.5)
    assert np.array_equal(micrograph.pixels, NOISE)


@pytest.mark.parametrize("at", [0, 4, 8, 92])
def test_announced_bytes_that_are_not_there_are_refused(at: int) -> None:
    data = bytearray(mrc(floats(), 2))
    struct.pack_into("<i", data, at, 2**30)
    with pytest.raises(UnreadableMicrograph, match="cut short"):
        read_micrograph(bytes(data))

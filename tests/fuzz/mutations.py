"""Ways to spoil a file."""

import struct
from collections.abc import Callable, Sequence

import numpy as np

Random = np.random.Generator
EXTREMES = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF)
HEADER_BYTES = 512  # where most of a format's structure lies


def mutate(random: Random, data: bytes, others: Sequence[bytes]) -> tuple[str, bytes]:
    """Return the name of one to three ways in a row, and the spoilt file."""
    names = []
    for _ in range(int(random.integers(1, 4))):
        name = str(random.choice(list(MUTATIONS)))
        names.append(name)
        data = MUTATIONS[name](random, data, others) or b"\0"
    return "+".join(names), data


def _at(random: Random, data: bytes) -> int:
    """A place in the file; every second one in its header."""
    end = len(data) if random.random() < 0.5 else min(len(data), HEADER_BYTES)
    return int(random.integers(0, max(1, end)))


def truncate(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    return data[: _at(random, data)]


def flip_bits(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    spoilt = bytearray(data)
    for _ in range(int(random.integers(1, 9))):
        spoilt[_at(random, data)] ^= 1 << int(random.integers(0, 8))
    return bytes(spoilt)


def noise(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    at, length = _at(random, data), int(random.integers(1, 33))
    return data[:at] + random.bytes(length) + data[at + length :]


def extreme_number(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """An integer of 1 to 8 bytes at its limit: counts, sizes, offsets."""
    width = int(random.choice([1, 2, 4, 8]))
    value = int(EXTREMES[int(random.integers(0, len(EXTREMES)))]) & (2 ** (8 * width) - 1)
    order = "little" if random.random() < 0.5 else "big"
    at = _at(random, data)
    return data[:at] + value.to_bytes(width, order) + data[at + width :]


def swap_header(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    other, length = _other(random, others), int(random.integers(2, 300))
    return other[:length] + data[length:]


def splice(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    other = _other(random, others)
    return data[: _at(random, data)] + other[_at(random, other) :]


def repeat(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    at, length = _at(random, data), int(random.integers(1, 200))
    return data[:at] + data[at : at + length] * int(random.integers(2, 50)) + data[at:]


def remove(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    at = _at(random, data)
    return data[:at] + data[at + int(random.integers(1, 64)) :]


def hostile_tag(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """A TIFF entry of the first directory with another code, type, count or value."""
    order = "<" if data[:2] == b"II" else ">"
    if data[:4] not in (b"II*\0", b"MM\0*") or len(data) < 8:
        return extreme_number(random, data, others)
    start = struct.unpack_from(order + "I", data, 4)[0]
    if start + 2 > len(data):
        return flip_bits(random, data, others)
    entries = struct.unpack_from(order + "H", data, start)[0]
    entry = start + 2 + 12 * int(random.integers(0, max(1, min(entries, 40))))
    if entry + 12 > len(data):
        return flip_bits(random, data, others)
    at, width = [(0, 2), (2, 2), (4, 4), (8, 4)][int(random.integers(0, 4))]
    tags = (254, 256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 317, 320, 322, 324, 339, 32997)
    value = int(random.choice(tags)) if at == 0 else int(random.choice(EXTREMES[:8]))
    spoilt = bytearray(data)
    struct.pack_into(order + ("H" if width == 2 else "I"), spoilt, entry + at, value & _mask(width))
    return bytes(spoilt)


def _mask(width: int) -> int:
    return int(2 ** (8 * width) - 1)


def _other(random: Random, others: Sequence[bytes]) -> bytes:
    return others[int(random.integers(0, len(others)))]


MUTATIONS: dict[str, Callable[[Random, bytes, Sequence[bytes]], bytes]] = {
    function.__name__: function
    for function in (
        truncate,
        flip_bits,
        noise,
        extreme_number,
        swap_header,
        splice,
        repeat,
        remove,
        hostile_tag,
    )
}

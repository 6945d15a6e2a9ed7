"""Pictures made to cost: `python -m tests.attack.pictures --inputs 20000`.

Where `tests.fuzz` spoils sound files at random, these are built to be hostile: sizes that are not
there, counts of billions, chains and rings, tables that swell, text that backtracks. The law is the
same: read, or refused in a sentence, within 5 seconds and 1 GB.
"""

from __future__ import annotations

import argparse
import io
import struct
import sys
import time
import zlib
from collections import defaultdict
from collections.abc import Callable

import h5py
import numpy as np
from PIL import Image

from tests.fuzz.fuzz_reading import Spoilt, held_before, try_one
from tests.law import Tally, summary
from tests.small_files import mrc_bytes

Random = np.random.Generator
SIZES = (0, 1, 7, 255, 4096, 9_000, 10_000, 65_535, 2**20, 2**31 - 1, 2**31, 2**32 - 1)
LONG = 3_000_000


def size(random: Random) -> int:
    """A side or a count: more often extreme than not."""
    return int(SIZES[int(random.integers(0, len(SIZES)))])


def png(random: Random) -> bytes:
    """Announced sizes, depths and colours over data that swell, are short or repeat."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)

    depth, color = int(random.choice([1, 2, 4, 8, 16, 3])), int(random.choice([0, 2, 3, 4, 6, 1]))
    header = struct.pack(
        ">IIBBBBB", size(random), size(random), depth, color, 0, 0, int(random.integers(0, 2))
    )
    swelling = zlib.compress(bytes(int(random.integers(0, LONG))))
    extra = [chunk(b"tEXt", b"a" * 1000)] * int(random.integers(0, 300))
    extra += [chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(LONG)))] * int(random.integers(0, 3))
    extra += [chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(LONG)))] * int(random.integers(0, 2))
    pieces = [chunk(b"IDAT", swelling)] * int(random.integers(1, 4))
    parts = [chunk(b"IHDR", header), *extra, *pieces, chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def jpeg(random: Random) -> bytes:
    """Sound pictures whose size, scans, tables or comments are multiplied."""
    stream = io.BytesIO()
    values = np.zeros((16, 16), np.uint8)
    Image.fromarray(values).save(stream, "JPEG", progressive=bool(random.integers(0, 2)))
    data = bytearray(stream.getvalue())
    frame = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    if random.random() < 0.6:
        struct.pack_into(">HH", data, frame + 5, size(random) & 65_535, size(random) & 65_535)
    last = data.rfind(b"\xff\xda")
    if random.random() < 0.6:
        data[-2:-2] = data[last:-2] * int(random.integers(1, 2000))
    if random.random() < 0.3:
        data[2:2] = (b"\xff\xfe\xff\xff" + b"c" * 65_533) * int(random.integers(1, 40))
    if random.random() < 0.2:
        data += b"<?xml" + b"<FeiImage" * int(random.integers(1, 50_000))
    return bytes(data)


def netpbm(random: Random) -> bytes:
    """Headers without an end, sizes without data."""
    kind = bytes(random.choice([b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"Pf", b"PF"]))
    gap = bytes(random.choice([b" ", b"#\n", b"# a\r", b"\t", b"\n"]))
    many = gap * int(random.integers(1, LONG // len(gap)))
    numbers = f"{size(random)} {size(random)} {size(random)}\n".encode()
    body = bytes(random.choice([b"", b"1 " * 10_000, b"\0" * 10_000, b"1" * 100_000]))
    return kind + b" " + (many if random.random() < 0.5 else b"") + numbers + body


def tiff(random: Random) -> bytes:
    """Directories with hostile numbers, in a ring or a chain, and texts of makers."""
    entries = {256: size(random), 257: size(random), 258: 8, 259: 1, 262: 1, 273: 8, 277: 1}
    entries |= {278: size(random), 279: size(random)}
    for _ in range(int(random.integers(0, 4))):
        entries[int(random.choice([256, 257, 258, 277, 278, 284, 317, 322, 323, 338, 339]))] = size(
            random
        )
    if random.random() < 0.5:  # a sound picture, so that the texts beside it are read
        entries |= {256: 8, 257: 8, 258: 8, 277: 1, 278: 8, 279: 64}
    compressions = (1, 1, 1, 1, 5, 7, 8, 32773, 33003, 34887, 34712, 50000, 50002, 4, 2)
    entries[259] = int(random.choice(compressions))
    codes = (270, 34118, 34680, 34682, 34683, 50431, 51023, 37706, 33560, 65009)
    text = _maker_text(random)
    count = dict.fromkeys(entries, 1)
    if random.random() < 0.7:
        code = int(random.choice(codes))
        entries[code], count[code] = 8 + 64, len(text)
    start = 8 + 64 + len(text) + (len(text) & 1)
    table = b""
    for code in sorted(entries):
        kind = 2 if count[code] > 1 else 4
        amount = size(random) if random.random() < 0.05 else count[code]
        table += struct.pack("<HHII", code, kind, amount, entries[code] & 0xFFFFFFFF)
    following = int(random.choice([0, start, 8, 2**31]))
    body = bytes(64) + text + bytes(len(text) & 1)
    directory = struct.pack("<H", len(entries)) + table + struct.pack("<I", following)
    return b"II*\0" + struct.pack("<I", start) + body + directory


def _maker_text(random: Random) -> bytes:
    """What a parser of settings can be made to choke on."""
    many = int(random.integers(1, 30_000))
    texts = [
        b"<OME>" + b"<Pixels " * many + b"</OME>",
        b"<OME>" + b'<Pixels a="' * many,
        b"<OME><Pixels>" + b'<TiffData IFD="9999999999" PlaneCount="99999999999"/>' * (many // 20),
        b'{"pixel_size": ' + b"[" * many,
        b'{"pixel_size": {"x": 1e999, "y": NaN}, "image": {"resolution": "ab"}}',
        b"ImageJ=1\nimages=4294967295\nunit=" + b"&amp;" * many,
        b"ImageJ=1\nunit=\\u00C5\nimages=-1\n",
        b"<FeiImage" + b"<pixelWidth unit=" * many,
        b"<Metadata>" + b"<PixelSize><X" * many,
        b"<Fibics>" + b"<Scan><Ux>" * many,
        b"[Scan]\nPixelWidth=" + b"9" * many,
        b"[Image]\nResolutionX=1e400\nResolutionY=-1\n[Scan]\nPixelWidth=nan\n",
        b"PixelSizeX=" * many,
        b"<TemReporter>" + b"<DateTime>" * many,
        b"0\r\n" * many + b"AP_WIDTH\r\nWidth = " + b"1" * many,
    ]
    return texts[int(random.integers(0, len(texts)))] + b"\0"


def mrc(random: Random) -> bytes:
    """Counts, modes, cells and lengths of the extended header at their limits."""
    data = bytearray(mrc_bytes(np.ones((6, 5), np.float32)))
    for at in random.choice([0, 4, 8, 12, 28, 32, 92, 108, 152, 212], int(random.integers(1, 4))):
        struct.pack_into("<I", data, int(at), size(random))
    for at in (40, 44):
        if random.random() < 0.4:
            value = float(random.choice([0, -1, np.inf, np.nan, 1e-38, 1e38]))
            struct.pack_into("<f", data, at, value)
    if random.random() < 0.3:
        data[208:212] = bytes(4)
    return bytes(data)


def npy(random: Random) -> bytes:
    """Shapes, orders and types that are not there."""
    kind = random.choice(["<f8", "|O", "<U9", "<c16", "|b1", ">u2", "<M8", "|V99", "|u1"])
    sides = ", ".join(str(size(random)) for _ in range(int(random.integers(0, 10))))
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': ({sides}), }}".encode()
    text = text * int(random.choice([1, 1, 1, 400]))
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text) & 65_535) + text + bytes(1000)


def hdf5(random: Random) -> bytes:
    """Sound files of each program with sizes of billions, filters that swell, groups in rings."""
    sides = tuple(int(random.choice([1, 3, 4000, 60_000])) for _ in range(2))
    roots = ("entry/image", "1/Electron Image/Data/SE", "Acquisition0/ImageData", "Experiments/a")
    root = str(random.choice([*roots, "ImageList/[0]/ImageData", "data/image", "other"]))
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        group = file.create_group(root)
        group.attrs["NX_class"], group.attrs["signal"] = "NXdata", "data"
        group.attrs["emd_group_type"] = 1
        group.attrs["axes"] = ["y" * int(random.integers(0, 1000)), "."]
        for name in ("data", "Image", "Data"):
            chunks = tuple(min(side, 1000) for side in sides)
            group.create_dataset(name, sides, "u1", chunks=chunks, compression="gzip")
        if root.startswith("1/"):
            header = file.create_group("1/Electron Image/Header")
            for axis in "XY":
                header[f"{axis} Cells"], header[f"{axis} Step"] = [size(random)], [np.nan]
        ring = file
        for _ in range(int(random.integers(0, 40))):
            ring = ring.create_group("g")
        ring["back"] = file
        if random.random() < 0.3:
            file["elsewhere"] = h5py.ExternalLink("/etc/hostname", "/")
        if random.random() < 0.3:
            file["soft"] = h5py.SoftLink("/soft")
    return stream.getvalue()


def gif(random: Random) -> bytes:
    """Canvases and frames of any size, without the data for them."""
    screen = struct.pack("<HHBBB", size(random) & 65_535, size(random) & 65_535, 0xF0, 0, 0)
    image = struct.pack("<HHHHB", 0, 0, size(random) & 65_535, size(random) & 65_535, 0)
    blocks = (b"\xff" + bytes(255)) * int(random.integers(0, 3000))
    return b"GIF89a" + screen + bytes(6) + b"," + image + b"\x02" + blocks + b"\0;"


def jp2(random: Random) -> bytes:
    """A stream that announces sizes, tiles and components."""
    sides = [size(random) for _ in range(8)]
    parts = int(random.choice([1, 3, 255, 16_384]))
    body = struct.pack(">H8IH", 0, *sides, parts) + bytes([7, 1, 1]) * min(parts, 1000)
    siz = b"\xff\x51" + struct.pack(">H", 2 + len(body)) + body
    return b"\xff\x4f" + siz + b"\xff\x5c\0\x05\x40\x40" + b"\xff\x90" * int(random.integers(1, 99))


MAKERS: dict[str, Callable[[Random], bytes]] = {
    function.__name__: function for function in (png, jpeg, netpbm, tiff, mrc, npy, hdf5, gif, jp2)
}


def run(inputs: int, seed: int, report_every: int = 0) -> dict[str, Tally]:
    """Read hostile pictures, the kinds in turn; return a tally per kind."""
    random = np.random.default_rng(seed)
    tallies: dict[str, Tally] = defaultdict(Tally)
    floor_bytes = held_before()  # torch say: what other tests have brought
    for number in range(inputs):
        kind = list(MAKERS)[number % len(MAKERS)]
        data = MAKERS[kind](random)
        problem = try_one(tallies[kind], Spoilt(kind, data, {}, 0), floor_bytes)
        if problem:
            tallies[kind].broken.append(f"{number}: {problem}")
        if report_every and (number + 1) % report_every == 0:
            print(f"{number + 1} inputs", file=sys.stderr, flush=True)
    return dict(tallies)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    started_s = time.monotonic()
    tallies = run(options.inputs, options.seed, 500)
    print(summary(tallies))
    print(f"{time.monotonic() - started_s:.0f} s")
    return 1 if any(tally.broken for tally in tallies.values()) else 0


if __name__ == "__main__":
    sys.exit(main())

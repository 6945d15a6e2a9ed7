"""Files that once took minutes, gigabytes or a place on the disk: each with its limits."""

import io
import os
import signal
import struct
import sys
import tempfile
import threading
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from core import leftovers
from core.imaging.reading.instruments.worker import DecodingWorker
from core.imaging.reading.opening import frame_labels
from tests.attack.bounded import give
from tests.law import MOST_SECONDS
from tests.small_files import mrc_bytes

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="bounds and /proc are Linux's")


def refused(path: Path, data: bytes, kind: str = "picture") -> str:
    path.write_bytes(data)
    outcome = give(path, kind)
    assert outcome.seconds < MOST_SECONDS, outcome
    assert outcome.sentence.endswith("."), outcome
    return outcome.sentence


@linux_only
@pytest.mark.parametrize("filling", [b" ", b"#\n", b"#" * 60_000 + b"\n", b"\t \r\n"])
@pytest.mark.parametrize("kind", [b"P5", b"P2", b"Pf"])
def test_endless_headers_of_netpbm(tmp_path: Path, kind: bytes, filling: bytes) -> None:
    data = kind + b" " + filling * (40_000_000 // len(filling))
    refused(tmp_path / "a.pgm", data)


def long_directory(entries: int, stated: int, *, wide: bool = False) -> bytes:
    """A ZIP of empty files, whose end record may state another number of them."""
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 3, 20, 0, *[0] * 4, *[0] * 3, 1, *[0] * 6)
    directory = (entry + b"a") * entries
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, stated, stated, len(directory), 4, 0)
    if wide:
        record = struct.pack(
            "<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, entries, entries, len(directory), 4
        )
        locator = struct.pack("<4sLQL", b"PK\6\7", 0, 4 + len(directory), 1)
        end = (
            record
            + locator
            + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, *[0xFFFF] * 2, *[0xFFFFFFFF] * 2, 0)
        )
    return b"PK\3\4" + directory + end


@linux_only
@pytest.mark.parametrize(
    ("stated", "wide"), [(65_535, False), (3, False), (0, True)], ids=["said", "lied", "ZIP64"]
)
def test_directories_of_a_million_files(tmp_path: Path, stated: int, wide: bool) -> None:
    said = refused(tmp_path / "a.zip", long_directory(1_000_000, stated, wide=wide), "archive")
    assert "at most 2000" in said


@linux_only
def test_archives_with_a_comment_and_nested_ones_still_open(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        packed.comment = b"c" * 60_000
        packed.writestr("a.pgm", b"P5 2 1 255 ab")
        packed.writestr("b.zip", long_directory(100, 100))
    path = tmp_path / "a.zip"
    path.write_bytes(stream.getvalue())
    assert "Given" in give(path, "archive").sentence


def many_scans(extra: int) -> bytes:
    """A progressive JPEG of 64 megapixels whose last scan is there again and again."""
    stream = io.BytesIO()
    Image.fromarray(np.zeros((8000, 8000), np.uint8)).save(stream, "JPEG", progressive=True)
    data = stream.getvalue()
    last = data.rfind(b"\xff\xda")
    return data[:-2] + data[last:-2] * extra + data[-2:]


@linux_only
def test_progressive_jpegs_of_many_scans(tmp_path: Path) -> None:
    assert "scans" in refused(tmp_path / "a.jpg", many_scans(200))


@linux_only
def test_progressive_jpegs_as_programs_write_them_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(many_scans(0))
    outcome = give(path)
    assert outcome.sentence.startswith("read"), outcome


@linux_only
def test_many_scans_inside_a_tiff(tmp_path: Path) -> None:
    jpeg = many_scans(200)
    entries = [(256, 4, 1, 8000), (257, 4, 1, 8000), (258, 3, 1, 8), (259, 3, 1, 7)]
    entries += [(262, 3, 1, 1), (273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, 8000)]
    entries += [(279, 4, 1, len(jpeg))]
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    directory = struct.pack("<H", len(entries)) + table + bytes(4)
    data = b"II*\0" + struct.pack("<I", 8 + len(jpeg)) + jpeg + directory
    assert "scans" in refused(tmp_path / "a.tif", data)


def jpeg_behind(filling: bytes) -> bytes:
    """A sound JPEG with something put in behind its start."""
    stream = io.BytesIO()
    Image.fromarray(np.zeros((16, 16), np.uint8)).save(stream, "JPEG")
    return stream.getvalue()[:2] + filling + stream.getvalue()[2:]


def png_of_chunks(count: int) -> bytes:
    """A sound PNG with so many empty chunks."""
    stream = io.BytesIO()
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(stream, "PNG")
    data, empty = stream.getvalue(), struct.pack(">I4sI", 0, b"teSt", zlib.crc32(b"teSt"))
    return data[:33] + empty * count + data[33:]


def gif_of_comments(count: int, at_end: bool) -> bytes:
    """A sound GIF with so many empty comments before its picture, or where a second one may be."""
    stream = io.BytesIO()
    Image.fromarray(np.zeros((16, 16), np.uint8)).save(stream, "GIF")
    data = stream.getvalue()
    at = len(data) - 1 if at_end else data.index(b",", 13)
    return data[:at] + b"!\xfe\0" * count + data[at:]


LONG_HEADERS = {
    "JPEG of fill bytes": lambda: jpeg_behind(b"\xff" * 190_000_000),
    "JPEG of bare markers": lambda: jpeg_behind(b"\xff\xd0" * 90_000_000),
    "JPEG of empty segments": lambda: jpeg_behind(b"\xff\xe5\0\2" * 45_000_000),
    "PNG of empty chunks": lambda: png_of_chunks(15_000_000),
    "GIF of comments": lambda: gif_of_comments(60_000_000, False),
    "GIF of comments at its end": lambda: gif_of_comments(60_000_000, True),
}


@linux_only
@pytest.mark.parametrize("what", LONG_HEADERS)
def test_headers_that_are_walked_piece_by_piece(tmp_path: Path, what: str) -> None:
    refused(tmp_path / "a.bin", LONG_HEADERS[what]())


def tiff_of(body: bytes, tags: dict[int, tuple[int, int, int]]) -> bytes:
    """A TIFF of 10 × 10 px whose directory lies behind a body; tags: code, type, count, place."""
    entries = {256: (4, 1, 10), 257: (4, 1, 10), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1)}
    entries |= {273: (4, 1, 8), 277: (3, 1, 1), 278: (4, 1, 10), 279: (4, 1, 100)} | tags
    table = b"".join(struct.pack("<HHII", code, *rest) for code, rest in sorted(entries.items()))
    directory = struct.pack("<H", len(entries)) + table + bytes(4)
    return b"II*\0" + struct.pack("<I", 8 + len(body)) + body + directory


LINES = b"a=1\n" * 10_000_000
LONG_TAGS = {
    "description of ImageJ": (270, 2, b"ImageJ=1.5\nimages=1\nunit=um\n"),
    "description with a blank before": (270, 2, b" ImageJ=1.5\nimages=1\n"),
    **{f"tag {code}": (code, 2, b"") for code in (305, 34118, 34680, 34682, 50431, 51023, 65009)},
    **{f"numbers in {code}": (code, 3, b"") for code in (258, 320, 338, 339)},
    "lengths of ImageJ's notes": (50838, 4, b""),
}


@linux_only
@pytest.mark.parametrize("what", LONG_TAGS)
def test_tags_longer_than_anyone_writes(tmp_path: Path, what: str) -> None:
    code, kind, start = LONG_TAGS[what]
    count = len(LINES) // {2: 1, 3: 2, 4: 4}[kind]
    assert "more about itself" in refused(
        tmp_path / "a.tif", tiff_of(start + LINES, {code: (kind, count, 8)})
    )


@linux_only
@pytest.mark.parametrize("size", [149_000, 60_000])
def test_tags_of_zeiss_as_long_as_is_allowed(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(tiff_of(LINES[:size], {34118: (2, size, 8)}))
    outcome = give(path)
    assert outcome.sentence.startswith("read")
    assert outcome.seconds < MOST_SECONDS


@linux_only
def test_strips_by_the_million(tmp_path: Path) -> None:
    strips = 20_000_000
    tags = {257: (4, 1, strips), 256: (4, 1, 1), 278: (4, 1, 1)}
    tags |= {273: (4, strips, 8), 279: (4, strips, 8 + 4 * strips)}
    refused(tmp_path / "a.tif", tiff_of(bytes(8 * strips), tags))


@linux_only
@pytest.mark.parametrize("compression", [5, 7, 8, 32773])
def test_strips_that_all_lie_at_one_place(tmp_path: Path, compression: int) -> None:
    strips, packed = 10_000, zlib.compress(bytes(2_000_000_000 // 10_000)) * 200
    places = struct.pack("<I", 8) * strips + struct.pack("<I", len(packed)) * strips
    at = 8 + len(packed)
    tags = {256: (4, 1, 10_000), 257: (4, 1, strips), 278: (4, 1, 1), 259: (3, 1, compression)}
    tags |= {273: (4, strips, at), 279: (4, strips, at + 4 * strips)}
    refused(tmp_path / "a.tif", tiff_of(packed + places, tags))


@linux_only
def test_a_packed_bmp_of_single_pixels_is_read_where_time_ends(tmp_path: Path) -> None:
    side = 1500
    body = (bytes([1, 9]) * side + b"\0\0") * side + b"\0\1"
    header = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(body), 0, 0, 256, 0)
    data = b"BM" + struct.pack("<IHHI", 1078 + len(body), 0, 0, 1078) + header
    path = tmp_path / "a.bmp"
    path.write_bytes(data + bytes(range(256)) * 4 + body)
    outcome = give(path)
    assert outcome.sentence == f"read ({side}, {side})"
    assert outcome.seconds < 1  # of the app's own


def test_directories_of_a_tiff_that_point_back_end() -> None:
    stream = io.BytesIO()
    tifffile.imwrite(stream, np.zeros((4, 4), np.uint8), metadata=None)
    data = bytearray(stream.getvalue())
    start = struct.unpack_from("<I", data, 4)[0]
    entries = struct.unpack_from("<H", data, start)[0]
    struct.pack_into("<I", data, start + 2 + 12 * entries, start)
    assert frame_labels(bytes(data)) == ["page 1"]


@pytest.fixture
def worker() -> Iterator[DecodingWorker]:
    own = DecodingWorker()
    yield own
    own.close()


def decode(worker: DecodingWorker) -> None:
    files = {"picture.mrc": mrc_bytes(np.ones((4, 4), np.float32))}
    worker.decode("mrc", files, "picture.mrc", 0)


@linux_only
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGPROF])
def test_a_decoder_that_is_killed_leaves_nothing(
    worker: DecodingWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(leftovers, "_held", {})  # so that this process begins a folder there
    decode(worker)
    (folder,) = tmp_path.glob("*/decoding-*")
    (folder / "picture.emd").write_bytes(bytes(1000))  # as one that dies at work leaves it
    assert worker.process_id is not None
    os.kill(worker.process_id, number)
    time.sleep(0.3)
    decode(worker)
    assert len(list(tmp_path.glob("*/decoding-*"))) == 1
    assert not folder.exists()
    worker.close()
    assert [path.name for path in tmp_path.glob("*/*")] == ["lock"]


@linux_only
def test_a_slow_file_of_one_visitor_does_not_block_another(worker: DecodingWorker) -> None:
    decode(worker)
    slow_id = worker.process_id
    assert slow_id is not None
    os.kill(slow_id, signal.SIGSTOP)  # whatever it is given now takes its time
    busy = [threading.Thread(target=decode, args=(worker,), name=f"batch_{i}") for i in range(4)]
    try:
        for thread in busy:
            thread.start()
        time.sleep(0.5)
        started_s = time.monotonic()
        decode(worker)
        assert time.monotonic() - started_s < 20  # a second process starts, on a busy machine
    finally:
        os.kill(slow_id, signal.SIGCONT)
        for thread in busy:
            thread.join()

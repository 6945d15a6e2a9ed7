"""A decoding process may die, hang or fill memory: the app goes on."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from core.errors import OutOfMemory, UnreadableMicrograph
from core.imaging.reading import limits
from core.imaging.reading.instruments import messages, worker
from core.imaging.reading.instruments.worker import DecodingWorker
from core.imaging.reading.opening import frame_labels, read_micrograph
from tests.small_files import mrc_bytes, ncem_emd_bytes

ROOT = Path(__file__).resolve().parents[5]
GREY16 = np.arange(30, dtype=np.uint16).reshape(5, 6) * 1000
MRC = {"picture.mrc": mrc_bytes(GREY16.astype(np.float32))}


@pytest.fixture
def process() -> Iterator[DecodingWorker]:
    own = DecodingWorker()
    yield own
    own.close()


def ask(process: DecodingWorker) -> np.ndarray:
    _, values = process.decode("mrc", MRC, "picture.mrc", 0)
    assert values is not None
    return values


def test_values_come_back_as_stored(process: DecodingWorker) -> None:
    assert np.array_equal(ask(process), GREY16)
    assert process.process_id is not None


def test_process_serves_again_after_a_bad_file(process: DecodingWorker) -> None:
    ask(process)
    before = process.process_id
    with pytest.raises(UnreadableMicrograph):
        process.decode("dm", {"picture.dm4": b"\0\0\0\3" + bytes(100)}, "picture.dm4", 0)
    assert np.array_equal(ask(process), GREY16)
    assert process.process_id == before


def test_an_answer_given_up_half_way_is_not_taken_for_the_next(
    process: DecodingWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(process)

    def fail(stream: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(messages, "receive", fail)
        with pytest.raises(MemoryError):
            process.decode("mrc", MRC, "picture.mrc", None)
    assert np.array_equal(ask(process), GREY16)


def test_killed_process_is_replaced(process: DecodingWorker) -> None:
    ask(process)
    first = process.process_id
    assert first is not None
    os.kill(first, signal.SIGKILL)
    time.sleep(0.2)
    assert np.array_equal(ask(process), GREY16)
    assert process.process_id != first


@pytest.mark.skipif(sys.platform == "win32", reason="stops a process")
def test_hanging_process_is_ended_and_the_file_refused(
    process: DecodingWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(process)
    first = process.process_id
    assert first is not None
    monkeypatch.setattr(worker, "DECODING_WALL_S", -3.0)
    os.kill(first, signal.SIGSTOP)
    started_s = time.monotonic()
    with pytest.raises(UnreadableMicrograph, match="more time or memory than it should"):
        ask(process)
    assert time.monotonic() - started_s < 4
    monkeypatch.undo()
    assert np.array_equal(ask(process), GREY16)


def test_idle_process_is_not_asked_at_the_moment_it_leaves(
    process: DecodingWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(process)
    first = process.process_id
    monkeypatch.setattr(worker, "DECODING_IDLE_S", 0.0)
    ask(process)
    assert process.process_id != first


def test_threads_get_their_own_answers(process: DecodingWorker) -> None:
    files = [mrc_bytes(np.full((4, 4), i, np.float32)) for i in range(20)]

    def level(data: bytes) -> float:
        _, values = process.decode("mrc", {"picture.mrc": data}, "picture.mrc", 0)
        assert values is not None
        return float(values[0, 0])

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(level, files)) == list(range(20))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_process_is_bounded_in_memory_and_free_of_torch(process: DecodingWorker) -> None:
    ask(process)
    proc = Path(f"/proc/{process.process_id}")
    bound = [line for line in (proc / "limits").read_text().splitlines() if "address space" in line]
    assert str(limits.DECODING_MEMORY_MB * 1_000_000) in bound[0]
    maps = (proc / "maps").read_text()
    assert "torch" not in maps
    assert "cv2" not in maps


def outcome(code: str) -> subprocess.CompletedProcess[str]:
    rooms = "core.imaging.reading", "core.imaging.reading.instruments"
    start = f"from {rooms[0]} import limits\nfrom {rooms[1]} import process as own\n"
    return subprocess.run(
        [sys.executable, "-c", start + code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="bounded by the wall clock only")
def test_endless_work_ends_the_process() -> None:
    code = "limits.DECODING_CPU_S = 0.2\nown._bound_time(0)\nwhile True: pass"
    assert outcome(code).returncode == -signal.SIGPROF


@pytest.mark.skipif(sys.platform == "win32", reason="bounded by nothing")
def test_time_is_not_counted_between_requests() -> None:
    code = (
        "import time\nlimits.DECODING_CPU_S = 0.05\nown._bound_time(0)\nown._bound_time(None)\n"
        "end = time.process_time() + 0.3\nwhile time.process_time() < end: pass\nprint('alive')"
    )
    assert outcome(code).stdout == "alive\n"


@pytest.mark.skipif(sys.platform != "linux", reason="the bound is Linux's")
def test_memory_beyond_the_bound_is_an_error_not_the_end() -> None:
    code = "own._bound_memory()\ntry: bytearray(3_000_000_000)\nexcept MemoryError: print('no')"
    assert outcome(code).stdout == "no\n"


def test_process_ends_with_the_app() -> None:
    code = (
        "from tests.small_files import mrc_bytes; import numpy as np;"
        "from core.imaging.reading.opening import read_micrograph;"
        "from core.imaging.reading.instruments.worker import WORKER;"
        "read_micrograph(mrc_bytes(np.ones((3, 4), np.float32)));"
        "print(WORKER.process_id, flush=True)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stderr == ""
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)


def test_reading_pictures_starts_no_process() -> None:
    code = (
        "import sys; from core.imaging.reading.opening import read_micrograph;"
        "from core.imaging.reading.instruments.worker import WORKER;"
        "read_micrograph(b'P5 2 1 255 ab');"
        "print(WORKER.process_id, 'rsciio' in sys.modules, 'h5py' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["None", "False", "False"]


# --- messages ---------------------------------------------------------------------------------


class Pipe(io.BytesIO):
    """Bytes that come and go a few at a time."""

    def readinto(self, buffer: memoryview, /) -> int:
        return super().readinto(buffer[:3])

    def write(self, data: memoryview, /) -> int:
        return super().write(data[:5])


def test_messages_arrive_whole_however_they_are_cut() -> None:
    pipe = Pipe()
    messages.send(pipe, {"a": "µ"}, [b"12345678", np.arange(3, dtype=np.uint8), b""])
    pipe.seek(0)
    header, blocks = messages.receive(pipe)
    assert header == {"a": "µ"}
    assert [bytes(block) for block in blocks] == [b"12345678", b"\0\1\2", b""]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xff\xff\xff{}",
        b"\x05\0\0\0{}",
        b"\x1a\0\0\0" + json.dumps({"sizes": [99_999_999_999]}).encode(),
    ],
)
def test_half_a_message_is_the_end(data: bytes) -> None:
    with pytest.raises(EOFError):
        messages.receive(io.BytesIO(data))


@pytest.mark.parametrize(
    "answer",
    [
        {"dtype": "|O8", "shape": [1, 1]},
        {"dtype": "<c8", "shape": [1, 1]},
        {"dtype": "<f8", "shape": [1, 1]},
        {"dtype": "<f4", "shape": [1]},
        {"dtype": "<f4", "shape": [100_000, 100_000]},
    ],
)
def test_only_plain_numbers_of_a_frame_are_taken(answer: dict[str, object]) -> None:
    with pytest.raises(UnreadableMicrograph):
        worker._as_array(answer, [bytearray(8)])


# --- hostile HDF5 -----------------------------------------------------------------------------


def hdf5_bytes(tmp_path: Path, build: object) -> bytes:
    path = tmp_path / "built.h5"
    with h5py.File(path, "w") as file:
        build(file)  # type: ignore[operator]
    return path.read_bytes()


def test_emd_is_read_with_its_pixel_size() -> None:
    micrograph = read_micrograph(ncem_emd_bytes(GREY16, 0.5))
    assert np.array_equal(micrograph.pixels, GREY16)
    assert micrograph.pixel_size is not None
    assert micrograph.pixel_size.to("nm") == pytest.approx(0.5)


def test_links_to_other_files_are_refused(tmp_path: Path) -> None:
    def build(file: h5py.File) -> None:
        file["data"] = h5py.ExternalLink("/etc/hostname", "/")

    with pytest.raises(UnreadableMicrograph, match="refers to other files"):
        read_micrograph(hdf5_bytes(tmp_path, build))


def test_values_in_other_files_are_refused(tmp_path: Path) -> None:
    def build(file: h5py.File) -> None:
        group = file.create_group("data/image")
        group.attrs["emd_group_type"] = 1
        group.create_dataset("data", (2, 2), "u1", external=[("/etc/passwd", 0, 4)])

    with pytest.raises(UnreadableMicrograph, match="refers to other files"):
        read_micrograph(hdf5_bytes(tmp_path, build))


def test_virtual_arrays_are_refused(tmp_path: Path) -> None:
    def build(file: h5py.File) -> None:
        layout = h5py.VirtualLayout((2, 2), "u1")
        layout[:] = h5py.VirtualSource("/tmp/other.h5", "data", (2, 2))
        file.create_virtual_dataset("data", layout)

    with pytest.raises(UnreadableMicrograph, match="refers to other files"):
        read_micrograph(hdf5_bytes(tmp_path, build))


def test_rings_of_groups_end(tmp_path: Path) -> None:
    def build(file: h5py.File) -> None:
        group = file.create_group("a")
        group["b"] = group

    with pytest.raises(UnreadableMicrograph):
        read_micrograph(hdf5_bytes(tmp_path, build))


def test_announced_giant_is_refused_before_decoding(tmp_path: Path) -> None:
    def build(file: h5py.File) -> None:
        group = file.create_group("data/image")
        group.attrs["emd_group_type"] = 1
        group.create_dataset("data", (60_000, 60_000), "u2", chunks=(100, 100), compression="gzip")
        for i in (1, 2):
            axis = group.create_dataset(f"dim{i}", data=np.arange(60_000.0))
            axis.attrs["name"], axis.attrs["units"] = "x", "[n_m]"
        file.attrs["version_major"], file.attrs["version_minor"] = 0, 2

    with pytest.raises(UnreadableMicrograph, match="3600 megapixels"):
        read_micrograph(hdf5_bytes(tmp_path, build))


# --- MRC --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint16", "float32"])
def test_mrc_is_read_in_all_its_numbers(dtype: str) -> None:
    values = (np.arange(12).reshape(3, 4) * 9).astype(dtype)
    micrograph = read_micrograph(mrc_bytes(values, pixel_nm=0.25))
    assert np.array_equal(micrograph.pixels, values)
    assert micrograph.pixels.dtype == ("uint16" if dtype == "uint16" else "float32")
    assert micrograph.pixel_size is not None
    assert micrograph.pixel_size.to("nm") == pytest.approx(0.25, rel=1e-6)


def test_mrc_stacks_have_frames() -> None:
    stack = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    data = mrc_bytes(stack)
    assert len(frame_labels(data)) == 2
    assert frame_labels(data) == ["image 1, frame 1", "image 1, frame 2"]
    assert np.array_equal(read_micrograph(data, frame=1).pixels, stack[1])


def test_long_stacks_are_listed_to_the_limit_and_counted_to_the_end() -> None:
    data = mrc_bytes(np.zeros((600, 3, 4), np.uint16))
    assert len(frame_labels(data)) == 512
    assert read_micrograph(data, frame=511).metadata["signal"] == "image 1, frame 512"
    with pytest.raises(UnreadableMicrograph, match="first 512 of the file's 600"):
        read_micrograph(data, frame=512)


def test_announced_sections_that_are_not_there_are_refused_at_once() -> None:
    data = bytearray(mrc_bytes(np.ones((4, 4), np.float32)))
    for sections in (2**31 - 1, -1, 0):
        data[8:12] = sections.to_bytes(4, "little", signed=True)
        with pytest.raises(UnreadableMicrograph, match="MRC file is cut short"):
            frame_labels(bytes(data))


def test_cut_mrc_is_refused() -> None:
    with pytest.raises(UnreadableMicrograph):
        read_micrograph(mrc_bytes(np.ones((40, 40), np.float32))[:-100])


# --- memory that is lent for a file


@pytest.mark.parametrize("limit_mb", ["", "4000"])
def test_a_file_is_decoded_within_what_is_lent(
    process: DecodingWorker, monkeypatch: pytest.MonkeyPatch, limit_mb: str
) -> None:
    monkeypatch.setenv("MICROGRAPHIA_MEMORY_MB", limit_mb)
    frame = np.ones((2000, 2000), np.float32)
    _, values = process.decode("mrc", {"a.mrc": mrc_bytes(frame)}, "a.mrc", 0)
    assert values is not None
    assert values.shape == frame.shape


def test_a_file_that_unpacks_to_much_is_tried_with_all_that_is_free(
    process: DecodingWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MICROGRAPHIA_MEMORY_MB", "6000")
    stream = io.BytesIO()
    Image.fromarray(np.zeros((9000, 9000), np.uint8)).save(stream, "PNG")
    assert len(stream.getvalue()) < 200_000
    _, values = process.decode("raster", {"picture": stream.getvalue()}, "picture", 0)
    assert values is not None
    assert values.shape == (9000, 9000)


def test_where_too_little_is_free_it_is_said(
    process: DecodingWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.imaging.memory._relief", [])
    monkeypatch.setenv("MICROGRAPHIA_MEMORY_MB", "50")
    with pytest.raises(OutOfMemory):
        process.decode("mrc", {"a.mrc": mrc_bytes(np.ones((4, 4), np.float32))}, "a.mrc", 0)

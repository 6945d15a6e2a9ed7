"""The process that opens files of instruments: `python -m` with this module's name.

It answers requests on its standard input until that closes or nothing has come for a while. Memory
and processor time are bounded by the system, so that a hostile file ends this process at worst.
"""

from __future__ import annotations

import contextlib
import gc
import io
import logging
import os
import signal
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UnreadableMicrograph
from core.imaging.reading import limits
from core.imaging.reading.formats import bounded
from core.imaging.reading.frame import to_grey
from core.imaging.reading.instruments import messages
from core.imaging.reading.instruments.signals import (
    Picture,
    count_images,
    find_pictures,
    load_readers,
)


def main() -> None:
    """Answer until the app is gone."""
    _bound_memory()
    requests, answers = _private_pipes()
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    load_readers()
    messages.send(answers, {"ready": True})
    with contextlib.suppress(EOFError, BrokenPipeError):
        while _has_request(requests):
            header, blocks = messages.receive(requests)
            _bound_time(sum(len(block) for block in blocks))
            _bound_work(header.get("work_bytes"))
            answer, values = _answer(header, blocks)
            _bound_work(None)
            _bound_time(None)
            messages.send(answers, answer, values)
            del blocks, values
            gc.collect()


def _private_pipes() -> tuple[io.FileIO, io.FileIO]:
    """Keep the pipes for messages alone: what a library prints goes nowhere."""
    requests, answers = io.FileIO(os.dup(0), "r"), io.FileIO(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    return requests, answers


def _bound_memory() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):  # no such thing on Windows
        import resource

        limit = limits.DECODING_MEMORY_MB * 1_000_000
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _bound_work(work_bytes: int | None) -> None:
    """Take at most so much more memory for the file at hand; None lifts the bound to the whole."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        _, whole = resource.getrlimit(resource.RLIMIT_AS)
        if work_bytes is None:
            resource.setrlimit(resource.RLIMIT_AS, (whole, whole))
            return
        held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        most = held + work_bytes + limits.DECODING_LIBRARIES_MB * 1_000_000
        resource.setrlimit(resource.RLIMIT_AS, (most if whole < 0 else min(most, whole), whole))


def _bound_time(file_bytes: int | None) -> None:
    """Let the system end this process after its share of processor time; None lifts the bound."""
    if sys.platform == "win32":
        return
    cpu_s = 0.0 if file_bytes is None else limits.decoding_cpu_s(file_bytes)
    signal.setitimer(signal.ITIMER_PROF, cpu_s)


def _has_request(requests: io.FileIO) -> bool:
    if sys.platform == "win32":
        return True
    import select

    return bool(select.select([requests], [], [], limits.DECODING_IDLE_S)[0])


def _answer(header: dict[str, Any], blocks: list[bytearray]) -> tuple[dict[str, Any], list[Any]]:
    """Return what was asked for, or why it cannot be had."""
    try:
        if header["kind"] in bounded.KINDS:
            return _picture(header, blocks)
        with tempfile.TemporaryDirectory(dir=_folder(), ignore_cleanup_errors=True) as folder:
            for name in header["files"]:
                Path(folder, name).write_bytes(blocks.pop(0))
            pictures = find_pictures(header["kind"], Path(folder, header["open"]))
            answer: dict[str, Any] = {"labels": _labels(pictures), "frames": count_images(pictures)}
            if header["frame"] is None:
                return answer, []
            limits.check_frame_number(header["frame"], answer["frames"])
            picture = pictures[header["frame"]]
            limits.check_frame(*picture.shape)
            limits.check_frame_bytes(picture.stored_bytes)
            values, notes = to_grey(picture.load())
            answer |= picture.described() | {"notes": notes, "kind": picture.kind}
    except UnreadableMicrograph as error:
        return {"error": str(error)}, []
    except Exception as error:
        return {"failed": type(error).__name__}, []
    return _with_values(answer, values)


def _picture(header: dict[str, Any], blocks: list[bytearray]) -> tuple[dict[str, Any], list[Any]]:
    """Return a frame of a file that no instrument wrote, from memory."""
    found, answer = bounded.decode_here(header["kind"], bytes(blocks.pop(0)), header["frame"])
    return _with_values(answer, found.pixels)


def _with_values(
    answer: dict[str, Any], values: NDArray[Any]
) -> tuple[dict[str, Any], list[NDArray[Any]]]:
    values = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    return answer | {"shape": values.shape, "dtype": values.dtype.str}, [values]


def _folder() -> str | None:
    """Return where the app wants this process to keep its files; it removes them if we cannot."""
    return sys.argv[1] if len(sys.argv) > 1 else None


def _labels(pictures: list[Picture]) -> list[str]:
    return [picture.label for picture in pictures[: limits.MAX_FRAMES]]


if __name__ == "__main__":
    main()

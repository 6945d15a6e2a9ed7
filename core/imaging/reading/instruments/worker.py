"""The app's side of the decoding process: started when needed, ended when it hangs or dies."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import OutOfMemory, UnreadableMicrograph
from core.imaging.memory import lent, memory_limit
from core.imaging.reading.instruments import messages
from core.imaging.reading.instruments.turns import Turns, asker
from core.imaging.reading.limits import (
    DECODING_IDLE_S,
    DECODING_WALL_S,
    DECODING_WORK_MB,
    check_frame,
    decoding_cpu_s,
    decoding_work_bytes,
)
from core.leftovers import make_folder
from core.micrograph import PIXEL_TYPES

_ROOT = Path(__file__).resolve().parents[4]
_PROCESSES = 2
_START_S = 120.0  # a cold disk
_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "HDF5_PLUGIN_PRELOAD": "::",  # no filters from elsewhere
    "PYTHONWARNINGS": "ignore",
}
_SHORT_OF_MEMORY = ("MemoryError", "ImportError", "OSError")  # libraries need room, too
_HOPELESS = (
    "The file is damaged, or takes more time or memory than it should; export it again as TIFF."
)
_DAMAGED = "The file is cut short, damaged or of an unusual kind; export it again as TIFF."


class _Process:
    """One running decoding process and its two pipes."""

    def __init__(self) -> None:
        # The folder for its files is ours to remove: a process that is killed cannot.
        self._folder = str(make_folder("decoding-"))
        command = [sys.executable, "-m", "core.imaging.reading.instruments.process", self._folder]
        try:
            self._process = subprocess.Popen(
                command,
                bufsize=0,
                cwd=_ROOT,
                env=os.environ | _ENVIRONMENT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        try:
            with self._at_most(_START_S):
                self._receive()
        except BaseException:
            self.end()
            raise
        self._last_used_s = time.monotonic()

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def is_about_to_leave(self) -> bool:
        """Without work the process ends on its own; asking it just then would fail."""
        return time.monotonic() - self._last_used_s > DECODING_IDLE_S / 2

    @property
    def id(self) -> int:
        return self._process.pid

    def ask(
        self, header: dict[str, Any], blocks: list[bytes]
    ) -> tuple[dict[str, Any], list[bytearray]]:
        wall_s = DECODING_WALL_S + decoding_cpu_s(sum(len(block) for block in blocks))
        with self._at_most(wall_s):
            stdin: Any = self._process.stdin
            messages.send(stdin, header, blocks)
            answer = self._receive()
        self._last_used_s = time.monotonic()
        return answer

    def _receive(self) -> tuple[dict[str, Any], list[bytearray]]:
        stdout: Any = self._process.stdout
        return messages.receive(stdout)

    @contextlib.contextmanager
    def _at_most(self, seconds: float) -> Iterator[None]:
        watchdog = threading.Timer(seconds, self._process.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield
        finally:
            watchdog.cancel()

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        shutil.rmtree(self._folder, ignore_errors=True)


class DecodingWorker:
    """Serves requests from any thread with two processes that may die of them.

    Nobody holds more than one, so that a slow file of one visitor does not block another's; see
    `turns.asker` for who counts as one.
    """

    def __init__(self) -> None:
        self._turns = Turns(_PROCESSES)
        self._processes: list[_Process | None] = [None] * _PROCESSES

    @property
    def process_id(self) -> int | None:
        """The first running process, for measurements; None when there is none."""
        running = [process for process in self._processes if process and process.is_running]
        return running[0].id if running else None

    def decode(
        self, kind: str, files: Mapping[str, bytes], opened: str, frame: int | None
    ) -> tuple[dict[str, Any], NDArray[Any] | None]:
        """Return what a file holds and, if a frame is asked for, its values.

        Parameters
        ----------
        kind : str
            A key of `core.imaging.reading.instruments.signals.READERS`.
        files : mapping of str to bytes
            By names of ours, never the person's.
        opened : str
            Which of them to open.
        frame : int or None
            Counted from 0; None lists only.

        Raises
        ------
        UnreadableMicrograph
            With the reason from the process, or that it was ended.
        """
        header = {"kind": kind, "files": list(files), "open": opened, "frame": frame}
        given = list(files.values())
        with self._turns.place(asker(), self._running()) as place:
            wanted = decoding_work_bytes(sum(map(len, given)))
            answer, blocks = self._ask(place, header, given, wanted)
            if answer.get("failed") in _SHORT_OF_MEMORY and memory_limit() is not None:
                answer, blocks = self._ask(place, header, given, None)
        if "error" in answer:
            raise UnreadableMicrograph(str(answer["error"]))
        if "failed" in answer:
            raise UnreadableMicrograph(_HOPELESS if answer["failed"] == "MemoryError" else _DAMAGED)
        return answer, None if frame is None else _as_array(answer, blocks)

    def close(self) -> None:
        """End the processes, whatever they are at; the next request starts another."""
        for process in self._processes:
            if process is not None:
                process.kill()
        for number in range(_PROCESSES):
            with self._turns.place(f"close {number}", [number]) as place:
                self._end(place)

    def _running(self) -> list[int]:
        """Return the places whose process is there: a second one is started only when needed."""
        return [i for i, process in enumerate(self._processes) if process and process.is_running]

    def _ask(
        self, place: int, header: dict[str, Any], blocks: list[bytes], wanted_bytes: int | None
    ) -> tuple[dict[str, Any], list[bytearray]]:
        """Have a file decoded within memory lent for it: what is wanted, or all that is free."""
        process = self._processes[place]
        if process is not None and (process.is_about_to_leave or not process.is_running):
            self._end(place)
        try:
            process = self._processes[place]
            if process is None:
                process = self._processes[place] = _Process()
            with lent(process.id, wanted_bytes, DECODING_WORK_MB * 1_000_000) as work_bytes:
                return process.ask(header | {"work_bytes": work_bytes}, blocks)
        except OutOfMemory:
            raise
        except (OSError, EOFError, json.JSONDecodeError) as error:
            self._end(place)
            raise UnreadableMicrograph(_HOPELESS) from error
        except BaseException:
            self._end(place)  # the rest of its answer must not be taken for the next one
            raise

    def _end(self, place: int) -> None:
        process, self._processes[place] = self._processes[place], None
        if process is not None:
            process.end()


def _as_array(answer: Mapping[str, Any], blocks: list[bytearray]) -> NDArray[Any]:
    """Return the values sent, after a check that they are grey levels of one frame."""
    dtype, shape = np.dtype(str(answer["dtype"])), tuple(answer["shape"])
    if dtype.name not in PIXEL_TYPES or len(shape) != 2 or len(blocks) != 1:
        raise UnreadableMicrograph(_DAMAGED)
    check_frame(*shape)
    values = np.frombuffer(blocks[0], dtype).reshape(shape)
    return values.astype(dtype.newbyteorder("="), copy=False)


WORKER = DecodingWorker()
atexit.register(WORKER.close)

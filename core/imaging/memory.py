"""How much memory this process may take, and a sentence in time where it would be too much.

A host that allows less than its machine has ends a program that takes more, without a word. The
allowance is read from the control group (Linux) or from `MICROGRAPHIA_MEMORY_MB`; where neither
states one, nothing is refused.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from core.errors import OutOfMemory

LIMIT_ENV = "MICROGRAPHIA_MEMORY_MB"
SPARE = 0.06  # of the allowance: for what allocators and libraries take beside our arrays
_GROUPS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
_UNLIMITED = 1 << 50  # version 1 of control groups writes a huge number for "no limit"
_PAGE_BYTES = 4096
_relief: list[Callable[[], object]] = []
_reserved: list[int] = []  # bytes that threads at work have been promised
_lent: dict[int, int] = {}  # process id: bytes that it may hold at most while it works for us
_changed = threading.Condition()
PATIENCE_S, _LOOK_S = 10.0, 0.25  # how long work in the background waits for room, and how often
_TIGHT_BYTES = 150 << 20
_IN_VAIN_S = 60.0  # after a wait that brought nothing, nobody waits for so long
_in_vain = [-_IN_VAIN_S]  # when the last one ended
_MMAP_THRESHOLD, _MMAP_BYTES = -3, 2 << 20  # glibc's name of the setting, and an eighth of a frame


def memory_limit() -> int | None:
    """Return how many bytes this process may take, with its children; None where nobody says."""
    stated = os.environ.get(LIMIT_ENV, "")
    return int(stated) * 2**20 if stated.isdecimal() else _group_limit()


@cache
def _group_limit() -> int | None:
    for path in _GROUPS:
        with contextlib.suppress(OSError, ValueError):
            limit = int(path.read_text())
            return limit if limit < _UNLIMITED else None
    return None


def resident_bytes() -> int:
    """Return the memory that this process and its children hold; 0 where it cannot be known."""
    return sum(map(_resident, ["self", *_children()]))


def on_shortage(relieve: Callable[[], object]) -> None:
    """Name what can be given back, such as kept results, before anything is refused."""
    if relieve not in _relief:
        _relief.append(relieve)


def require_memory(more_bytes: int) -> None:
    """Make sure that so much more memory can be taken.

    Raises
    ------
    OutOfMemory
        If it cannot, although everything that can be given back was given back.
    """
    limit = memory_limit()
    if limit is None or _fits(more_bytes, limit) or _fits_once_returned(more_bytes, limit):
        return
    if not _relieve(more_bytes, limit):
        raise OutOfMemory


def wait_for_memory(more_bytes: int = 0) -> bool:
    """Wait a while until so much more memory can be taken; return whether it can."""
    limit = memory_limit()
    if limit is None or _fits(more_bytes, limit) or _relieve(more_bytes, limit):
        return True
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and _in_vain[0] + _IN_VAIN_S < time.monotonic():
        time.sleep(_LOOK_S)
        if _fits(more_bytes, limit):
            return True
    _in_vain[0] = time.monotonic()
    return _relieve(more_bytes, limit)


def is_tight() -> bool:
    """Tell whether so little can still be taken that work had better go one by one."""
    limit = memory_limit()
    return limit is not None and not _fits(_TIGHT_BYTES, limit)


@contextlib.contextmanager
def reserved(more_bytes: int) -> Iterator[None]:
    """Keep so much memory for the work inside; while others hold theirs, wait for them.

    Work in the background asks for it. Who holds one must not ask for a second one.

    Raises
    ------
    OutOfMemory
        If nobody holds any, and it is still too much after a while.
    """
    limit = memory_limit()
    if limit is None:
        yield
        return
    with _changed:
        while not _fits(more_bytes + sum(_reserved), limit):
            if not _reserved:
                if not wait_for_memory(more_bytes):
                    raise OutOfMemory
                break
            _changed.wait()
        _reserved.append(more_bytes)
    try:
        yield
    finally:
        with _changed:
            _reserved.remove(more_bytes)
            _changed.notify_all()


@contextlib.contextmanager
def lent(process: int, wanted_bytes: int | None, most_bytes: int) -> Iterator[int]:
    """Lend a process beside this one memory for one piece of work.

    While it works, everybody else reckons with all of that, whether it is taken yet or not.

    Parameters
    ----------
    process : int
        Its id.
    wanted_bytes : int or None
        What the work is expected to take; None for all that is free.
    most_bytes : int
        More is never lent; where no limit is stated, this much.

    Yields
    ------
    int
        How many bytes more than now it may hold.

    Raises
    ------
    OutOfMemory
        If so much is not free.
    """
    limit = memory_limit()
    if limit is None:
        yield most_bytes
        return
    if wanted_bytes is not None:
        require_memory(min(wanted_bytes, most_bytes))
    with _changed:
        free = int((1 - SPARE) * limit) - resident_bytes() - _outstanding()
        more = min(most_bytes, free if wanted_bytes is None else wanted_bytes)
        if more > free or more <= 0:
            raise OutOfMemory
        _lent[process] = _resident(str(process)) + more
    try:
        yield more
    finally:
        with _changed:
            del _lent[process]
            _changed.notify_all()


def _outstanding() -> int:
    """Return how much of what was lent is not taken yet."""
    return sum(max(0, most - _resident(str(process))) for process, most in list(_lent.items()))


def _fits_once_returned(more_bytes: int, limit: int) -> bool:
    """Wait for what is lent, which comes back within seconds, before anything kept is dropped."""
    until = time.monotonic() + PATIENCE_S
    while _lent and time.monotonic() < until:
        with _changed:
            _changed.wait(_LOOK_S)
        if _fits(more_bytes, limit):
            return True
    return False


def give_frames_back() -> None:
    """Have freed arrays of a frame's size go back to the system at once, where memory is limited.

    The C library otherwise keeps such pieces for later, scattered.
    """
    if memory_limit() is not None:
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL("libc.so.6").mallopt(_MMAP_THRESHOLD, _MMAP_BYTES)


def _relieve(more_bytes: int, limit: int) -> bool:
    """Give back what can be given back; return whether that is enough."""
    for relieve in _relief:
        relieve()
    gc.collect()
    give_back()
    return _fits(more_bytes, limit)


def _fits(more_bytes: int, limit: int) -> bool:
    return resident_bytes() + _outstanding() + more_bytes <= (1 - SPARE) * limit


def _resident(process: str) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError, ValueError):  # another system, or it has ended
        return 0


def _children() -> list[str]:
    found: list[str] = []
    for path in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += path.read_text().split()
    return found


def give_back() -> None:
    """Give freed memory back to the system, where the C library knows how."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)

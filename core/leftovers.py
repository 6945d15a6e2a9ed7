"""Folders of this process on the disk, which go with it; of processes that were killed, too.

What ends in order removes its own. A killed process cannot: its folder holds a lock that the
operating system lets go of, and the next process that needs a folder removes what nobody locks.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import shutil
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import BaseFileLock

_PREFIX, _LOCK = "micrographia-", "lock"
_LOG = logging.getLogger(__name__)
_guard = threading.Lock()
_held: dict[int, tuple[Path, BaseFileLock]] = {}  # by process: one that was forked has none yet


def make_folder(prefix: str) -> Path:
    """Return a new, empty folder for this process; it goes at its end at the latest.

    Parameters
    ----------
    prefix : str
        What its name begins with.

    Raises
    ------
    OSError
        If the temporary folder of the system cannot be written.
    """
    return Path(tempfile.mkdtemp(prefix=prefix, dir=_root()))


def _root() -> Path:
    """Return the folder of all folders of this process; the first call looks for leftovers."""
    with _guard:
        held = _held.get(os.getpid())
        if held is None or not held[0].is_dir():
            _sweep(Path(tempfile.gettempdir()))
            held = _held[os.getpid()] = _begin()
            atexit.register(_end, os.getpid())
        return held[0]


def _begin() -> tuple[Path, BaseFileLock]:
    from filelock import FileLock

    while True:
        root = Path(tempfile.mkdtemp(prefix=_PREFIX))
        lock = FileLock(root / _LOCK, timeout=0, thread_local=False)
        with contextlib.suppress(NotImplementedError):  # a file system without locks
            lock.acquire()
        if (root / _LOCK).is_file():  # else another process took it for a leftover
            return root, lock
        lock.release()


def _end(process: int) -> None:
    if process == os.getpid() and process in _held:
        root, lock = _held.pop(process)
        lock.release()
        shutil.rmtree(root, ignore_errors=True)


def _sweep(place: Path) -> None:
    """Remove the folders of processes that are no more; whatever is not ours is left alone."""
    from filelock import FileLock

    for mark in place.glob(f"{_PREFIX}*/{_LOCK}"):
        if mark.parent.is_symlink() or mark.is_symlink():
            continue
        lock = FileLock(mark, timeout=0, thread_local=False)
        try:
            lock.acquire()
        except (OSError, TimeoutError, NotImplementedError):  # at work, or somebody else's
            continue
        _LOG.info("removes what a killed process left in %s", mark.parent)
        lock.release()
        shutil.rmtree(mark.parent, ignore_errors=True)

"""All visitors' micrographs stay within one budget: who has been away longest makes room.

A shelf is what one session has loaded. Sessions run in threads of their own, so whatever counts
over all shelves holds a lock. A shelf goes with its session.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from typing import Any, Generic, Protocol, TypeVar

from core.errors import UserError
from core.imaging.memory import memory_limit
from core.micrograph import Micrograph

SESSIONS_ENV = "MICROGRAPHIA_SESSIONS_MB"
LEAST_MB = 768  # for all visitors, where the memory is small or nobody says how large it is
SHARE = 0.25  # of the memory, where it is known
AWAY_S = 600.0  # nobody who did something since then loses anything
_MB = 2**20
_lock = threading.RLock()


class HoldsBytes(Protocol):
    """A file that is kept beside its micrograph."""

    @property
    def bytes_held(self) -> int:
        """How much memory it takes."""


File = TypeVar("File", bound=HoldsBytes)


class Shelf(dict[str, Micrograph], Generic[File]):
    """What one session has loaded: digest to micrograph, in the order of loading.

    Attributes
    ----------
    files : dict
        Digest to the file that is kept for its other frames.
    own : dict
        Digest to the micrograph as its file describes it.
    evicted : list of str
        Names of what had to make room for others.
    beside : dict
        Bytes that the session holds besides: uploads that wait, and those of a running batch.
    """

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, File] = {}
        self.own: dict[str, Micrograph] = {}
        self.evicted: list[str] = []
        self.beside: dict[str, int] = {}
        self.used_s = time.monotonic()
        _shelves.add(self)

    def __hash__(self) -> int:  # type: ignore[override]
        """A shelf is itself and no other, whatever lies on it."""
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    @property
    def nbytes(self) -> int:
        """Memory of the pixels and of the files kept beside them."""
        pixels = sum(micrograph.pixels.nbytes for micrograph in list(self.values()))
        return pixels + sum(file.bytes_held for file in list(self.files.values()))

    @property
    def all_bytes(self) -> int:
        """Memory of all that the session holds."""
        return self.nbytes + sum(list(self.beside.values()))

    def touch(self) -> None:
        """Note that its person is here."""
        self.used_s = time.monotonic()

    def forget(self, sha256: str) -> None:
        """Take one micrograph away, with all that belongs to it."""
        self.pop(sha256, None)
        self.files.pop(sha256, None)
        self.own.pop(sha256, None)

    def copied(self) -> Shelf[File]:
        """Return a shelf of another session with the same micrographs on it."""
        other: Shelf[File] = Shelf()
        with _lock:
            other.update(self)
            other.files.update(self.files)
            other.own.update(self.own)
        return other

    def evict(self) -> None:
        """Take everything away and remember the names."""
        with _lock:
            for sha256, micrograph in list(self.items()):
                self.evicted.append(micrograph.name)
                self.forget(sha256)


_shelves: weakref.WeakSet[Shelf[Any]] = weakref.WeakSet()


def budget_bytes() -> int:
    """Return how much memory the micrographs of all visitors may take."""
    stated = os.environ.get(SESSIONS_ENV, "")
    if stated.isdecimal():
        return int(stated) * _MB
    limit = memory_limit() or _installed_bytes()
    return max(LEAST_MB * _MB, int(SHARE * limit))


def make_room(shelf: Shelf[Any], more_bytes: int) -> None:
    """Make room on a shelf; those whose people have been away longest are emptied for it.

    Raises
    ------
    UserError
        If there is none, since others are at work. Nothing is taken from anybody then.
    """
    with _lock:
        excess = sum(each.all_bytes for each in _shelves) + more_bytes - budget_bytes()
        latest = time.monotonic() - AWAY_S
        idle = [each for each in _shelves if each is not shelf and each and each.used_s < latest]
        if excess > sum(each.nbytes for each in idle):
            raise UserError(
                "There is no room for it just now: other visitors fill this server's memory. Load "
                "fewer at once, remove some of yours, or try again in some minutes."
            )
        for each in sorted(idle, key=lambda one: one.used_s):
            if excess <= 0:
                break
            excess -= each.nbytes
            each.evict()


def _installed_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows
        return 0

"""What is kept for a while beyond the session that made it, under keys that nobody can guess."""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

HOUR_S = 3600.0
MOST = 100  # kept at once, of all visitors,
MOST_BYTES = 1 << 30  # and on the disk
_KEY_BYTES = 16
_KEY = re.compile(r"[A-Za-z0-9_-]{22}")

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class _Entry(Generic[Thing]):
    """A thing, when it goes, what it takes and who made it."""

    until_s: float
    held_bytes: int
    owner: object
    thing: Thing


class Kept(Generic[Thing]):
    """Things by key; each goes after an hour, or earlier for want of room."""

    def __init__(
        self,
        most: int = MOST,
        most_bytes: int = MOST_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._clock = clock
        self._things: OrderedDict[str, _Entry[Thing]] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, thing: Thing, held_bytes: int = 0, owner: object = None) -> str:
        """Keep a thing and return its key; what is larger than all the room is not found again.

        Room is made by the oldest of whoever has most of what is short.
        """
        key = secrets.token_urlsafe(_KEY_BYTES)
        with self._lock:
            until_s = self._clock() + HOUR_S
            self._things[key] = _Entry(until_s, held_bytes, owner, thing)
            self._tidy()
        return key

    def find(self, key: str) -> Thing | None:
        """Return what was kept under a key, whatever the key is; None when there is nothing."""
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            return None
        with self._lock:
            self._tidy()
            entry = self._things.get(key)
        return entry.thing if entry else None

    def renew(self, key: str, held_bytes: int) -> bool:
        """Keep for another hour what takes so much now; False when it is gone."""
        with self._lock:
            entry = self._things.get(key)
            if entry is None:
                return False
            until_s = self._clock() + HOUR_S
            self._things[key] = replace(entry, until_s=until_s, held_bytes=held_bytes)
            self._tidy()
            return key in self._things

    def drop(self, thing: Thing) -> None:
        """Forget a thing under all its keys."""
        with self._lock:
            for key in [key for key, kept in self._things.items() if kept.thing is thing]:
                del self._things[key]

    def _tidy(self) -> None:
        now = self._clock()
        for key in [key for key, kept in self._things.items() if kept.until_s <= now]:
            del self._things[key]
        while len(self._things) > self._most or self._held() > self._most_bytes:
            del self._things[self._next_to_go()]

    def _held(self) -> int:
        return sum(kept.held_bytes for kept in self._things.values())

    def _next_to_go(self) -> str:
        by_bytes = self._held() > self._most_bytes
        has: Counter[object] = Counter()
        for kept in self._things.values():
            has[kept.owner] += kept.held_bytes if by_bytes else 1
        owner = max(has, key=has.__getitem__)  # the one with the oldest thing, of several
        return next(key for key, kept in self._things.items() if kept.owner == owner)

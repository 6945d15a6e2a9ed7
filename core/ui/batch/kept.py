"""What is kept for a while beyond the session that made it, under keys that nobody can guess."""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

HOUR_S = 3600.0
MOST = 24  # kept at once, of all visitors,
MOST_BYTES = 1 << 30  # and on the disk
_KEY_BYTES = 16
_KEY = re.compile(r"[A-Za-z0-9_-]{22}")

Thing = TypeVar("Thing")


class Kept(Generic[Thing]):
    """Things by key; each goes after an hour, or earlier, the oldest first, for want of room."""

    def __init__(
        self,
        most: int = MOST,
        most_bytes: int = MOST_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._clock = clock
        self._things: OrderedDict[str, tuple[float, int, Thing]] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, thing: Thing, held_bytes: int = 0) -> str:
        """Keep a thing and return its key; what is larger than all the room is not found again."""
        key = secrets.token_urlsafe(_KEY_BYTES)
        with self._lock:
            self._things[key] = self._clock() + HOUR_S, held_bytes, thing
            self._tidy()
        return key

    def find(self, key: str) -> Thing | None:
        """Return what was kept under a key, whatever the key is; None when there is nothing."""
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            return None
        with self._lock:
            self._tidy()
            entry = self._things.get(key)
        return entry[2] if entry else None

    def drop(self, thing: Thing) -> None:
        """Forget a thing under all its keys."""
        with self._lock:
            for key in [key for key, (_, _, kept) in self._things.items() if kept is thing]:
                del self._things[key]

    def _tidy(self) -> None:
        now = self._clock()
        for key in [key for key, (until_s, _, _) in self._things.items() if until_s <= now]:
            del self._things[key]
        while len(self._things) > self._most or self._held() > self._most_bytes:
            self._things.popitem(last=False)

    def _held(self) -> int:
        return sum(held for _, held, _ in self._things.values())

"""Whose turn it is at a few decoding processes: one each, first come first served."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_POOL = re.compile(r"^(.{1,200})_\d{1,6}$")


def asker() -> str:
    """Return who asks: a thread, or the pool it belongs to.

    A visitor's page runs in one thread and a batch in one pool, so neither can hold more than one
    process, however many files it has.
    """
    thread = threading.current_thread()
    match = _POOL.match(thread.name)
    return match[1] if match else f"thread {thread.ident}"


class Turns:
    """Hands out places; nobody holds two, and those who wait are served in their order."""

    def __init__(self, places: int) -> None:
        self._changed = threading.Condition()
        self._free = list(range(places))
        self._waiting: list[tuple[object, str]] = []
        self._served: set[str] = set()

    @contextmanager
    def place(self, who: str, liked: list[int]) -> Iterator[int]:
        """Wait for a place and hold it; of several free ones the first of `liked`, if any."""
        ticket = (object(), who)
        with self._changed:
            self._waiting.append(ticket)
            try:
                self._changed.wait_for(lambda: self._free and self._next() is ticket)
            finally:
                self._waiting.remove(ticket)
            number = next((one for one in liked if one in self._free), self._free[0])
            self._free.remove(number)
            self._served.add(who)
            self._changed.notify_all()
        try:
            yield number
        finally:
            with self._changed:
                self._free = sorted([*self._free, number])
                self._served.discard(who)
                self._changed.notify_all()

    def _next(self) -> tuple[object, str] | None:
        """Return the first in the queue who holds nothing."""
        return next((one for one in self._waiting if one[1] not in self._served), None)

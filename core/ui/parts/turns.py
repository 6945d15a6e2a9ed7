"""Batches and trainings take turns: few at once, first come first served.

Nobody is at work twice while another waits: a batch that holds the second turn of one visitor gives
way between two micrographs as soon as somebody else is waiting, and goes on when a turn is free.
What is short but dear, and can be asked for without end, goes through a door.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_POLITE = 10  # niceness of a thread that works for minutes
_LOOK_EVERY_S = 0.5  # how soon one that waits sees that it was cancelled


def be_polite() -> None:
    """Let other threads of this process go first, where the system knows niceness of threads."""
    with contextlib.suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _POLITE)


class Door:
    """Lets one in at a time, and stays shut for as long as that took.

    Whatever is asked for without a pause, half of the time is everybody else's. Who comes after a
    pause waits for nothing.

    Parameters
    ----------
    most_s : float
        It is not shut for longer.
    """

    def __init__(self, most_s: float = 1.0) -> None:
        self._most_s = most_s
        self._lock = threading.Lock()
        self._opens = 0.0

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Wait for the door, and hold it."""
        with self._lock:
            time.sleep(max(0.0, self._opens - time.monotonic()))
            began = time.monotonic()
            try:
                yield
            finally:
                now = time.monotonic()
                self._opens = now + min(self._most_s, now - began)


class Turn:
    """A batch at work or waiting; `visitor` says whose, by equality."""

    def __init__(self, turns: Turns, visitor: object, stop: Callable[[], bool]) -> None:
        self.visitor = visitor
        self._turns = turns
        self._stop = stop

    def must_give_way(self) -> bool:
        """Tell whether this visitor has another turn while somebody else waits."""
        return self._turns.must_give_way(self)

    def give_way(self) -> None:
        """Let go of the turn and wait for the next one, or until the batch is cancelled."""
        self._turns.release(self)
        self._turns.wait(self, self._stop)


class Turns:
    """At most `count` at work at once."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._working: list[Turn] = []
        self._waiting: list[Turn] = []
        self._changed = threading.Condition()

    @contextmanager
    def take(self, visitor: object, stop: Callable[[], bool]) -> Iterator[Turn | None]:
        """Wait for a turn and hold it; None when `stop` said True before it came.

        Parameters
        ----------
        visitor : object
            Equal for batches of one person; None is nobody's, and never the same as another.
        stop : callable
            Asked every now and then while waiting.
        """
        turn = Turn(self, object() if visitor is None else visitor, stop)
        try:
            yield turn if self.wait(turn, stop) else None
        finally:
            self.release(turn)

    def wait(self, turn: Turn, stop: Callable[[], bool]) -> bool:
        """Queue up; return whether the turn came before `stop` said True."""
        with self._changed:
            self._waiting.append(turn)
            try:
                while self._next() is not turn:
                    if stop():
                        return False
                    self._changed.wait(_LOOK_EVERY_S)
                self._working.append(turn)
            finally:
                self._waiting.remove(turn)
                self._changed.notify_all()
        return True

    def release(self, turn: Turn) -> None:
        """Let others work; nothing happens when the turn is not at work."""
        with self._changed:
            if turn in self._working:
                self._working.remove(turn)
                self._changed.notify_all()

    def must_give_way(self, turn: Turn) -> bool:
        """Tell whether a turn is not the first of its visitor while somebody else waits."""
        with self._changed:
            own = [each for each in self._working if each.visitor == turn.visitor]
            others = any(each.visitor != turn.visitor for each in self._waiting)
            return others and len(own) > 1 and own[0] is not turn

    def _next(self) -> Turn | None:
        """Return who may begin now: first those of whom nothing is at work."""
        if len(self._working) >= self._count:
            return None
        busy = [turn.visitor for turn in self._working]
        new = (turn for turn in self._waiting if turn.visitor not in busy)
        return next(new, self._waiting[0] if self._waiting else None)

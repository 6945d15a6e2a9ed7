"""How far a batch is, how fast it goes and how long it will take, in words."""

from __future__ import annotations

import time
from collections.abc import Callable


class Pace:
    """Count, rate and time left; what an earlier run had done does not count as speed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._first: int | None = None
        self.done = self.total = 0

    def note(self, done: int, total: int) -> None:
        """Take in that so many of so many micrographs are done."""
        if self._first is None:
            self._first = done - 1
        self.done, self.total = done, total

    @property
    def rate(self) -> float:
        """Micrographs per second, 0 before the first."""
        elapsed = self._clock() - self._began
        return (self.done - (self._first or 0)) / elapsed if elapsed > 0 else 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds left at this rate; None before anything is done."""
        return (self.total - self.done) / self.rate if self.rate > 0 else None

    def words(self) -> str:
        """Return "12 of 200 · 3.1 per s · 1 min left"."""
        if self.total == 0:
            return "starting"
        parts = [f"{self.done} of {self.total}"]
        if self.rate > 0:
            rate = self.rate
            parts.append(f"{rate:.1f} per s" if rate >= 1 else f"{1 / rate:.1f} s each")
        left = self.left_s
        if left is not None and self.done < self.total:
            parts.append(f"{_duration(left)} left")
        return " · ".join(parts)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"

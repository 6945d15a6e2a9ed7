"""How far a training is, how long it will take, and whether it was asked to stop."""

from __future__ import annotations

import threading
import time

# Seconds on one busy core: a view through the still blocks, a view learnt from, a frame asked.
PER_VIEW_S, PER_LESSON_S, PER_FRAME_S = 0.1, 0.06, 0.25


class Stopped(Exception):
    """Raised inside a training that was asked to stop; what is done is kept in its work folder."""


class Watch:
    """Work done of the work there is, in seconds as foreseen; read from any thread.

    Parameters
    ----------
    total_s : float
        The work as foreseen; 0 where nobody asks.
    """

    def __init__(self, total_s: float = 0.0) -> None:
        self.total_s = total_s
        self._done_s = 0.0
        self._kept_s = 0.0
        self._began = time.monotonic()
        self._stop = threading.Event()

    def step(self, work_s: float) -> None:
        """Count work that was done.

        Raises
        ------
        Stopped
            If the training was asked to stop.
        """
        self._done_s += work_s
        if self._stop.is_set():
            raise Stopped

    def skip(self, work_s: float) -> None:
        """Count work that an earlier run had done."""
        self._done_s += work_s
        self._kept_s += work_s

    def stop(self) -> None:
        """Ask the training to stop at its next step."""
        self._stop.set()

    @property
    def is_stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop.is_set()

    @property
    def share(self) -> float:
        """Which part is done, 0–1."""
        return min(1.0, self._done_s / self.total_s) if self.total_s else 0.0

    @property
    def left_s(self) -> float:
        """How long it will take at the speed so far, in s; as foreseen while little is known."""
        left = max(0.0, self.total_s - self._done_s)
        own = self._done_s - self._kept_s
        if own <= 0.02 * self.total_s:  # also before anything is foreseen
            return left
        return left * (time.monotonic() - self._began) / own

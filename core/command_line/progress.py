"""How far a command is, on one line of a terminal, or a line a step into a file."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable


def draw_progress() -> Callable[[int, int, str], None]:
    """Return a listener that draws one line again and again; a line per step into a file."""
    from core.reporting.batch import Pace

    pace = Pace()

    def show(done: int, total: int, name: str) -> None:
        pace.note(done, total)
        name = "".join(c if c.isprintable() else "?" for c in name)  # no codes for the terminal
        if not sys.stderr.isatty():
            print(f"{pace.words()} · {name}", file=sys.stderr)
            return
        bar = "█" * round(24 * done / total)
        line = f"{bar:<24} {pace.words()} · {name}"[: shutil.get_terminal_size().columns - 1]
        print(f"\r\x1b[K{line}", end="\n" if done == total else "", file=sys.stderr, flush=True)

    return show


def draw_looking() -> Callable[[int, int], None]:
    """Return a listener that says how many pictures were looked at, and about how long is left."""
    began = time.monotonic()

    def show(done: int, total: int) -> None:
        left = (time.monotonic() - began) / done * (total - done)
        begin, end = ("\r\x1b[K", "") if sys.stderr.isatty() else ("", "\n")
        if sys.stderr.isatty() or done % 10 == 0 or done == total:
            words = f"looked at {done} of {total} pictures, about {left:.0f} s left"
            print(
                f"{begin}{words}", end="\n" if done == total else end, file=sys.stderr, flush=True
            )

    return show


def draw_fetching() -> Callable[[int, int | None], None]:
    """Return a listener that draws how much has arrived, every tenth into a file."""
    shown = -1

    def show(done: int, total: int | None) -> None:
        nonlocal shown
        tenth = int(10 * done / total) if total else int(done / 10e6)
        if not sys.stderr.isatty() and tenth == shown:
            return
        shown = tenth
        words = f"{done / 1e6:.0f} of {total / 1e6:.0f} MB" if total else f"{done / 1e6:.0f} MB"
        begin, end = ("\r\x1b[K", "") if sys.stderr.isatty() else ("", "\n")
        done_end = "\n" if done == total else end
        print(f"{begin}fetching: {words}", end=done_end, file=sys.stderr, flush=True)

    return show

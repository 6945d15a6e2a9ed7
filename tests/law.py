"""What hostile input must keep to: read, or refused in a sentence, within 5 s and 1 GB."""

from __future__ import annotations

import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from core.errors import UserError

MOST_SECONDS = 5.0
MOST_BYTES = 1_000_000_000
LONGEST_SENTENCE = 600


@dataclass
class Tally:
    """What came of one kind of input; `process_ends` counts decoding processes that died of it.

    `clock` is that of a processor where all work is done in this process: busy neighbours then
    count for nothing.
    """

    inputs: int = 0
    read: int = 0
    refused: int = 0
    broken: list[str] = field(default_factory=list)
    sentences: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    process_ends: int = 0
    clock: Callable[[], float] = time.monotonic

    def attempt(self, read: Callable[[], str | None], refusal: type[UserError] = UserError) -> str:
        """Read one input; return what broke the law, "" when nothing did.

        Parameters
        ----------
        read : callable
            Returns what is wrong with what it read, if anything.
        refusal : type
            Of the error that refuses.
        """
        self.inputs += 1
        began_s = self.clock()
        try:
            problem = read() or ""
            self.read += 1
        except refusal as error:
            self.refused += 1
            self.sentences[str(error)[:40]] += 1
            problem = "" if is_sentence(str(error)) else f"no sentence: {str(error)[:200]!r}"
        except Exception:
            problem = "".join(traceback.format_exc().splitlines(keepends=True)[-3:])
        return problem or self.time(self.clock() - began_s)

    def time(self, seconds: float) -> str:
        """Note how long an input took; return what is wrong with that, "" when nothing is."""
        self.slowest_s = max(self.slowest_s, seconds)
        return f"took {seconds:.1f} s" if seconds > MOST_SECONDS else ""


def is_sentence(said: str) -> bool:
    """Tell whether a person is told something in one sentence or two, on one line."""
    said = said.strip()
    return said.endswith((".", "?")) and len(said) <= LONGEST_SENTENCE and "\n" not in said


def summary(tallies: Mapping[str, Tally]) -> str:
    """Return a table, a row per kind, and what broke the law."""
    rows = [
        f"{'kind':12}{'inputs':>8}{'read':>8}{'refused':>9}{'broken':>8}{'slowest':>10}{'ends':>6}"
    ]
    for kind, tally in sorted(tallies.items()):
        rows.append(
            f"{kind:12}{tally.inputs:8}{tally.read:8}{tally.refused:9}{len(tally.broken):8}"
            f"{tally.slowest_s:9.2f}s{tally.process_ends:6}"
        )
    rows += [f"  {kind} {line}" for kind, tally in tallies.items() for line in tally.broken]
    inputs = sum(tally.inputs for tally in tallies.values())
    broken = sum(len(tally.broken) for tally in tallies.values())
    return "\n".join([*rows, f"{inputs} inputs, {broken} broke the law"])

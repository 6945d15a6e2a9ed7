"""How attacks run: so many inputs of each kind, held against `tests.law`; a table at the end."""

from __future__ import annotations

import argparse
import random
import resource
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from tests.law import MOST_BYTES, Tally, summary

Maker, Taker = Callable[[random.Random], bytes], Callable[[bytes], None]
Kinds = Mapping[str, tuple[Maker, Taker, int]]  # what makes one, what takes it, how many


def spoil(dice: random.Random, data: bytes) -> bytes:
    """Return bytes cut short, changed, doubled or with something put in."""
    spoilt = bytearray(data)
    way = dice.randrange(4)
    if way == 0 or not spoilt:
        return bytes(spoilt[: dice.randint(0, len(spoilt))])
    if way == 1:
        for _ in range(dice.randint(1, 8)):
            spoilt[dice.randrange(len(spoilt))] = dice.randrange(256)
        return bytes(spoilt)
    if way == 2:
        return bytes(spoilt + spoilt)
    place = dice.randrange(len(spoilt))
    return bytes(
        spoilt[:place] + dice.choice((b"[" * 50_000, b"\xff\xfe", b'"', b"\x00")) + spoilt[place:]
    )


def try_kind(kinds: Kinds, kind: str, inputs: int, seed: int) -> Tally:
    """Try so many inputs of a kind, all of them in this process."""
    make, take, _ = kinds[kind]
    tally = Tally(clock=time.process_time)
    for number in range(inputs):
        data = make(random.Random(f"{kind} {seed} {number}"))
        problem = tally.attempt(partial(take, data))
        if problem:
            tally.broken.append(f"{number}: {problem}")
    return tally


def main(kinds: Kinds, said: str | None, arguments: Sequence[str] | None = None) -> int:
    """Try all kinds, or those named, and print what came of them; 1 when one broke the law."""
    parser = argparse.ArgumentParser(description=said)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--share", type=float, default=1.0, help="of the usual number of inputs")
    parser.add_argument("kinds", nargs="*", default=list(kinds))
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")  # of zipfile, for names that occur twice
    tallies = {
        kind: try_kind(kinds, kind, round(kinds[kind][2] * options.share), options.seed)
        for kind in options.kinds
    }
    print(summary(tallies))
    print({kind: f"{len(tally.sentences)} sentences" for kind, tally in tallies.items()})
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"peak memory {peak / 1e6:.0f} MB")
    return int(any(tally.broken for tally in tallies.values()) or peak > MOST_BYTES)

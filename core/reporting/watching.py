"""A folder that is watched: files that come into it join its batch, and the report."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.reporting.batch import (
    BatchResult,
    GivenSource,
    Source,
    list_sources,
    run_batch,
    written_by_batch,
)
from core.reporting.decisions import Decision
from core.reporting.recipe import Recipe

EVERY_S = 5.0
_ENOUGH_FRAMES = 8  # a batch looks at no more
_Look = dict[tuple[str, str], Source]


def watch_batch(
    sources: Iterable[GivenSource],
    recipe: Recipe,
    out: str | PathLike[str],
    *,
    on_result: Callable[[BatchResult], object],
    stop: threading.Event,
    every_s: float = EVERY_S,
    resume: bool = False,
    **options: Any,
) -> None:
    """Run a batch, and again whenever files have joined, changed or gone, until it is stopped.

    New files come behind the earlier ones, which are not computed again; except that what the
    recipe leaves to the pictures of a sample is decided anew until eight of them were looked at,
    and holds from then on.

    Parameters
    ----------
    sources : iterable of Path, (name, bytes) or Micrograph
        Folders that may still be empty.
    recipe : Recipe
    out : path
    on_result : callable
        Called with the result of each run.
    stop : threading.Event
        Once it is set, this returns; a batch at work ends with what is done and counts.
    every_s : float
        How long to wait between two looks. A file is taken once two looks find it the same: it
        may still be being written.
    resume : bool
        Go on with what an earlier watch has left in the folder.
    **options
        Further ones of `run_batch`.

    Raises
    ------
    UserError
        As `run_batch` does.
    """
    given = list(sources)
    done: set[tuple[str, str]] = set()
    settled: tuple[Decision, ...] = ()
    before = _look(given, Path(out))
    while not stop.wait(every_s):
        now = _look(given, Path(out))
        steady = {stamp: source for stamp, source in now.items() if stamp in before}
        before = now
        if not steady or set(steady) == done:
            continue
        result = run_batch(
            steady.values(),
            replace(recipe, decided=(*recipe.decided, *settled)),
            out,
            resume=resume,
            grows=True,
            should_stop=stop.is_set,
            **options,
        )
        done, resume = set(steady), True
        settled = _settled(result.recipe, recipe)
        on_result(result)


def _settled(found: Recipe, stated: Recipe) -> tuple[Decision, ...]:
    """Return the decisions that enough frames have made, beyond those that a person stated."""
    own = {decision.sample for decision in stated.decided}
    return tuple(d for d in found.decided if d.frames >= _ENOUGH_FRAMES and d.sample not in own)


def _look(given: list[GivenSource], out: Path) -> _Look:
    """Return what is there by name and stamp; nothing while a folder holds no image."""
    found: _Look = {}
    for one in given:
        try:
            listed = list_sources([one], is_written=written_by_batch(out))
        except UserError:
            continue
        found |= {(source.name, source.stamp()): source for source in listed}
    return found

"""Micrographs x Recipe -> rows, one per micrograph, whatever becomes of the others.

Reading, network and measuring overlap, only a few micrographs are in memory at any time, and what
is finished goes to the disk at once: a batch that was killed goes on where it stopped. No torch is
imported before a batch starts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import UserError
from core.reporting.batch import export
from core.reporting.batch.deciding import decide
from core.reporting.batch.journal import Journal
from core.reporting.batch.keeping.lock import hold_folder
from core.reporting.batch.keeping.network import check, describe, key_of, load
from core.reporting.batch.keeping.result import BatchResult, assemble, judged, written
from core.reporting.batch.keeping.writer import Writer
from core.reporting.batch.others import Others, find_others
from core.reporting.batch.pipeline import Item, Known, work_in_threads
from core.reporting.batch.rows import tabulation
from core.reporting.batch.rows.samples.twins import Trial
from core.reporting.batch.sources import GivenSource, list_sources, written_by_batch
from core.reporting.recipe import Recipe

if TYPE_CHECKING:
    from core.learning.models import Classifier

ENGINES = ("threads", "dask")
Progress = Callable[[int, int, str], None]
OnRow = Callable[[dict[str, Any]], None]


def run_batch(
    sources: Iterable[GivenSource],
    recipe: Recipe,
    out: str | PathLike[str],
    *,
    engine: str = "threads",
    on_progress: Progress | None = None,
    classifier: Classifier | None = None,
    resume: bool = False,
    grows: bool = False,
    scheduler: str | None = None,
    workers: int = 2,
    labels: Mapping[str, str] | None = None,
    should_stop: Callable[[], bool] | None = None,
    on_row: OnRow | None = None,
    others: Iterable[GivenSource] = (),
) -> BatchResult:
    """Classify, explain, cluster and measure micrographs, and write the results to a folder.

    Parameters
    ----------
    sources : iterable of Path, (name, bytes) or Micrograph
        A folder stands for every image in it and below it, an archive for what is in it.
    recipe : Recipe
        Its filters act on clustering and measuring. The network sees the unfiltered micrograph.
    out : path
        Folder for results.csv, results.parquet, regions.csv, recipe.json, the same in tidy/ for
        other programs, columns.csv with the meaning of every column, the pictures that the recipe
        asks for and, written last, manifest.json. Made when it is missing; other files in it are
        left alone.
    engine : str
        "threads" of this process; or "dask", processes of a `dask.distributed` cluster, which
        give the same rows. They must see files under the same paths.
    on_progress : callable, optional
        Called in this thread as on_progress(done, total, name) after each micrograph.
    classifier : Classifier, optional
        Used in place of loading the recipe's model again.
    resume : bool
        Go on with what the same batch has left in the folder.
    grows : bool
        Files may join: with `resume`, those that the folder has results of come first, in their
        order there, and only the others are computed.
    scheduler : str, optional
        Address of a Dask scheduler; without one, a cluster is started here.
    workers : int
        Processes of that cluster.
    labels : mapping, optional
        Name of a micrograph to its true class; it counts before what `recipe.label_from` finds.
    should_stop : callable, optional
        Asked after each micrograph; once it returns True the batch ends with what is done.
    on_row : callable, optional
        Called in this thread with each row as far as it is known at that moment.
    others : iterable of Path, (name, bytes) or Micrograph
        Where filters find the micrographs that they name by digest (a flat field, a histogram to
        match), before they look among the sources; not analysed.

    Returns
    -------
    BatchResult
        A micrograph that cannot be read or analysed is a row with status "failed" and the
        reason; the others go on. A file that occurs twice is computed once.

    Raises
    ------
    UserError
        If there are no sources, the engine, the model or a choice of the recipe is unknown, the
        folder cannot be written, another batch is at work in it, or it holds another batch that
        was to be resumed; or if a micrograph that a filter names is not there.
    """
    began, started = time.perf_counter(), datetime.now(UTC)
    if engine not in ENGINES:
        raise UserError(f"There is no engine {engine!r}. Available: {', '.join(ENGINES)}.")
    listed = list_sources(sources, is_written=written_by_batch(Path(out)))
    if grows and resume:
        places = Journal(Path(out)).order([source.name for source in listed])
        listed = [listed[place] for place in places]
    network = classifier if classifier is not None else load(recipe)
    check(recipe, network)
    recipe = replace(recipe, model_sha256=network.card.sha256)  # a repetition must use these
    model = describe(network, recipe)
    named = find_others(recipe, others, listed)
    key, recipe = key_of(recipe, model, listed, grows), decide(recipe, listed, named)
    with _held(Path(out)) as folder:
        writer = Writer(folder, key, recipe, tells=on_row is not None)
        items = writer.start(listed, resume)
        resumed_behind = len(listed) - len(items)
        known, ahead = writer.known, _drained(items)
        at_work = _work(engine, ahead, recipe, network, known, scheduler, workers, named)
        listen = on_progress or (lambda done, total, name: None)
        with closing(at_work):
            for item in at_work:
                entry = writer.write(item)
                if on_row is not None:
                    on_row(tabulation.row_of(entry, writer.firsts.get(entry["first"])))
                listen(item.number, len(listed), item.source.name)
                if should_stop is not None and should_stop():
                    break
        writer.end()
        times = {
            "started": started.isoformat(timespec="seconds"),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "elapsed_s": round(time.perf_counter() - began, 3),
            "resumed_behind": resumed_behind,
        }
        result = assemble(folder, recipe, model, labels or {}, len(listed), times)
        tell = partial(listen, len(result.rows), len(listed))
        trial = Trial(recipe, listed, named, tell, should_stop or (lambda: False))
        return written(judged(result, trial))


@contextmanager
def _held(out: Path) -> Iterator[Path]:
    """Make the folder of a batch and keep all other batches out of it."""
    folder = export.make_folder(out)
    with ExitStack() as stack:
        with export.writing(folder):
            stack.enter_context(hold_folder(folder))
        yield folder


def _drained(items: list[Item]) -> Iterator[Item]:
    """Yield items in order and hold on to none: what was found of one is let go with it."""
    items.reverse()
    while items:
        yield items.pop()


def _work(
    engine: str,
    items: Iterator[Item],
    recipe: Recipe,
    network: Classifier,
    known: Known,
    scheduler: str | None,
    workers: int,
    others: Others,
) -> Generator[Item, None, None]:
    if engine == "threads":
        return work_in_threads(items, recipe, network, known, others)
    from core.reporting.batch.dask_engine import work_in_processes

    return work_in_processes(items, recipe, network.card.sha256, known, scheduler, workers, others)

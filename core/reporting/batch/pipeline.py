"""The way of one micrograph through a batch: read, answered by the network, measured.

Each step is a function of plain values, so that threads of this process and processes elsewhere
can take it; what goes wrong with a micrograph becomes its reason and nobody else's.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import OutOfMemory, UserError, lacks_memory
from core.imaging.memory import is_tight, reserved, wait_for_memory
from core.imaging.overlays import find_overlays
from core.micrograph import Micrograph
from core.reporting.batch.analysis import Analysis, analyse, name_parts, work_bytes
from core.reporting.batch.calibrating import calibrate
from core.reporting.batch.others import Others
from core.reporting.batch.sources import Source
from core.reporting.recipe import Recipe

if TYPE_CHECKING:
    from core.learning.classifying import Classification
    from core.learning.explaining import Explanation
    from core.learning.models import Classifier

    Answer = tuple[Classification, Explanation]

WORKERS = min(8, os.cpu_count() or 1)
GROUP = 16  # micrographs per pass through the network, and
GROUP_PX = 12_000_000  # pixels, so that a few very large ones do not fill the memory;
_AGAIN_BYTES = 100 << 20  # what must be free before a micrograph is tried again
MOST_PREVIEWS = 400  # of whom the report shows pictures
GROUP_WITH_IDLE = 64  # those that failed or were computed before do not fill a group

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Reading:
    """A micrograph as it was read, or the reason why it was not."""

    micrograph: Micrograph | None = None
    exclude: NDArray[np.bool_] | None = None
    reason: str = ""
    is_short: bool = False  # of memory: it may succeed a little later
    key: str = ""  # equal for micrographs that give equal rows
    pixels: int = 0
    named: dict[str, str] = field(default_factory=dict)  # what a copy has of its own

    def let_go(self) -> None:
        """Free the memory; what remains says what was there."""
        self.micrograph = self.exclude = None


@dataclass(slots=True)
class Item:
    """One source on its way through the batch."""

    number: int
    source: Source
    stamp: str = ""
    reading: Reading = field(default_factory=Reading)
    first: int | None = None  # number of the same file earlier in the batch
    answer: Answer | None = None
    reason: str = ""
    done: Analysis | None = None
    group: int = 0
    others: Others = field(default_factory=dict)  # what filters need beside it
    remote: Any = None  # where its reading lies when another process has it

    @property
    def is_shown(self) -> bool:
        """Whether the report shows pictures of it."""
        return self.number <= MOST_PREVIEWS

    @property
    def is_waiting(self) -> bool:
        """Whether there is something to ask the network about it."""
        return not self.reason and self.first is None


def explain_failure(error: Exception, name: str) -> str:
    """Return why a micrograph failed, in words for people; the unexpected is logged."""
    if isinstance(error, UserError):
        return str(error)
    if lacks_memory(error):
        return str(OutOfMemory())
    log.error("%s failed", name, exc_info=error)
    return f"unexpected: {type(error).__name__}"


def read(source: Source, recipe: Recipe) -> Reading:
    """Read a micrograph and find what is not specimen on it."""
    try:
        one = calibrate(source.read(), recipe, source.path)
        exclude = find_overlays(one) if recipe.exclude_overlays else None
        key = replace(one, name="").key  # a copy may be called otherwise
        named = name_parts(one, recipe, source.path)
        if len(recipe.decided) > 1:  # a copy in another sample may be measured otherwise
            key = f"{key}|{recipe.for_sample(named['sample'])}"
        return Reading(one, exclude, key=key, pixels=one.pixels.size, named=named)
    except Exception as error:
        return Reading(reason=explain_failure(error, source.name), is_short=lacks_memory(error))


def answer(readings: list[Reading], recipe: Recipe, network: Classifier) -> list[Answer | str]:
    """Classify and explain micrographs together; when that fails, each gets its own try."""
    try:
        return list(_ask(readings, recipe, network))
    except Exception:
        log.info("a group of %d failed; its members are tried one by one", len(readings))
    answers: list[Answer | str] = []
    for reading in readings:
        try:
            answers += _ask([reading], recipe, network)
        except Exception as error:
            name = reading.micrograph.name if reading.micrograph else ""
            answers.append(explain_failure(error, name))
    return answers


def _ask(readings: list[Reading], recipe: Recipe, network: Classifier) -> list[Answer]:
    from core.learning.explaining import classify_and_explain

    micrographs = [reading.micrograph for reading in readings if reading.micrograph is not None]
    return classify_and_explain(
        network,
        micrographs,
        method=recipe.method,
        target=recipe.explained_class,
        layer=recipe.layer,
        excludes=[reading.exclude for reading in readings],
        level=recipe.conformal_level,
    )


def measure(
    reading: Reading,
    answer: Answer,
    recipe: Recipe,
    path: str,
    others: Others,
    is_shown: bool = True,
) -> Analysis | str:
    """Return the analysis of a micrograph that the network has answered, or why there is none."""
    assert reading.micrograph is not None
    try:
        with reserved(work_bytes(reading.pixels, recipe)):
            known = (reading.micrograph, reading.exclude, *answer)
            return analyse(*known, recipe, path, others, is_shown)
    except Exception as error:
        return explain_failure(error, reading.micrograph.name)


class Known:
    """Which files came before, so that each is computed once."""

    def __init__(self, earlier: dict[str, int] | None = None) -> None:
        self.numbers = dict(earlier or {})

    def settle(self, item: Item) -> Item:
        """Note a micrograph that was read: it failed, came before, or waits for the network."""
        reading = item.reading
        item.reason = reading.reason
        if not reading.reason:
            first = self.numbers.setdefault(reading.key, item.number)
            if first != item.number:
                item.first = first
                reading.let_go()
        return item


def group_items(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield items in groups for the network, or one by one where memory is tight.

    The groups depend on nothing but the files.
    """
    group: list[Item] = []
    waiting = pixels = 0
    for item in items:
        group.append(item)
        if item.is_waiting:
            waiting, pixels = waiting + 1, pixels + item.reading.pixels
        is_full = waiting >= GROUP or pixels >= GROUP_PX or len(group) >= GROUP_WITH_IDLE
        if is_full or is_tight():
            yield group
            group, waiting, pixels = [], 0, 0
    if group:
        yield group


def work_in_threads(
    items: Iterable[Item], recipe: Recipe, network: Classifier, known: Known, others: Others
) -> Generator[Item, None, None]:
    """Yield each item when it is finished, in order; every stage pulls from the one before.

    Threads read ahead and measure behind while the network works in the calling thread.
    """
    pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="batch")
    try:
        equipped = (_with_others(item, others) for item in items)
        reading = _threaded(equipped, lambda item: _read(item, recipe), pool, ahead=2 * WORKERS)
        read = (_again_if_short(item, recipe) for item in reading)
        groups = enumerate(group_items(known.settle(item) for item in read), start=1)
        answered = (item for n, group in groups for item in _answer(n, group, recipe, network))
        yield from _threaded(answered, lambda item: _measure(item, recipe), pool, ahead=WORKERS)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _threaded(
    items: Iterable[Item], work: Callable[[Item], None], pool: ThreadPoolExecutor, ahead: int
) -> Iterator[Item]:
    """Yield items in order after threads have worked on them, with only a few under way."""
    under_way: deque[tuple[Item, Future[None]]] = deque()
    for item in items:
        under_way.append((item, pool.submit(work, item)))
        while under_way and (len(under_way) > ahead or under_way[0][1].done() or is_tight()):
            yield _result(*under_way.popleft())
    while under_way:
        yield _result(*under_way.popleft())


def _result(item: Item, job: Future[None]) -> Item:
    job.result()
    return item


def _with_others(item: Item, others: Others) -> Item:
    item.others = others
    return item


def _read(item: Item, recipe: Recipe) -> None:
    item.reading = read(item.source, recipe)


def _again_if_short(item: Item, recipe: Recipe) -> Item:
    """Read a micrograph again that there was no memory for while threads were reading others."""
    if item.reading.is_short and wait_for_memory(_AGAIN_BYTES):
        _read(item, recipe)
    return item


def _answer(number: int, group: list[Item], recipe: Recipe, network: Classifier) -> list[Item]:
    waiting = [item for item in group if item.is_waiting]
    answers = answer([item.reading for item in waiting], recipe, network)
    for item, said in zip(waiting, answers, strict=True):
        if isinstance(said, str):
            item.reason = said
        else:
            item.answer = said
    for item in group:
        item.group = number
    return group


def _measure(item: Item, recipe: Recipe) -> None:
    """Measure and let go of the pixels."""
    if item.answer is not None:
        known = (item.reading, item.answer, recipe, item.source.path, item.others)
        take(item, measure(*known, item.is_shown))
    item.reading.let_go()
    item.answer = None


def take(item: Item, done: Analysis | str) -> None:
    """Put what came of a micrograph into its item."""
    if isinstance(done, str):
        item.reason = done
    else:
        item.done = done


def plain(value: Any) -> Any:
    """Return a value as JSON holds it, with every digit."""
    return value.item() if isinstance(value, np.generic) else value

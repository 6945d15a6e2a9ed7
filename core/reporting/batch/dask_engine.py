"""A batch on the processes of a `dask.distributed` cluster: same rows, same order, same digits.

Micrographs are read, answered and measured by the workers, in the very groups that threads would
form; this process only learns what their keys and results are. What a worker that dies had in
hand, the scheduler gives to another one.
"""

from __future__ import annotations

import functools
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import UserError
from core.reporting.batch.analysis import Analysis
from core.reporting.batch.keeping.network import load
from core.reporting.batch.others import Others
from core.reporting.batch.pipeline import (
    GROUP,
    Item,
    Known,
    Reading,
    answer,
    explain_failure,
    group_items,
    measure,
    read,
    take,
)
from core.reporting.batch.sources import Source
from core.reporting.recipe import Recipe

if TYPE_CHECKING:
    from core.learning.models import Classifier

_NOBODY = (
    "No Dask scheduler answers at {!r}. Give its address as it prints it, such as "
    "tcp://10.0.0.5:8786."
)
CONNECT_S = 20
_CHUNK_BYTES = 16 << 20  # of files that one task reads
_Stated = tuple[str, str | None, str | None]  # weights, preparation, classes per frame
_models: dict[_Stated, Classifier] = {}  # of a worker: one process answers with one model for long
_loading = threading.Lock()


def work_in_processes(
    items: Iterable[Item],
    recipe: Recipe,
    sha256: str,
    known: Known,
    scheduler: str | None,
    workers: int,
    others: Others,
) -> Generator[Item, None, None]:
    """Yield each item when it is finished, in order.

    Parameters
    ----------
    items : iterable of Item
    recipe : Recipe
        Its model is loaded by every worker, once.
    sha256 : str
        Of the model's weights here; a worker with others refuses.
    known : Known
    scheduler : str or None
        Address of a scheduler; None starts a cluster of processes on this machine.
    workers : int
        Number of those processes.
    others : mapping of str to Micrograph
        What filters need beside the micrograph; sent once.

    Raises
    ------
    UserError
        If Dask is not installed or the scheduler does not answer.
    """
    with _connected(scheduler, workers) as client:
        busy = max(workers, sum(client.nthreads().values()))  # of a scheduler's cluster, too
        ahead = max(GROUP, 2 * GROUP * busy)
        sent = client.scatter(dict(others), hash=False) if others else {}
        groups = group_items(known.settle(item) for item in _read(items, recipe, client, ahead))
        under_way: deque[tuple[list[Item], Any]] = deque()
        for number, group in enumerate(groups, start=1):
            under_way.append((group, _submit(client, group, recipe, sha256, number, sent)))
            while under_way and (len(under_way) > 2 * busy or _ended(under_way[0][1])):
                yield from _collect(*under_way.popleft())
        while under_way:
            yield from _collect(*under_way.popleft())


def _ended(job: Any) -> bool:
    return job is None or bool(job.done())


@contextmanager
def _connected(scheduler: str | None, workers: int) -> Iterator[Any]:
    try:
        from dask import distributed as untyped
    except ImportError as error:
        raise UserError(
            "The engine dask needs the package dask[distributed]: install it, or use threads."
        ) from error
    distributed: Any = untyped
    with ExitStack() as stack:
        where: Any = scheduler
        if scheduler is not None:
            _check_address(scheduler)
        else:
            options = {"threads_per_worker": 1, "processes": True, "dashboard_address": None}
            where = stack.enter_context(distributed.LocalCluster(n_workers=workers, **options))
        try:
            client = stack.enter_context(
                distributed.Client(where, timeout=CONNECT_S, set_as_default=False)
            )
        except (OSError, ValueError, TimeoutError) as error:
            raise UserError(_NOBODY.format(scheduler)) from error
        yield client


def _check_address(scheduler: str) -> None:
    """Refuse what is no address: a client that was given one ends in an error long after it."""
    from distributed.comm import addressing, registry

    try:
        scheme, where = addressing.parse_address(scheduler)
        host, port = addressing.parse_host_port(where)
        is_one = bool(host) and 0 < int(port) < 2**16 and scheme in registry.backends
        host.encode("idna")  # as a name is looked up; nothing else of it is
    except ValueError as error:
        raise UserError(_NOBODY.format(scheduler)) from error
    if not is_one or not host.isprintable():
        raise UserError(_NOBODY.format(scheduler))


def _read(items: Iterable[Item], recipe: Recipe, client: Any, ahead: int) -> Iterator[Item]:
    """Yield items whose micrographs lie with a worker; here is only what is known of them.

    Several small files are one task: a scheduler takes a millisecond for each.
    """
    under_way: deque[tuple[list[Item], Any, Any]] = deque()
    waiting = 0
    for chunk in _chunks(items):
        sources = [item.source.portable() for item in chunk]
        there = client.submit(_read_all, sources, recipe, pure=False)
        told = client.submit(_summaries, there, pure=False, priority=1)
        under_way.append((chunk, there, told))
        waiting += len(chunk)
        while waiting > ahead:
            waiting -= len(under_way[0][0])
            yield from _noted_all(*under_way.popleft(), client, recipe)
    while under_way:
        yield from _noted_all(*under_way.popleft(), client, recipe)


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield items by as many as one task reads: few of large files."""
    chunk: list[Item] = []
    held = 0
    for item in items:
        chunk.append(item)
        held += _size(item)
        if len(chunk) == GROUP or held > _CHUNK_BYTES:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk


def _size(item: Item) -> int:
    """Return how many bytes a source has; what is not known counts as large."""
    content = item.source.content
    try:
        return content.stat().st_size if isinstance(content, Path) else _CHUNK_BYTES
    except OSError:
        return 0


def _read_all(sources: list[Source], recipe: Recipe) -> list[Reading]:
    return [read(source, recipe) for source in sources]


def _summaries(readings: list[Reading]) -> list[Reading]:
    return [_summary(reading) for reading in readings]


def _noted_all(
    chunk: list[Item], there: Any, told: Any, client: Any, recipe: Recipe
) -> Iterator[Item]:
    """Yield items with what is known of them; where their worker died, each is tried alone."""
    try:
        known = told.result()
    except Exception:
        for item in chunk:
            alone = client.submit(_read_all, [item.source.portable()], recipe, pure=False)
            yield _noted(item, (alone, 0), client.submit(_first_summary, alone, pure=False))
        return
    for place, (item, reading) in enumerate(zip(chunk, known, strict=True)):
        item.reading, item.remote = reading, (there, place)
        yield item


def _first_summary(readings: list[Reading]) -> Reading:
    return _summary(readings[0])


def _noted(item: Item, there: Any, told: Any) -> Item:
    try:
        item.reading = told.result()
        item.remote = there
    except Exception as error:  # its worker died again and again, or could not be reached
        item.reading = Reading(reason=explain_failure(error, item.source.name))
    return item


def _summary(reading: Reading) -> Reading:
    return Reading(
        reason=reading.reason, key=reading.key, pixels=reading.pixels, named=reading.named
    )


def _submit(
    client: Any, group: list[Item], recipe: Recipe, sha256: str, number: int, others: Any
) -> Any:
    """Hand the waiting members of a group to a worker; None when there are none."""
    for item in group:
        item.group = number
    waiting = [item for item in group if item.is_waiting]
    job = None
    if waiting:
        chunks = list({id(item.remote[0]): item.remote[0] for item in waiting}.values())
        number_of = {id(chunk): place for place, chunk in enumerate(chunks)}
        which = [(number_of[id(item.remote[0])], item.remote[1]) for item in waiting]
        told = [(item.source.path, item.is_shown) for item in waiting]
        job = client.submit(
            *(_answer_and_measure, chunks, which, told, recipe, sha256, others),
            pure=False,
            priority=2,
        )
    for item in group:
        item.remote = None  # the group holds on to it until it is answered
    return job


def _collect(group: list[Item], job: Any) -> list[Item]:
    waiting = [item for item in group if item.is_waiting]
    try:
        results: list[Analysis | str] = job.result() if job is not None else []
    except Exception as error:
        results = [explain_failure(error, item.source.name) for item in waiting]
    for item, done in zip(waiting, results, strict=True):
        take(item, done)
    return group


def _answer_and_measure(
    chunks: list[list[Reading]],
    which: list[tuple[int, int]],
    told: list[tuple[str, bool]],
    recipe: Recipe,
    sha256: str,
    others: Others,
) -> list[Analysis | str]:
    """Work on a group in a worker's process; `which` says where its readings lie in the chunks."""
    _keep_to_own_cores()
    network = _load_once(recipe, sha256)
    readings = [chunks[chunk][place] for chunk, place in which]
    answers = answer(readings, recipe, network)
    done: list[Analysis | str] = []
    for reading, (path, is_shown), said in zip(readings, told, answers, strict=True):
        if isinstance(said, str):
            done.append(said)
        else:
            done.append(measure(reading, said, recipe, path, others, is_shown))
    return done


def _keep_to_own_cores() -> None:
    """Let libraries use as many threads as the worker was given, not one for each core.

    Two workers on two cores took 1.7 times the CPU seconds of one: the threads of both waited for
    each other in the network's every layer. A worker of one thread filled 1.2 cores by OpenCV's.
    """
    from dask import distributed

    from core.learning.models import use_threads

    threads = distributed.get_worker().state.nthreads
    use_threads(threads)
    _limit_libraries(threads)


@functools.cache
def _limit_libraries(threads: int) -> None:
    """Limit the threads of OpenCV and of linear algebra, once in a process."""
    import cv2
    from threadpoolctl import threadpool_limits

    cv2.setNumThreads(threads)
    threadpool_limits(threads)


def _load_once(recipe: Recipe, sha256: str) -> Classifier:
    """Return the network as the recipe states it: prepared, and read, as this machine does it."""
    key = sha256, recipe.prepare, recipe.classes_per_frame
    with _loading:
        if key not in _models:
            network = load(recipe)
            if network.card.sha256 != sha256:
                raise UserError(
                    f"The model {recipe.model} of a worker has other weights than this machine's. "
                    "Copy the same model folder to all of them."
                )
            _models.clear()
            _models[key] = network
        return _models[key]

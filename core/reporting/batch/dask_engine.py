"""A batch on the processes of a `dask.distributed` cluster: same rows, same order, same digits.

Micrographs are read, answered and measured by the workers, in the very groups that threads would
form; this process only learns what their keys and results are. What a worker that dies had in
hand, the scheduler gives to another one.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from core.errors import UserError
from core.reporting.batch.analysis import Analysis
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
from core.reporting.recipe import Recipe

if TYPE_CHECKING:
    from core.learning.models import Classifier

_NOBODY = (
    "No Dask scheduler answers at {!r}. Give its address as it prints it, such as "
    "tcp://10.0.0.5:8786."
)
CONNECT_S = 20
_models: dict[str, Classifier] = {}  # of a worker: one process answers with one model for long
_loading = threading.Lock()
_Job = tuple[Item, Any, Any]


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
    """Yield items whose micrographs lie with a worker; here is only what is known of them."""
    under_way: deque[_Job] = deque()
    for item in items:
        there = client.submit(read, item.source.portable(), recipe, pure=False)
        told = client.submit(_summary, there, pure=False, priority=1)
        under_way.append((item, there, told))
        if len(under_way) > ahead:
            yield _noted(*under_way.popleft())
    while under_way:
        yield _noted(*under_way.popleft())


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
        there = [item.remote for item in waiting]
        paths = [item.source.path for item in waiting]
        job = client.submit(
            _answer_and_measure, there, paths, recipe, sha256, others, pure=False, priority=2
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
    readings: list[Reading], paths: list[str], recipe: Recipe, sha256: str, others: Others
) -> list[Analysis | str]:
    """Work on a group in a worker's process."""
    network = _load_once(recipe.model, sha256)
    done: list[Analysis | str] = []
    for reading, path, said in zip(readings, paths, answer(readings, recipe, network), strict=True):
        if isinstance(said, str):
            done.append(said)
        else:
            done.append(measure(reading, said, recipe, path, others))
    return done


def _load_once(name: str, sha256: str) -> Classifier:
    from core.learning.models import load_model

    with _loading:
        if sha256 not in _models:
            network = load_model(name)
            if network.card.sha256 != sha256:
                raise UserError(
                    f"The model {name} of a worker has other weights than this machine's. "
                    "Copy the same model folder to all of them."
                )
            _models.clear()
            _models[sha256] = network
        return _models[sha256]

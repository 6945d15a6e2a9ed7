"""Files on disk -> classifications, in order: several batches are under way at once.

Each worker takes a batch from the files to the answers. On a CPU the network runs on one thread per
worker: threads that share one pass wait for each other at every layer, and longer the busier the
machine is; workers do not, and one reads while the other computes.
"""

from __future__ import annotations

import itertools
import logging
import os
import threading
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from core.errors import UserError
from core.imaging.overlays import find_overlays
from core.imaging.reading import read_micrograph
from core.learning.classifying.classification import BATCH, Classification, look_at, read_logits
from core.learning.classifying.conformal import lowest_probability
from core.learning.classifying.signs import look_for_signs
from core.learning.models import Classifier

Answer = Classification | UserError
Answered = list[tuple[Path, Answer]]
_MOST_READERS = 8  # beside a GPU
_LOG = logging.getLogger(__name__)


class _Ready(NamedTuple):
    """A file that was read and prepared, or why it could not be."""

    path: Path
    prepared: Tensor | UserError
    signs: tuple[str, ...] = ()


def classify_files(
    classifier: Classifier,
    paths: Iterable[Path],
    *,
    exclude_overlays: bool = True,
    level: float | None = None,
    workers: int | None = None,
) -> Iterator[tuple[Path, Answer]]:
    """Yield each file and its classification, in order, and why where there is none.

    The same answers as `classify`. Per worker one batch is under way and one more waits.

    Parameters
    ----------
    classifier : Classifier
    paths : iterable of Path
        Taken from as they are needed; it may be endless.
    exclude_overlays : bool
        Whether info bar and letters are found and hidden.
    level : float, optional
        Of the prediction sets, as for `classify`.
    workers : int, optional
        Batches at once; on a CPU as many as torch may use threads, else one per core, at most 8.
    """
    floor = lowest_probability(classifier, level)
    source = iter(paths)
    workers = workers or count_workers(classifier.device)
    with pool_of_workers(workers, one_thread_each=classifier.device == "cpu") as pool:

        def submit() -> Future[Answered] | None:
            batch = list(itertools.islice(source, BATCH))
            if not batch:
                return None
            return pool.submit(_work, classifier, batch, exclude_overlays, floor)

        waiting = deque(submit() for _ in range(workers + 1))
        while (future := waiting.popleft()) is not None:
            waiting.append(submit())
            yield from future.result()


def count_workers(device: str) -> int:
    """Return how many passes at once are fastest: on a CPU as many as torch may use threads."""
    return torch.get_num_threads() if device == "cpu" else min(_MOST_READERS, os.cpu_count() or 1)


@contextmanager
def pool_of_workers(workers: int, *, one_thread_each: bool) -> Iterator[ThreadPoolExecutor]:
    """Yield a pool whose threads let torch use one thread each; all other threads keep theirs."""
    everybody = threading.Barrier(workers + 1)
    before = torch.get_num_threads()

    def start() -> None:
        if one_thread_each:
            torch.set_num_threads(1)
            torch.get_num_threads()  # from the first time on that it is asked, a thread keeps it
        everybody.wait()

    with ThreadPoolExecutor(workers, "classifier") as pool:
        for _ in range(workers):
            pool.submit(start)
        everybody.wait()
        # What a thread asked for stays with it, but threads to come would take after the last one.
        torch.set_num_threads(before)
        try:
            yield pool
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _work(
    classifier: Classifier, paths: Sequence[Path], exclude_overlays: bool, floor: float
) -> Answered:
    ready = [_prepare(classifier, path, exclude_overlays) for path in paths]
    return list(_answer(classifier, ready, floor))


def _prepare(classifier: Classifier, path: Path, exclude_overlays: bool) -> _Ready:
    try:
        micrograph = read_micrograph(path)
        mask = find_overlays(micrograph) if exclude_overlays else None
        image = torch.from_numpy(classifier.preparation(micrograph, mask))[None, None]
    except UserError as error:
        return _Ready(path, error)
    except Exception as error:  # one file costs only itself
        _LOG.error("%s failed", path.name, exc_info=error)
        return _Ready(path, UserError(f"unexpected: {type(error).__name__}"))
    # Pinned memory goes to the card while it still computes.
    signs = look_for_signs(micrograph, mask)
    return _Ready(path, image.pin_memory() if classifier.device == "cuda" else image, signs)


def _answer(
    classifier: Classifier, ready: list[_Ready], floor: float
) -> Iterator[tuple[Path, Answer]]:
    by_size: dict[tuple[int, ...], list[int]] = defaultdict(list)
    answers: dict[int, Answer] = {}
    for place, entry in enumerate(ready):
        if isinstance(entry.prepared, UserError):
            answers[place] = entry.prepared
        else:
            by_size[tuple(entry.prepared.shape)].append(place)
    for places in by_size.values():
        together = classifier.batch_size(_tensor(ready[places[0]]).shape[-2:])
        for start in range(0, len(places), together):
            part = places[start : start + together]
            inputs = torch.cat([_tensor(ready[place]) for place in part])
            logits, pooled = look_at(classifier, inputs.to(classifier.device, non_blocking=True))
            for place, row, embedding in zip(part, logits, pooled, strict=True):
                answer = read_logits(classifier, row, embedding, floor=floor)
                answers[place] = replace(answer, signs=ready[place].signs)
    for place, entry in enumerate(ready):
        yield entry.path, answers[place]


def _tensor(entry: _Ready) -> Tensor:
    assert isinstance(entry.prepared, Tensor)
    return entry.prepared

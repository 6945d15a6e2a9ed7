"""Files on disk -> classifications, in order: the next files are read while the network works."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from core.errors import UserError
from core.imaging.overlays import find_overlays
from core.imaging.reading import read_micrograph
from core.learning.checkpoints import Classifier
from core.learning.classification import BATCH, Classification, look_at, read_logits
from core.learning.conformal import lowest_probability

Answer = Classification | UserError
_AHEAD = 2  # batches that wait, ready for the network


class _Ready(NamedTuple):
    """A file that was read and prepared, or why it could not be."""

    path: Path
    prepared: Tensor | UserError


def classify_files(
    classifier: Classifier,
    paths: Iterable[Path],
    *,
    exclude_overlays: bool = True,
    level: float | None = None,
    readers: int = 2,
) -> Iterator[tuple[Path, Answer]]:
    """Yield each file and its classification, in order, and why where there is none.

    The same answers as `classify`. Threads read and prepare the next files meanwhile; no more than
    three batches of prepared inputs are in memory, and no frame outlives its preparation.

    Parameters
    ----------
    classifier : Classifier
    paths : iterable of Path
        Taken from as they are needed; it may be endless.
    exclude_overlays : bool
        Whether info bar and letters are found and hidden.
    level : float, optional
        Of the prediction sets, as for `classify`.
    readers : int
        Threads that read ahead.
    """
    floor = lowest_probability(classifier, level)
    source = iter(paths)
    with ThreadPoolExecutor(max(1, readers), "reader") as pool:

        def fetch() -> list[Future[_Ready]]:
            group = itertools.islice(source, BATCH)
            return [pool.submit(_prepare, classifier, path, exclude_overlays) for path in group]

        waiting = [fetch() for _ in range(_AHEAD)]
        while batch := waiting.pop(0):
            waiting.append(fetch())
            ready = [future.result() for future in batch]
            yield from _answer(classifier, ready, floor)


def _prepare(classifier: Classifier, path: Path, exclude_overlays: bool) -> _Ready:
    try:
        micrograph = read_micrograph(path)
        mask = find_overlays(micrograph) if exclude_overlays else None
        image = torch.from_numpy(classifier.preparation(micrograph, mask))[None, None]
    except UserError as error:
        return _Ready(path, error)
    # Pinned memory goes to the card while it still computes.
    return _Ready(path, image.pin_memory() if classifier.device == "cuda" else image)


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
        inputs = torch.cat([_tensor(ready[place]) for place in places])
        logits, pooled = look_at(classifier, inputs.to(classifier.device, non_blocking=True))
        for place, row, embedding in zip(places, logits, pooled, strict=True):
            answers[place] = read_logits(classifier, row, embedding, floor=floor)
    for place, entry in enumerate(ready):
        yield entry.path, answers[place]


def _tensor(entry: _Ready) -> Tensor:
    assert isinstance(entry.prepared, Tensor)
    return entry.prepared

"""Micrographs -> frozen features, worked out once for each: what a head learns from."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.imaging.overlays import find_overlays, overlay_choice
from core.learning.classifying import count_workers, embed, pool_of_workers
from core.learning.models import Classifier
from core.learning.training.quick.likeness import fingerprint
from core.learning.training.quick.scoring import grey_histogram
from core.micrograph import Micrograph

MOST_KEPT = 4096  # pictures, of all visitors: 25 MB of the largest features here
Array = NDArray[Any]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What is kept of a picture that was looked at.

    Attributes
    ----------
    features : ndarray of shape (C,), float32
        The pooled last activation of the network.
    print : ndarray of shape (1024,), float32
        `fingerprint`, with overlays hidden.
    histogram : ndarray of shape (32,), float64
        `grey_histogram` of the specimen.
    overlay_share : float
        Which part of the frame is no specimen, 0–1.
    """

    features: Array
    print: Array
    histogram: Array
    overlay_share: float


_kept: OrderedDict[tuple[str, ...], Look] = OrderedDict()
_lock = threading.Lock()


def look(
    classifier: Classifier,
    micrographs: Sequence[Micrograph],
    on_progress: Progress | None = None,
) -> list[Look]:
    """Return what a network sees in each micrograph; a picture seen before costs nothing.

    Parameters
    ----------
    classifier : Classifier
    micrographs : sequence of N Micrograph
    on_progress : callable, optional
        Called as on_progress(done, total) after each.
    """
    found = [_find(_key(classifier, micrograph)) for micrograph in micrographs]
    missing = [place for place, each in enumerate(found) if each is None]
    known = len(micrographs) - len(missing)
    if on_progress is not None and known:
        on_progress(known, len(micrographs))
    new = _look_at_all(classifier, [micrographs[place] for place in missing])
    for done, (place, each) in enumerate(zip(missing, new, strict=True), start=known + 1):
        found[place] = each
        _keep(_key(classifier, micrographs[place]), each)
        if on_progress is not None:
            on_progress(done, len(micrographs))
    return [each for each in found if each is not None]


def _look_at_all(classifier: Classifier, micrographs: Sequence[Micrograph]) -> Iterator[Look]:
    """Yield what is kept of each, in order; on a CPU several pictures are looked at at once.

    A pass on one thread each is faster than threads that share a pass and wait for each other.
    """
    workers = min(count_workers(classifier.device), len(micrographs))
    if workers < 2 or classifier.device != "cpu":
        yield from (_look_at(classifier, micrograph) for micrograph in micrographs)
        return
    with pool_of_workers(workers, one_thread_each=True) as pool:
        yield from pool.map(lambda micrograph: _look_at(classifier, micrograph), micrographs)


def _look_at(classifier: Classifier, micrograph: Micrograph) -> Look:
    mask = find_overlays(micrograph)
    return Look(
        embed(classifier, [micrograph], excludes=[mask])[0],
        fingerprint(micrograph, mask),
        grey_histogram(micrograph, mask),
        float(mask.mean()),
    )


def _key(classifier: Classifier, micrograph: Micrograph) -> tuple[str, ...]:
    """Return what the features depend on; empty for a network that nothing names."""
    if not classifier.card.sha256:
        return ()
    return (
        classifier.card.sha256,
        repr(classifier.preparation),
        micrograph.sha256,
        repr(overlay_choice(micrograph)),
    )


def _find(key: tuple[str, ...]) -> Look | None:
    with _lock:
        found = _kept.get(key)
        if found is not None:
            _kept.move_to_end(key)
        return found


def _keep(key: tuple[str, ...], found: Look) -> None:
    if not key:
        return
    with _lock:
        _kept[key] = found
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)


def stack(looks: Sequence[Look]) -> NDArray[np.float32]:
    """Return the features of pictures as one array (N, C), float32."""
    return np.stack([each.features for each in looks]).astype(np.float32)

"""Is a micrograph like those that the network learnt from? Measured where the network decides.

Of a network that learnt on micrographs alone the score is the distance, in the space of the pooled
last activation, to the nearest training originals of the class that it names, raised when it
hesitates. Divided by the distance below which 95 % of originals lie that a network had not seen, 1
is where "unlike the training micrographs" begins.

A network that knew the world before (`NEAR_ANY`) keeps apart what it never learnt: there it is the
distance to the nearest originals of whatever class, and 1 where 95 % of originals lie below, each
measured without its own group. How loudly the classes speak counts a little: what a network never
learnt moves none of its scores much, however sure the largest of them is beside the others. How it
hesitates raised the limit by its worst answers instead. Averages of earlier layers added no foreign
picture at as few false alarms on micrographs of other sources.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.learning.classifying.validation import softmax
from core.learning.models import Reference

if TYPE_CHECKING:
    from core.learning.models import ModelCard

NEIGHBOURS = 3
SHARE = 0.95  # of originals that were held out lie below the threshold
THRESHOLD = "novelty_threshold"  # its key in a card's calibration
NEAR_ANY = "novelty_near_any_class"  # 1 there: whatever class the nearest originals are of
_APART = 2.0  # the largest distance between two directions
_MOST_ASKED = 500  # originals that the limit is measured on
_ROOT = 1 / 4  # of activations where every class counts: weak ones tell as much as strong ones
_LOUDNESS = 1 / 40  # of the distance that one unit of it takes away

Array = NDArray[Any]


def measure_distance(
    reference: Reference,
    embeddings: Array,
    probabilities: Array,
    groups: Array | None = None,
    *,
    near_any: bool = False,
) -> NDArray[np.float64]:
    """Return how far each embedding lies from the originals of the class it is taken for.

    Cube roots of the pooled activations, as directions; the mean Euclidean distance to the three
    nearest originals of the most probable class, times (2 − its probability).

    Parameters
    ----------
    reference : Reference
    embeddings : ndarray of shape (N, C)
        As `embed` returns them.
    probabilities : ndarray of shape (N, K)
    groups : ndarray of shape (N,), int, optional
        Originals of the same group take no part: for training micrographs themselves.
    near_any : bool
        Whether originals of every class count as near: better for networks that know more than
        micrographs, whose features are not pulled apart by class.

    Returns
    -------
    ndarray of shape (N,), float64, 0–4

    References
    ----------
    Sun, Ming, Zhu & Li (2022), Out-of-distribution detection with deep nearest neighbors, ICML,
    arXiv:2204.06507.
    """
    distances = _to_each(reference, np.asarray(embeddings), groups, 1 / 3)
    if not near_any:
        distances[reference.targets[None] != probabilities.argmax(axis=1)[:, None]] = _APART
    return np.asarray(_nearest(distances) * (2 - probabilities.max(axis=1)), np.float64)


def _to_each(
    reference: Reference, embeddings: Array, groups: Array | None, power: float
) -> NDArray[np.float64]:
    """Return distances (N, originals) of the directions of powers; far to the own group."""
    known, asked = (_directions(each, power) for each in (reference.embeddings, embeddings))
    distances = np.sqrt(np.clip(2 - 2 * asked @ known.T, 0, None))
    if groups is not None:
        distances[reference.groups[None] == np.asarray(groups)[:, None]] = _APART
    return np.asarray(distances)


def _nearest(distances: Array) -> NDArray[np.float64]:
    """Return the mean distance (N,) to the nearest originals."""
    return np.asarray(np.sort(distances, axis=1)[:, :NEIGHBOURS].mean(axis=1))


def at_temperature(distances: Array, logits: Array, temperature: float) -> Array:
    """Return distances (N,) that were measured at temperature 1 as they are at another one.

    The most probable class stays; only how much the network hesitates changes.
    """
    before, after = (2 - softmax(logits, t).max(axis=1) for t in (1.0, temperature))
    return np.asarray(distances / before * after)


def find_threshold(distances: Array) -> float:
    """Return the distance below which 95 % of pictures like these are expected.

    With the finite-sample correction of conformal prediction: of new pictures like the ones
    measured, no more than 5 % lie beyond. Fewer than 19 cannot promise that: then the largest.
    """
    rank = int(np.ceil((len(distances) + 1) * SHARE)) - 1
    ordered = np.sort(distances)
    return float(ordered[rank]) if rank < len(ordered) else float(ordered[-1])


def measure_novelty(
    reference: Reference | None,
    card: ModelCard,
    embedding: Array,
    probabilities: Array,
    logits: Array | None = None,
) -> float | None:
    """Return the novelty of one embedding (C,): 1 at the threshold; None without a yardstick.

    With its logits (K,) how loudly they speak counts where the distance is to whatever class.
    """
    threshold = card.calibration.get(THRESHOLD)
    if reference is None or not threshold or not len(reference.embeddings):
        return None
    if card.calibration.get(NEAR_ANY):
        rows = None if logits is None else np.asarray(logits)[None]
        temperature = card.calibration.get("temperature", 1.0)
        return float(measure_apartness(reference, embedding[None], None, rows, temperature)[0])
    distance = measure_distance(reference, embedding[None], probabilities[None])[0]
    return float(distance / threshold)


def measure_apartness(
    reference: Reference,
    embeddings: Array,
    groups: Array | None = None,
    logits: Array | None = None,
    temperature: float = 1.0,
) -> NDArray[np.float64]:
    """Return how far embeddings lie from the originals of whatever class: 1 is the limit.

    The mean distance to the three nearest of the fourth roots' directions, times
    exp(−L / 40): L is the logarithm of the sum of exp(logits / temperature), the negative of what
    Liu et al. call the energy. Without logits, or where the reference holds no held-out answer for
    each original, the distance alone.

    Parameters
    ----------
    reference : Reference
    embeddings : ndarray of shape (N, C)
        As `embed` returns them.
    groups : ndarray of shape (N,), int, optional
        Originals of the same group take no part: for training micrographs themselves.
    logits : ndarray of shape (N, K), optional
        What the network answers; of originals what a network answered that had not seen them.
    temperature : float
        Of the model's card.

    Returns
    -------
    ndarray of shape (N,), float64
        Below 1 are 95 % of the originals, each measured without its own group.

    References
    ----------
    Liu, Wang, Owens & Li (2020), Energy-based out-of-distribution detection, NeurIPS,
    arXiv:2010.03759.
    """
    distances = _apart(reference, np.asarray(embeddings), groups)
    if logits is None or not np.array_equal(reference.heldout_groups, reference.groups):
        return np.asarray(distances / _limit(reference, None))
    quieter = _hush(logits, temperature)
    return np.asarray(distances * quieter / _limit(reference, temperature))


def _apart(reference: Reference, embeddings: Array, groups: Array | None) -> Array:
    """Return the mean distance (N,) to the nearest originals of whatever class."""
    return _nearest(_to_each(reference, embeddings, groups, _ROOT))


def _hush(logits: Array, temperature: float) -> Array:
    """Return the factor (N,) by which loud answers bring a picture nearer."""
    scaled = np.asarray(logits, np.float64) / temperature
    return np.asarray(np.exp(-_LOUDNESS * np.logaddexp.reduce(scaled, axis=1)))


@lru_cache(maxsize=8)
def _limit(reference: Reference, temperature: float | None) -> float:
    """Return the novelty, not yet divided by it, below which 95 % of originals lie.

    Each is measured without its own group, and with its held-out answer at a temperature.
    """
    count = len(reference.embeddings)
    picks = np.unique(np.linspace(0, count - 1, min(count, _MOST_ASKED)).astype(int))
    found = _apart(reference, reference.embeddings[picks], reference.groups[picks])
    if temperature is not None:
        found = found * _hush(reference.heldout_logits[picks], temperature)
    return find_threshold(found)


def _directions(embeddings: Array, power: float) -> Array:
    values = embeddings.astype(np.float64)
    roots = np.sign(values) * np.abs(values) ** power
    return np.asarray(roots / np.linalg.norm(roots, axis=1, keepdims=True).clip(1e-12))

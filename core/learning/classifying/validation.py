"""How good a classifier is and how honest its probabilities are, from held-out logits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest

from core.imaging.memory import require_memory

MOST_PARTS = 250  # fits of a temperature, 2 ms each
_FIT_BYTES_PER_VALUE = 48  # doubles: the rows, scaled, shifted, exponent, probabilities, cooled
_MOST_WORK = 1_000_000  # values that all fits together go through
Array = NDArray[Any]


def softmax(logits: Array, temperature: float = 1.0) -> Array:
    """Return probabilities (N, C) of logits (N, C) at a temperature."""
    scaled = logits / temperature
    exponent = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(exponent / exponent.sum(axis=1, keepdims=True))


def fit_temperature(logits: Array, truth: Array) -> float:
    """Return the temperature that makes held-out probabilities most likely; 1 without any.

    References
    ----------
    Guo et al. (2017), On calibration of modern neural networks, ICML, arXiv:1706.04599.
    """

    if not len(truth):
        return 1.0

    def loss(log_temperature: float) -> float:
        p = softmax(logits, float(np.exp(log_temperature)))[np.arange(len(truth)), truth]
        return float(-np.log(np.clip(p, 1e-12, None)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-2.5, 2.5), method="bounded").x))


def leave_out(groups: Array, values: int) -> Iterator[NDArray[np.bool_]]:
    """Yield which rows are left out together: each group once, alone or with others.

    Every part asks for a fit over all `values` of the other rows, so the work is bounded by their
    number: up to `MOST_PARTS` groups of few rows stand alone.

    Parameters
    ----------
    groups : ndarray of shape (N,)
    values : int
        Rows times classes.
    """
    member = np.unique(groups, return_inverse=True)[1]
    parts = min(MOST_PARTS, max(2, _MOST_WORK // max(1, values)))
    part = member % parts
    for number in range(min(parts, int(member.max(initial=-1)) + 1)):
        yield part == number


def cool_by_group(logits: Array, truth: Array, groups: Array) -> Array:
    """Return logits (N, C), each divided by the temperature that all other groups ask for.

    Where groups are many they are left out several at a time (`leave_out`). A single group has no
    others: its logits stay.
    """
    require_memory(_FIT_BYTES_PER_VALUE * logits.size)
    cooled = np.empty_like(logits, dtype=np.float64)
    for held in leave_out(groups, logits.size):
        cooled[held] = logits[held] / fit_temperature(logits[~held], truth[~held])
    return cooled


def area_under_curve(inside: Array, outside: Array) -> float:
    """Return the chance that a value of `outside` exceeds one of `inside` (AUROC); ties half."""
    ordered = np.sort(inside)
    below = np.searchsorted(ordered, outside, side="left")
    upto = np.searchsorted(ordered, outside, side="right")
    return float((below + upto).mean() / (2 * len(ordered)))


def conformal_threshold(probabilities: Array, truth: Array, level: float = 0.9) -> float:
    """Return the largest 1 − p(true class) that a prediction set must admit to cover `level`.

    References
    ----------
    Sadinle, Lei & Wasserman (2019), JASA, doi:10.1080/01621459.2017.1395341.
    """
    scores = np.sort(1 - probabilities[np.arange(len(truth)), truth])
    rank = int(np.ceil((len(scores) + 1) * level)) - 1
    return float(scores[rank]) if rank < len(scores) else 1.0


def expected_calibration_error(probabilities: Array, truth: Array, bins: int = 10) -> float:
    """Return the mean gap between confidence and accuracy over equal-width bins (0–1)."""
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == truth
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(confidence[index == b].mean() - correct[index == b].mean()) * (index == b).mean()
        for b in np.unique(index)
    ]
    return float(sum(gaps))


def confusion_matrix(predicted: Array, truth: Array, classes: int) -> Array:
    """Return counts (C, C): row = true class, column = predicted class."""
    matrix = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(matrix, (truth, predicted), 1)
    return matrix


def balanced_accuracy(matrix: Array) -> float:
    """Return the mean recall over the classes that occur in a confusion matrix."""
    totals = matrix.sum(axis=1)
    return float((matrix.diagonal()[totals > 0] / totals[totals > 0]).mean())


def bootstrap_interval(
    predicted: Array, truth: Array, groups: Sequence[str] | Array, classes: int, draws: int = 2000
) -> tuple[float, float]:
    """Return the 95 % interval of the balanced accuracy over resampled groups of originals."""
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    parts = np.zeros((len(names), classes, classes))
    np.add.at(parts, (member, truth, predicted), 1)
    rng = np.random.default_rng(0)
    scores = [
        balanced_accuracy(parts[rng.integers(0, len(names), len(names))].sum(axis=0))
        for _ in range(draws)
    ]
    low, high = np.percentile(scores, [2.5, 97.5])
    return float(low), float(high)


def summarise(
    logits: Array,
    truth: Array,
    groups: Sequence[str] | Array,
    classes: Sequence[str],
    temperature: float,
) -> dict[str, Any]:
    """Return the scores of held-out logits as plain values for a model card.

    Parameters
    ----------
    logits : ndarray of shape (N, C)
    truth : ndarray of shape (N,), int
    groups : sequence of N str or int
        What must not be counted twice: pictures of one specimen or article share a group.
    """
    probabilities = softmax(logits, temperature)
    predicted = probabilities.argmax(axis=1)
    matrix = confusion_matrix(predicted, truth, len(classes))
    low, high = bootstrap_interval(predicted, truth, groups, len(classes))
    recalls = {}
    for index, name in enumerate(classes):
        hits, total = int(matrix[index, index]), int(matrix[index].sum())
        if total:
            interval = binomtest(hits, total).proportion_ci(method="wilson")
            recalls[name] = {
                "recall": round(hits / total, 4),
                "interval_95": [round(float(interval.low), 4), round(float(interval.high), 4)],
                "pictures": total,
            }
    return {
        "pictures": len(truth),
        "groups": len(np.unique(np.asarray(groups))),
        "balanced_accuracy": round(balanced_accuracy(matrix), 4),
        "balanced_accuracy_interval_95": [round(low, 4), round(high, 4)],
        "accuracy": round(float((predicted == truth).mean()), 4),
        "recall": recalls,
        "confusion_matrix": matrix.tolist(),
        "expected_calibration_error": round(expected_calibration_error(probabilities, truth), 4),
        "mean_prediction_confidence": round(float(probabilities.max(axis=1).mean()), 4),
    }

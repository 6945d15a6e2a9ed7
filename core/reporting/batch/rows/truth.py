"""How often the network is right about a batch whose true classes are known, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.measuring.statistics import Interval, wilson_interval

BINS = 5  # of confidence; with the tens of micrographs of a batch, more would be empty


@dataclass(frozen=True, slots=True)
class Bin:
    """Micrographs of similar confidence: their mean confidence, and how many were right."""

    confidence: float
    accuracy: Interval


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """Predicted against true classes.

    Attributes
    ----------
    classes : tuple of str
        Those that occur as true or predicted class, in the model's order.
    matrix : ndarray of shape (C, C), int64
        Counts; row = true class, column = predicted class.
    balanced_accuracy : Interval
        Mean recall over the true classes, with the 95 % interval of a bootstrap over samples, or
        over micrographs where no sample is known. NaN limits with fewer than two of them.
    accuracy : Interval
        Share of right answers with its 95 % Wilson interval.
    calibration_error : float
        Expected calibration error over ten bins, 0 to 1.
    bins : tuple of Bin
        The reliability diagram, without empty bins.
    """

    classes: tuple[str, ...]
    matrix: NDArray[np.int64]
    balanced_accuracy: Interval
    accuracy: Interval
    calibration_error: float
    bins: tuple[Bin, ...]


def compare(fields: pd.DataFrame, classes: list[str]) -> Agreement | None:
    """Return how predictions agree with the true labels; None when there are no labels.

    Parameters
    ----------
    fields : DataFrame
        Rows that count: analysed, and no copies.
    classes : list of str
        Ids in the model's order.

    References
    ----------
    Guo et al. (2017), On calibration of modern neural networks, ICML, arXiv:1706.04599.
    """
    from core.learning.classifying import validation

    known = fields[fields["true_label"].isin(classes) & fields["label"].isin(classes)]
    if known.empty:
        return None
    place = {name: index for index, name in enumerate(classes)}
    truth = known["true_label"].map(place).to_numpy(np.int64)
    predicted = known["label"].map(place).to_numpy(np.int64)
    matrix = validation.confusion_matrix(predicted, truth, len(classes))
    probabilities = known[[f"p_{name}" for name in classes]].to_numpy(float)
    groups = [
        str(sample) or f"#{number}"
        for sample, number in zip(known["sample"].fillna(""), known["number"], strict=True)
    ]
    limits = (float("nan"), float("nan"))
    if len(set(groups)) > 1:
        limits = validation.bootstrap_interval(predicted, truth, groups, len(classes), draws=1000)
    kept = [i for i in range(len(classes)) if matrix[i].sum() + matrix[:, i].sum()]
    return Agreement(
        tuple(classes[i] for i in kept),
        matrix[np.ix_(kept, kept)],
        Interval(validation.balanced_accuracy(matrix), *limits, len(known)),
        wilson_interval(int((truth == predicted).sum()), len(known)),
        validation.expected_calibration_error(probabilities, truth),
        reliability_bins(probabilities.max(axis=1), truth == predicted),
    )


def reliability_bins(
    confidence: NDArray[np.float64], right: NDArray[np.bool_], bins: int = BINS
) -> tuple[Bin, ...]:
    """Return the reliability diagram of N answers, without empty bins.

    Parameters
    ----------
    confidence : ndarray of shape (N,), float64, 0–1
    right : ndarray of shape (N,), bool
    bins : int
        Of equal width.
    """
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    found = []
    for number in np.unique(index):
        inside = index == number
        hits, total = int(right[inside].sum()), int(inside.sum())
        found.append(Bin(float(confidence[inside].mean()), wilson_interval(hits, total)))
    return tuple(found)

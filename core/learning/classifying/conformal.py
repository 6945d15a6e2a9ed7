"""Held-out logits -> the classes that cannot be excluded, at any level, and how honest that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.learning.classifying.validation import (
    conformal_threshold,
    fit_temperature,
    leave_out,
    softmax,
)
from core.learning.models import Classifier, Reference

LEVELS = (0.8, 0.9, 0.95, 0.99)
Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often prediction sets of one level held the true class, on groups left out.

    Attributes
    ----------
    level : float
        What was asked for, 0–1.
    covered : float
        Share of held-out micrographs whose set held the true class.
    mean_size : float
        Classes per set.
    single : float
        Share of sets with one class only.
    """

    level: float
    covered: float
    mean_size: float
    single: float


def measure_coverage(
    logits: Array, truth: Array, groups: Array, levels: Sequence[float] = LEVELS
) -> tuple[Coverage, ...]:
    """Return what prediction sets deliver, one group of originals left out at a time.

    Temperature and threshold for a micrograph come from the held-out answers of other groups:
    no picture of its specimen or article has a say in its own set.

    Parameters
    ----------
    logits : ndarray of shape (N, K)
        Each row from a network that never saw that picture's group.
    truth, groups : ndarray of shape (N,), int

    References
    ----------
    Sadinle, Lei & Wasserman (2019), JASA, doi:10.1080/01621459.2017.1395341; Dunn, Wasserman &
    Ramdas (2023), Distribution-free prediction sets for two-layer hierarchical models, JASA,
    doi:10.1080/01621459.2022.2060112 (groups that are not exchangeable within).
    """
    kept = np.zeros((len(levels), *logits.shape), bool)
    for held in leave_out(groups, logits.size):
        temperature = fit_temperature(logits[~held], truth[~held])
        known, asked = (softmax(logits[rows], temperature) for rows in (~held, held))
        for place, level in enumerate(levels):
            floor = 1 - conformal_threshold(known, truth[~held], level)
            kept[place, held] = _admit(asked, floor)
    return tuple(
        Coverage(
            level,
            covered=float(sets[np.arange(len(truth)), truth].mean()),
            mean_size=float(sets.sum(axis=1).mean()),
            single=float((sets.sum(axis=1) == 1).mean()),
        )
        for level, sets in zip(levels, kept, strict=True)
    )


def lowest_probability(classifier: Classifier, level: float | None = None) -> float:
    """Return the probability from which on a class stays in the prediction set.

    Parameters
    ----------
    classifier : Classifier
    level : float, optional
        Share of micrographs whose set shall hold the true class, 0.5–0.999; the card's own level
        when left out. A model that was never calibrated then keeps its label only (1.0).

    Raises
    ------
    ValueError
        If the level is out of range.
    UserError
        If the model keeps no held-out answers and the level is not the one of its card.
    """
    if level is not None and not 0.5 <= level <= 0.999:
        raise ValueError(f"level must be from 0.5 to 0.999, got {level}")
    calibration = classifier.card.calibration
    own = calibration.get("conformal_level")
    if level is None or level == own:
        return 1 - calibration.get("conformal_threshold", 0.0)
    if classifier.reference is None or not offers_levels(classifier):
        offered = f"sets at {100 * own:.0f} % only" if own else "no prediction sets"
        raise UserError(
            f"The model {classifier.name} keeps no held-out answers and so gives {offered}: "
            "leave the level out, or choose a model with a reference."
        )
    return _floor(classifier.reference, calibration.get("temperature", 1.0), level)


def offers_levels(classifier: Classifier) -> bool:
    """Tell whether prediction sets can be had at any level."""
    return classifier.reference is not None and len(classifier.reference.heldout_logits) > 0


def _floor(reference: Reference, temperature: float, level: float) -> float:
    probabilities = softmax(np.asarray(reference.heldout_logits, float), temperature)
    return 1 - conformal_threshold(probabilities, reference.heldout_targets, level)


def _admit(probabilities: Array, floor: float) -> Array:
    """Return the sets (N, K) as bool: probable enough, and always the most probable class."""
    sets = probabilities >= floor
    sets[np.arange(len(sets)), probabilities.argmax(axis=1)] = True
    return np.asarray(sets)

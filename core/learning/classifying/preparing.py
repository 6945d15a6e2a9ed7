"""What a network from elsewhere answers when frames are prepared in each of the usual ways.

A preparation that was not the one of the training gives probabilities that look like any other.
What differs much between the usual ways must be chosen by a person who knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from core.learning.classifying.classification import Classification, classify
from core.learning.models import USUAL, Classifier, input_side, read_preparation
from core.micrograph import Micrograph

APART = 0.2  # of a probability: a difference that a person must know of


@dataclass(frozen=True, slots=True)
class Tried:
    """The answers of one way to prepare frames.

    Attributes
    ----------
    name : str
        What `read_preparation` takes.
    title : str
    answers : tuple of Classification
        One for each micrograph.
    """

    name: str
    title: str
    answers: tuple[Classification, ...]


def try_preparations(
    classifier: Classifier,
    micrographs: Sequence[Micrograph],
    *,
    excludes: Sequence[NDArray[Any] | None] | None = None,
) -> tuple[Tried, ...]:
    """Return what each of the usual preparations makes of micrographs.

    Ways that a network cannot take, such as other sizes than a transformer's, are left out.
    """
    side = input_side(classifier.card)
    tried = []
    for name, title in USUAL.items():
        if classifier.has_fixed_size and name in ("visual-ccc", "standardised"):
            continue
        chosen = read_preparation(name, side)
        other = Classifier(
            classifier.network,
            replace(classifier.card, preparation=chosen.to_dict()),
            classifier.device,
        )
        answers = classify(other, micrographs, excludes=excludes)
        tried.append(Tried(name, title, tuple(answers)))
    return tuple(tried)


def furthest_apart(tried: Sequence[Tried]) -> float:
    """Return the largest difference, 0–1, of one class's probability between two preparations."""
    largest = 0.0
    for answers in zip(*(each.answers for each in tried), strict=True):
        for name in answers[0].probabilities:
            values = [answer.probabilities[name] for answer in answers]
            largest = max(largest, max(values) - min(values))
    return largest


def disagree(tried: Sequence[Tried]) -> bool:
    """Tell whether the usual preparations give other labels or quite other probabilities."""
    labels = (
        {answer.label for answer in answers}
        for answers in zip(*(each.answers for each in tried), strict=True)
    )
    return furthest_apart(tried) > APART or any(len(names) > 1 for names in labels)

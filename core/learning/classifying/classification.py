"""Classifier x micrographs -> names with calibrated probabilities and a set of candidates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit
from torch import Tensor

from core.learning.classifying.conformal import lowest_probability
from core.learning.classifying.novelty import measure_novelty
from core.learning.classifying.signs import NO_CLASS, look_for_signs
from core.learning.classifying.validation import softmax
from core.learning.models import Classifier, ModelCard
from core.micrograph import Micrograph

BATCH = 16


@dataclass(frozen=True, slots=True)
class Classification:
    """A network's answer for one micrograph.

    Attributes
    ----------
    label : str
        Identifier of the most probable class; of a network with one output, the class on whose
        side of the decision threshold the micrograph lies.
    probabilities : dict of str to float
        One per class, in the card's order; they sum to 1.
    prediction_set : tuple of str
        The classes that cannot be excluded at the card's conformal level, most probable first;
        only the label when the model was never calibrated.
    novelty : float or None
        How far from the training micrographs, in units of the distance below which 95 % of training
        originals lie that were held out; None: this model measures no novelty.
    model : str
    calibrated : bool
        Whether the probabilities were temperature-scaled on held-out images.
    signs : tuple of str
        What in the picture itself says that it is no micrograph (`look_for_signs`).
    present_above : float or None
        Of a network that answers every class for itself, the probability above which a class is
        there; its probabilities then do not sum to 1 and its prediction set is empty. None: one
        class a frame.
    """

    label: str
    probabilities: dict[str, float]
    prediction_set: tuple[str, ...]
    novelty: float | None
    model: str
    calibrated: bool
    signs: tuple[str, ...] = ()
    present_above: float | None = None

    def __post_init__(self) -> None:
        if self.present_above is not None:
            if not all(0 <= p <= 1 for p in self.probabilities.values()):  # NaN must not pass
                raise ValueError(f"probabilities must be from 0 to 1, got {self.probabilities}")
            return
        total = sum(self.probabilities.values())
        if not abs(total - 1) <= 1e-5:  # NaN must not pass
            raise ValueError(f"probabilities must sum to 1, they sum to {total}")

    @property
    def is_novel(self) -> bool | None:
        """Whether it is unlike the training micrographs; None where nothing says anything of it."""
        if self.signs:
            return True
        return None if self.novelty is None else self.novelty > 1

    @property
    def shows_nothing(self) -> bool:
        """Whether the picture is blank or tiny: its label is then no answer."""
        return any(sign in NO_CLASS for sign in self.signs)

    @property
    def present(self) -> tuple[str, ...]:
        """The classes that are named, most probable first: the label, of several labels any."""
        above = self.present_above
        if above is None:
            return (self.label,)
        return tuple(name for name in self.ranking if self.probabilities[name] > above)

    @property
    def ranking(self) -> tuple[str, ...]:
        """Class identifiers from the most to the least probable."""
        return tuple(sorted(self.probabilities, key=lambda c: -self.probabilities[c]))

    @property
    def probability(self) -> float:
        """Probability of the label, 0–1."""
        return self.probabilities[self.label]

    @property
    def runner_up(self) -> str:
        """Identifier of the most probable class besides the label."""
        return next(name for name in self.ranking if name != self.label)

    @property
    def runner_up_probability(self) -> float:
        """Probability of the runner-up, 0–1."""
        return self.probabilities[self.runner_up]


def classify(
    classifier: Classifier,
    micrographs: Sequence[Micrograph],
    *,
    excludes: Sequence[NDArray[Any] | None] | None = None,
    level: float | None = None,
) -> list[Classification]:
    """Return one classification per micrograph, in order.

    Parameters
    ----------
    classifier : Classifier
    micrographs : sequence of Micrograph
        The whole frame of each is seen, at the resolution its card states.
    excludes : sequence of bool arrays (H, W) or None, optional
        Pixels that are not specimen, one mask per micrograph.
    level : float, optional
        Share of micrographs like the training ones whose prediction set shall hold the true class,
        0.5–0.999; that of the card when left out.

    Returns
    -------
    list of Classification
        In the order of the micrographs: label, calibrated probabilities by class that add up to 1,
        the prediction set, and how unlike the training micrographs each is.

    Raises
    ------
    ValueError
        If the level is out of range.
    UserError
        If the model keeps no held-out answers and the level is not the one of its card.

    References
    ----------
    Guo et al. (2017), On calibration of modern neural networks, ICML, arXiv:1706.04599.
    Sadinle, Lei & Wasserman (2019), Least ambiguous set-valued classifiers with bounded error
    levels, JASA, doi:10.1080/01621459.2017.1395341.
    """
    floor = lowest_probability(classifier, level)
    answers: dict[int, Classification] = {}
    for indices, inputs in batches(classifier, micrographs, excludes):
        for index, logits, row in zip(
            indices, *look_at(classifier, inputs, again=True), strict=True
        ):
            answers[index] = read_logits(classifier, logits, row, floor=floor)
    masks = [None] * len(micrographs) if excludes is None else list(excludes)
    return [
        with_signs(answers[index], micrograph, masks[index])
        for index, micrograph in enumerate(micrographs)
    ]


def with_signs(
    answer: Classification, micrograph: Micrograph, exclude: NDArray[Any] | None
) -> Classification:
    """Return an answer with what the picture itself says against it."""
    return replace(answer, signs=look_for_signs(micrograph, exclude))


def embed(
    classifier: Classifier,
    micrographs: Sequence[Micrograph],
    *,
    excludes: Sequence[NDArray[Any] | None] | None = None,
) -> NDArray[np.float32]:
    """Return what the network makes of each micrograph before it decides: the pooled activation.

    Parameters
    ----------
    classifier : Classifier
    micrographs : sequence of N Micrograph
    excludes : sequence of bool arrays (H, W) or None, optional
        Pixels that are not specimen, one mask per micrograph.

    Returns
    -------
    ndarray of shape (N, C), float32
        The last activation map, averaged over the frame; (0, 0) for no micrographs.
    """
    pooled: dict[int, NDArray[np.float32]] = {}
    for indices, inputs in batches(classifier, micrographs, excludes):
        pooled.update(zip(indices, look_at(classifier, inputs)[1], strict=True))
    if not pooled:
        return np.zeros((0, 0), np.float32)
    return np.stack([pooled[index] for index in range(len(micrographs))]).astype(np.float32)


def batches(
    classifier: Classifier,
    micrographs: Sequence[Micrograph],
    excludes: Sequence[NDArray[Any] | None] | None,
) -> Iterator[tuple[list[int], Tensor]]:
    """Yield (places, inputs (N, C, h, w)): micrographs that enter at one size share a pass."""
    masks = [None] * len(micrographs) if excludes is None else list(excludes)
    if len(masks) != len(micrographs):
        raise ValueError(f"got {len(micrographs)} micrographs and {len(masks)} masks")
    by_size: dict[tuple[int, int], list[int]] = defaultdict(list)
    for index, micrograph in enumerate(micrographs):
        by_size[classifier.preparation.size_hw(micrograph.shape)].append(index)
    for indices in by_size.values():
        size_hw = classifier.preparation.size_hw(micrographs[indices[0]].shape)
        together = classifier.batch_size(size_hw)
        for start in range(0, len(indices), together):
            part = indices[start : start + together]
            yield part, torch.cat([classifier.prepare(micrographs[i], masks[i]) for i in part])


def compute_logits(classifier: Classifier, inputs: Tensor) -> NDArray[np.float64]:
    """Return logits, shape (N, classes), for prepared inputs (N, 1, h, w)."""
    return look_at(classifier, inputs)[0]


def look_at(
    classifier: Classifier, inputs: Tensor, *, again: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Return logits (N, classes) and embeddings (N, C) of prepared inputs (N, 1, h, w).

    With `again` what the network makes of a frame is remembered for a while (`Classifier.look`).
    """
    with torch.no_grad():
        activation = classifier.look(inputs) if again else classifier.features(inputs)
        logits, pooled = classifier.head(activation), activation.mean(dim=(2, 3))
    return logits.cpu().numpy().astype(np.float64), pooled.cpu().numpy().astype(np.float32)


def read_logits(
    classifier: Classifier,
    logits: NDArray[Any],
    embedding: NDArray[Any] | None = None,
    *,
    floor: float | None = None,
) -> Classification:
    """Return the classification that one row of logits stands for.

    Parameters
    ----------
    classifier : Classifier
    logits : ndarray of shape (K,)
    embedding : ndarray of shape (C,), optional
        The pooled last activation; without it no novelty is measured.
    floor : float, optional
        The probability from which on a class stays in the prediction set (`lowest_probability`);
        that of the card's own level when left out.
    """
    card = classifier.card
    values = to_probabilities(card, logits[None])[0]
    probabilities = {name: float(p) for name, p in zip(card.classes, values, strict=True)}
    ranking = sorted(probabilities, key=lambda c: -probabilities[c])
    label = ranking[0]
    if card.decision_threshold is not None and not card.multi_label:
        label = card.classes[probabilities[card.classes[1]] > card.decision_threshold]
    floor = lowest_probability(classifier) if floor is None else floor
    candidates = tuple(n for n in ranking if n == label or probabilities[n] >= floor)
    if card.multi_label:  # what a set promises is of one true class
        candidates = ()
    novelty = None
    if embedding is not None:
        novelty = measure_novelty(classifier.reference, card, embedding, values, logits)
    return Classification(
        label=label,
        probabilities=probabilities,
        prediction_set=candidates,
        novelty=novelty,
        model=card.name,
        calibrated="temperature" in card.calibration,
        present_above=card.present_above,
    )


def to_probabilities(card: ModelCard, logits: NDArray[Any]) -> NDArray[Any]:
    """Return probabilities (N, K) of logits: softmax, or a sigmoid for each label."""
    temperature = card.calibration.get("temperature", 1.0)
    if not card.multi_label:
        return softmax(logits, temperature)
    return np.asarray(expit(logits / temperature))

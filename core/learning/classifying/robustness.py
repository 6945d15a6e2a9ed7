"""Does the label hang on what is not specimen, or on a shift, a flip, a little noise?"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.learning.classifying.classification import (
    Classification,
    compute_logits,
    look_at,
    read_logits,
)
from core.learning.models import Classifier, shift
from core.micrograph import Micrograph

Array = NDArray[Any]
SHIFTS_PX = (4, 8)  # of the network's input, up, down, left and right each
NOISE = (0.05, 0.1)  # standard deviations, as shares of the input's own
NOISE_DRAWS = 2
_WAYS = ((1, 0, "down"), (0, 1, "right"), (-1, 0, "up"), (0, -1, "left"))
_MOST_PX = 4_200_000  # that all changes together have: 16 inputs of 512 × 512
_LEAST_CHANGES = 4
_FIRST = 7  # changes, of every kind: where all of them keep the label, the others are not tried


@dataclass(frozen=True, slots=True)
class OverlayCheck:
    """A network's answers with what is not specimen shown and hidden.

    Attributes
    ----------
    shown, hidden : Classification
    """

    shown: Classification
    hidden: Classification

    @property
    def changes_label(self) -> bool:
        """Whether letters and bars decide: the alarm."""
        return set(self.shown.present) != set(self.hidden.present)


@dataclass(frozen=True, slots=True)
class LabelStability:
    """Whether a label outlasts small changes that leave the specimen what it is.

    Attributes
    ----------
    label : str
        Of the micrograph as it is.
    changes : tuple of str
        What was done, in words.
    labels : tuple of str
        The answer to each.
    """

    label: str
    changes: tuple[str, ...]
    labels: tuple[str, ...]

    @property
    def share(self) -> float:
        """Share of the changes that keep the label, 0–1."""
        return float(np.mean([label == self.label for label in self.labels]))

    @property
    def lost_to(self) -> tuple[str, ...]:
        """The changes, in words, that another label answered."""
        pairs = zip(self.changes, self.labels, strict=True)
        return tuple(change for change, label in pairs if label != self.label)


def check_stability(
    classifier: Classifier, micrograph: Micrograph, exclude: NDArray[np.bool_] | None = None
) -> LabelStability:
    """Return how the label fares under flips, small shifts and a little noise.

    All changes are made to the network's input: three flips, shifts of 4 and 8 px in four
    directions with the uncovered edge mirrored, and two draws of Gaussian noise of 5 and 10 % of
    the input's own standard deviation. The strongest of every kind come first, and where the label
    outlasts those, the others are not tried. Of inputs larger than 512 × 512, which only cards of
    others ask for, the first four or more are tried.

    Parameters
    ----------
    classifier : Classifier
    micrograph : Micrograph
    exclude : ndarray of shape (H, W), bool, optional
        Pixels that are not specimen.
    """
    inputs = classifier.prepare(micrograph, exclude)
    image = inputs[0, 0].cpu().numpy()
    changes = _changes(image)
    changes = changes[: max(_LEAST_CHANGES, _MOST_PX // image.size)]
    own = _named(read_logits(classifier, look_at(classifier, inputs, again=True)[0][0]))
    labels = _label(classifier, [view for _, view in changes[:_FIRST]])
    if set(labels) != {own}:
        labels += _label(classifier, [view for _, view in changes[_FIRST:]])
    return LabelStability(own, tuple(name for name, _ in changes[: len(labels)]), tuple(labels))


def _label(classifier: Classifier, images: Sequence[Array]) -> list[str]:
    labels: list[str] = []
    if not images:
        return labels
    together = classifier.batch_size(images[0].shape)
    for start in range(0, len(images), together):
        part = np.stack(images[start : start + together])
        rows = compute_logits(classifier, torch.from_numpy(part)[:, None].to(classifier.device))
        labels += [_named(read_logits(classifier, row)) for row in rows]
    return labels


def _named(answer: Classification) -> str:
    """Return the class that is named; of several labels, all that are, in one word."""
    return answer.label if answer.present_above is None else " + ".join(sorted(answer.present))


def _changes(image: Array) -> list[tuple[str, Array]]:
    """Return all changes, those that change the most of every kind first."""
    mild_px, far_px = SHIFTS_PX
    mild, strong = NOISE
    flips, noises = _flips(image), _noises(image, strong)
    shifts = _shifts(image, far_px, _WAYS[:2])
    first = [*itertools.chain(*zip(flips, shifts, noises, strict=False)), flips[-1]]
    assert len(first) == _FIRST
    rest = [*_shifts(image, far_px, _WAYS[2:]), *_shifts(image, mild_px, _WAYS)]
    return [*first, *rest, *_noises(image, mild)]


def _flips(image: Array) -> list[tuple[str, Array]]:
    return [
        ("flipped left to right", image[:, ::-1]),
        ("flipped upside down", image[::-1]),
        ("turned by half", image[::-1, ::-1]),
    ]


def _shifts(
    image: Array, distance: int, ways: Sequence[tuple[int, int, str]]
) -> list[tuple[str, Array]]:
    return [
        (f"shifted {distance} px {way}", shift(image, down * distance, right * distance))
        for down, right, way in ways
    ]


def _noises(image: Array, share: float) -> list[tuple[str, Array]]:
    rng = np.random.default_rng(round(1000 * share))
    spread = np.float32(share * image.std())
    return [
        (
            f"noise of {100 * share:.0f} %, draw {draw + 1}",
            image + spread * rng.standard_normal(image.shape, np.float32),
        )
        for draw in range(NOISE_DRAWS)
    ]

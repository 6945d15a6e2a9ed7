"""Does the label hang on what is not specimen, or on a shift, a flip, a little noise?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.learning.classifying.classification import (
    Classification,
    compute_logits,
    read_logits,
)
from core.learning.models import Classifier, shift
from core.micrograph import Micrograph

Array = NDArray[Any]
SHIFTS_PX = (4, 8)  # of the network's input, up, down, left and right each
NOISE = (0.05, 0.1)  # standard deviations, as shares of the input's own
NOISE_DRAWS = 2
_MOST_PX = 4_200_000  # that all changes together have: 16 inputs of 512 × 512
_LEAST_CHANGES = 4


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
    the input's own standard deviation. Of inputs larger than 512 × 512, which only cards of others
    ask for, every second to fourth of these changes is tried.

    Parameters
    ----------
    classifier : Classifier
    micrograph : Micrograph
    exclude : ndarray of shape (H, W), bool, optional
        Pixels that are not specimen.
    """
    image = classifier.prepare(micrograph, exclude)[0, 0].cpu().numpy()
    changes = [*_flips(image), *_shifts(image), *_noises(image)]
    most = max(_LEAST_CHANGES, _MOST_PX // image.size)
    changed = [("as it is", image), *changes[:: -(-len(changes) // most)]]
    labels = _label(classifier, [np.ascontiguousarray(view) for _, view in changed])
    return LabelStability(labels[0], tuple(name for name, _ in changed[1:]), tuple(labels[1:]))


def _label(classifier: Classifier, images: Sequence[Array]) -> list[str]:
    labels = []
    together = classifier.batch_size(images[0].shape)
    for start in range(0, len(images), together):
        inputs = torch.from_numpy(np.stack(images[start : start + together]))[:, None]
        rows = compute_logits(classifier, inputs.to(classifier.device))
        labels += [_named(read_logits(classifier, row)) for row in rows]
    return labels


def _named(answer: Classification) -> str:
    """Return the class that is named; of several labels, all that are, in one word."""
    return answer.label if answer.present_above is None else " + ".join(sorted(answer.present))


def _flips(image: Array) -> list[tuple[str, Array]]:
    return [
        ("flipped left to right", image[:, ::-1]),
        ("flipped upside down", image[::-1]),
        ("turned by half", image[::-1, ::-1]),
    ]


def _shifts(image: Array) -> list[tuple[str, Array]]:
    moved = []
    for distance in SHIFTS_PX:
        for down, right, way in ((1, 0, "down"), (-1, 0, "up"), (0, 1, "right"), (0, -1, "left")):
            name = f"shifted {distance} px {way}"
            moved.append((name, shift(image, down * distance, right * distance)))
    return moved


def _noises(image: Array) -> list[tuple[str, Array]]:
    rng = np.random.default_rng(0)
    spread = np.float32(image.std())
    return [
        (
            f"noise of {100 * share:.0f} %, draw {draw + 1}",
            image + np.float32(share) * spread * rng.standard_normal(image.shape, np.float32),
        )
        for share in NOISE
        for draw in range(NOISE_DRAWS)
    ]

"""Which unlabelled pictures to label next: those that the model doubts, unlike each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.learning.classifying import softmax
from core.learning.models import Classifier
from core.learning.training.quick.features import Progress, look, stack
from core.micrograph import Micrograph


def suggest_next(
    classifier: Classifier,
    micrographs: Sequence[Micrograph],
    count: int = 6,
    *,
    on_progress: Progress | None = None,
) -> list[tuple[int, float]]:
    """Return the pictures whose labels would teach most, the first one first.

    Doubt is 1 less the lead of the most probable class; each is weighed by the distance of its
    features from what is labelled or was picked before, so that not all are of one kind.

    Parameters
    ----------
    classifier : Classifier
        With a head as `train_quickly` makes it.
    micrographs : sequence of N Micrograph
    count : int

    Returns
    -------
    list of (int, float)
        Places among the micrographs and their doubt, 0–1.

    References
    ----------
    Settles (2009), Active learning literature survey, UW–Madison TR 1648, sections 3.1 and 3.6;
    Sener & Savarese (2018), Active learning for convolutional neural networks, ICLR,
    arXiv:1708.00489.
    """
    if not micrographs:
        return []
    features = stack(look(classifier, micrographs, on_progress)).astype(np.float64)
    doubt = _doubt(classifier, features)
    known = classifier.reference
    apart = np.ones(len(features))
    if known is not None and len(known.embeddings):
        apart = _distance(features, known.embeddings.astype(np.float64)).min(axis=1)
    picked: list[tuple[int, float]] = []
    for _ in range(min(count, len(features))):
        gain = (0.05 + doubt) * apart
        gain[[place for place, _ in picked]] = -1.0
        place = int(gain.argmax())
        picked.append((place, float(doubt[place])))
        apart = np.minimum(apart, _distance(features, features[place : place + 1])[:, 0])
    return picked


def _doubt(classifier: Classifier, features: np.ndarray) -> np.ndarray:
    """Return 1 less the lead of the most probable class over the next one."""
    import torch

    with torch.inference_mode():
        activation = torch.from_numpy(features.astype(np.float32))[:, :, None, None]
        logits = classifier.head(activation.to(classifier.device)).cpu().numpy()
    ordered = np.sort(softmax(logits, classifier.card.calibration.get("temperature", 1.0)), axis=1)
    return np.asarray(1 - (ordered[:, -1] - ordered[:, -2]))


def _distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return 1 less the cosine between rows of a (N, C) and b (M, C)."""
    lengths = [np.linalg.norm(x, axis=1, keepdims=True).clip(1e-12) for x in (a, b)]
    return np.asarray(1 - (a / lengths[0]) @ (b / lengths[1]).T).clip(0)

"""Has a start seen these pictures before? Then what is held out here was learnt from there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.learning.models import Classifier, Reference
from core.micrograph import Micrograph, digest_pixels

DIGESTS = "picture_digests"  # its key in a card's training
_DIGEST_LENGTH = 16
_CLOSE = 0.25  # of the smallest distances between originals that are not the same
Array = NDArray[Any]


def short_digest(micrograph: Micrograph) -> str:
    """Return what a card keeps of a picture, so that it is known again."""
    return digest_pixels(micrograph.pixels)[:_DIGEST_LENGTH]


def seen_before(
    start: Classifier, micrographs: Sequence[Micrograph], features: Array
) -> NDArray[np.bool_]:
    """Return which pictures, or close copies of which, a network has learnt from.

    By the digests in its card and, as cards of old have none, by its reference: a picture that
    lies far closer to a training original than originals do to each other is that original.
    Crops are not found.

    Parameters
    ----------
    start : Classifier
    micrographs : sequence of N Micrograph
    features : ndarray of shape (N, C)
        As `embed` returns them for these micrographs, overlays hidden.
    """
    known = frozenset(map(str, start.card.training.get(DIGESTS, ())))
    seen = np.array([bool(known) and short_digest(each) in known for each in micrographs], bool)
    if start.reference is not None and len(start.reference.embeddings) > 1:
        seen |= _near(start.reference, features)
    return seen


def _near(reference: Reference, features: Array) -> NDArray[np.bool_]:
    known, asked = _directions(reference.embeddings), _directions(features)
    if known.shape[1] != asked.shape[1]:
        return np.zeros(len(asked), bool)
    among = 1 - known @ known.T
    among[reference.groups[:, None] == reference.groups[None]] = np.inf
    nearest = among.min(axis=1)
    nearest = nearest[np.isfinite(nearest)]
    if not len(nearest):
        return np.zeros(len(asked), bool)
    close = _CLOSE * max(0.0, float(np.percentile(nearest, 1)))
    return np.asarray((1 - asked @ known.T).min(axis=1) <= close + 1e-7)


def _directions(features: Array) -> Array:
    roots = np.cbrt(features.astype(np.float64))
    return np.asarray(roots / np.linalg.norm(roots, axis=1, keepdims=True).clip(1e-12))

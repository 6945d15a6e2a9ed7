"""Pictures -> folds that keep a group together and the classes even, also where there are few."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_FOLDS = 5
Array = NDArray[Any]
Split = tuple[NDArray[np.int64], NDArray[np.int64]]


def count_groups(truth: Array, groups: Array) -> NDArray[np.int64]:
    """Return from how many groups of originals each class comes, by class index."""
    pairs = np.unique(np.stack([truth, groups]), axis=1)
    return np.bincount(pairs[0], minlength=int(truth.max()) + 1)


def count_folds(truth: Array, groups: Array, most: int = MOST_FOLDS) -> int:
    """Return how many folds leave every class something to learn from; below 2 there are none."""
    return int(min(most, count_groups(truth, groups).min()))


def deal_folds(truth: Array, groups: Array, folds: int, seed: int = 0) -> NDArray[np.int64]:
    """Return the fold of each picture: groups stay whole, classes as even as can be.

    Large groups are dealt first, each to the fold where the classes then differ least. The result
    for few groups is a fold per group of each class, where scikit-learn refuses.

    Parameters
    ----------
    truth, groups : ndarray of shape (N,), int
    folds : int
        2 or more.
    """
    members = np.unique(groups, return_inverse=True)[1]
    counts = np.zeros((members.max() + 1, truth.max() + 1))
    np.add.at(counts, (members, truth), 1)
    shuffled = np.random.default_rng(seed).permutation(len(counts))
    order = shuffled[np.argsort(-counts[shuffled].max(axis=1), kind="stable")]
    share = counts.sum(axis=0)
    dealt, filled = np.zeros(len(counts), np.int64), np.zeros((folds, counts.shape[1]))
    for group in order:
        uneven = [
            ((filled + counts[group] * (np.arange(folds) == fold)[:, None]) / share)
            .std(axis=0)
            .sum()
            for fold in range(folds)
        ]
        dealt[group] = int(np.argmin(np.round(uneven, 9)))
        filled[dealt[group]] += counts[group]
    return dealt[members]


def split(truth: Array, groups: Array, most: int = MOST_FOLDS, seed: int = 0) -> Iterator[Split]:
    """Yield (rest, held) places; nothing where a class has one group only.

    A fold that would leave a class without pictures to learn from is not held out.
    """
    folds = count_folds(truth, groups, most)
    if folds < 2:
        return
    dealt = deal_folds(truth, groups, folds, seed)
    classes = len(np.unique(truth))
    for fold in range(folds):
        rest, held = np.flatnonzero(dealt != fold), np.flatnonzero(dealt == fold)
        if len(held) and len(np.unique(truth[rest])) == classes:
            yield rest, held

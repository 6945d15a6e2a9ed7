"""How far two people's, or two ways', label images of one frame agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array

from core.errors import UserError

SAME = 0.5  # intersection over union from which two objects are one


@dataclass(frozen=True, slots=True)
class Agreement:
    """What two label images have in common.

    Attributes
    ----------
    matched, first, second : int
        Pairs of objects whose intersection is at least half of their union, and how many objects
        each has.
    f1 : float
        2 · matched / (first + second); NaN where neither has any.
    mean_iou : float
        Of the matched pairs; NaN without any.
    kappa : float
        Cohen's, of pixels that lie in an object or do not: 1 is full agreement, 0 what chance
        gives; NaN where both are all or nothing.
    pairs : tuple of (int, int, float)
        Numbers in the first and the second, and intersection over union.
    """

    matched: int
    first: int
    second: int
    f1: float
    mean_iou: float
    kappa: float
    pairs: tuple[tuple[int, int, float], ...]


def agreement(
    first: NDArray[Any], second: NDArray[Any], included: NDArray[np.bool_] | None = None
) -> Agreement:
    """Compare two label images of the same frame.

    Parameters
    ----------
    first, second : ndarray of shape (H, W), integers
        Numbered objects, 0 elsewhere.
    included : ndarray of shape (H, W), bool, optional
        Where both are compared; everywhere by default.

    Raises
    ------
    UserError
        If they differ in size.

    References
    ----------
    Cohen (1960), A coefficient of agreement for nominal scales, Educational and Psychological
    Measurement 20:37, doi:10.1177/001316446002000104. Caicedo et al. (2019), Nucleus segmentation
    across imaging experiments, Nature Methods 16:1247, doi:10.1038/s41592-019-0612-7 (F1 at IoU).
    """
    if first.shape != second.shape:
        raise UserError(
            f"One result is {first.shape[1]} × {first.shape[0]} pixels, the other "
            f"{second.shape[1]} × {second.shape[0]}. Compare results of one micrograph."
        )
    counted = np.ones(first.shape, np.bool_) if included is None else included
    a, b = (np.where(counted, each, 0).ravel() for each in (first, second))
    pairs = _matched(a, b)
    counts = [len(np.unique(each[each > 0])) for each in (a, b)]
    total = sum(counts)
    return Agreement(
        len(pairs),
        counts[0],
        counts[1],
        2 * len(pairs) / total if total else float("nan"),
        float(np.mean([iou for _, _, iou in pairs])) if pairs else float("nan"),
        _kappa(a[counted.ravel()] > 0, b[counted.ravel()] > 0),
        pairs,
    )


def _matched(a: NDArray[Any], b: NDArray[Any]) -> tuple[tuple[int, int, float], ...]:
    """Return pairs at `SAME` or above, each object in one of them; as many as there can be.

    Above a half an object has one partner at most; at just half it may have two.
    """
    both = (a > 0) & (b > 0)
    if not both.any():
        return ()
    shared = coo_array((np.ones(int(both.sum()), np.int64), (a[both], b[both])))
    shared.sum_duplicates()
    one, other = shared.coords
    union = np.bincount(a)[one] + np.bincount(b)[other] - shared.data
    iou = shared.data / union
    good = iou >= SAME
    one, other, iou = one[good], other[good], iou[good]
    rows, row = np.unique(one, return_inverse=True)
    cols, col = np.unique(other, return_inverse=True)
    if len(rows) == len(one) and len(cols) == len(other):
        pairs = zip(one.tolist(), other.tolist(), iou.tolist(), strict=True)
        return tuple(pairs)
    gain = np.zeros((len(rows), len(cols)))
    gain[row, col] = iou
    chosen = [(r, c) for r, c in zip(*linear_sum_assignment(-gain), strict=True) if gain[r, c]]
    return tuple((int(rows[r]), int(cols[c]), float(gain[r, c])) for r, c in chosen)


def _kappa(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    if not a.size:
        return float("nan")
    agree, p, q = float(np.mean(a == b)), float(a.mean()), float(b.mean())
    chance = p * q + (1 - p) * (1 - q)
    return (agree - chance) / (1 - chance) if chance < 1 else float("nan")

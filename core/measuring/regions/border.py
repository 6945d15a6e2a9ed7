"""Which regions are cut, and how many like them were missed because cut ones do not count."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]
_MOST_WORK = 1 << 28  # places looked at for odd shapes of what counts: about a second


def as_included(included: NDArray[Any] | None, shape: tuple[int, ...]) -> Mask | None:
    """Return what counts as bool, or None where all does.

    Raises
    ------
    ValueError
        If it is no mask of that shape.
    """
    if included is None:
        return None
    given = np.asarray(included)
    if given.shape != shape or given.dtype.kind not in "biu":
        raise ValueError(
            f"included must be bool of shape {shape}, got {given.dtype} of {given.shape}"
        )
    counted: Mask = given != 0
    return None if counted.all() else counted


def touches_border(labels: NDArray[np.int32], count: int, included: Mask | None) -> Mask:
    """Return which regions of (H, W), numbered 1 to `count`, are cut: bool (count,).

    They reach the frame's edge or have an 8-neighbour that does not count.
    """
    rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    cut = np.bincount(rim, minlength=count + 1)
    if included is not None:
        beside = cv2.dilate((~included).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        cut += np.bincount(labels[beside], minlength=count + 1)
    return np.asarray(cut[1:] > 0)


def border_weights(
    heights: Integers, widths: Integers, shape: tuple[int, ...], included: Mask | None
) -> Floats:
    """Return how many regions each whole one stands for when cut ones are left out.

    A large region is cut more often than a small one. Each whole one counts as the area of what
    counts, by the area of the places at which its bounding box would not have been cut:
    H W / ((H - h - 1) (W - w - 1)) for a rectangle (one row and one column less than in the
    reference, since a region that reaches the outermost pixels is a border region).

    Parameters
    ----------
    heights, widths : ndarray of shape (N,), int64
        Of the bounding boxes, in px.
    shape : (H, W)
    included : ndarray of shape (H, W), bool, optional
        What counts; all by default. A rectangle is exact. Of other shapes the places are counted,
        for many sizes in blocks; where a box fits nowhere, the rectangle around what counts is
        taken.

    Returns
    -------
    ndarray of shape (N,), float64
        At least 1 for regions that are not cut.

    References
    ----------
    Miles (1974), On the elimination of edge effects in planar sampling, in Harding & Kendall (eds),
    Stochastic geometry, Wiley. Lantuéjoul (1980), On the estimation of mean values in individual
    analysis of particles, Microscopica Acta, Suppl. 4:266.
    """
    inside = np.ones(shape, np.bool_) if included is None else included
    rows, cols = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return np.full(heights.size, np.nan)
    high, wide = int(np.ptp(rows)) + 1, int(np.ptp(cols)) + 1
    area = int(np.count_nonzero(inside))
    places = np.maximum(high - heights - 1, 1) * np.maximum(wide - widths - 1, 1)
    weights = high * wide / places
    if area == high * wide:
        return np.asarray(weights, np.float64)
    box = inside[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    counted = _places(box, heights + 2, widths + 2)
    return np.asarray(np.where(counted > 0, area / np.maximum(counted, 1e-9), weights))


def _places(inside: Mask, heights: Integers, widths: Integers) -> Floats:
    """Return at how many places a box of each size lies inside altogether."""
    sizes, which = np.unique(np.stack([heights, widths], axis=1), axis=0, return_inverse=True)
    block = int(np.ceil(np.sqrt(max(1.0, len(sizes) * inside.size / _MOST_WORK))))
    if block > 1:
        sizes, again = np.unique(np.maximum(1, np.rint(sizes / block)), axis=0, return_inverse=True)
        which = again.ravel()[which.ravel()]
    high, wide = (side // block for side in inside.shape)
    free = inside[: high * block, : wide * block].reshape(high, block, wide, block).all((1, 3))
    taken: Any = (~free).astype(np.uint8)
    sums: Any = cv2.integral(taken)
    found = [_fitting(sums, int(h), int(w)) * block**2 for h, w in sizes]
    return np.asarray(found, np.float64)[which.ravel()]


def _fitting(sums: NDArray[np.int32], height: int, width: int) -> int:
    """Count places at which a box holds nothing of what a summed-area table was made of."""
    if height >= sums.shape[0] or width >= sums.shape[1]:
        return 0
    lower, upper = sums[height:], sums[:-height]
    inside = lower[:, width:] - lower[:, :-width] - upper[:, width:] + upper[:, :-width]
    return int(np.count_nonzero(inside == 0))

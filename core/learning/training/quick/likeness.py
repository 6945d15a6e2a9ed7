"""Which pictures show the same field: copies, other formats, sizes, contrasts, turns.

A picture is reduced to 32 × 32 averages of its specimen without slow shading. Fields that merely
look alike, as two frames of one alloy do, share none of these averages.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.micrograph import Micrograph

SIDE_PX = 32
SAME = 0.8  # correlation: copies 0.89 to 1, other fields up to 0.69 (7,000 pairs of real frames)
_SHADING_PX = 5.0  # standard deviation of what counts as shading, of 32
_BLANK = 1e-3  # of the grey range: nothing is left to compare
_MOST_PX = 2048
Array = NDArray[Any]


def fingerprint(micrograph: Micrograph, exclude: Array | None = None) -> NDArray[np.float32]:
    """Return what tells a field: 32 × 32 averages of length 1 as one row, zeros where blank.

    Parameters
    ----------
    micrograph : Micrograph
    exclude : bool ndarray of shape (H, W), optional
        Not specimen: takes the median grey level, so that equal info bars are no likeness.
    """
    image = _bounded(micrograph.pixels)
    image = np.nan_to_num(image, posinf=0.0, neginf=0.0)
    low, high = (float(v) for v in np.percentile(image, (0.5, 99.5)))
    image = np.clip(image, low, high)
    if exclude is not None and exclude.any() and not exclude.all():
        mask = cv2.resize(exclude.astype(np.uint8), image.shape[::-1], None, 0, 0, 0) > 0
        image[mask] = np.median(image[~mask]) if not mask.all() else 0
    small = cv2.resize(image, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    small -= cv2.GaussianBlur(small, (0, 0), _SHADING_PX, borderType=cv2.BORDER_REFLECT)
    length = float(np.linalg.norm(small))
    if length <= _BLANK * max(high - low, 1e-12) * SIDE_PX:
        return np.zeros(SIDE_PX * SIDE_PX, np.float32)
    return np.asarray(small.ravel() / length, np.float32)


def _bounded(pixels: Array) -> NDArray[np.float32]:
    """Return pixels as floats, of a large frame every second, third … one."""
    step = -(-max(pixels.shape) // _MOST_PX)
    return np.array(pixels[::step, ::step], np.float32)


def same_field(prints: Array) -> list[tuple[int, int]]:
    """Return the pairs (i, j), i < j, that show one field, also turned, mirrored or inverted.

    Parameters
    ----------
    prints : ndarray of shape (N, 1024), float32
        As `fingerprint` returns them.
    """
    if len(prints) < 2:
        return []
    best = np.zeros((len(prints), len(prints)), np.float32)
    squares = prints.reshape(-1, SIDE_PX, SIDE_PX)
    for turned in _turns(squares):
        best = np.maximum(best, np.abs(prints @ turned.reshape(len(prints), -1).T))
    best = np.maximum(best, best.T)
    rows, columns = np.nonzero(np.triu(best >= SAME, 1))
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


def _turns(squares: Array) -> list[Array]:
    """Return squares (N, S, S) in the eight ways in which a square can lie."""
    quarter = [np.rot90(squares, times, axes=(1, 2)) for times in range(4)]
    return [*quarter, *(each[:, :, ::-1] for each in quarter)]


def join_groups(names: Sequence[str], pairs: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
    """Return a group number per picture: equal names and pairs are one group.

    Parameters
    ----------
    names : sequence of N str
        The group that each picture is said to belong to.
    pairs : sequence of (int, int)
        Pictures that must not be parted.
    """
    root = np.unique(np.asarray(names, dtype=object).astype(str), return_inverse=True)[1]
    for first, second in pairs:
        root[root == root[first]] = root[second]
    return np.asarray(np.unique(root, return_inverse=True)[1], np.int64)

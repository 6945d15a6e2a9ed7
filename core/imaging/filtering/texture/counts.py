"""How often each kind of pair occurs in a window that moves along: sums of squares and logarithms.

A window's histogram of pairs changes by two columns when it moves by one pixel, and the two sums
change only where a count does. The loop is compiled (numba) when it is first needed, in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Sums = tuple[Floats, Floats]


@dataclass(frozen=True, slots=True)
class Reach:
    """A map's shape, and which pairs count around a pixel: from `above` rows before to `below`."""

    shape: tuple[int, int]
    above: int
    below: int
    left: int
    right: int


def count_sums(codes: NDArray[np.int32], steps: Whole, weights: Whole, reach: Reach) -> Sums:
    """Return, for the pairs in the window around each pixel, two sums over their kinds.

    Parameters
    ----------
    codes : ndarray of shape (rows, cols), int32
        The kind of the pair whose upper left corner lies here; 0 <= code < steps.size.
    steps, weights : ndarray of shape (kinds,), int64
        By how much a pair of this kind raises its entry of the matrix, and how often this entry
        stands there: in a symmetric matrix 2 and 1 for equal greys, else 1 and 2.
    reach : Reach

    Returns
    -------
    squares, logs : ndarray of shape (H, W), float64
        Sum over entries n of n² and of n ln n.
    """
    rows, cols = reach.above + reach.below + 1, reach.left + reach.right + 1
    numbers = np.arange(2 * max(rows, 0) * max(cols, 0) + 2, dtype=np.float64)
    table = numbers * np.log(np.maximum(numbers, 1))
    squares, logs = np.zeros(reach.shape), np.zeros(reach.shape)
    sides = (reach.above, reach.below, reach.left, reach.right)
    _compiled()(np.ascontiguousarray(codes), steps, weights, table, *sides, squares, logs)
    return squares, logs


@cache
def _compiled() -> Callable[..., None]:
    """Return the loop in machine code; importing numba and compiling take about two seconds."""
    import numba

    compiled: Callable[..., None] = numba.njit(nogil=True, cache=False)(_run_along)
    return compiled


def _run_along(
    codes: NDArray[np.int32],
    steps: Whole,
    weights: Whole,
    table: Floats,
    above: int,
    below: int,
    left: int,
    right: int,
    squares: Floats,
    logs: Floats,
) -> None:
    """Move a window along every row of the map, until its histogram is empty again."""
    rows, cols = codes.shape
    height, width = squares.shape
    counts = np.zeros(steps.size, np.int64)
    for row in range(height):
        top, bottom = max(row - above, 0), min(row + below, rows - 1)
        square, log = 0, 0.0
        for col in range(-right, cols + left + 1):
            new, old = col + right, col - left - 1
            # Out before in: no count may exceed the number of pairs in a window (the table).
            if 0 <= old < cols:
                for r in range(top, bottom + 1):
                    code = codes[r, old]
                    step, n = steps[code], counts[code]
                    counts[code] = n - step
                    square -= weights[code] * step * (2 * n - step)
                    log -= weights[code] * (table[n] - table[n - step])
            if 0 <= new < cols:
                for r in range(top, bottom + 1):
                    code = codes[r, new]
                    step, n = steps[code], counts[code]
                    counts[code] = n + step
                    square += weights[code] * step * (2 * n + step)
                    log += weights[code] * (table[n + step] - table[n])
            if 0 <= col < width:
                squares[row, col] = square
                logs[row, col] = log

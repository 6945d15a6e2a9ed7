"""Tiles of 8 bits: their histograms, and greys mapped between the curves of the nearest four.

A frame between the middles of tiles is made of cells whose pixels all have the same four tiles
around them. They are worked on by OpenCV, cell by cell. A compiled loop (numba, in memory) does the
same with the same bits in a third of the time, on all threads that OpenCV may use. It is made once
a process has mapped so many pixels that it would have saved what it costs, as in a long batch; from
then on it serves every frame.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise, product
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.filtering.operations.base import Floats, Mask

Bytes = NDArray[np.uint8]
Curves = NDArray[np.float32]
Integers = NDArray[np.int64]
Nearest = list[tuple[Integers, Floats]]
Loop = Callable[..., None]
# Importing numba and compiling take two to three seconds, once a process; 10 ns a pixel are saved.
COMPILED_AFTER_PX = 1 << 28
_LEVELS = 256


def count_tiles(pixels: Bytes, exclude: Mask, rows: Integers, cols: Integers) -> Floats:
    """Return how many counted pixels of each level every tile has, (tiles, 256) float64.

    Parameters
    ----------
    pixels : ndarray of shape (H, W), uint8
    exclude : ndarray of shape (H, W), bool, optional
        Not counted where True.
    rows, cols : ndarray of shape (H,) and (W,), int64
        The tile that each row and column belongs to, from 0 without gaps.
    """
    down, right = _runs(rows, rows), _runs(cols, cols)
    if not is_compiled_for(pixels):
        return _count_by_calls(pixels, exclude, down, right)
    counts = np.zeros((len(down) - 1, len(right) - 1, _LEVELS), np.int64)
    left_out = np.zeros((0, 0), np.bool_) if exclude is None else np.asarray(exclude)
    pixels = np.ascontiguousarray(pixels)

    def count(part: slice) -> None:
        edges = down[part.start : part.stop + 1]
        _loops()[0](pixels, left_out, edges, right, counts[part])

    _beside(count, len(down) - 1)
    return counts.reshape(-1, _LEVELS).astype(np.float64)


def map_cells(pixels: Bytes, curves: Curves, down: Nearest, right: Nearest) -> Bytes:
    """Return greys mapped by the curves of the nearest tiles, (H, W) uint8.

    Parameters
    ----------
    pixels : ndarray of shape (H, W), uint8
    curves : ndarray of shape (tile rows, tile columns, 256), float32
        The grey that each level becomes, 0 to 255.
    down, right : two pairs of ndarrays of shape (H,) and (W,)
        The tile before each row or column and its weight, and the one after it.
    """
    (above, _), (below, down_weight) = down
    (before, _), (after, right_weight) = right
    rows, cols = _runs(above, below), _runs(before, after)
    weights = down_weight.astype(np.float32), right_weight.astype(np.float32)
    sides = before[cols[:-1]], after[cols[:-1]]
    ends = above[rows[:-1]], below[rows[:-1]]
    if not is_compiled_for(pixels):
        _Mapped.px += pixels.size
        return _map_by_calls(pixels, curves, (rows, *ends), (cols, *sides), weights)
    pixels, result = np.ascontiguousarray(pixels), np.empty_like(pixels, order="C")

    def draw(part: slice) -> None:
        given = (rows[part.start : part.stop + 1], *(each[part] for each in ends))
        _loops()[1](pixels, curves, *given, cols, *sides, *weights, result)

    _beside(draw, len(rows) - 1)
    return result


class _Mapped:
    """How many pixels were mapped by calls in this process."""

    px = 0


def is_compiled_for(pixels: Bytes) -> bool:
    """Tell whether the compiled loops serve a frame: they are there, or pay by now."""
    return _loops.cache_info().currsize > 0 or _Mapped.px + pixels.size > COMPILED_AFTER_PX


def _runs(one: Integers, other: Integers) -> Integers:
    """Return where stretches begin along which neither number changes, and the end of the last."""
    changes = np.flatnonzero((np.diff(one) != 0) | (np.diff(other) != 0)) + 1
    return np.array([0, *changes.tolist(), one.size])


def _slices(bounds: Integers) -> list[slice]:
    return [slice(*pair) for pair in pairwise(bounds.tolist())]


def _beside(work: Callable[[slice], None], parts: int) -> None:
    """Do work on parts 0 to `parts`, some on each of the threads that OpenCV may use."""
    threads = max(1, min(cv2.getNumThreads(), parts))
    own, *others = _slices(np.linspace(0, parts, threads + 1).astype(np.int64))
    waiting = [_helpers(threads - 1).submit(work, each) for each in others]
    work(own)
    for each in waiting:
        each.result()


@cache
def _helpers(threads: int) -> ThreadPoolExecutor:
    """Return threads that stay: to start some takes as long as a small frame."""
    return ThreadPoolExecutor(threads, "tiles")


if hasattr(os, "register_at_fork"):  # threads stay behind when a process forks
    os.register_at_fork(after_in_child=_helpers.cache_clear)


def _count_by_calls(pixels: Bytes, exclude: Mask, rows: Integers, cols: Integers) -> Floats:
    counts = []
    for down, right in product(_slices(rows), _slices(cols)):
        part = np.ascontiguousarray(pixels[down, right])
        kept = None if exclude is None else (~exclude[down, right]).view(np.uint8)
        counts.append(cv2.calcHist([part], [0], kept, [_LEVELS], [0, _LEVELS]).ravel())
    return np.asarray(counts, np.float64)


def _map_by_calls(
    pixels: Bytes,
    curves: Curves,
    down: tuple[Integers, Integers, Integers],
    right: tuple[Integers, Integers, Integers],
    weights: tuple[Curves, Curves],
) -> Bytes:
    result = np.empty_like(pixels)
    for rows, above, below in zip(_slices(down[0]), *down[1:], strict=True):
        for cols, before, after in zip(_slices(right[0]), *right[1:], strict=True):
            four = [curves[each, side] for each in (above, below) for side in (before, after)]
            part = np.ascontiguousarray(pixels[rows, cols])
            result[rows, cols] = _between(part, four, weights[0][rows], weights[1][cols])
    return result


def _between(part: Bytes, four: list[Curves], down: Curves, right: Curves) -> Bytes:
    """Return one cell mapped between the curves at its corners, row by row of these.

    a + r (b - a) + d ((c - a) + r (a - b - c + d')) takes four looks into tables and few passes.
    """
    first, second, third, fourth = four
    both: Any = cv2.LUT(part, first - second - third + fourth)
    both *= right
    both += cv2.LUT(part, third - first)
    both *= down[:, None]
    along: Any = cv2.LUT(part, second - first)
    along *= right
    both += along
    both += cv2.LUT(part, first)
    return np.asarray(np.rint(both, out=both).astype(np.uint8))


@cache
def _loops() -> tuple[Loop, Loop]:
    """Return what counts and what maps, in machine code."""
    import numba

    compiled = numba.njit(nogil=True, cache=False)
    return compiled(_run_count), compiled(_run_map)


def _run_count(
    pixels: Bytes, left_out: NDArray[np.bool_], rows: Integers, cols: Integers, counts: Integers
) -> None:
    """Count the levels of each tile; of all pixels where `left_out` is empty."""
    for tile in range(rows.size - 1):
        for row in range(rows[tile], rows[tile + 1]):
            for side in range(cols.size - 1):
                own = counts[tile, side]
                for col in range(cols[side], cols[side + 1]):
                    if left_out.size == 0 or not left_out[row, col]:
                        own[pixels[row, col]] += 1


def _run_map(
    pixels: Bytes,
    curves: Curves,
    rows: Integers,
    above: Integers,
    below: Integers,
    cols: Integers,
    before: Integers,
    after: Integers,
    down: Curves,
    right: Curves,
    result: Bytes,
) -> None:
    """Map cells as `_between` does, in the same order, so that bits are the same."""
    table = np.empty((256, 4), np.float32)
    for cell in range(rows.size - 1):
        for side in range(cols.size - 1):
            for level in range(256):
                first = curves[above[cell], before[side], level]
                second = curves[above[cell], after[side], level]
                third = curves[below[cell], before[side], level]
                fourth = curves[below[cell], after[side], level]
                table[level, 0] = first
                table[level, 1] = second - first
                table[level, 2] = third - first
                table[level, 3] = first - second - third + fourth
            for row in range(rows[cell], rows[cell + 1]):
                share = down[row]
                for col in range(cols[side], cols[side + 1]):
                    own = table[pixels[row, col]]
                    both = (own[3] * right[col] + own[2]) * share
                    both = both + own[1] * right[col] + own[0]
                    result[row, col] = np.uint8(np.rint(both))

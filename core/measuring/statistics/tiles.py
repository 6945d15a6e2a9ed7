"""A frame cut into tiles that are drawn again: how far a number from one field can be off.

Neighbouring pixels show the same grain, so that they are no independent witnesses; tiles larger
than the structure nearly are. Intervals come from drawing the tiles of a frame again and again, and
are stretched by as much as neighbouring tiles still resemble each other.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

Floats = NDArray[np.float64]
TILES = 64  # about 8 x 8: enough to draw from, large enough to hold most structures
DRAWS = 2000  # the limits then repeat to a few per cent of the interval's width between seeds
SEED = 0
_AROUND = np.ones((3, 3))  # a tile and its eight neighbours
_LEAST_PULL = 0.4  # tiles that push each other apart narrow the limits by no more than a third
_LEAST_WITH_NEIGHBOURS = 25  # tiles; of fewer nearly all are neighbours
_MOST_EXACT = 1024  # tiles whose neighbourhoods are compared pair by pair


FEWEST_TILES = 4  # below, Student's factor is above 3 and the spread of tiles hardly known
NO_INTERVAL = (
    "No interval: what counts fills fewer than 4 tiles of the frame, too few to tell how much the "
    "number changes from place to place. Measure a larger region or several fields."
)


def why_no_interval(tiles: int) -> str | None:
    """Return in words why so many tiles give no interval; None where they do."""
    return NO_INTERVAL if tiles < FEWEST_TILES else None


def tile_sums(
    values: NDArray[Any], tiles: int = TILES, included: NDArray[np.bool_] | None = None
) -> Floats:
    """Return the sum of an image over each tile of a grid.

    Parameters
    ----------
    values : ndarray of shape (..., H, W)
        Numbers or bool.
    tiles : int
        About how many; they are nearly square, and never smaller than a pixel.
    included : ndarray of shape (H, W), bool, optional
        What counts: the grid lies over the smallest box around it. The values elsewhere are taken
        as they are, so that they should be 0.

    Returns
    -------
    ndarray of shape (..., rows, columns), float64
    """
    height, width = values.shape[-2:]
    rows, cols = tile_starts((height, width), tiles, included)
    box = _box(included, (height, width))
    part = values[..., box[0], box[1]]
    starts = rows - box[0].start, cols - box[1].start
    across = np.add.reduceat(part, starts[1], axis=-1, dtype=np.float64)
    return np.asarray(np.add.reduceat(across, starts[0], axis=-2))


def tile_numbers(
    shape: tuple[int, ...], tiles: int = TILES, included: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """Return the number of the tile of each pixel, shape (H, W), by the grid of `tile_sums`.

    Row by row from 0; pixels outside the box around what counts get the nearest tile's.
    """
    starts = tile_starts(shape, tiles, included)
    down, right = (
        np.maximum(np.searchsorted(begin, np.arange(side), side="right") - 1, 0)
        for begin, side in zip(starts, shape, strict=True)
    )
    return np.asarray(down[:, None] * len(starts[1]) + right[None, :], np.int64)


def tile_starts(
    shape: tuple[int, ...], tiles: int = TILES, included: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first rows and the first columns of the tiles over what counts."""
    box = _box(included, shape)
    sides = [part.stop - part.start for part in box]
    edge = np.sqrt(sides[0] * sides[1] / tiles)
    # A side thinner than a tile is one tile, and the other is cut by what is then left of them.
    counts = [
        tiles if other < edge else max(1, round(side / edge))
        for side, other in zip(sides, sides[::-1], strict=True)
    ]
    rows, cols = (
        part.start + np.arange(min(count, side)) * side // min(count, side)
        for part, count, side in zip(box, counts, sides, strict=True)
    )
    return rows.astype(np.int64), cols.astype(np.int64)


def _box(included: NDArray[np.bool_] | None, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return the smallest box around what counts; the whole frame where nothing does."""
    if included is None or not included.any():
        return slice(0, shape[0]), slice(0, shape[1])
    rows, cols = (np.flatnonzero(included.any(axis=axis)) for axis in (1, 0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(cols[0]), int(cols[-1]) + 1)


def draw_again(
    sums: Floats,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
    used: NDArray[np.bool_] | None = None,
) -> Floats:
    """Return totals over as many tiles as there are, drawn with replacement.

    Parameters
    ----------
    sums : ndarray of shape (..., rows, columns)
        One number per tile; all leading axes share each draw.
    used : ndarray of shape (rows, columns), bool, optional
        Tiles that hold what counts; only these are drawn.
    draws : int
    seed : int

    Returns
    -------
    ndarray of shape (..., draws), float64

    References
    ----------
    Hall (1985), Resampling a coverage pattern, Stochastic Processes and their Applications 20:231,
    doi:10.1016/0304-4149(85)90212-1.
    """
    flat = sums.reshape(*sums.shape[:-2], -1)
    if used is not None:
        flat = flat[..., used.ravel()]
    tiles = flat.shape[-1]
    times = np.random.default_rng(seed).multinomial(tiles, np.full(tiles, 1 / tiles), size=draws)
    # Not a matrix product, whose last digits depend on the number of threads.
    return np.asarray(np.einsum("...t,dt->...d", flat, times.astype(np.float64)))


def limits(
    estimate: float,
    drawn: Floats,
    influence: Floats,
    confidence: float = 0.95,
    used: NDArray[np.bool_] | None = None,
) -> tuple[float, float]:
    """Return confidence limits from what came out of drawing tiles again.

    Parameters
    ----------
    estimate : float
        The number from all tiles.
    drawn : ndarray of shape (draws,)
        The same number from each draw; what is not finite is left out.
    influence : ndarray of shape (rows, columns)
        How far each tile pulls the number up or down, on any scale; the values add up to 0.
    confidence : float
        Between 0 and 1.
    used : ndarray of shape (rows, columns), bool, optional
        Tiles that hold what counts; all by default.

    Returns
    -------
    tuple of float
        (low, high): percentiles of the draws, moved away from the estimate by `widening`. NaN with
        fewer than four tiles (`why_no_interval`) or two draws.

    References
    ----------
    Conley (1999), GMM estimation with cross sectional dependence, Journal of Econometrics 92:1,
    doi:10.1016/S0304-4076(98)00084-0.
    """
    known = drawn[np.isfinite(drawn)]
    tiles = influence.size if used is None else int(np.count_nonzero(used))
    if tiles < FEWEST_TILES or known.size < 2 or not np.isfinite(estimate):
        return float("nan"), float("nan")
    tail = (1 - confidence) / 2
    factor = widening(influence, confidence, used)
    low, high = (estimate + factor * (np.quantile(known, q) - estimate) for q in (tail, 1 - tail))
    return float(min(low, estimate)), float(max(high, estimate))


def widening(
    influence: Floats, confidence: float = 0.95, used: NDArray[np.bool_] | None = None
) -> float:
    """Return by how much percentiles of draws are moved away from the estimate.

    Draws take tiles as strangers to each other. The variance here adds what a tile shares with its
    eight neighbours, corrected for what is lost since all pulls add up to 0. It is known no better
    than from a few independent numbers (7.6 degrees of freedom for 8 x 8 tiles), hence Student's
    factor. Fewer than 25 tiles count as strangers.

    Parameters
    ----------
    influence : ndarray of shape (rows, columns)
        How far each tile pulls the number up or down; the values add up to 0.
    confidence : float
        Between 0 and 1.
    used : ndarray of shape (rows, columns), bool, optional
        Tiles that hold what counts, at least two; all by default.

    References
    ----------
    Conley (1999), see `limits`. Satterthwaite (1946), An approximate distribution of estimates of
    variance components, Biometrics Bulletin 2:110, doi:10.2307/3002019. Kiefer, Vogelsang (2005), A
    new asymptotic theory for heteroskedasticity-autocorrelation robust tests, Econometric Theory
    21:1130, doi:10.1017/S0266466605050565 (why the factor must know of the neighbours counted).
    """
    taken = np.ones(influence.shape, np.bool_) if used is None else used
    kept, freedom = _neighbourhood(taken.tobytes(), taken.shape)
    tiles, alone = int(np.count_nonzero(taken)), float((influence**2).sum())
    pull = tiles / (tiles - 1)
    if alone and tiles >= _LEAST_WITH_NEIGHBOURS:
        around = scipy.ndimage.convolve(influence, _AROUND, mode="constant")
        pull = max(_LEAST_PULL, float((influence * around).sum()) / alone / kept)
    else:  # nothing can be learned from how alike they are
        freedom = tiles - 1.0
    student = scipy.special.stdtrit(freedom, (1 + confidence) / 2)
    return float(student / scipy.special.ndtri((1 + confidence) / 2) * np.sqrt(pull))


@lru_cache(maxsize=64)
def _neighbourhood(used: bytes, shape: tuple[int, ...]) -> tuple[float, float]:
    """Return which part of a variance neighbouring tiles keep, and its degrees of freedom."""
    taken = np.frombuffer(used, np.bool_).reshape(shape)
    at = np.argwhere(taken)
    if len(at) > _MOST_EXACT:  # many tiles: what the sum of 0 takes away hardly matters
        around = scipy.ndimage.convolve(taken.astype(np.float64), _AROUND, mode="constant")
        pairs = float(around[taken].sum())
        return 1 - pairs / len(at) ** 2, len(at) ** 2 / pairs
    near = (np.abs(at[:, None] - at[None]).max(axis=2) <= 1).astype(np.float64)
    centred = near - near.mean(axis=0) - near.mean(axis=1)[:, None] + near.mean()
    trace = float(np.trace(centred))
    if trace <= 0:  # all tiles are neighbours: their pulls add up to 0
        return 1.0, 1.0
    return trace / len(at), trace**2 / float((centred**2).sum())

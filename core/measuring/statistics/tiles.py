"""A frame cut into tiles that are drawn again: how far a number from one field can be off.

Neighbouring pixels show the same grain, so that they are no independent witnesses; tiles larger
than the structure nearly are. Intervals come from drawing the tiles of a frame again and again, and
are stretched by as much as neighbouring tiles still resemble each other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

Floats = NDArray[np.float64]
TILES = 64  # about 8 x 8: enough to draw from, large enough to hold most structures
DRAWS = 2000  # the limits then repeat to a few per cent of the interval's width between seeds
SEED = 0
_AROUND = np.ones((3, 3))  # a tile and its eight neighbours


def tile_sums(values: NDArray[Any], tiles: int = TILES) -> Floats:
    """Return the sum of an image over each tile of a grid.

    Parameters
    ----------
    values : ndarray of shape (..., H, W)
        Numbers or bool.
    tiles : int
        About how many; they are nearly square, and never smaller than a pixel.

    Returns
    -------
    ndarray of shape (..., rows, columns), float64
    """
    height, width = values.shape[-2:]
    edge = np.sqrt(height * width / tiles)
    rows, cols = (_starts(side, edge) for side in (height, width))
    across = np.add.reduceat(values, cols, axis=-1, dtype=np.float64)
    return np.asarray(np.add.reduceat(across, rows, axis=-2))


def _starts(side: int, edge: float) -> NDArray[np.int64]:
    """Return where the tiles along one side begin."""
    count = int(np.clip(round(side / edge), 1, side))
    return np.arange(count) * side // count


def draw_again(sums: Floats, *, draws: int = DRAWS, seed: int = SEED) -> Floats:
    """Return totals over as many tiles as there are, drawn with replacement.

    Parameters
    ----------
    sums : ndarray of shape (..., rows, columns)
        One number per tile; all leading axes share each draw.
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
    tiles = flat.shape[-1]
    times = np.random.default_rng(seed).multinomial(tiles, np.full(tiles, 1 / tiles), size=draws)
    # Not a matrix product, whose last digits depend on the number of threads.
    return np.asarray(np.einsum("...t,dt->...d", flat, times.astype(np.float64)))


def limits(
    estimate: float, drawn: Floats, influence: Floats, confidence: float = 0.95
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

    Returns
    -------
    tuple of float
        (low, high): percentiles of the draws, moved away from the estimate by Student's factor for
        this many tiles and by how much neighbouring tiles pull together. NaN with fewer than two
        tiles or draws.

    References
    ----------
    Conley (1999), GMM estimation with cross sectional dependence, Journal of Econometrics 92:1,
    doi:10.1016/S0304-4076(98)00084-0.
    """
    known = drawn[np.isfinite(drawn)]
    tiles = influence.size
    if tiles < 2 or known.size < 2 or not np.isfinite(estimate):
        return float("nan"), float("nan")
    tail = (1 - confidence) / 2
    student = (
        scipy.special.stdtrit(tiles - 1, 1 - tail)
        / scipy.special.ndtri(1 - tail)
        * np.sqrt(tiles / (tiles - 1))
    )
    factor = student * np.sqrt(_pull_together(influence))
    low, high = (estimate + factor * (np.quantile(known, q) - estimate) for q in (tail, 1 - tail))
    return float(min(low, estimate)), float(max(high, estimate))


def _pull_together(influence: Floats) -> float:
    """Return by how much the variance grows, at least 1, since neighbouring tiles are alike."""
    alone = float((influence**2).sum())
    if alone == 0:
        return 1.0
    together = float(
        (influence * scipy.ndimage.convolve(influence, _AROUND, mode="constant")).sum()
    )
    return max(1.0, together / alone)

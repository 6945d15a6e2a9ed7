"""Large frames in bands of rows: the same result with little memory on top of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.imaging.filtering.operations.base import Mask, Pixels

BAND_PX = 1 << 21  # pixels of a band, beside the overlap


def row_bands(shape: tuple[int, ...], band_px: int = BAND_PX) -> Iterator[slice]:
    """Yield slices of rows that together make the frame, of about the same height."""
    parts = -(-shape[0] // max(1, band_px // shape[1]))
    bounds = [shape[0] * part // parts for part in range(parts + 1)]
    yield from (slice(*pair) for pair in pairwise(bounds))


def in_bands(
    pixels: Pixels,
    reach_px: int,
    operation: Callable[[Pixels], NDArray[Any]],
    *,
    exclude: Mask = None,
    kind: type | None = None,
    band_px: int = BAND_PX,
) -> NDArray[Any]:
    """Return what an operation makes of a frame, worked out in bands of rows.

    Parameters
    ----------
    pixels : ndarray of shape (H, W)
    reach_px : int
        The operation sees no further: bands overlap by so much, and what lies in the overlap is
        thrown away. Only the frame's own edges are edges.
    operation : callable
        Takes pixels of a band (and its mask, where `exclude` is given), returns as many.
    exclude : ndarray of shape (H, W), bool, optional
    kind : dtype, optional
        Of the result; that of the operation by default.
    band_px : int
        Pixels of a band; at least twice the overlap is taken.
    """
    bands = list(row_bands(pixels.shape, max(band_px, 2 * reach_px * pixels.shape[1])))
    result: NDArray[Any] | None = None
    for band in bands:
        around = slice(max(0, band.start - reach_px), min(pixels.shape[0], band.stop + reach_px))
        given = (pixels[around],) if exclude is None else (pixels[around], exclude[around])
        found = operation(*given)
        if len(bands) == 1:
            return found.astype(kind or found.dtype, copy=False)
        if result is None:
            result = np.empty(pixels.shape, kind or found.dtype)
        result[band] = found[band.start - around.start : band.stop - around.start]
    assert result is not None
    return result


def by_rows(pixels: Pixels, operation: Callable[[Pixels, slice], Pixels]) -> Pixels:
    """Return what an operation on single pixels makes of a frame; it is told which rows it gets."""
    result = np.empty_like(pixels)
    for band in row_bands(pixels.shape):
        result[band] = operation(pixels[band], band)
    return result

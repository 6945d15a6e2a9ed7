"""Eight-bit pictures for screens: the display window and thumbnails.

Nothing here is ever measured. A micrograph goes from its native depth to eight bits in one step,
at the end: the display window is found and applied in native grey levels.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.micrograph import Micrograph

Picture = NDArray[np.uint8]


_WINDOW_SAMPLE_PX = 4_000_000  # percentiles of more pixels move by less than one display level
_BAND_PX = 1_000_000  # floats are windowed in bands, which bounds the memory in between


def display_window(
    micrograph: Micrograph, low_pct: float = 0.5, high_pct: float = 99.5
) -> tuple[float, float]:
    """Return the grey levels shown as black and as white.

    Parameters
    ----------
    micrograph : Micrograph
        Pixels that are NaN or infinite are ignored.
    low_pct, high_pct : float
        Percentiles, 0 <= low_pct < high_pct <= 100. Above four megapixels they are taken from an
        even grid of pixels.

    Returns
    -------
    (low, high) : tuple of float
        Native grey levels, low < high always. Where the percentiles coincide the extremes are
        used; a constant picture of integers gets the whole range of its type, so that it shows
        at its own level, and a constant picture of floats shows mid-grey.

    Raises
    ------
    ValueError
        If the percentiles are out of order or out of range.
    """
    if not 0 <= low_pct < high_pct <= 100:
        raise ValueError(f"need 0 <= low_pct < high_pct <= 100, got {low_pct} and {high_pct}")
    low, high = _percentiles(_finite(_thin_out(micrograph.pixels)), low_pct, high_pct)
    if low == high:
        low, high = _percentiles(_finite(micrograph.pixels), 0, 100)
    if low == high:
        return _constant_window(low, micrograph.pixels.dtype)
    return low, high


def _thin_out(pixels: NDArray[np.generic]) -> NDArray[np.generic]:
    """Keep every n-th row and column, so that about four million pixels remain."""
    stride = int(np.ceil(np.sqrt(pixels.size / _WINDOW_SAMPLE_PX)))
    return pixels[::stride, ::stride]


def robust_range(values: NDArray[Any], low_pct: float, high_pct: float) -> tuple[float, float]:
    """Return the greys between which most pixels lie; outliers such as hot pixels have no say.

    Parameters
    ----------
    values : ndarray of any shape, finite
        Those that count.
    low_pct, high_pct : float
        Percentiles, 0 to 100.

    Returns
    -------
    (low, high) : tuple of float
        Levels that occur. Where the percentiles coincide the extremes; equal where all values
        are, and (0, 0) where there are none.
    """
    low, high = _percentiles(values, low_pct, high_pct)
    return (low, high) if low < high else _percentiles(values, 0, 100)


def _percentiles(values: NDArray[Any], low_pct: float, high_pct: float) -> tuple[float, float]:
    if values.size == 0:
        return 0.0, 0.0
    # Levels that occur, not means of two: the sum of two large float32 would overflow.
    low, high = np.percentile(values, (low_pct, high_pct), method="nearest")
    return float(low), float(high)


def _finite(pixels: NDArray[Any]) -> NDArray[Any]:
    return pixels[np.isfinite(pixels)] if pixels.dtype.kind == "f" else pixels.ravel()


def _constant_window(level: float, dtype: np.dtype[Any]) -> tuple[float, float]:
    if dtype.kind == "u":
        return 0.0, float(np.iinfo(dtype).max)
    half = max(0.5, abs(level) * 1e-6)
    return level - half, level + half


def to_display(micrograph: Micrograph) -> Picture:
    """Return the micrograph in eight bits, stretched to its display window.

    Parameters
    ----------
    micrograph : Micrograph
        Of any depth. NaN is shown black, infinities black or white.

    Returns
    -------
    ndarray of shape (H, W), uint8
    """
    low, high = display_window(micrograph)
    pixels = micrograph.pixels
    if pixels.dtype.kind == "u":
        levels = np.arange(np.iinfo(pixels.dtype).max + 1)
        return np.take(_stretch(levels, low, high), pixels)
    picture = np.empty(pixels.shape, np.uint8)
    rows = max(1, _BAND_PX // pixels.shape[1])
    for top in range(0, pixels.shape[0], rows):
        picture[top : top + rows] = _stretch(pixels[top : top + rows], low, high)
    return picture


def _stretch(values: NDArray[np.generic], low: float, high: float) -> Picture:
    share = np.clip((values.astype(np.float64) - low) / (high - low), 0, 1)
    return np.rint(np.nan_to_num(share, nan=0.0) * 255).astype(np.uint8)


def thumbnail(micrograph: Micrograph, size_px: int = 320) -> Picture:
    """Return a small picture whose longer side is at most `size_px`; never an enlarged one.

    Parameters
    ----------
    micrograph : Micrograph
    size_px : int
        At least 1.

    Returns
    -------
    ndarray of shape (h, w), uint8
    """
    if size_px < 1:
        raise ValueError(f"size_px must be at least 1, got {size_px}")
    return _shrink(to_display(micrograph), size_px / max(micrograph.shape))


def _shrink(picture: Picture, scale: float) -> Picture:
    """Return the picture averaged down by `scale`; the picture itself when scale >= 1."""
    if scale >= 1:
        return picture
    height, width = picture.shape[:2]
    size_wh = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(picture, size_wh, interpolation=cv2.INTER_AREA), np.uint8)

"""What is not specimen: info bars, burned-in scale bars, panel letters and labels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.annotations import find_annotations
from core.imaging.info_bar import info_bar_rows
from core.micrograph import Micrograph

_SEARCH_PX = 4_000_000  # larger pictures are searched for lettering on every n-th pixel
_MIN_SIDE_PX = 48  # lettering on anything smaller could not be read


def find_overlays(micrograph: Micrograph) -> NDArray[np.bool_]:
    """Return where the picture shows something else than the specimen.

    Info bars are sought along the bottom and the top edge, then scale bars, letters and labels in
    what is left. The search keeps to what was painted by a program: flat, crisp, at an extreme
    grey level. When in doubt a pixel counts as specimen.

    Parameters
    ----------
    micrograph : Micrograph
        Of any depth and size.

    Returns
    -------
    ndarray of shape (H, W), bool
        True where not specimen. Lettering is covered with a margin for its soft edges.
    """
    levels = _search_levels(micrograph.pixels)
    overlays = np.zeros(micrograph.shape, bool)
    if min(micrograph.shape) < _MIN_SIDE_PX:
        return overlays
    bottom = info_bar_rows(levels[::-1])
    top = info_bar_rows(levels)
    overlays[:top] = True
    overlays[micrograph.shape[0] - bottom :] = True
    inner = slice(top, micrograph.shape[0] - bottom)
    overlays[inner] |= _annotations(levels[inner])
    return overlays


def _search_levels(pixels: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Return eight bits between the extremes: enough to find paint, and nothing is measured."""
    if pixels.dtype == np.uint8:
        return _stretch_levels(np.asarray(pixels, np.uint8))
    values = pixels.astype(np.float32)
    finite = np.isfinite(values)
    if not finite.all():
        values = np.where(finite, values, np.min(values, where=finite, initial=np.inf))
        values = np.nan_to_num(values)
    low, high = float(values.min()), float(values.max())
    if high == low:
        return np.zeros(values.shape, np.uint8)
    scale = 255 / (high - low)
    return np.asarray(np.clip((values - low) * scale + 0.5, 0, 255), np.float32).astype(np.uint8)


def _stretch_levels(levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Stretch eight bits to their extremes by a table."""
    low, high = int(levels.min()), int(levels.max())
    table = np.clip((np.arange(256) - low) * (255 / max(1, high - low)) + 0.5, 0, 255)
    return np.asarray(cv2.LUT(levels, table.astype(np.uint8)), np.uint8)


def _annotations(levels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Search at full size, or on every n-th pixel of a large picture."""
    height, width = levels.shape
    if min(height, width) < _MIN_SIDE_PX:
        return np.zeros(levels.shape, bool)
    stride = int(np.ceil(np.sqrt(levels.size / _SEARCH_PX)))
    if stride == 1:
        return find_annotations(levels)
    found = find_annotations(np.ascontiguousarray(levels[::stride, ::stride]))
    full = cv2.resize(found.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(full, bool)

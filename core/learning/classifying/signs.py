"""Signs that a picture is no micrograph, told from the picture alone, whatever the network.

A network gives one of its classes to anything. Where the picture itself says that it is a drawing,
a map in several colours, noise without structure or too small to show any, that comes first.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.micrograph import Micrograph

HUES = "it has several hues, as photographs and maps of elements have"
DRAWING = "it has large areas of exactly one light grey, as plots, pages and drawings have"
NOISE = "neighbouring pixels have nothing in common: it is noise without structure"
BLANK = "all its pixels have one grey level"
TINY = "it has too few pixels to show a structure"
NO_CLASS = (BLANK, TINY)  # whatever the network answers is no answer then

_SMALLEST_PX = 32  # the shorter side
_FLAT_SHARE, _LIGHT = 0.25, 0.85  # of the frame; of its range of grey levels
_INSIDE = 0.7  # of the flat pixels lie in areas of nothing else
_ALIKE = 0.02  # correlation with the neighbour, at full size and after averaging 4 × 4
_LOOKED_AT_PX = 512
_CONVERSION = "conversion"


def look_for_signs(micrograph: Micrograph, exclude: NDArray[Any] | None = None) -> tuple[str, ...]:
    """Return what in a picture says that it is no micrograph, a phrase each; nothing as a rule.

    Parameters
    ----------
    micrograph : Micrograph
    exclude : ndarray of shape (H, W), bool, optional
        What is no specimen and takes no part.
    """
    pixels = micrograph.pixels
    seen = pixels if exclude is None else pixels[~exclude]
    seen = seen[np.isfinite(seen)] if pixels.dtype.kind == "f" else seen
    if seen.size == 0 or seen.min() == seen.max():
        return (BLANK,)
    if min(micrograph.shape) < _SMALLEST_PX:
        return (TINY,)
    found = []
    if "several hues" in str(micrograph.metadata.get(_CONVERSION, "")):
        found.append(HUES)
    if _is_drawn(pixels, exclude):
        found.append(DRAWING)
    elif _is_noise(pixels, exclude):
        found.append(NOISE)
    return tuple(found)


def _is_drawn(pixels: NDArray[Any], exclude: NDArray[Any] | None) -> bool:
    """Tell whether much of a picture is paper: one light grey, in areas of nothing else."""
    counted = np.ones(pixels.shape, bool) if exclude is None else ~exclude
    values = pixels.ravel() if exclude is None else pixels[counted]
    levels, counts = _count_levels(values)
    most = levels[counts.argmax()]
    low, high = float(levels[0]), float(levels[-1])
    # Saturation is at the end of the scale and beside many nearly saturated pixels; paper is alone.
    light = float(most) >= low + _LIGHT * (high - low)
    if not light or counts.max() < _FLAT_SHARE * values.size:
        return False
    near = (levels > most - 0.04 * (high - low)) & (levels != most)
    if counts[near].sum() > 0.2 * counts.max():
        return False
    flat = ((pixels == most) & counted).astype(np.uint8)
    inside = cv2.erode(flat, np.ones((5, 5), np.uint8))
    return bool(inside.sum() > _INSIDE * flat.sum())


def _count_levels(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the finite values that occur, rising, and how often; small whole numbers unsorted."""
    if values.dtype in (np.uint8, np.uint16):
        counts = np.bincount(values)
        levels = np.flatnonzero(counts)
        return levels.astype(values.dtype), counts[levels]
    return np.unique(values[np.isfinite(values)], return_counts=True)


def _is_noise(pixels: NDArray[Any], exclude: NDArray[Any] | None) -> bool:
    """Tell whether neighbours are uncorrelated at full size and in means of 4 × 4 pixels."""
    rows, cols = ((side - min(side, _LOOKED_AT_PX)) // 2 for side in pixels.shape)
    part: NDArray[Any] = pixels[rows : rows + _LOOKED_AT_PX, cols : cols + _LOOKED_AT_PX]
    part = part.astype(np.float32)
    hidden = ~np.isfinite(part)
    if exclude is not None:
        hidden |= exclude[rows : rows + _LOOKED_AT_PX, cols : cols + _LOOKED_AT_PX]
    if hidden.all():
        return False
    part[hidden] = part[~hidden].mean()
    small = cv2.resize(part, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    return all(_alike(each) < max(_ALIKE, 3 / each.size**0.5) for each in (part, small))


def _alike(image: NDArray[Any]) -> float:
    """Return the larger correlation of a picture with itself moved by one pixel."""
    centred = image - image.mean()
    power = float((centred**2).mean())
    if power == 0:
        return 1.0
    across = float((centred[:, 1:] * centred[:, :-1]).mean()) / power
    down = float((centred[1:] * centred[:-1]).mean()) / power
    return max(abs(across), abs(down))

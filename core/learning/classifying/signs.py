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
DIFFRACTION = "spots on a lattice fade away from its middle, as in a diffraction pattern"
BLANK = "all its pixels have one grey level"
TINY = "it has too few pixels to show a structure"
NO_CLASS = (BLANK, TINY)  # whatever the network answers is no answer then

_SMALLEST_PX = 32  # the shorter side
_FLAT_SHARE, _LIGHT = 0.25, 0.85  # of the frame; of its range of grey levels
_INSIDE = 0.7  # of the flat pixels lie in areas of nothing else
_ALIKE = 0.02  # correlation with the neighbour, at full size and after averaging 4 × 4
_LOOKED_AT_PX = 512
_PATTERN_PX = 256  # the longer side of what is searched for spots
_MIDDLE, _FADES = 0.15, 1.5  # of the side; how much brighter it is there, as amplitudes
_NEIGHBOUR_PX = (8, 80)  # from one spot to the next
_LATTICE = 0.45  # correlation with itself moved by a lattice vector; 0.21 in 363 micrographs
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
    elif _is_diffraction(pixels, exclude):
        found.append(DIFFRACTION)
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
    part = _floats(pixels[rows : rows + _LOOKED_AT_PX, cols : cols + _LOOKED_AT_PX])
    hidden = ~np.isfinite(part)
    if exclude is not None:
        hidden |= exclude[rows : rows + _LOOKED_AT_PX, cols : cols + _LOOKED_AT_PX]
    if hidden.all():
        return False
    part[hidden] = part[~hidden].mean()
    small = cv2.resize(part, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    return all(_alike(each) < max(_ALIKE, 3 / each.size**0.5) for each in (part, small))


def _floats(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """Return pixels as floats whose squares neither overflow nor vanish; not finite ones stay."""
    if pixels.dtype.kind != "f":
        return pixels.astype(np.float32)
    largest = float(np.max(np.abs(pixels), where=np.isfinite(pixels), initial=0))
    if largest == 0 or 1e-12 < largest < 1e12:
        return pixels.astype(np.float32)
    return (pixels / np.float64(largest)).astype(np.float32)


def _alike(image: NDArray[Any]) -> float:
    """Return the larger correlation of a picture with itself moved by one pixel."""
    centred = image - image.mean()
    power = float((centred**2).mean())
    if power == 0:
        return 1.0
    across = float((centred[:, 1:] * centred[:, :-1]).mean()) / power
    down = float((centred[1:] * centred[:-1]).mean()) / power
    return max(abs(across), abs(down))


def _is_diffraction(pixels: NDArray[Any], exclude: NDArray[Any] | None) -> bool:
    """Tell whether spots on a lattice fade away from the middle of a picture."""
    image: NDArray[Any] = _floats(pixels)
    hidden = ~np.isfinite(image) if exclude is None else exclude | ~np.isfinite(image)
    scale = min(1.0, _PATTERN_PX / max(image.shape))
    if hidden.all() or scale * min(image.shape) < _SMALLEST_PX:
        return False
    image[hidden] = np.median(image[~hidden])
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    amplitude = np.sqrt(np.clip(image - np.percentile(image, 5), 0, None))
    return _fades(amplitude) and _repeats(amplitude) > _LATTICE


def _fades(amplitude: NDArray[Any]) -> bool:
    """Tell whether a picture is brightest in its middle and darker with every step away from it."""
    blurred = cv2.GaussianBlur(amplitude, (0, 0), 5)
    (height, width), brightest = blurred.shape, np.unravel_index(blurred.argmax(), blurred.shape)
    off = np.hypot(brightest[0] / height - 0.5, brightest[1] / width - 0.5)
    if off > _MIDDLE:
        return False
    rows, cols = np.ogrid[:height, :width]
    ring = np.hypot(rows - brightest[0], cols - brightest[1]) * 10 // min(height, width)
    means = np.array([blurred[ring == number].mean() for number in range(5)])
    return bool((np.diff(means) <= 0).all() and means[0] > _FADES * means[-1])


def _repeats(amplitude: NDArray[Any]) -> float:
    """Return the correlation of spots with themselves, moved by the weaker of two lattice vectors.

    Lines repeat in one direction: the second vector lies at 30° or more from the first.
    """
    height, width = amplitude.shape
    spots = np.clip(amplitude - cv2.GaussianBlur(amplitude, (0, 0), 4), 0, None)
    spots = (spots - spots.mean()) * np.outer(np.hanning(height), np.hanning(width))
    power = np.abs(np.fft.rfft2(spots, (2 * height, 2 * width))) ** 2
    alike = np.fft.fftshift(np.fft.irfft2(power, (2 * height, 2 * width)))
    itself = float(alike[height, width])
    if itself <= 0:
        return 0.0
    rows, cols = np.ogrid[-height:height, -width:width]
    reach = np.hypot(rows, cols)
    alike[(reach < _NEIGHBOUR_PX[0]) | (reach > _NEIGHBOUR_PX[1])] = -np.inf
    row, col = np.unravel_index(alike.argmax(), alike.shape)
    row, col = int(row) - height, int(col) - width
    across = np.abs(row * cols - col * rows) / (np.hypot(row, col) * np.maximum(reach, 1))
    return float(alike[across > 0.5].max() / itself)

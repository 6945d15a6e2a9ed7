"""Texture maps: grey-level co-occurrence properties of the window around every pixel.

Exact and fast. A property of a window's co-occurrence matrix is a function of a few sums over the
pairs of pixels in that window, and a sum over a window at every pixel is one box filter. All sums
but that of homogeneity are of 16-bit integers, collected in float64, which is exact below 2**53.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

ANGLES_DEG = (0, 45, 90, 135)
MAX_LEVELS = 256
MAX_LEVELS_PER_CODE = 32  # properties that need one box filter per kind of pair: 528 of them here
MAX_WINDOW = 255  # keeps every product of two sums of 8-bit squares below 2**53

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Pairs:
    """All pairs of pixels at one offset, and how to sum over those inside each window."""

    first: Bytes
    second: Bytes
    shape: tuple[int, int]
    offset: tuple[int, int]
    window: int
    levels: int

    def differences(self) -> NDArray[np.uint16]:
        """Absolute difference of grey level of each pair."""
        difference = np.maximum(self.first, self.second)
        difference -= np.minimum(self.first, self.second)
        return difference.astype(np.uint16)

    def sums(self, values: NDArray[Any]) -> Floats:
        """Sum one value per pair over the pairs inside the window centred on each pixel."""
        half = self.window // 2
        size = [self.window - abs(step) for step in self.offset]
        anchor = [min(half, edge - 1) for edge in size]
        top, left = half - anchor[0], half - anchor[1]
        canvas = np.zeros(self.shape, values.dtype)
        rows, cols = values.shape
        canvas[top : top + rows, left : left + cols] = values
        return np.asarray(
            cv2.boxFilter(
                canvas,
                cv2.CV_64F,
                ksize=(size[1], size[0]),
                anchor=(anchor[1], anchor[0]),
                normalize=False,
                borderType=cv2.BORDER_CONSTANT,
            )
        )

    def counts(self) -> Floats:
        """Number of pairs inside each window, as an (H, W) array."""
        return np.outer(*self._counts_per_axis())

    def mean_of(self, values: NDArray[Any]) -> Floats:
        """Mean of one value per pair over each window; 0 where a window holds no pair."""
        rows, cols = self._counts_per_axis()
        total = self.sums(values)
        total /= np.outer(np.maximum(rows, 1), np.maximum(cols, 1))
        return total

    def _counts_per_axis(self) -> tuple[Floats, Floats]:
        """Number of pairs within reach of each row and of each column; they multiply."""
        rows = _pairs_per_line(self.shape[0], abs(self.offset[0]), self.window)
        cols = _pairs_per_line(self.shape[1], abs(self.offset[1]), self.window)
        return rows, cols

    def probabilities(self) -> Iterator[tuple[Floats, int]]:
        """Yield each kind of unordered pair: its matrix entry per window, and how often it occurs.

        An entry off the diagonal occurs twice in the symmetric matrix.
        """
        total = np.maximum(2 * self.counts(), 1)
        low, high = np.minimum(self.first, self.second), np.maximum(self.first, self.second)
        codes = low.astype(np.uint16) * self.levels + high
        for code in np.unique(codes):
            on_diagonal = code // self.levels == code % self.levels
            occurrences = self.sums((codes == code).astype(np.uint8))
            yield occurrences * (2 if on_diagonal else 1) / total, 1 if on_diagonal else 2


def glcm_map(
    image: NDArray[np.generic],
    prop: str = "contrast",
    *,
    window: int = 5,
    levels: int = 2,
    distance: int = 1,
    angle_deg: int = 0,
) -> Floats:
    """Map one property of the symmetric, normalised co-occurrence matrix of every window.

    Border rule: the window centred on a pixel is clipped to the image, and only pairs with both
    pixels in the clipped window count. A window without any pair (one pixel wide along the offset)
    has an empty matrix, for which every property is 0 and the correlation 1, as in scikit-image.

    Parameters
    ----------
    image : ndarray of shape (H, W), bool or integers
        Grey levels 0 <= v < levels.
    prop : str
        One of `PROPERTIES`. Those of `PER_CODE` ("ASM", "energy", "entropy") cost one box filter
        for each kind of pair that occurs, and take at most 32 levels.
    window : int
        Edge of the square window in px: odd, 3 to 255.
    levels : int
        Number of grey levels, 2 to 256.
    distance : int
        Distance between the two pixels of a pair in px, 1 <= distance < window.
    angle_deg : int
        0, 45, 90 or 135: the second pixel lies right of, below right of, below, or below left of
        the first (rows count downwards). Offsets round as in scikit-image: distance 2 at 45° is
        one pixel down and one to the right.

    Returns
    -------
    ndarray of shape (H, W), float64
        Entropy is in nats; all other properties are in grey levels or without unit.

    Raises
    ------
    TypeError
        If `image` does not hold integers, or a parameter is not an integer.
    ValueError
        If the image is not (H, W), holds other levels, or a parameter is out of its range.

    References
    ----------
    Haralick, Shanmugam, Dinstein (1973), Textural features for image classification, IEEE
    Transactions on Systems, Man, and Cybernetics SMC-3, 610-621, doi:10.1109/TSMC.1973.4309314
    """
    _check_parameters(prop, window, levels, distance, angle_deg)
    _check_image(image, levels)
    pairs = _pairs(np.asarray(image), window, levels, distance, angle_deg)
    return PROPERTIES[prop](pairs)


def _pairs(
    image: NDArray[np.generic], window: int, levels: int, distance: int, angle_deg: int
) -> _Pairs:
    """Line up the first and second pixels of all pairs inside the image."""
    grey = image.astype(np.uint8)
    down, right = _offset(distance, angle_deg)
    rows, cols = grey.shape
    upper, lower = grey[: max(rows - down, 0)], grey[down:]
    across = abs(right)
    left_part, right_part = np.s_[:, : max(cols - across, 0)], np.s_[:, across:]
    first, second = (left_part, right_part) if right >= 0 else (right_part, left_part)
    return _Pairs(upper[first], lower[second], (rows, cols), (down, right), window, levels)


def _offset(distance: int, angle_deg: int) -> tuple[int, int]:
    """Return (rows down, columns right) from the first to the second pixel of a pair."""
    angle = math.radians(angle_deg)
    return round(distance * math.sin(angle)), round(distance * math.cos(angle))


def _pairs_per_line(length: int, step: int, window: int) -> Floats:
    """Count the pairs at a distance along one axis inside the clipped window of each pixel."""
    position = np.arange(length)
    first = np.maximum(position - window // 2, 0)
    last = np.minimum(position + window // 2, length - 1)
    return np.asarray(np.maximum(last - first + 1 - step, 0), dtype=np.float64)


def _contrast(pairs: _Pairs) -> Floats:
    return pairs.mean_of(np.square(pairs.differences()))


def _dissimilarity(pairs: _Pairs) -> Floats:
    return pairs.mean_of(pairs.differences())


def _homogeneity(pairs: _Pairs) -> Floats:
    weights = 1 / (1 + np.arange(pairs.levels, dtype=np.float64) ** 2)
    return pairs.mean_of(weights[pairs.differences()])


def _mean(pairs: _Pairs) -> Floats:
    return pairs.mean_of(np.add(pairs.first, pairs.second, dtype=np.uint16)) / 2


def _scaled_variance(pairs: _Pairs) -> tuple[Floats, Floats, Floats]:
    """Return the variance times N², its covariance counterpart, and N = twice the pair count."""
    total = 2 * pairs.counts()
    first, second = pairs.first.astype(np.uint16), pairs.second.astype(np.uint16)
    grey = pairs.sums(first + second)
    squares = pairs.sums(first * first) + pairs.sums(second * second)
    products = 2 * pairs.sums(first * second)
    return total * squares - grey**2, total * products - grey**2, total


def _variance(pairs: _Pairs) -> Floats:
    spread, _, total = _scaled_variance(pairs)
    return np.asarray(spread / np.maximum(total, 1) ** 2)


def _std(pairs: _Pairs) -> Floats:
    return np.sqrt(_variance(pairs))


def _correlation(pairs: _Pairs) -> Floats:
    spread, shared, _ = _scaled_variance(pairs)
    flat = spread == 0  # exact: both terms are integers
    return np.where(flat, 1.0, shared / np.where(flat, 1.0, spread))


def _asm(pairs: _Pairs) -> Floats:
    result = np.zeros(pairs.shape)
    for probability, times in pairs.probabilities():
        result += times * probability**2
    return result


def _energy(pairs: _Pairs) -> Floats:
    return np.sqrt(_asm(pairs))


def _entropy(pairs: _Pairs) -> Floats:
    result = np.zeros(pairs.shape)
    for probability, times in pairs.probabilities():
        result -= times * probability * np.log(np.where(probability > 0, probability, 1.0))
    return result


PROPERTIES: dict[str, Callable[[_Pairs], Floats]] = {
    "contrast": _contrast,
    "dissimilarity": _dissimilarity,
    "homogeneity": _homogeneity,
    "mean": _mean,
    "variance": _variance,
    "std": _std,
    "correlation": _correlation,
    "ASM": _asm,
    "energy": _energy,
    "entropy": _entropy,
}
PER_CODE = ("ASM", "energy", "entropy")


def _check_parameters(prop: str, window: int, levels: int, distance: int, angle_deg: int) -> None:
    """Refuse parameters outside their range, naming what is possible."""
    integers = {"window": window, "levels": levels, "distance": distance, "angle_deg": angle_deg}
    for name, value in integers.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            raise TypeError(f"{name} must be an integer, got {value!r}")
    if prop not in PROPERTIES:
        raise ValueError(f"prop must be one of {', '.join(PROPERTIES)}; got {prop!r}")
    if not 3 <= window <= MAX_WINDOW or window % 2 == 0:
        raise ValueError(f"window must be odd, from 3 to {MAX_WINDOW} px, got {window}")
    most = MAX_LEVELS_PER_CODE if prop in PER_CODE else MAX_LEVELS
    if not 2 <= levels <= most:
        raise ValueError(f"levels must be from 2 to {most} for {prop}, got {levels}")
    if not 1 <= distance < window:
        raise ValueError(f"distance must be from 1 to below the window ({window}), got {distance}")
    if angle_deg not in ANGLES_DEG:
        raise ValueError(f"angle_deg must be one of {ANGLES_DEG}, got {angle_deg}")


def _check_image(image: NDArray[np.generic], levels: int) -> None:
    """Refuse anything but a non-empty (H, W) array of grey levels."""
    grey = np.asarray(image)
    if grey.ndim != 2 or grey.size == 0:
        raise ValueError(f"image must be a non-empty (H, W) array, got shape {grey.shape}")
    if grey.dtype.kind not in "biu":
        raise TypeError(f"image must hold integers, got {grey.dtype}")
    low, high = int(grey.min()), int(grey.max())
    if low < 0 or high >= levels:
        raise ValueError(f"image must hold 0 <= v < {levels}, got {low} to {high}")

"""Texture maps: grey-level co-occurrence properties of the window around every pixel.

Exact and fast. A property of a window's co-occurrence matrix is a function of a few sums over the
pairs of pixels in that window, and a sum over a window at every pixel is one box filter. All sums
but that of homogeneity are of 16-bit integers, collected in float64, which is exact below 2**53.
Energy and entropy need to know how often each kind of pair occurs: one box filter per kind where
there are few, else a histogram that is kept up to date while the window moves along.

Large images are worked through in bands of rows, so that what is held beside the result is small.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.filtering.texture.counts import Reach, Sums, count_sums

ANGLES_DEG = (0, 45, 90, 135)
FOUR_ANGLES = "mean"  # in place of an angle: the mean of the four maps
MAX_LEVELS = 256
MAX_WINDOW = 255  # keeps every product of two sums of 8-bit squares below 2**53
_FEW_LEVELS = 3  # up to here one box filter per kind of pair is faster than a histogram
_BAND_PX = 2**18
_SQUARES_IN_BYTES = 16  # 15 squared is below 256

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]


@dataclass(slots=True)
class _Pairs:
    """All pairs of pixels at one offset, and how to sum over those inside each window."""

    first: Bytes
    second: Bytes
    shape: tuple[int, int]
    offset: tuple[int, int]
    window: int
    levels: int
    symmetric: bool
    known: dict[str, Any] = field(default_factory=dict)

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what several properties share, made the first time."""
        if name not in self.known:
            self.known[name] = make()
        return self.known[name]

    def differences(self) -> NDArray[Any]:
        """Absolute difference of grey level of each pair, in a type that holds its square."""
        difference = np.maximum(self.first, self.second)
        difference -= np.minimum(self.first, self.second)
        few = self.levels <= _SQUARES_IN_BYTES
        return difference if few else difference.astype(np.uint16)

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
        total = self.sums(values)
        for axis, counts in enumerate(self._counts_per_axis()):
            total /= np.expand_dims(np.maximum(counts, 1), 1 - axis)
        return total

    def _counts_per_axis(self) -> tuple[Floats, Floats]:
        """Number of pairs within reach of each row and of each column; they multiply."""
        rows = _pairs_per_line(self.shape[0], abs(self.offset[0]), self.window)
        cols = _pairs_per_line(self.shape[1], abs(self.offset[1]), self.window)
        return rows, cols

    def entries(self) -> Floats:
        """Sum of the matrix before it is normalised, at least 1: each pair counts once or twice."""
        total: Floats = self.once(
            "entries", lambda: np.maximum(self.counts() * (2 if self.symmetric else 1), 1)
        )
        return total

    def kinds(self) -> Sums:
        """Sums over the entries n of each window's matrix: of n², and of n ln n."""
        few = self.levels <= _FEW_LEVELS
        sums: Sums = self.once("kinds", self._kinds_by_boxes if few else self._kinds_by_counts)
        return sums

    def _codes(self) -> NDArray[np.int32]:
        """Number the kinds of pairs; the two orders are one kind in a symmetric matrix."""
        first, second = self.first, self.second
        if self.symmetric:
            first, second = np.minimum(first, second), np.maximum(first, second)
        return np.asarray(first.astype(np.int32) * self.levels + second)

    def _kinds_by_boxes(self) -> Sums:
        squares, logs = np.zeros(self.shape), np.zeros(self.shape)
        for count, times in self._boxes():
            squares += times * np.square(count)
            logs += times * count * np.log(np.maximum(count, 1))
        return squares, logs

    def _boxes(self) -> Iterator[tuple[Floats, int]]:
        """Yield each kind's entry in the matrix of every window, and how often it stands there."""
        codes = self._codes()
        for code in np.unique(codes):
            count = self.sums((codes == code).astype(np.uint8))
            twin = self.symmetric and code // self.levels == code % self.levels
            yield (2 * count if twin else count), 1 if twin or not self.symmetric else 2

    def _kinds_by_counts(self) -> Sums:
        half = self.window // 2
        down, right = (abs(step) for step in self.offset)
        steps = np.ones(self.levels**2, np.int64)
        weights = np.full(steps.size, 2 if self.symmetric else 1)
        if self.symmetric:
            steps[:: self.levels + 1], weights[:: self.levels + 1] = 2, 1
        reach = Reach(self.shape, half, half - down, half, half - right)
        return count_sums(self._codes(), steps, weights, reach)


def glcm_map(
    image: NDArray[np.generic],
    prop: str = "contrast",
    *,
    window: int = 5,
    levels: int = 2,
    distance: int = 1,
    angle_deg: float | str = 0,
    symmetric: bool = True,
) -> Floats:
    """Map one property of the normalised co-occurrence matrix of every window.

    Border rule: the window centred on a pixel is clipped to the image, and only pairs with both
    pixels in the clipped window count. A window without any pair (one pixel wide along the offset)
    has an empty matrix, for which every property is 0 and the correlation 1, as in scikit-image.

    Parameters
    ----------
    image : ndarray of shape (H, W), bool or integers
        Grey levels 0 <= v < levels.
    prop : str
        One of `PROPERTIES`.
    window : int
        Edge of the square window in px: odd, 3 to 255.
    levels : int
        Number of grey levels, 2 to 256.
    distance : int
        Distance between the two pixels of a pair in px, 1 <= distance < window.
    angle_deg : float or "mean"
        Direction from the first pixel to the second, -360 to 360: 0 right, 45 below right, 90
        below, 135 below left (rows count downwards). Offsets round as in scikit-image: distance 2
        at 45° is one pixel down and one to the right. "mean" is the mean of those four maps.
    symmetric : bool
        Count each pair in both orders.

    Returns
    -------
    ndarray of shape (H, W), float64
        Entropy is in nats; all other properties are in grey levels or without unit.

    Raises
    ------
    TypeError
        If `image` does not hold integers, or a parameter is not of its type.
    ValueError
        If the image is not (H, W), holds other levels, or a parameter is out of its range.

    References
    ----------
    Haralick, Shanmugam, Dinstein (1973), Textural features for image classification, IEEE
    Transactions on Systems, Man, and Cybernetics SMC-3, 610-621, doi:10.1109/TSMC.1973.4309314
    """
    maps = glcm_maps(
        image,
        (prop,),
        window=window,
        levels=levels,
        distance=distance,
        angle_deg=angle_deg,
        symmetric=symmetric,
    )
    return maps[prop]


def glcm_maps(
    image: NDArray[np.generic],
    props: Sequence[str],
    *,
    window: int = 5,
    levels: int = 2,
    distance: int = 1,
    angle_deg: float | str = 0,
    symmetric: bool = True,
) -> dict[str, Floats]:
    """Map several properties at once; they share their sums. All else as in `glcm_map`."""
    for prop in props:
        _check_parameters(prop, window, levels, distance, angle_deg)
    _check_image(image, levels)
    angles = ANGLES_DEG if angle_deg == FOUR_ANGLES else (float(angle_deg),)
    grey = np.asarray(image).astype(np.uint8, copy=False)
    offsets = [_offset(distance, angle) for angle in angles]
    maps: dict[str, Floats] = {}
    for band, margin, inner in _bands(grey.shape, window):
        pairs = [_pairs(grey[margin], window, levels, offset, symmetric) for offset in offsets]
        for prop in props:
            part = _mean_map(PROPERTIES[prop], pairs)
            if len(part) == len(grey):  # one band: nothing to be put together
                maps[prop] = part
            else:
                maps.setdefault(prop, np.empty(grey.shape))[band] = part[inner]
    return maps


def _mean_map(property_: Callable[[_Pairs], Floats], directions: list[_Pairs]) -> Floats:
    """Return the mean of a property over directions, often a single one."""
    total = property_(directions[0])
    for pairs in directions[1:]:
        total += property_(pairs)
    if len(directions) > 1:
        total /= len(directions)
    return total


def _bands(shape: tuple[int, int], window: int) -> Iterator[tuple[slice, slice, slice]]:
    """Yield bands of rows: where they lie, with the rows that windows reach, and where therein."""
    height, width = shape
    step = max(_BAND_PX // width, 2 * window)
    for top in range(0, height, step):
        bottom = min(top + step, height)
        first, last = max(0, top - window // 2), min(height, bottom + window // 2)
        yield slice(top, bottom), slice(first, last), slice(top - first, bottom - first)


def _pairs(
    grey: Bytes, window: int, levels: int, offset: tuple[int, int], symmetric: bool
) -> _Pairs:
    """Line up the first and second pixels of all pairs inside the image."""
    ends = [_ends(side, step) for side, step in zip(grey.shape, offset, strict=True)]
    firsts, seconds = zip(*ends, strict=True)
    shape = (grey.shape[0], grey.shape[1])
    return _Pairs(grey[firsts], grey[seconds], shape, offset, window, levels, symmetric)


def _ends(side: int, step: int) -> tuple[slice, slice]:
    """Return where the first and the second pixels of all pairs lie along one axis."""
    near, far = slice(0, max(side - abs(step), 0)), slice(min(abs(step), side), side)
    return (near, far) if step >= 0 else (far, near)


def _offset(distance: int, angle_deg: float) -> tuple[int, int]:
    """Return (rows down, columns right) from the first to the second pixel of a pair."""
    angle = math.radians(angle_deg)
    return _nearest(distance * math.sin(angle)), _nearest(distance * math.cos(angle))


def _nearest(value: float) -> int:
    """Round as C does, halves away from zero."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


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
    if not pairs.symmetric:
        return pairs.mean_of(pairs.first.astype(np.uint16))
    return pairs.mean_of(np.add(pairs.first, pairs.second, dtype=np.uint16)) / 2


def _moments(pairs: _Pairs) -> tuple[Floats, Floats, Floats]:
    """Return the variances of both pixels and their covariance, each times N².

    N is the sum of the matrix. Exact: all terms are integers.
    """
    total = pairs.entries()
    first, second = pairs.first.astype(np.uint16), pairs.second.astype(np.uint16)
    products = pairs.sums(first * second)
    if pairs.symmetric:
        grey = pairs.sums(first + second)
        variance = total * (pairs.sums(first * first) + pairs.sums(second * second)) - grey**2
        return variance, variance, 2 * total * products - grey**2
    one, other = pairs.sums(first), pairs.sums(second)
    variances = (total * pairs.sums(first * first) - one**2, total * pairs.sums(second * second))
    return variances[0], variances[1] - other**2, total * products - one * other


def _shared_moments(pairs: _Pairs) -> tuple[Floats, Floats, Floats]:
    moments: tuple[Floats, Floats, Floats] = pairs.once("moments", lambda: _moments(pairs))
    return moments


def _variance(pairs: _Pairs) -> Floats:
    return np.asarray(_shared_moments(pairs)[0] / pairs.entries() ** 2)


def _std(pairs: _Pairs) -> Floats:
    return np.sqrt(_variance(pairs))


def _correlation(pairs: _Pairs) -> Floats:
    one, other, shared = _shared_moments(pairs)
    spread = one if one is other else np.sqrt(one) * np.sqrt(other)
    flat = spread == 0
    return np.where(flat, 1.0, shared / np.where(flat, 1.0, spread))


def _asm(pairs: _Pairs) -> Floats:
    return np.asarray(pairs.kinds()[0] / pairs.entries() ** 2)


def _energy(pairs: _Pairs) -> Floats:
    return np.sqrt(_asm(pairs))


def _entropy(pairs: _Pairs) -> Floats:
    (squares, logs), total = pairs.kinds(), pairs.entries()
    entropy = np.log(total) - logs / total
    return np.where(squares == total**2, 0.0, np.maximum(entropy, 0)) * (squares > 0)


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


def _check_parameters(prop: str, window: int, levels: int, distance: int, angle: object) -> None:
    """Refuse parameters outside their range, naming what is possible."""
    for name, value in {"window": window, "levels": levels, "distance": distance}.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            raise TypeError(f"{name} must be an integer, got {value!r}")
    if prop not in PROPERTIES:
        raise ValueError(f"prop must be one of {', '.join(PROPERTIES)}; got {prop!r}")
    if not 3 <= window <= MAX_WINDOW or window % 2 == 0:
        raise ValueError(f"window must be odd, from 3 to {MAX_WINDOW} px, got {window}")
    if not 2 <= levels <= MAX_LEVELS:
        raise ValueError(f"levels must be from 2 to {MAX_LEVELS}, got {levels}")
    if not 1 <= distance < window:
        raise ValueError(f"distance must be from 1 to below the window ({window}), got {distance}")
    _check_angle(angle)


def _check_angle(angle: object) -> None:
    """Refuse what is neither a direction nor the mean of four."""
    if isinstance(angle, str):
        if angle != FOUR_ANGLES:
            raise ValueError(f"angle_deg must be a number or {FOUR_ANGLES!r}, got {angle!r}")
    elif isinstance(angle, bool) or not isinstance(angle, int | float | np.integer | np.floating):
        raise TypeError(f"angle_deg must be a number or {FOUR_ANGLES!r}, got {angle!r}")
    elif not abs(float(angle)) <= 360:
        raise ValueError(f"angle_deg must be from -360 to 360, got {angle}")


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

"""What all operations share: depths, ranges, which pixels count, and discs.

Every operation takes pixels of shape (H, W), uint8, uint16 or finite float32, and `exclude`, a mask
that is True where a pixel must not count in statistics (thresholds, ranges), or None. It returns a
new array of the same depth unless its docstring says otherwise, and leaves the input alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import scipy
import skimage
from numpy.typing import NDArray

from core.errors import UserError

Pixels = NDArray[Any]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_] | None

ski: Any = skimage  # it loads its parts when they are first used; only some of it is typed

_ROWS = 256
_BEFORE = 0.5  # sigma before an image is reduced, by the factor
_OPENCV_RADIUS_PX = 4  # beyond this, running lines are faster than OpenCV's discs


def grey_range(pixels: Pixels, exclude: Mask = None) -> tuple[float, float]:
    """Return the darkest and brightest counted grey level."""
    counts = counted(pixels, exclude)
    return float(counts.min()), float(counts.max())


def full_range(pixels: Pixels, exclude: Mask) -> tuple[float, float]:
    """Return the range that an integer depth can hold, or that a float image does hold."""
    if pixels.dtype.kind == "u":
        return 0.0, float(np.iinfo(pixels.dtype).max)
    return grey_range(pixels, exclude)


def counted(pixels: Pixels, exclude: Mask) -> Pixels:
    """Return the pixels that statistics may use, or say why there are none."""
    kept = pixels if exclude is None else pixels[~exclude]
    if kept.size == 0:
        raise UserError(
            "Every pixel is excluded, so the filter has nothing to measure. "
            "Switch the exclusion of overlays off or load another micrograph."
        )
    return kept


def to_depth_of(pixels: Pixels, values: NDArray[Any]) -> Pixels:
    """Round and clip values to the dtype of `pixels`."""
    if pixels.dtype.kind == "u":
        top = np.iinfo(pixels.dtype).max
        return np.asarray(np.clip(np.rint(values), 0, top), dtype=pixels.dtype)
    most = np.finfo(np.float32).max
    return np.asarray(np.clip(values, -most, most), dtype=np.float32)


def by_level(pixels: Pixels, operation: Callable[[Pixels], Floats]) -> Pixels:
    """Apply what depends on a pixel's grey level alone: integers once per level, by a table."""
    if pixels.dtype.kind == "u":
        levels = np.arange(np.iinfo(pixels.dtype).max + 1, dtype=pixels.dtype)
        return np.asarray(to_depth_of(pixels, operation(levels))[pixels])
    return to_depth_of(pixels, operation(pixels))


def share_of_range(pixels: Pixels, low: float, high: float) -> NDArray[np.float32]:
    """Return pixels scaled so that low is 0 and high is 1, clipped, as 32-bit floats."""
    result = np.empty(pixels.shape, np.float32)
    for start in range(0, len(pixels), _ROWS):
        share = (pixels[start : start + _ROWS] - np.float64(low)) / (high - low)
        result[start : start + _ROWS] = np.clip(share, 0, 1, out=share)
    return result


def in_own_range(
    pixels: Pixels, exclude: Mask, operation: Callable[[NDArray[np.float32]], NDArray[Any]]
) -> Pixels:
    """Apply an operation that wants floats in 0..1, and scale its result back to the depth.

    The range is that of the counted pixels; excluded ones may lie beyond. A constant image stays
    as it is.
    """
    low, high = grey_range(pixels, exclude)
    if low == high:
        return pixels.copy()
    share, result = np.empty(pixels.shape, np.float32), np.empty_like(pixels)
    for start in range(0, len(pixels), _ROWS):  # doubles of a few rows at a time
        rows = slice(start, start + _ROWS)
        share[rows] = (pixels[rows] - np.float64(low)) / (high - low)
    scaled = operation(share)
    for start in range(0, len(pixels), _ROWS):
        rows = slice(start, start + _ROWS)
        result[rows] = to_depth_of(pixels, scaled[rows].astype(np.float64) * (high - low) + low)
    return result


def to_mask(bright: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return 255 where true, else 0."""
    return np.asarray(bright, bool).astype(np.uint8) * np.uint8(255)


def gaussian_edge(sigma_px: float) -> int:
    """Return the edge of the kernel that holds four sigma on both sides."""
    return 2 * int(np.ceil(4 * sigma_px)) + 1


def structure_tensor(
    right: NDArray[np.float32], down: NDArray[np.float32], sigma_px: float
) -> tuple[NDArray[Any], ...]:
    """Return the products of a gradient, averaged by a Gaussian: along rows, mixed, along columns.

    Parameters
    ----------
    right, down : ndarray of shape (H, W), float32
        The gradient's parts.
    sigma_px : float

    References
    ----------
    Bigün, Granlund (1987), Optimal orientation detection of linear symmetry, ICCV, 433-438.
    """
    return tuple(blur(product, sigma_px) for product in (right * right, right * down, down * down))


def blur(values: NDArray[Any], sigma_px: float) -> NDArray[Any]:
    """Return a Gaussian blur of (H, W) floats, cut at four sigma; edges are reflected."""
    if sigma_px == 0:
        return values.copy()
    edge = gaussian_edge(sigma_px)
    return np.asarray(cv2.GaussianBlur(values, (edge, edge), sigma_px))


def wide_blur(values: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    """Return a Gaussian blur; beyond sigma 16 on a reduced image (error below 1 % of its range).

    It is smoothed a little before it is reduced: whole blocks would weigh pixels in steps, which
    noise shows.
    """
    factor = max(1, int(sigma_px / 8))
    if factor == 1 or min(values.shape) < 4 * factor:
        return blur(values, sigma_px)
    height, width = values.shape
    small_wh = (-(-width // factor), -(-height // factor))
    first_px = _BEFORE * factor
    small = cv2.resize(_blur_apart(values, [first_px] * 2), small_wh, interpolation=cv2.INTER_AREA)
    rest_px = np.sqrt(sigma_px**2 - first_px**2)
    smooth = _blur_apart(
        small, [rest_px * b / a for a, b in zip(values.shape, small.shape, strict=True)]
    )
    large = cv2.resize(smooth, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(large, np.float32)


def _blur_apart(values: NDArray[Any], sigmas_px: list[float]) -> NDArray[Any]:
    """Return a blur with a sigma for rows and one for columns."""
    down, right = sigmas_px
    size_wh = gaussian_edge(right), gaussian_edge(down)
    return np.asarray(
        cv2.GaussianBlur(values, size_wh, sigmaX=right, sigmaY=down, borderType=cv2.BORDER_REFLECT)
    )


def at_least(
    pixels: NDArray[Any], side_px: int, operation: Callable[[NDArray[Any]], NDArray[Any]]
) -> NDArray[Any]:
    """Apply an operation that needs some size: smaller images are enlarged by their edges.

    On both sides alike, so that turning the image turns the result.
    """
    height, width = pixels.shape
    top, left = (max(0, -(-(side_px - side) // 2)) for side in pixels.shape)
    if not top and not left:
        return operation(pixels)
    padded = np.pad(pixels, ((top, top), (left, left)), mode="edge")
    return np.ascontiguousarray(operation(padded)[top : top + height, left : left + width])


def painted_over(pixels: Pixels, exclude: Mask) -> Pixels:
    """Return (H, W) pixels with the nearest counted ones in place of those that are excluded."""
    if exclude is None or not exclude.any() or exclude.all():
        return pixels
    box = _around(exclude)
    hidden = exclude[box]
    nearest = scipy.ndimage.distance_transform_edt(
        hidden, return_distances=False, return_indices=True
    )
    painted = pixels.copy()
    painted[box][hidden] = pixels[box][nearest[0][hidden], nearest[1][hidden]]
    return painted


def _around(exclude: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return the smallest box around what is excluded, with the counted pixels beside it."""
    found = []
    for axis in (1, 0):
        places = np.flatnonzero(exclude.any(axis=axis))
        found.append(slice(max(0, int(places[0]) - 1), int(places[-1]) + 2))
    return found[0], found[1]


def disc(radius_px: int) -> NDArray[np.uint8]:
    """Return a disc that a quarter turn leaves as it is (OpenCV's own ellipse is none)."""
    steps = np.arange(-radius_px, radius_px + 1)
    return (np.add.outer(steps**2, steps**2) <= radius_px**2).astype(np.uint8)


def erode_disc(pixels: Pixels, radius_px: int) -> Pixels:
    """Return the darkest pixel within a disc around each pixel; nothing lies outside the frame."""
    return _extreme_in_disc(pixels, radius_px, cv2.erode, np.minimum)


def dilate_disc(pixels: Pixels, radius_px: int) -> Pixels:
    """Return the brightest pixel within a disc around each pixel."""
    return _extreme_in_disc(pixels, radius_px, cv2.dilate, np.maximum)


def open_disc(pixels: Pixels, radius_px: int) -> Pixels:
    """Erode, then dilate: bright detail smaller than the disc goes."""
    return dilate_disc(erode_disc(pixels, radius_px), radius_px)


def close_disc(pixels: Pixels, radius_px: int) -> Pixels:
    """Dilate, then erode: dark detail smaller than the disc goes."""
    return erode_disc(dilate_disc(pixels, radius_px), radius_px)


def _extreme_in_disc(
    pixels: Pixels, radius_px: int, morphology: Callable[..., Any], better: np.ufunc
) -> Pixels:
    """A disc is a stack of lines: run along each line once, then stack the shifted results."""
    if radius_px <= _OPENCV_RADIUS_PX:
        return np.asarray(morphology(pixels, disc(radius_px)))
    height = pixels.shape[0]
    result = np.asarray(morphology(pixels, np.ones((1, 2 * radius_px + 1), np.uint8)))
    for down in range(1, min(radius_px, height - 1) + 1):
        half = int(np.sqrt(radius_px**2 - down**2))
        line = np.asarray(morphology(pixels, np.ones((1, 2 * half + 1), np.uint8)))
        better(result[down:], line[:-down], out=result[down:])
        better(result[:-down], line[down:], out=result[:-down])
    return result

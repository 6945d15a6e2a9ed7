"""Hot and dead pixels: single ones that stand off from all around them; statistics mind them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.filtering.operations.base import Mask, Pixels, counted

_FEWEST_PX = 1024  # of smaller pictures, one pixel is a part
_USUAL_PCT, _SIGMAS = 99.0, 2.576  # of normal differences, so many lie within so many sigma
_STANDS_OFF = 8.0  # sigma: 1 in 10^15 of normal noise
_RARE_PCT = 0.3  # of pixels at either end may be hot or dead
_GAP = 0.05  # of the usual range lies empty before greys that only dead or hot pixels have
_SEVERAL, _MOSTLY = 4, 0.8  # pixels of one such grey, and their share of all beyond the gap
_SAMPLE_PX = 1 << 16  # enough for a percentile
_ALIKE = 1  # neighbours as hot that a hot pixel may have: two in a thousand meet now and then
_STEPS = np.array([(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b])


def without_hot(pixels: Pixels, exclude: Mask = None) -> Pixels:
    """Return pixels with the median around hot and dead ones in their place; else the same array.

    A pixel is hot, or dead, if it differs from the 3 × 3 median by more than eight sigma of what
    pixels usually do (99 % of them), and by more than twice as much as all its neighbours but one;
    or if its grey is that of such pixels, or the last of all, which several have beyond a gap.
    Corners, lines and points of 2 × 2 pixels are not; noise of any strength is not; nor is a single
    pixel of a drawn picture, which has no noise at all.

    Parameters
    ----------
    pixels : ndarray of shape (H, W), integers or floats
        Values that are not finite do not count.
    exclude : ndarray of shape (H, W), bool, optional
        True where a pixel must not count; pixels beside it stay as they are.
    """
    found = find_hot(pixels, exclude)
    if not len(found):
        return pixels
    places = tuple(found.T)
    cleaned = pixels.copy()
    cleaned[places] = np.sort(_around(pixels, found), axis=0)[3]  # a grey that occurs
    return cleaned


def find_hot(pixels: Pixels, exclude: Mask = None) -> NDArray[np.int64]:
    """Return (rows, columns) of hot and dead pixels, of shape (N, 2)."""
    if pixels.size < _FEWEST_PX or min(pixels.shape) < 3:
        return np.zeros((0, 2), np.int64)
    pixels, exclude = _finite(pixels, exclude)
    if exclude is not None:  # what lies beside it is not judged by it
        exclude = cv2.dilate(exclude.astype(np.uint8), np.ones((3, 3), np.uint8)).view(np.bool_)
    kept = pixels if exclude is None else pixels[~exclude]
    if kept.size < _FEWEST_PX:
        return np.zeros((0, 2), np.int64)
    low, high = np.percentile(_sample(kept), [_RARE_PCT, 100 - _RARE_PCT])
    hot = _standing_off(pixels, exclude)
    for end, side in ((low, -1), (high, 1)):
        places = _at_the_end(pixels, exclude, (end, side), _GAP * (high - low))
        hot[tuple(places.T)] = True
        hot[tuple(_fainter(pixels, exclude, (end, side), hot).T)] = True
    return _places(hot)


def _finite(pixels: Pixels, exclude: Mask) -> tuple[Pixels, Mask]:
    """Return pixels of a depth that OpenCV knows, and what does not count of these."""
    if pixels.dtype in (np.uint8, np.uint16):
        return pixels, exclude
    finite = np.isfinite(pixels)
    if not finite.all():
        pixels = np.where(finite, pixels, np.median(pixels[finite]) if finite.any() else 0)
        exclude = ~finite if exclude is None else exclude | ~finite
    return pixels.astype(np.float32, copy=False), exclude


def _standing_off(pixels: Pixels, exclude: Mask) -> NDArray[np.bool_]:
    """Return which pixels stand alone, and further off the 3 × 3 median than pixels do."""
    off = cv2.absdiff(pixels, np.asarray(cv2.medianBlur(np.ascontiguousarray(pixels), 3)))
    usual = float(np.percentile(_sample(counted(off, exclude)), _USUAL_PCT))
    if not usual:  # a drawn picture: where there is no noise a single pixel may be meant
        return np.zeros(pixels.shape, np.bool_)
    hot: NDArray[np.bool_] = np.asarray(off > _STANDS_OFF / _SIGMAS * usual)
    places = _alone(pixels, exclude, hot)
    hot[:] = False
    hot[tuple(places.T)] = True
    return hot


def _at_the_end(
    pixels: Pixels, exclude: Mask, where: tuple[float, int], gap: float
) -> NDArray[np.int64]:
    """Return pixels of the darkest (or brightest) grey where several have it, far from the rest.

    Dead pixels on dark ground are not far off what surrounds them, and yet all 0.
    """
    end, side = where
    kept = counted(pixels, exclude)
    last = float(kept.min() if side < 0 else kept.max())
    same = pixels == last
    if (last - end) * side <= gap or np.count_nonzero(same) < _SEVERAL:
        return np.zeros((0, 2), np.int64)
    middle = (last + end) / 2
    beyond = np.count_nonzero(kept < middle if side < 0 else kept > middle)
    places = _alone(pixels, exclude, same)
    return places if len(places) > _MOSTLY * beyond else places[:0]


def _fainter(
    pixels: Pixels, exclude: Mask, where: tuple[float, int], hot: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return what is nearly as bright as hot pixels (or as dark), on ground that is as well.

    Half-way between hot and usual greys it is the grey that tells, not how far a pixel is off.
    """
    end, side = where
    greys = pixels[hot].astype(np.float64)
    greys = greys[(greys - end) * side > 0]
    if not greys.size:
        return np.zeros((0, 2), np.int64)
    cut = (end + np.median(greys)) / 2
    return _alone(pixels, exclude, pixels < cut if side < 0 else pixels > cut)


def _alone(pixels: Pixels, exclude: Mask, candidates: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return those of the candidates that count and have at most one neighbour half as far off."""
    places = _places(candidates if exclude is None else candidates & ~exclude)
    around = _around(pixels, places)
    own = pixels[tuple(places.T)].astype(np.float64)
    middle = np.median(np.concatenate([around, own[None]]), axis=0)
    alike = (around - middle) * np.sign(own - middle) > np.abs(own - middle) / 2
    return np.asarray(places[np.count_nonzero(alike, axis=0) <= _ALIKE])


def _places(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return (rows, columns) of what is True, (N, 2): `np.argwhere` in a tenth of its time."""
    found = np.unravel_index(np.flatnonzero(mask), mask.shape)
    return np.stack(found, axis=1).astype(np.int64, copy=False)


def _sample(values: Pixels) -> Pixels:
    """Return values enough for a percentile; not always the same columns of a frame."""
    return values.ravel()[:: max(1, values.size // _SAMPLE_PX) | 1]


def _around(pixels: Pixels, places: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the eight neighbours of each place, of shape (8, N); edges are mirrored."""
    rows, cols = (places + _STEPS[:, None]).transpose(2, 0, 1)
    last_row, last_col = (side - 1 for side in pixels.shape)
    down = last_row - np.abs(last_row - np.abs(rows))
    right = last_col - np.abs(last_col - np.abs(cols))
    return np.asarray(pixels[down, right], np.float64)

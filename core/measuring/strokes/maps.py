"""What a pixel is like, for strokes: the maps of clustering, and ridges and blobs at each scale.

A frame is described once: learning, the answer and its error all read the same maps.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.filtering import blur
from core.measuring.clustering import FeatureSet, counted_pixels, each_map, prepare_grey
from core.micrograph import Micrograph

Map = NDArray[np.float32]
Mask = NDArray[np.bool_]
Planes = NDArray[np.float16]
FINE = FeatureSet(laplacian=True, structure=True, scales_px=(1, 2, 4), window_px=15)
FINE_MAPS = 28  # 19 of that set, and three ridges and blobs at each scale
COARSE_STEP = 4  # scales of 8 and 16 px are looked at in a picture so many times smaller
COARSE = FeatureSet(
    intensity=False, laplacian=True, structure=True, texture=False, scales_px=(2, 4), window_px=15
)
MOST_KEPT_PX = 1_750_000  # maps of a larger frame are described anew at each use: 88 bytes a pixel
_FARTHEST = 500.0  # in ranges of the greys: so far, what is curved has a number in half precision
_PART_PX = 200_000  # of a large frame, described at once by each of two threads
_KEPT_PART_PX = 1 << 19  # of a frame whose maps are kept: fewer margins are described twice
THREADS = 2
_SIDE = 64  # pixels looked at along each side of a frame of which a sample is enough
_MOST_PARTS = 6  # of a frame whose maps are not kept: its other parts are not described
Part = tuple[slice, slice]


@dataclass(frozen=True, eq=False)
class PixelMaps:
    """What surrounds each pixel of a micrograph.

    Attributes
    ----------
    hidden : ndarray of shape (H, W), bool
        Where no pixel can be told: not finite, or excluded.
    """

    hidden: Mask
    _grey: Map = field(repr=False)
    _coarse: Map = field(repr=False)
    _kept: tuple[Planes, ...] | None = field(repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        return self.hidden.shape[0], self.hidden.shape[1]

    @property
    def are_kept(self) -> bool:
        """Whether they are held; otherwise each use describes the frame anew."""
        return self._kept is not None

    def of(self, part: Part) -> Planes:
        """Return the maps of one of the parts, shape (maps, rows, columns)."""
        if self._kept is not None:
            return self._kept[parts(self.shape).index(part)]
        return describe_part(self._grey, self._coarse, part)

    def at(self, wanted: Mask) -> Map:
        """Return the maps of the wanted pixels, shape (n, maps), in order."""
        some = [part for part in parts(self.shape) if wanted[part].any()]
        if not some:
            return np.zeros((0, 0), np.float32)
        with ThreadPoolExecutor(THREADS) as pool:  # parts without any are not described
            found = list(pool.map(lambda part: self.of(part)[:, wanted[part]], some))
        width, places = self.shape[1], []
        for rows, columns in some:
            row, column = np.nonzero(wanted[rows, columns])
            places.append((row + rows.start) * width + column + columns.start)
        order = np.argsort(np.concatenate(places), kind="stable")
        return as_rows(np.concatenate(found, axis=1))[order]


def sample_pixels(maps: PixelMaps) -> Map:
    """Return the maps of pixels on an even grid, shape (n, maps)."""
    every = parts(maps.shape)
    if maps.are_kept:
        every = [(slice(0, maps.shape[0]), slice(0, maps.shape[1]))]
    some = np.unique(np.linspace(0, len(every) - 1, _MOST_PARTS).round().astype(int))
    each = math.ceil(_SIDE / math.sqrt(len(some)))  # along each side of each part
    wanted = np.zeros(maps.shape, np.bool_)
    for number in some:
        places = (np.linspace(s.start, s.stop - 1, each).round().astype(int) for s in every[number])
        wanted[np.ix_(*places)] = True
    return maps.at(wanted & ~maps.hidden)


def as_whole(planes: Planes) -> Map:
    """Return half precision as single, shape (maps, n); a fifth of numpy's time."""
    return np.asarray(_cast(planes, cv2.CV_32F), np.float32)


def as_rows(planes: Planes) -> Map:
    """Return the maps (maps, n) of pixels as one row a pixel, shape (n, maps), float32."""
    return np.asarray(cv2.transpose(as_whole(planes)))


def describe_pixels(
    micrograph: Micrograph, exclude: Mask | None = None, *, keep: bool = True
) -> PixelMaps:
    """Return the maps that strokes are learned on, kept where the frame is not too large.

    Parameters
    ----------
    micrograph : Micrograph
    exclude : ndarray of shape (H, W), bool, optional
        True where something else than specimen shows.
    keep : bool
        Off, maps are made at each use: for a few pixels of a frame that takes less memory.

    Raises
    ------
    ValueError
        If the mask has another shape.
    """
    hidden = hidden_pixels(micrograph, exclude)
    grey = np.clip(prepare_grey(micrograph.pixels, hidden), -_FARTHEST, _FARTHEST)
    coarse = describe_coarsely(grey)
    kept = None
    if keep and micrograph.pixels.size <= MOST_KEPT_PX:
        with ThreadPoolExecutor(THREADS) as pool:
            every = parts(micrograph.shape)
            kept = tuple(pool.map(lambda part: describe_part(grey, coarse, part), every))
    return PixelMaps(hidden, grey, coarse, kept)


def hidden_pixels(micrograph: Micrograph, exclude: Mask | None) -> Mask:
    """Return where no pixel can be told, (H, W): not finite, or excluded."""
    counted = counted_pixels(micrograph.pixels, exclude)
    return np.zeros(micrograph.shape, np.bool_) if counted is None else ~counted


def parts(shape: tuple[int, int]) -> list[Part]:
    """Return rows and columns of the parts of a frame that are described one after the other.

    Bands of rows where maps are kept; squares of a larger frame, whose bands would be narrower
    than the margin that is described around each.
    """
    height, width = shape
    if height * width <= MOST_KEPT_PX:
        across, down = width, max(1, _KEPT_PART_PX // width)
    else:
        across = min(width, math.isqrt(_PART_PX))
        down = max(1, _PART_PX // across)
    return [
        (slice(top, min(top + down, height)), slice(left, min(left + across, width)))
        for top in range(0, height, down)
        for left in range(0, width, across)
    ]


def describe_coarsely(grey: Map) -> Map:
    """Return the maps of the wide scales, shape (maps, H / 4, W / 4), float32.

    A Gaussian of 8 px changes little over 4: it is as good in a small picture, and sixteen times
    quicker there.
    """
    high, wide = (-(-side // COARSE_STEP) for side in grey.shape)
    below, right = high * COARSE_STEP - grey.shape[0], wide * COARSE_STEP - grey.shape[1]
    whole = np.pad(grey, ((0, below), (0, right)), mode="edge")
    small = whole.reshape(high, COARSE_STEP, wide, COARSE_STEP).mean(axis=(1, 3), dtype=np.float32)
    maps = [values for _, values in each_map(small, COARSE)]
    maps.extend(_ridges_and_blobs(small, COARSE.scales_px))
    return np.stack(maps)


def describe_part(grey: Map, coarse: Map, part: Part) -> Planes:
    """Return all maps of some rows and columns, as they are when the whole frame is described.

    Parameters
    ----------
    grey : ndarray of shape (H, W), float32
        Shares of the frame's range, as `prepare_grey` gives them.
    coarse : ndarray of shape (maps, H / 4, W / 4), float32
        As `describe_coarsely` gives them.
    part : (slice, slice)
        Rows and columns.

    Returns
    -------
    ndarray of shape (maps, rows, columns), float16
        Half precision: what is told apart by the eleventh bit is told apart by noise.
    """
    near = tuple(_around(each, side) for each, side in zip(part, grey.shape, strict=True))
    around, inner = (tuple(spans) for spans in zip(*near, strict=True))
    found = _each_fine(np.ascontiguousarray(grey[around]))
    size = (each.stop - each.start for each in part)
    planes = np.empty((FINE_MAPS + len(coarse), *size), np.float16)
    halves = (_halved(values[inner]) for values in found)
    for place, values in enumerate(chain(halves, (_enlarged(small, part) for small in coarse))):
        planes[place] = values
    return planes


def _each_fine(grey: Map) -> Iterator[Map]:
    yield from (values for _, values in each_map(grey, FINE))
    yield from _ridges_and_blobs(grey, FINE.scales_px)


def _around(span: slice, side: int) -> tuple[slice, slice]:
    """Return a span with the margin that its maps depend on, and where it lies in that."""
    start, stop = max(0, span.start - FINE.reach_px), min(side, span.stop + FINE.reach_px)
    return slice(start, stop), slice(span.start - start, span.stop - start)


def _enlarged(small: Map, part: Part) -> Planes:
    """Return a part of a coarse map, as it is in the whole frame enlarged."""
    spans, inner = [], []
    for each, side in zip(part, small.shape, strict=True):
        first = max(0, each.start // COARSE_STEP - 1)
        spans.append(slice(first, min(side, -(-each.stop // COARSE_STEP) + 1)))
        begin = each.start - first * COARSE_STEP
        inner.append(slice(begin, begin + each.stop - each.start))
    near = np.ascontiguousarray(small[tuple(spans)])
    size_wh = near.shape[1] * COARSE_STEP, near.shape[0] * COARSE_STEP
    large = np.asarray(cv2.resize(near, size_wh, interpolation=cv2.INTER_LINEAR), np.float32)
    return _halved(large[tuple(inner)])


def _halved(values: Map) -> Planes:
    """Return values rounded to half precision, as numpy does and in a fifth of its time."""
    return np.asarray(_cast(values, cv2.CV_16F), np.float16)


def _cast(values: NDArray[Any], depth: int) -> Any:
    zero: Any = 0.0  # OpenCV takes a number, its stubs do not say so
    return cv2.add(values, zero, dtype=depth)


def _ridges_and_blobs(grey: Map, scales_px: tuple[float, ...]) -> Iterator[Map]:
    """Yield both eigenvalues of the Hessian at each scale, and differences between scales.

    Frangi et al. (1998), MICCAI, doi:10.1007/BFb0056195; Lindeberg (1998), International Journal
    of Computer Vision 30, 79-116, doi:10.1023/A:1008045108935.
    """
    before = grey
    for scale in scales_px:
        smooth = blur(grey, scale)
        xx, xy, yy = (
            cv2.Sobel(smooth, cv2.CV_32F, *order, ksize=3, scale=scale * scale / 4)
            for order in ((2, 0), (1, 1), (0, 2))
        )
        middle, apart = (xx + yy) / 2, np.sqrt(((xx - yy) / 2) ** 2 + xy * xy)
        yield np.asarray(middle + apart, np.float32)
        yield np.asarray(middle - apart, np.float32)
        yield before - smooth
        before = smooth

"""What a pixel is like, for strokes: the maps of clustering, and ridges and blobs at each scale.

A frame is described once: learning, the answer and its error all read the same maps.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.filtering import blur
from core.measuring.clustering import FeatureSet, counted_pixels, describe_rows, prepare_grey
from core.micrograph import Micrograph

Map = NDArray[np.float32]
Mask = NDArray[np.bool_]
Planes = NDArray[np.float16]
FINE = FeatureSet(laplacian=True, structure=True, scales_px=(1, 2, 4), window_px=15)
COARSE_STEP = 4  # scales of 8 and 16 px are looked at in a picture so many times smaller
COARSE = FeatureSet(
    intensity=False, laplacian=True, structure=True, texture=False, scales_px=(2, 4), window_px=15
)
MOST_KEPT_PX = 1_600_000  # maps of a larger frame are described anew at each use: 88 bytes a pixel
_FARTHEST = 500.0  # in ranges of the greys: so far, what is curved has a number in half precision
_BAND_PX = 1 << 18  # described at once, by each of two threads
THREADS = 2


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

    def of(self, rows: slice) -> Planes:
        """Return the maps of one of the bands, shape (maps, rows, W)."""
        if self._kept is not None:
            return self._kept[bands(self.shape).index(rows)]
        return describe_band(self._grey, self._coarse, rows)

    def at(self, wanted: Mask) -> Map:
        """Return the maps of the wanted pixels, shape (n, maps), in order."""
        rows = [each for each in bands(self.shape) if wanted[each].any()]
        if not rows:
            return np.zeros((0, 0), np.float32)
        with ThreadPoolExecutor(THREADS) as pool:  # bands without any are not described
            found = list(pool.map(lambda each: self.of(each)[:, wanted[each]], rows))
        return as_rows(np.concatenate(found, axis=1))


def as_whole(planes: Planes) -> Map:
    """Return half precision as single, shape (maps, n); a fifth of numpy's time."""
    return np.asarray(cv2.add(planes, 0.0, dtype=cv2.CV_32F), np.float32)


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
            parts = bands(micrograph.shape)
            kept = tuple(pool.map(lambda rows: describe_band(grey, coarse, rows), parts))
    return PixelMaps(hidden, grey, coarse, kept)


def hidden_pixels(micrograph: Micrograph, exclude: Mask | None) -> Mask:
    """Return where no pixel can be told, (H, W): not finite, or excluded."""
    counted = counted_pixels(micrograph.pixels, exclude)
    return np.zeros(micrograph.shape, np.bool_) if counted is None else ~counted


def bands(shape: tuple[int, int]) -> list[slice]:
    """Return the rows of a frame in parts that are described one after the other."""
    step = max(1, _BAND_PX // shape[1])
    return [slice(top, min(top + step, shape[0])) for top in range(0, shape[0], step)]


def describe_coarsely(grey: Map) -> Map:
    """Return the maps of the wide scales, shape (maps, H / 4, W / 4), float32.

    A Gaussian of 8 px changes little over 4: it is as good in a small picture, and sixteen times
    quicker there.
    """
    high, wide = (-(-side // COARSE_STEP) for side in grey.shape)
    below, right = high * COARSE_STEP - grey.shape[0], wide * COARSE_STEP - grey.shape[1]
    whole = np.pad(grey, ((0, below), (0, right)), mode="edge")
    small = whole.reshape(high, COARSE_STEP, wide, COARSE_STEP).mean(axis=(1, 3), dtype=np.float32)
    maps = list(describe_rows(small, COARSE, slice(0, high)).values())
    maps.extend(_ridges_and_blobs(small, COARSE.scales_px))
    return np.stack(maps)


def describe_band(grey: Map, coarse: Map, rows: slice) -> Planes:
    """Return all maps of some rows, as they are when the whole frame is described.

    Parameters
    ----------
    grey : ndarray of shape (H, W), float32
        Shares of the frame's range, as `prepare_grey` gives them.
    coarse : ndarray of shape (maps, H / 4, W / 4), float32
        As `describe_coarsely` gives them.
    rows : slice

    Returns
    -------
    ndarray of shape (maps, rows, W), float16
        Half precision: what is told apart by the eleventh bit is told apart by noise.
    """
    maps = list(describe_rows(grey, FINE, rows).values())
    reach = FINE.reach_px
    top, bottom = max(0, rows.start - reach), min(grey.shape[0], rows.stop + reach)
    inner = slice(rows.start - top, rows.stop - top)
    maps.extend(each[inner] for each in _ridges_and_blobs(grey[top:bottom], FINE.scales_px))
    planes = np.empty((len(maps) + len(coarse), *maps[0].shape), np.float16)
    for place, each in enumerate(maps):
        planes[place] = _halved(each)
    first = max(0, rows.start // COARSE_STEP - 1)
    last = -(-rows.stop // COARSE_STEP) + 1
    start = rows.start - first * COARSE_STEP
    for place, small in enumerate(coarse[:, first:last], len(maps)):
        size_wh = small.shape[1] * COARSE_STEP, small.shape[0] * COARSE_STEP
        large = cv2.resize(np.ascontiguousarray(small), size_wh, interpolation=cv2.INTER_LINEAR)
        planes[place] = _halved(large[start : start + rows.stop - rows.start, : grey.shape[1]])
    return planes


def _halved(values: Map) -> Planes:
    """Return values rounded to half precision, as numpy does and in a fifth of its time."""
    return np.asarray(cv2.add(values, 0.0, dtype=cv2.CV_16F))


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

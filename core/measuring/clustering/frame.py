"""The pixels of a frame that count, described by standardised features."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.measuring.clustering.features import FeatureSet, Map, describe_rows, prepare_grey
from core.measuring.clustering.result import Mask, counted_pixels
from core.measuring.clustering.rows import Floats, Planes

_BAND_PX = 4 << 20  # larger frames are described in bands, twice, rather than held as maps
_FLAT = 1e-7  # standard deviation of a map, greys being shares of their range, that tells nothing
Progress = Callable[[float, str], None]


def describe_frame(
    pixels: NDArray[Any],
    features: FeatureSet,
    *,
    exclude: Mask | None = None,
    region: Mask | None = None,
    tell: Progress = lambda share, what: None,
) -> Frame:
    """Return the pixels that are finite, not excluded and inside the region, described.

    Pixels are (H, W) of any depth, masks (H, W) bool; a row of features for each pixel that counts.

    Raises
    ------
    UserError
        If no pixel is left.
    """
    counted = np.ones(pixels.shape, bool)
    for left_out in (exclude, None if region is None else ~np.asarray(region)):
        included = counted_pixels(pixels, left_out)
        if included is not None:
            counted &= included
    if not counted.any():
        raise UserError(
            "No pixel is left to cluster. Enlarge the region of interest, switch the exclusion of "
            "overlays off or load another micrograph."
        )
    return Frame(prepare_grey(pixels, exclude), counted, features, tell)


class Frame:
    """The pixels that count, as standardised planes, band by band."""

    def __init__(self, grey: Map, counted: Mask, features: FeatureSet, tell: Progress) -> None:
        self.grey, self.counted, self.features = grey, counted, features
        height, width = grey.shape
        step = height if grey.size <= _BAND_PX else max(1, _BAND_PX // width)
        self.bands = [slice(top, min(top + step, height)) for top in range(0, height, step)]
        self.names: tuple[str, ...] = ()
        self._whole: Planes | None = None
        self.size = int(np.count_nonzero(counted))
        self._learn(tell)

    def _learn(self, tell: Progress) -> None:
        """Work out mean and standard deviation of every map, and keep them where they fit."""
        sums: list[Floats] = []
        for number, rows in enumerate(self.bands):
            planes = self._describe(rows)
            squares = [np.square(plane, dtype=np.float64).sum() for plane in planes]
            sums.append(np.array([planes.sum(axis=1, dtype=np.float64), squares]))
            tell(0.5 * (number + 1) / len(self.bands), "Describing pixels …")
        total = np.sum(sums, axis=0) / self.size
        spread = np.sqrt(np.maximum(total[1] - total[0] ** 2, 0))
        weight = np.where(np.isin(self.names, ("row", "column")), self.features.position_weight, 1)
        self.mean, flat = total[0], spread < _FLAT
        self.scale = np.where(flat, 0, weight / np.where(flat, 1, spread))
        if len(self.bands) == 1:
            self._whole = self._standardise(planes)

    def _describe(self, rows: slice) -> Planes:
        maps = describe_rows(self.grey, self.features, rows)
        self.names = tuple(maps)
        counted = self.counted[rows]
        if counted.all():
            return np.stack([each.ravel() for each in maps.values()])
        return np.stack([each[counted] for each in maps.values()])

    def _standardise(self, planes: Planes) -> Planes:
        for plane, mean, scale in zip(planes, self.mean, self.scale, strict=True):
            plane -= np.float32(mean)
            plane *= np.float32(scale)
        return planes

    def planes(self) -> Iterator[Planes]:
        """Yield the standardised planes of each band, (maps, counted pixels)."""
        if self._whole is not None:
            yield self._whole
            return
        for rows in self.bands:
            yield self._standardise(self._describe(rows))

    def all(self) -> Planes:
        """Return the standardised planes of every pixel that counts."""
        return np.concatenate(list(self.planes()), axis=1) if self._whole is None else self._whole

    def at(self, chosen: NDArray[np.int64]) -> Planes:
        """Return the planes of some of the pixels that count, by their numbers, ascending."""
        if self._whole is not None:
            return np.ascontiguousarray(self._whole[:, chosen])
        parts, before = [], 0
        for planes in self.planes():
            here = chosen[(chosen >= before) & (chosen < before + planes.shape[1])] - before
            parts.append(planes[:, here])
            before += planes.shape[1]
        return np.concatenate(parts, axis=1)

    def draw(self, most: int, random: np.random.Generator) -> NDArray[np.int64]:
        """Return the numbers of at most so many pixels that count, ascending."""
        if self.size <= most:
            return np.arange(self.size)
        return np.sort(random.choice(self.size, most, replace=False, shuffle=False))

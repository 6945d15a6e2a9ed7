"""Is a micrograph like those that were painted? What its pixels are like, against theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.measuring.strokes.maps import PixelMaps, sample_pixels

UNLIKE = 0.4  # share of unlike pixels from which a micrograph is
_USUAL = 0.99  # share of a painted micrograph's own pixels that are like it
_SHRINKAGE = 0.05  # added to the variances: maps that go together leave no direction without any
_LEAST_SD = 1e-4  # of a map, of the frame's range
_FEWEST = 50  # pixels
Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class _Cloud:
    """The pixels of one micrograph: middle (maps,), spread (maps, maps), and how far they go."""

    middle: NDArray[np.float64]
    whitening: NDArray[np.float64]
    reach: float

    def beyond(self, rows: Rows) -> NDArray[np.bool_]:
        """Return which pixels (n, maps) lie farther out than almost all of the micrograph's."""
        return np.asarray(self._distances(rows) > self.reach)

    def _distances(self, rows: Rows) -> NDArray[np.float64]:
        return np.asarray(np.linalg.norm((rows - self.middle) @ self.whitening, axis=1))


@dataclass(frozen=True, eq=False)
class Familiar:
    """What the pixels of painted micrographs are like."""

    _clouds: tuple[_Cloud, ...] = field(repr=False)

    def unlike(self, maps: PixelMaps) -> float:
        """Return which share of a micrograph's pixels is unlike those of every painted one.

        Returns
        -------
        float
            0 to 1; of a painted micrograph itself about 0.01. From `UNLIKE` on, its phases should
            be looked at. In trials with one painted micrograph of a set of dendrites or
            spheroidite, less than a tenth of the others of its set reached that, and half or more
            of those of other sets lay above 0.19 and 0.71. NaN where no pixel counts, or none of
            a painted one did.
        """
        rows = sample_pixels(maps)
        if not len(rows) or not self._clouds:
            return float("nan")
        return float(np.logical_and.reduce([each.beyond(rows) for each in self._clouds]).mean())


def learn_familiar(painted: Sequence[PixelMaps]) -> Familiar:
    """Learn what the pixels of painted micrographs are like, whether painted themselves or not.

    A pixel is unlike a micrograph if its Mahalanobis distance from the middle of that one's
    pixels, in the space of the maps that strokes are learned on, is larger than that of 99 % of
    them.

    Parameters
    ----------
    painted : sequence of PixelMaps
        `describe_pixels` of each painted micrograph.
    """
    samples = [sample_pixels(each) for each in painted]
    return Familiar(tuple(_cloud(rows) for rows in samples if len(rows) >= _FEWEST))


def _cloud(rows: Rows) -> _Cloud:
    middle = rows.mean(axis=0, dtype=np.float64)
    spread = np.maximum(rows.std(axis=0, dtype=np.float64), _LEAST_SD)
    alike: Any = np.cov(((rows - middle) / spread).T)
    values, axes = np.linalg.eigh(alike + _SHRINKAGE * np.eye(len(spread)))
    whitening = axes / np.sqrt(values) / spread[:, None]
    found = _Cloud(middle, whitening, 0.0)
    return _Cloud(middle, whitening, float(np.quantile(found._distances(rows), _USUAL)))

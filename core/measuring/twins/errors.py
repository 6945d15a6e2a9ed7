"""What is measured in a label image, and how one with known truth was missed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.measuring.regions import measure_sizes
from core.micrograph import PixelSize

Labels = NDArray[np.int32]
Mask = NDArray[np.bool_]
_HIT = 0.5  # intersection over union
_MOST = 0.5


@dataclass(frozen=True, slots=True)
class Quantities:
    """One number for each quantity, also as ``quantities["d50"]``.

    Attributes
    ----------
    fraction : float
        Share of what counts that is covered, 0 to 1.
    count : float
        Objects, those cut by a border too unless they are left out.
    d10, d50, d90 : float
        Percentiles by number of the equivalent diameters of objects that no border cuts.
    chord : float
        Mean length of the pieces that rows and columns of pixels cut out of objects: a width, for
        fibres and layers too.
    circularity : float
        Median of objects that no border cuts.
    """

    fraction: float
    count: float
    d10: float
    d50: float
    d90: float
    chord: float
    circularity: float

    def __getitem__(self, name: str) -> float:
        if name not in QUANTITIES:
            raise KeyError(name)
        return float(getattr(self, name))

    def __iter__(self) -> Iterator[str]:
        return iter(QUANTITIES)

    def keys(self) -> tuple[str, ...]:
        """The names of the quantities."""
        return QUANTITIES

    @classmethod
    def of(cls, values: NDArray[Any]) -> Quantities:
        """Return quantities from numbers in the order of `QUANTITIES`."""
        return cls(*(float(value) for value in values))

    def to_array(self) -> NDArray[np.float64]:
        """Return the numbers in the order of `QUANTITIES`, shape (7,)."""
        return np.array([self[name] for name in QUANTITIES])


QUANTITIES = tuple(field.name for field in fields(Quantities))
# Errors of shares are differences, those of the others are by the true value.
IS_SHARE = {name: name in ("fraction", "circularity") for name in QUANTITIES}


@dataclass(frozen=True, slots=True)
class Objects:
    """How objects with known truth were found.

    Attributes
    ----------
    true, found : int
        Objects there are, and objects that were measured.
    hit : int
        True ones with a measured one of IoU at least 0.5.
    missed, merged, split : int
        True ones that are not hit: taken for one with others, for several, or not at all.
    invented : int
        Measured ones that lie for the most part on ground.
    """

    true: int
    found: int
    hit: int
    missed: int
    merged: int
    split: int
    invented: int


def measured_quantities(
    objects: Labels,
    counted: Mask,
    pixel_size: PixelSize | None = None,
    *,
    whole_only: bool = False,
) -> Quantities:
    """Return what is measured in numbered objects.

    Parameters
    ----------
    objects : ndarray of shape (H, W), int32
        From 1 without gaps, 0 is ground.
    counted : ndarray of shape (H, W), bool
        True for what counts.
    pixel_size : PixelSize, optional
        Lengths are then in its `length_unit`, else in px.
    whole_only : bool
        Count only objects that no border cuts; sizes and shapes are always of these.
    """
    area = max(int(np.count_nonzero(counted)), 1)
    fraction = np.count_nonzero(objects) / area
    unit = "px" if pixel_size is None else pixel_size.length_unit
    edge = 1.0 if pixel_size is None else pixel_size.to(unit)
    across, round_, cut = measure_sizes(objects, counted)
    sizes, rounds = edge * across[~cut], round_[~cut & np.isfinite(round_)]
    d10, d50, d90 = np.percentile(sizes, (10, 50, 90)) if sizes.size else (np.nan,) * 3
    circularity = float(np.median(rounds)) if rounds.size else np.nan
    chord = _mean_chord(objects) * edge
    count = sizes.size if whole_only else across.size
    return Quantities.of(np.array([fraction, count, d10, d50, d90, chord, circularity]))


def _mean_chord(objects: Labels) -> float:
    """Return the mean length in px of runs of one number along rows and columns."""
    pixels = int(np.count_nonzero(objects))
    if not pixels:
        return float("nan")
    starts = 0
    for lines in (objects, objects.T):
        starts += int(np.count_nonzero(lines[:, 0]))
        begins = (lines[:, 1:] > 0) & (lines[:, 1:] != lines[:, :-1])
        starts += int(np.count_nonzero(begins))
    return 2 * pixels / starts


def match_objects(true: Labels, found: Labels) -> tuple[Objects, Mask, Mask]:
    """Return how true objects were found, which of them were hit, and which found are invented.

    Parameters
    ----------
    true, found : ndarray of shape (H, W), int32
        Both numbered from 1 without gaps.

    Returns
    -------
    tuple
        `Objects`; hit, shape (true objects,) bool; invented, shape (found objects,) bool.
    """
    n, m = int(true.max()), int(found.max())
    rows, cols, shared = _overlaps(true, found, m)
    size_true = np.bincount(true.ravel(), minlength=n + 1)[1:]
    size_found = np.bincount(found.ravel(), minlength=m + 1)[1:]
    union = size_true[rows] + size_found[cols] - shared
    hit, invented = np.zeros(n, np.bool_), np.ones(m, np.bool_)
    hit[rows[shared >= _HIT * union]] = True
    within = shared >= _MOST * size_found[cols]  # a found one that is mostly in this true one
    covers = shared >= _MOST * size_true[rows]  # a found one that holds most of this true one
    on_objects = np.bincount(cols, weights=shared, minlength=m)
    invented[on_objects >= _MOST * size_found] = False
    pieces = np.bincount(rows[within], minlength=n)
    held = np.bincount(cols[covers], minlength=m)
    merged = np.zeros(n, np.bool_)
    merged[rows[covers & (held[cols] > 1)]] = True
    merged &= ~hit
    split = ~hit & ~merged & (pieces > 1)
    counts = [int(np.count_nonzero(each)) for each in (hit, merged, split, invented)]
    missed = n - sum(counts[:3])
    return Objects(n, m, counts[0], missed, counts[1], counts[2], counts[3]), hit, invented


def _overlaps(
    true: Labels, found: Labels, m: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return pairs of a true and a found object that share pixels (from 0), and how many."""
    both = (true > 0) & (found > 0)
    pairs = (true[both].astype(np.int64) - 1) * max(m, 1) + found[both] - 1
    codes, shared = np.unique(pairs, return_counts=True)
    return codes // max(m, 1), codes % max(m, 1), shared

"""Regions as unbroken rows of pixels: what areas, moments and hulls are worked out from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Labels = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Runs:
    """Unbroken rows of pixels, in order of the region they belong to.

    `row`, `first` and `last` locate each run, `owner` is its region, from 0 to `count` - 1.
    """

    row: Integers
    first: Integers
    last: Integers
    owner: Integers
    count: int

    @property
    def length(self) -> Integers:
        """Pixels in each run."""
        return self.last - self.first + 1

    @property
    def area(self) -> Floats:
        """Pixels in each region."""
        return self.totals(self.length)

    def spans(self) -> tuple[Integers, Integers]:
        """Return height and width of the smallest box around each region, in px."""
        if not self.count:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        starts = np.searchsorted(self.owner, np.arange(self.count))
        top, left = (np.minimum.reduceat(a, starts) for a in (self.row, self.first))
        bottom, right = (np.maximum.reduceat(a, starts) for a in (self.row, self.last))
        return bottom - top + 1, right - left + 1

    def rows(self) -> Runs:
        """Return one run per row of a region, from its first pixel to its last."""
        if not self.count:
            return self
        new = np.ones(self.row.size, np.bool_)
        new[1:] = (np.diff(self.owner) != 0) | (np.diff(self.row) != 0)
        starts = np.flatnonzero(new)
        last = self.last[np.append(starts[1:], self.row.size) - 1]
        return Runs(self.row[starts], self.first[starts], last, self.owner[starts], self.count)

    def totals(self, values: NDArray[Any]) -> Floats:
        """Add one value per run up over each region."""
        return np.bincount(self.owner, weights=values, minlength=self.count).astype(np.float64)


def find_runs(labels: Labels) -> Runs:
    """Cut labelled regions into runs."""
    framed = np.pad(labels, ((0, 0), (1, 1)))
    middle = framed[:, 1:-1]
    row, first = np.nonzero((middle > 0) & (middle != framed[:, :-2]))
    last = np.nonzero((middle > 0) & (middle != framed[:, 2:]))[1]
    owner = labels[row, first].astype(np.int64) - 1
    order = np.argsort(owner, kind="stable")
    count = int(labels.max())
    return Runs(row[order], first[order], last[order], owner[order], count)

"""How alike two maps are, by the order of their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from core.learning.explaining import BASELINES

COINCIDE = 0.9999  # rank correlation from which two maps are one map in two scales


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """Rank correlation between the maps of several methods.

    Attributes
    ----------
    methods : tuple of str
    spearman : ndarray of shape (M, M), float64, −1 to 1
        NaN in the rows of maps that are constant: they have no order.
    """

    methods: tuple[str, ...]
    spearman: NDArray[np.float64]

    def with_method(self, method: str) -> dict[str, float]:
        """Return the correlation of one method's map with each other one that has an order."""
        row = self.spearman[self.methods.index(method)]
        pairs = zip(self.methods, row, strict=True)
        return {name: float(value) for name, value in pairs if name != method and value == value}

    def coinciding(self) -> tuple[tuple[str, ...], ...]:
        """Return the groups of methods whose maps are one map up to scale.

        They do not confirm each other: with a global average and one linear layer behind the
        chosen layer, several formulas are the same formula.
        """
        left, groups = list(self.methods), []
        while left:
            row = self.spearman[self.methods.index(left[0])]
            group = [m for m in left if m == left[0] or row[self.methods.index(m)] >= COINCIDE]
            left = [method for method in left if method not in group]
            if len(group) > 1:
                groups.append(tuple(group))
        return tuple(groups)

    def independent_of(self, method: str) -> dict[str, float]:
        """Return the correlation with one method's map of those that may confirm it.

        Without baselines, without maps that are the same up to scale; of several that are one map
        among themselves only the first counts.
        """
        repeated = {name for group in self.coinciding() for name in group[1:]}
        return {
            name: value
            for name, value in self.with_method(method).items()
            if value < COINCIDE and name not in repeated and name not in BASELINES
        }


def compare_maps(raws: Mapping[str, NDArray[np.floating]]) -> Agreement:
    """Return how maps (h, w) of several methods agree, pairs at the coarsest map's resolution."""
    methods = tuple(raws)
    grid_hw = tuple(min(raw.shape[axis] for raw in raws.values()) for axis in (0, 1))
    flat = [_to_grid(raw, (grid_hw[0], grid_hw[1])).ravel() for raw in raws.values()]
    matrix = np.full((len(flat), len(flat)), np.nan)
    ordered = [index for index, values in enumerate(flat) if values.min() < values.max()]
    if ordered:
        ranks = np.array([rankdata(flat[index]) for index in ordered])
        matrix[np.ix_(ordered, ordered)] = np.atleast_2d(np.corrcoef(ranks))
    return Agreement(methods, matrix)


def rank_correlation(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Return Spearman's correlation of two maps (h, w), −1 to 1; 0 where one is constant.

    Maps of different resolution are compared at the coarser one's.
    """
    value = compare_maps({"first": first, "second": second}).spearman[0, 1]
    return float(value) if np.isfinite(value) else 0.0


def _to_grid(raw: NDArray[np.floating], grid_hw: tuple[int, int]) -> NDArray[np.float32]:
    values = np.nan_to_num(raw.astype(np.float32))
    if values.shape == grid_hw:
        return values
    small = cv2.resize(values, grid_hw[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)

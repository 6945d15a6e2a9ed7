"""Objects found and objects drawn by hand -> how many were hit, and how far the count is off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Score:
    """Objects of one picture: found rightly, found wrongly, missed."""

    hit: int
    extra: int
    missed: int

    @property
    def ap50(self) -> float:
        """Hits among all that was found or should have been, in [0, 1]."""
        return self.hit / max(1, self.hit + self.extra + self.missed)

    @property
    def count_error(self) -> float:
        """Distance of the count from the truth, as a share of the truth."""
        return abs(self.extra - self.missed) / max(1, self.hit + self.missed)


def compare(found: NDArray[Any], truth: NDArray[Any]) -> Score:
    """Return which objects are hit: those that share more than half of their union.

    Parameters
    ----------
    found, truth : ndarray of shape (H, W), integer
        0 ground, 1.. objects.
    """
    wide = int(found.max()) + 1
    size = (int(truth.max()) + 1) * wide
    both = np.bincount(truth.astype(np.int64).ravel() * wide + found.ravel(), minlength=size)
    both = both.reshape(-1, wide)
    of_truth, of_found = both.sum(axis=1), both.sum(axis=0)
    union = of_truth[1:, None] + of_found[None, 1:] - both[1:, 1:]
    hit = int((both[1:, 1:] * 2 > union).sum())
    extra = int(np.count_nonzero(of_found[1:])) - hit
    return Score(hit, extra, int(np.count_nonzero(of_truth[1:])) - hit)


def summary(scores: Sequence[Score]) -> dict[str, float | int]:
    """Return mean AP50, pooled F1 and the median error of counts, in %, of some pictures."""
    hit, extra, missed = (sum(getattr(s, n) for s in scores) for n in ("hit", "extra", "missed"))
    errors = [score.count_error for score in scores]
    return {
        "pictures": len(scores),
        "particles": hit + missed,
        "ap50_pct": round(100 * float(np.mean([score.ap50 for score in scores])), 1),
        "f1_pct": round(200 * hit / max(1, 2 * hit + extra + missed), 1),
        "median_count_error_pct": round(100 * float(np.median(errors)), 1),
        "within_20_pct_of_count_pct": round(100 * float(np.mean(np.asarray(errors) <= 0.2)), 1),
    }

"""What a clustering is, and which numbers of clusters and pixels can be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.micrograph import PixelSize

MIN_CLUSTERS, MAX_CLUSTERS = 2, 20
EXCLUDED = -1

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Clustering:
    """Pixels grouped by grey level or by features, numbered from dark to bright.

    Parameters
    ----------
    labels : ndarray of shape (H, W), int16
        0 (darkest) to k - 1; -1 where a pixel was excluded.
    centers : ndarray of shape (k,), float64
        Mean grey of each cluster in the image's own grey levels, ascending. Smoothing the labels
        afterwards (`smooth_labels`) leaves it as it was found.
    fractions : ndarray of shape (k,), float64
        Share of the included pixels in each cluster; they add up to 1.
    inertia : float
        Sum of squared differences between the included pixels and their cluster's mean: of grey
        levels, or of standardised features.
    thresholds : ndarray of shape (k - 1,) or (0,), float64
        A pixel's label is the number of thresholds below its grey; none where labels depend on
        more than a pixel's own grey.
    included_share : float
        Share of all pixels that were not excluded, in (0, 1].
    k : int
        Number of clusters.

    Raises
    ------
    ValueError
        If the parts do not fit together.
    """

    labels: NDArray[np.int16]
    centers: Floats
    fractions: Floats
    inertia: float
    thresholds: Floats
    included_share: float
    k: int

    def __post_init__(self) -> None:
        if self.labels.ndim != 2 or self.labels.dtype != np.int16:
            raise ValueError(
                f"labels must be (H, W) int16, got {self.labels.shape} {self.labels.dtype}"
            )
        for name, wanted in (("centers", self.k), ("fractions", self.k)):
            shape = getattr(self, name).shape
            if shape != (wanted,):
                raise ValueError(f"{name} must have shape ({wanted},), got {shape}")
        if self.thresholds.shape not in ((self.k - 1,), (0,)):
            raise ValueError(
                f"thresholds must have shape ({self.k - 1},) or (0,), got {self.thresholds.shape}"
            )
        if np.any(np.diff(self.centers) < 0):
            raise ValueError(f"centers must ascend, got {self.centers}")
        if not np.isclose(self.fractions.sum(), 1):
            raise ValueError(f"fractions must add up to 1, got {self.fractions.sum()}")
        if not 0 < self.included_share <= 1:
            raise ValueError(f"included_share must be in (0, 1], got {self.included_share}")

    def to_frame(self, pixel_size: PixelSize | None = None) -> pd.DataFrame:
        """Return one row per cluster: cluster, fraction_pct, pixels, mean_grey.

        With a pixel size also the area, in a column named after its unit ("area_nm2").
        """
        pixels = np.bincount(self.labels[self.labels >= 0], minlength=self.k)
        frame = pd.DataFrame(
            {
                "cluster": np.arange(self.k),
                "fraction_pct": 100 * self.fractions,
                "pixels": pixels,
                "mean_grey": self.centers,
            }
        )
        if pixel_size is not None:
            unit = pixel_size.length_unit
            frame[f"area_{unit}2"] = pixels * pixel_size.to(unit) ** 2
        return frame


def check_k(k: int) -> None:
    """Refuse anything but a possible number of clusters."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer):
        raise TypeError(f"k must be an integer, got {k!r}")
    if not MIN_CLUSTERS <= k <= MAX_CLUSTERS:
        raise ValueError(f"k must be from {MIN_CLUSTERS} to {MAX_CLUSTERS}, got {k}")


def counted_pixels(pixels: NDArray[Any], exclude: Mask | None) -> Mask | None:
    """Return True where a pixel of (H, W) counts, bool (H, W), or None when all do."""
    if pixels.ndim != 2 or pixels.size == 0 or pixels.dtype.kind not in "uif":
        raise ValueError(
            f"image must be a non-empty (H, W) array of numbers, got {pixels.shape} {pixels.dtype}"
        )
    included = np.isfinite(pixels) if pixels.dtype.kind == "f" else None
    if exclude is not None:
        mask = np.asarray(exclude)
        if mask.shape != pixels.shape or mask.dtype != np.bool_:
            raise ValueError(
                f"exclude must be bool of shape {pixels.shape}, got {mask.dtype} {mask.shape}"
            )
        included = ~mask if included is None else included & ~mask
    return None if included is None or included.all() else included

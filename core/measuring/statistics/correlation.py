"""Two points of a mask: how far its structure reaches, and how large a picture must be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from core.measuring.statistics.masks import both_masks
from core.micrograph import PixelSize

Floats = NDArray[np.float64]
MOST_SIDE = 1536  # px; larger frames are taken in blocks of whole pixels
_FEWEST_PAIRS = 0.02  # of all pixels; directions and distances with fewer pairs are left out


@dataclass(frozen=True, slots=True, eq=False)
class TwoPoint:
    """How alike two points of a mask are, by their distance.

    Attributes
    ----------
    distances : ndarray of shape (N,), float64
        In `unit`, from 0 up to a half of the frame's shorter side.
    both : ndarray of shape (N,), float64
        S2: probability that both points are on the mask; at 0 its share.
    share : float
        Of the mask in what counts.
    length : float
        Correlation length: where (S2 - share²) / (share - share²) has fallen to 1 / e; NaN if it
        does not, or without structure.
    integral_range : float
        Area in `unit`² that counts as one independent point (integral of the correlation up to its
        first zero); NaN without structure.
    field_area : float
        Area of what counts, in `unit`².
    unit : str
        "nm", "µm" or "px".
    """

    distances: Floats
    both: Floats
    share: float
    length: float
    integral_range: float
    field_area: float
    unit: str

    @property
    def correlation(self) -> Floats:
        """Return the correlation by distance: 1 at 0, 0 for strangers; NaN without structure."""
        spread = self.share * (1 - self.share)
        return (self.both - self.share**2) / (spread or np.nan)

    def area_needed(self, relative: float, confidence: float = 0.95) -> float:
        """Return the area, in `unit`², that gives the share to within a part of itself.

        Raises
        ------
        ValueError
            If `relative` is not positive or the confidence not between 0 and 1.
        """
        if not relative > 0 or not 0 < confidence < 1:
            raise ValueError(f"need relative > 0 and 0 < confidence < 1, got {relative}")
        z = float(scipy.special.ndtri((1 + confidence) / 2))
        if not 0 < self.share < 1:
            return float("nan")
        return (z / relative) ** 2 * (1 - self.share) / self.share * self.integral_range

    def fields_needed(self, relative: float, confidence: float = 0.95) -> int | None:
        """Return how many fields of this size that takes; None without structure."""
        area = self.area_needed(relative, confidence)
        return None if np.isnan(area) else max(1, int(np.ceil(area / self.field_area)))

    def to_frame(self) -> pd.DataFrame:
        """Return distance_U, s2 and correlation."""
        columns = {f"distance_{self.unit}": self.distances, "s2": self.both}
        return pd.DataFrame({**columns, "correlation": self.correlation})


def two_point(
    mask: NDArray[Any],
    pixel_size: PixelSize | None = None,
    *,
    included: NDArray[Any] | None = None,
) -> TwoPoint:
    """Return the two-point probability S2 of a mask, averaged over directions.

    Pairs of pixels that both count are taken over all shifts by Fourier transforms; frames above
    1536 px a side in blocks of pixels.

    Parameters
    ----------
    mask : ndarray of shape (H, W), bool
    pixel_size : PixelSize, optional
    included : ndarray of shape (H, W), bool, optional
        True for what counts.

    Raises
    ------
    ValueError
        If the masks do not share a shape (H, W), or nothing counts.

    References
    ----------
    Torquato (2002), Random heterogeneous materials, section 2.2 (S2). Lantuéjoul (1991), Ergodicity
    and integral range, Journal of Microscopy 161:387, doi:10.1111/j.1365-2818.1991.tb03099.x. Kanit
    et al. (2003), Determination of the size of the representative volume element, International
    Journal of Solids and Structures 40:3647, doi:10.1016/S0020-7683(03)00143-4.
    """
    inside, counted = both_masks(mask, included)
    if not counted.any():
        raise ValueError(f"need masks (H, W) that count, got {inside.shape} without such a pixel")
    share = float(np.count_nonzero(inside & counted) / np.count_nonzero(counted))
    block = -(-max(inside.shape) // MOST_SIDE)
    reach = max(1, min(inside.shape) // (2 * block))
    hits, pairs = _shifted((inside & counted), counted, share, block, reach)
    distances, excess = _by_distance(hits, pairs, reach)
    scale, unit = _scale(pixel_size)
    spread = share * (1 - share)
    excess[0] = spread  # of points, not of blocks
    correlation = excess / spread if spread else np.full(excess.size, np.nan)
    length, area = _reach(distances, correlation, hits, pairs, spread, reach)
    step = block * scale
    return TwoPoint(
        distances * step,
        excess + share**2,
        share,
        length * step,
        area * step**2,
        float(np.count_nonzero(counted)) * scale**2,
        unit,
    )


def _scale(pixel_size: PixelSize | None) -> tuple[float, str]:
    """Return how long a pixel is, and in which unit."""
    if pixel_size is None:
        return 1.0, "px"
    return pixel_size.to(pixel_size.length_unit), pixel_size.length_unit


def _shifted(
    inside: NDArray[np.bool_], counted: NDArray[np.bool_], share: float, block: int, reach: int
) -> tuple[Floats, Floats]:
    """Return per shift the summed products of deviations from the share, and the pairs."""
    rest = np.where(counted, inside - share, 0).astype(np.float32)
    weight = counted.astype(np.float32)
    if block > 1:
        rest, weight = (_in_blocks(each, block) for each in (rest, weight))
    shape = [scipy.fft.next_fast_len(side + reach + 1, real=True) for side in rest.shape]
    found = []
    for values in (rest, weight):
        power = np.abs(scipy.fft.rfft2(values, s=shape)) ** 2
        full = scipy.fft.irfft2(power, s=shape)
        rows = np.r_[0 : reach + 1, -reach:0]
        found.append(full[rows][:, : reach + 1].astype(np.float64))
    return found[0], np.maximum(np.rint(found[1] * block**4) / block**4, 0)


def _in_blocks(values: NDArray[np.float32], block: int) -> NDArray[np.float32]:
    height, width = (side // block * block for side in values.shape)
    parts = values[:height, :width].reshape(height // block, block, width // block, block)
    return np.asarray(parts.mean(axis=(1, 3)))


def _twice(reach: int) -> Floats:
    """Return how often a shift by so many columns counts: those to the left are not kept."""
    return np.where(np.arange(reach + 1) > 0, 2.0, 1.0)[None, :]


def _by_distance(hits: Floats, pairs: Floats, reach: int) -> tuple[Floats, Floats]:
    """Return distances 0 to `reach` and the mean excess of S2 over the squared share."""
    rows = np.r_[0 : reach + 1, -reach:0]
    away = np.rint(np.hypot(rows[:, None], np.arange(reach + 1))).astype(np.int64).ravel()
    kept = (away <= reach) & (pairs.ravel() > _FEWEST_PAIRS * pairs[0, 0])
    twice = np.broadcast_to(_twice(reach), pairs.shape).ravel()[kept]
    above = np.bincount(away[kept], weights=(twice * hits.ravel()[kept]), minlength=reach + 1)
    below = np.bincount(away[kept], weights=(twice * pairs.ravel()[kept]), minlength=reach + 1)
    known = np.flatnonzero(below)
    return known.astype(np.float64), above[known] / below[known]


def _reach(
    distances: Floats,
    correlation: Floats,
    hits: Floats,
    pairs: Floats,
    spread: float,
    reach: int,
) -> tuple[float, float]:
    """Return where the correlation falls to 1 / e, and its integral up to its first zero."""
    if not spread:
        return float("nan"), float("nan")
    below = np.flatnonzero(correlation < np.exp(-1))
    length = float("nan")
    if below.size:
        at = below[0]
        high, low = correlation[at - 1], correlation[at]
        part = (high - np.exp(-1)) / (high - low)
        length = float(distances[at - 1] + part * (distances[at] - distances[at - 1]))
    zero = np.flatnonzero(correlation <= 0)
    last = distances[zero[0]] if zero.size else reach
    rows = np.r_[0 : reach + 1, -reach:0]
    away = np.hypot(rows[:, None], np.arange(reach + 1))
    near = (away < last) & (pairs > 0)
    each = np.divide(hits, pairs, out=np.zeros_like(hits), where=near) / spread
    each[0, 0] = each[0, 0] if hits[0, 0] < 0.999 * spread * pairs[0, 0] else 1.0
    return length, float((each * _twice(reach))[near].sum())

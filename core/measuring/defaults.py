"""What a measurement starts from when nobody has chosen: smoothing, smallest region, target."""

from __future__ import annotations

from math import ceil, hypot, pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.imaging.parting import compact_share, looked_at

SMALLEST_PX = 10  # a disc of fewer pixels is measured with an error of more than a tenth
NECK_DEPTH_PX = 1.5  # shallower necks are an outline's noise
_GRAIN_SIGMAS = 4  # width of the grains that averaging leaves of noise, in its sigma
_WIDE_PX, _COARSE_PX = 3.0, 2.0  # what is averaged wider is noise that has such a grain by itself
MOST_SHARE = 0.6  # of the area: what covers more is the ground
# Objects may fill more where shapes tell them from ground: the share of them that lies in whole,
# compact parts, at least, and by how much it exceeds that of the ground (bench_target.py).
_MOST_FILLED, _COMPACT, _MORE_COMPACT = 0.8, 0.4, 0.1


def suggest_target(
    labels: NDArray[Any],
    clusters: int,
    centers: NDArray[np.float64] | None = None,
    *,
    most_share: float = MOST_SHARE,
) -> int:
    """Return the cluster that stands out: not the ground, which fills the frame and its edge.

    Of the clusters with at most 60 % of what counts, the one with the least of the edge by its own
    area and, where greys are given, the one that differs most from the edge's mean grey; on a tie
    the brighter one, which has the larger number. Objects that fill most of the frame leave a web
    of ground between them, which meets the edge less than they do: where such a web at one end of
    the greys would be chosen, while what is not it lies in more compact, whole parts, it is the
    cluster at the other end, if that covers at most 80 %.

    Parameters
    ----------
    labels : ndarray of shape (H, W), integers
        0 to `clusters` - 1 from dark to bright; -1 where nothing counts. Pixels beside these, and
        at the frame's edge, are the edge of what counts.
    clusters : int
    centers : ndarray of shape (clusters,), float64, optional
        Mean grey of each cluster.
    most_share : float

    Raises
    ------
    ValueError
        If no pixel counts.
    """
    counted = labels >= 0
    if not counted.any():
        raise ValueError("no pixel counts")
    area = np.bincount(labels[counted], minlength=clusters)
    edge = np.bincount(labels[counted & _beside(counted)], minlength=clusters)
    share = area / area.sum()
    possible = (area > 0) & (share <= most_share)
    if not possible.any():
        return int(np.argmax(area))
    score = edge / max(edge.sum(), 1) / np.where(area > 0, share, 1)
    if centers is not None and edge.any():
        distance = np.abs(centers - np.average(centers, weights=edge))
        score = score - distance / max(float(distance.max()), np.finfo(float).tiny)
    score = np.where(possible, score, np.inf)
    found = int(np.flatnonzero(score <= score.min() + 1e-12)[-1])
    other = clusters - 1 - found
    at_an_end = found in (0, clusters - 1) and other != found and 0 < share[other] <= _MOST_FILLED
    if at_an_end and _is_web(labels == found, counted):
        return other
    return found


def _is_web(chosen: NDArray[np.bool_], counted: NDArray[np.bool_]) -> bool:
    """Tell whether a cluster is what lies between objects, by the shapes of the rest."""
    counts = looked_at(counted)
    own, rest = (
        compact_share(looked_at(side) & counts, NECK_DEPTH_PX)
        for side in (chosen, counted & ~chosen)
    )
    return rest > max(_COMPACT, own + _MORE_COMPACT)


def smallest_region(sigma_px: float, least_px: int = SMALLEST_PX) -> int:
    """Return the area in pixels from which a region is more than a grain of averaged noise.

    Parameters
    ----------
    sigma_px : float
        Of the Gaussian that greys were averaged by; 0 where they were not.
    least_px : int
        What resolution asks for: the picture's pixels.
    """
    grain_px = hypot(sigma_px, _COARSE_PX) if sigma_px > _WIDE_PX else sigma_px
    return max(least_px, ceil(pi / 4 * (_GRAIN_SIGMAS * grain_px) ** 2))


def diameter_of(area_px: float) -> float:
    """Return the diameter of the circle of an area."""
    return sqrt(4 * area_px / pi)


def area_of(diameter_px: float) -> int:
    """Return the whole number of pixels of a circle, at least one."""
    return max(1, round(pi / 4 * diameter_px**2))


def _beside(counted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return pixels at the frame's edge or with a 4-neighbour that does not count."""
    framed = np.pad(counted, 1)
    inner = framed[:-2, 1:-1] & framed[2:, 1:-1] & framed[1:-1, :-2] & framed[1:-1, 2:]
    return np.asarray(~inner)

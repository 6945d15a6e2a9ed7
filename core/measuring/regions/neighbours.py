"""Where regions lie: nearest neighbours against chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ClarkEvans:
    """Mean distance to the nearest neighbour, by that of points scattered at random.

    Attributes
    ----------
    index : float
        Below 1 where points cluster, 1 by chance, above 1 where they keep apart; NaN with fewer
        than two points.
    p : float
        Two-sided, for chance.
    """

    index: float
    p: float


def clark_evans(points: NDArray[np.float64], area: float, edge: float) -> ClarkEvans:
    """Return whether points keep apart or cluster, corrected for the edge of the field.

    Parameters
    ----------
    points : ndarray of shape (N, 2)
        Such as centroids.
    area, edge : float
        Of the field, in the unit of the points: its area and the length around it, above 0.

    Raises
    ------
    ValueError
        If the area or the edge is not positive.

    References
    ----------
    Clark, Evans (1954), Distance to nearest neighbor as a measure of spatial relationships, Ecology
    35:445, doi:10.2307/1931034. Donnelly (1978), Simulations to determine the variance and edge
    effect of total nearest neighbour distance, in Hodder (ed), Simulation studies in archaeology.
    """
    if not area > 0 or not edge > 0:
        raise ValueError(f"need area > 0 and edge > 0, got {area} and {edge}")
    n = len(points)
    if n < 2:
        return ClarkEvans(float("nan"), float("nan"))
    mean = float(scipy.spatial.cKDTree(points).query(points, k=2)[0][:, 1].mean())
    chance = 0.5 * np.sqrt(area / n) + (0.0514 + 0.041 / np.sqrt(n)) * edge / n
    error = np.sqrt(0.0703 * area / n**2 + 0.037 * edge * np.sqrt(area / n**5))
    p = 2 * float(scipy.special.ndtr(-abs(mean - chance) / error))
    return ClarkEvans(float(mean / chance), p)

"""Clusters made to hang together: greys are averaged, neighbours vote, superpixels stay whole.

The last two move pixels between clusters and leave the clusters' own greys as they were found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.imaging.filtering import disc, ski
from core.measuring.clustering.features import prepare_grey
from core.measuring.clustering.result import Clustering

NONE, MAJORITY, SUPERPIXELS = "none", "majority", "superpixels"
GREYS, AUTO = "greys", "auto"
KINDS = (NONE, MAJORITY, SUPERPIXELS, GREYS, AUTO)
RADIUS_PX, SIDE_PX, SIGMA_PX = (1, 25), (4, 200), (0.5, 10.0)
_LIMITS = {"radius_px": RADIUS_PX, "side_px": SIDE_PX, "sigma_px": SIGMA_PX}
_COMPACTNESS = 0.05  # of superpixels: how much distance counts against greys from 0 to 1
_SLIC_STEPS = 5


@dataclass(frozen=True, slots=True)
class Smoothing:
    """How labels are made to hang together.

    Parameters
    ----------
    kind : str
        "none", "majority" (the commonest label in a disc around each pixel; its own in a tie),
        "superpixels" (patches of like grey get the commonest label among their pixels), "greys"
        (greys are averaged before pixels are grouped) or "auto" (the picture's noise decides
        whether greys are averaged, and how far).
    radius_px : int
        Of the disc, 1 to 25.
    side_px : int
        Side of a superpixel, about; 4 to 200.
    sigma_px : float
        Of the Gaussian that averages greys, 0.5 to 10.
    """

    kind: str = NONE
    radius_px: int = 2
    side_px: int = 12
    sigma_px: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {KINDS}, got {self.kind!r}")
        for name, (low, high) in _LIMITS.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} must be from {low} to {high}, got {value}")


def smooth_labels(clustering: Clustering, image: NDArray[Any], smoothing: Smoothing) -> Clustering:
    """Return a clustering whose labels hang together; excluded pixels stay excluded.

    Parameters
    ----------
    clustering : Clustering
    image : ndarray of shape (H, W)
        What was clustered: superpixels follow its greys.
    smoothing : Smoothing
        Of a kind that acts on greys, not on labels, it changes nothing here: see `group_pixels`.

    Returns
    -------
    Clustering
        With other labels and fractions, without thresholds. Centres and inertia are those of the
        clusters as they were found. Of class `Clustering`.

    References
    ----------
    Achanta et al. (2012), SLIC superpixels compared to state-of-the-art superpixel methods, IEEE
    TPAMI 34, 2274-2282, doi:10.1109/TPAMI.2012.120.
    """
    if smoothing.kind not in (MAJORITY, SUPERPIXELS):  # greys are averaged before
        return clustering
    labels, k = clustering.labels, clustering.k
    if smoothing.kind == MAJORITY:
        voted = _majority(labels, k, smoothing.radius_px)
    else:
        voted = _by_superpixel(labels, k, prepare_grey(image, labels < 0), smoothing.side_px)
    voted[labels < 0] = -1
    counts = np.bincount(voted[voted >= 0], minlength=k)
    return Clustering(
        voted,
        clustering.centers,
        counts / counts.sum(),
        clustering.inertia,
        np.empty(0),
        clustering.included_share,
        k,
    )


def compare_fractions(before: Clustering, after: Clustering) -> pd.DataFrame:
    """Return what smoothing did: cluster, before_pct, after_pct, change_points.

    Raises
    ------
    ValueError
        If the two are not of the same pixels and clusters.
    """
    if before.k != after.k or before.labels.shape != after.labels.shape:
        raise ValueError("both clusterings must be of one image and number of clusters")
    first, second = 100 * before.fractions, 100 * after.fractions
    return pd.DataFrame(
        {
            "cluster": np.arange(before.k),
            "before_pct": first,
            "after_pct": second,
            "change_points": second - first,
        }
    )


def moved_share(before: Clustering, after: Clustering) -> float:
    """Return which share of the included pixels changed cluster."""
    included = before.labels >= 0
    return float(np.mean(before.labels[included] != after.labels[included]))


def _majority(labels: NDArray[np.int16], k: int, radius_px: int) -> NDArray[np.int16]:
    kernel = disc(radius_px).astype(np.float32)
    best = np.full(labels.shape, -1.0, np.float32)
    winner = np.zeros(labels.shape, np.int16)
    for cluster in range(k):
        own = (labels == cluster).astype(np.float32)
        votes = np.rint(cv2.filter2D(own, -1, kernel, borderType=cv2.BORDER_CONSTANT))
        votes += np.float32(0.5) * own  # a tie leaves a pixel where it is
        better = votes > best
        winner[better] = cluster
        best[better] = votes[better]
    return winner


def _by_superpixel(
    labels: NDArray[np.int16], k: int, grey: NDArray[np.float32], side_px: int
) -> NDArray[np.int16]:
    patches = ski.segmentation.slic(
        np.clip(grey, 0, 1),
        n_segments=max(1, round(labels.size / side_px**2)),
        compactness=_COMPACTNESS,
        max_num_iter=_SLIC_STEPS,
        sigma=1,
        start_label=0,
        channel_axis=None,
    )
    counted = labels >= 0
    places = patches[counted].astype(np.int64) * k + labels[counted]
    votes = np.bincount(places, minlength=(int(patches.max()) + 1) * k).reshape(-1, k)
    return np.asarray(votes.argmax(axis=1)[patches], np.int16)

"""By grey level or by features: one way for the page, the batch and the command line."""

from __future__ import annotations

from collections.abc import Callable

from core.measuring.clustering.features import DEFAULT, FeatureSet
from core.measuring.clustering.grey import cluster_gray
from core.measuring.clustering.pixels import cluster_features
from core.measuring.clustering.result import Clustering, Mask
from core.measuring.selection import Region, leave_out
from core.micrograph import Micrograph

GREY = "grey"


def group_pixels(
    micrograph: Micrograph,
    k: int,
    by: str = GREY,
    *,
    exclude: Mask | None = None,
    region: Region | None = None,
    features: FeatureSet = DEFAULT,
    seed: int = 0,
    on_progress: Callable[[float, str], None] | None = None,
) -> Clustering:
    """Return the clusters of a micrograph, from dark to bright.

    Parameters
    ----------
    micrograph : Micrograph
    k : int
        Number of clusters.
    by : str
        "grey" for exact k-means of grey levels, which take no other choice; else a method of
        `cluster_features`.
    exclude : ndarray of shape (H, W), bool, optional
        True where pixels belong to no cluster.
    region : Region, optional
        Only what lies inside belongs to a cluster.
    features, seed, on_progress
        As in `cluster_features`.

    Raises
    ------
    UserError
        As `cluster_gray` and `cluster_features` do, or if the region holds no pixel.
    """
    if by == GREY:
        return cluster_gray(micrograph, k, exclude=leave_out(micrograph.shape, exclude, region))
    return cluster_features(
        micrograph,
        k,
        exclude=exclude,
        region=None if region is None else region.mask(micrograph.shape),
        features=features,
        method=by,
        seed=seed,
        on_progress=on_progress,
    )

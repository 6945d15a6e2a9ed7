"""By grey level or by features: one way for the page, the batch and the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from core.imaging.filtering import without_hot
from core.measuring.clustering.features import DEFAULT, FeatureSet
from core.measuring.clustering.grey import cut_pixels
from core.measuring.clustering.noise import average_greys, find_noise
from core.measuring.clustering.pixels import cluster_features
from core.measuring.clustering.result import Clustering, Mask, check_k, counted_pixels
from core.measuring.clustering.smoothing import AUTO, GREYS, Smoothing, smooth_labels
from core.measuring.selection import Region, leave_out
from core.micrograph import Micrograph

GREY = "grey"
_AS_FOUND = Smoothing()


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
    smoothing: Smoothing = _AS_FOUND,
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
    smoothing : Smoothing
        Whether clusters are made to hang together, and how.

    Raises
    ------
    UserError
        As `cluster_gray` and `cluster_features` do, or if the region holds no pixel.
    """
    left_out = leave_out(micrograph.shape, exclude, region)
    if smoothing.kind == AUTO:
        smoothing = decide_smoothing(micrograph, k, by, exclude=left_out)
    pixels = without_hot(micrograph.pixels, left_out)  # averaged, a hot pixel would be a blob
    if smoothing.kind == GREYS:  # what lies around a region of interest still is its surroundings
        pixels = average_greys(pixels, exclude, smoothing.sigma_px)
    if by == GREY:
        check_k(k)
        found = cut_pixels(pixels, k, counted_pixels(pixels, left_out))
        return smooth_labels(found, pixels, smoothing)
    found = cluster_features(
        pixels,
        k,
        exclude=exclude,
        region=None if region is None else region.mask(micrograph.shape),
        features=features,
        method=by,
        seed=seed,
        on_progress=on_progress,
    )
    return smooth_labels(found, pixels, smoothing)


def decide_smoothing(
    micrograph: Micrograph, k: int, by: str = GREY, *, exclude: Mask | None = None
) -> Smoothing:
    """Return the smoothing that "auto" stands for: greys averaged as far as noise asks for it.

    Features are taken at several scales of smoothing anyway: clusters of these stay as found.
    """
    if by != GREY:
        return _AS_FOUND
    sigma_px = find_noise(micrograph.pixels, k, exclude).sigma_px
    return replace(_AS_FOUND, kind=GREYS, sigma_px=sigma_px) if sigma_px else _AS_FOUND

"""Pixels grouped by what they and their surroundings are like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.measuring.clustering.features import DEFAULT, FeatureSet
from core.measuring.clustering.frame import Frame, Progress, describe_frame
from core.measuring.clustering.mixture import fit_mixture
from core.measuring.clustering.result import EXCLUDED, Clustering, Mask, check_k
from core.measuring.clustering.rows import (
    Floats,
    Labels,
    Planes,
    best_start,
    group_rows,
    in_batches,
    nearest_center,
)
from core.micrograph import Micrograph

K_MEANS, MIXTURE = "k-means", "mixture"
METHODS = (K_MEANS, MIXTURE)
MEGAPIXEL = 1 << 20
SAMPLE_ROWS = 1 << 18
MIXTURE_ROWS = 1 << 14
SOFT_BYTES = 64 << 20  # soft maps that would take more memory are not kept
Assign = Callable[[Planes], tuple[Labels, NDArray[np.float16] | None]]


@dataclass(frozen=True, slots=True, eq=False)
class FeatureClustering(Clustering):
    """A clustering by features, with what made it.

    Parameters
    ----------
    features : FeatureSet
    method : str
        "k-means" or "mixture".
    seed : int
    names : tuple of str
        Of the maps.
    feature_centers : ndarray of shape (k, maps), float64
        Mean of each cluster, in standard deviations from the mean of all.
    memberships : ndarray of shape (k, H, W), float16, or None
        How much of a pixel belongs to each cluster, 0 to 1; 0 where excluded. Of mixtures only, and
        only up to 64 MiB (8 megapixels with four clusters).
    """

    features: FeatureSet
    method: str
    seed: int
    names: tuple[str, ...]
    feature_centers: Floats
    memberships: NDArray[np.float16] | None

    def __post_init__(self) -> None:
        Clustering.__post_init__(self)  # `super()` does not find its way in a class with slots
        if self.feature_centers.shape != (self.k, len(self.names)):
            raise ValueError(
                f"feature_centers must have shape {(self.k, len(self.names))}, "
                f"got {self.feature_centers.shape}"
            )
        if self.memberships is not None and self.memberships.shape != (self.k, *self.labels.shape):
            raise ValueError(
                f"memberships must have shape {(self.k, *self.labels.shape)}, "
                f"got {self.memberships.shape}"
            )


def cluster_features(
    image: Micrograph | NDArray[Any],
    k: int,
    *,
    exclude: Mask | None = None,
    region: Mask | None = None,
    features: FeatureSet = DEFAULT,
    method: str = K_MEANS,
    seed: int = 0,
    on_progress: Progress | None = None,
) -> FeatureClustering:
    """Group pixels by features of theirs and of their surroundings.

    Every map is standardised over the pixels that count. Up to 1,048,576 of those, k-means runs on
    all; beyond, on batches of 262,144 drawn at random, and then all pixels are assigned. A mixture
    is fitted to 16,384 pixels. The same input and seed give the same result to the last digit,
    whatever the number of threads.

    Parameters
    ----------
    image : Micrograph, or ndarray of shape (H, W) of integers or floats
        Pixels that are not finite are excluded.
    k : int
        2 to 20.
    exclude : ndarray of shape (H, W), bool, optional
        True where something else than specimen shows: it changes no feature of the pixels near by.
    region : ndarray of shape (H, W), bool, optional
        True where pixels count; those around them still are their surroundings.
    features : FeatureSet
    method : str
        "k-means", or "mixture" (of Gaussians with full covariances), which adds soft maps.
    seed : int
    on_progress : callable, optional
        Is told a share from 0 to 1 and what is being done.

    Returns
    -------
    FeatureClustering
        Numbered from dark to bright by mean grey.

    Raises
    ------
    UserError
        If no pixel counts, or pixels differ in fewer ways than clusters are asked for.
    ValueError, TypeError
        If an argument is not as described.

    References
    ----------
    See `core.measuring.clustering.rows`, `.mixture` and `.features`.
    """
    pixels = image.pixels if isinstance(image, Micrograph) else np.asarray(image)
    check_k(k)
    if method not in METHODS:
        raise ValueError(f"method must be one of {METHODS}, got {method!r}")
    tell = on_progress or (lambda share, what: None)
    tell(0.0, "Describing pixels …")
    frame = describe_frame(pixels, features, exclude=exclude, region=region, tell=tell)
    tell(0.5, "Grouping pixels …")
    assign = _grouping(frame, k, method, seed)
    tell(0.8, "Assigning pixels …")
    return _assemble(frame, pixels, assign, int(k), method, seed)


def _grouping(frame: Frame, k: int, method: str, seed: int) -> Assign:
    """Return what gives pixels their cluster, learned from this frame."""
    random = np.random.default_rng([seed, 1])
    if frame.size <= MEGAPIXEL:
        centers = group_rows(frame.all(), k, seed=seed).centers
    else:
        sample = frame.at(frame.draw(SAMPLE_ROWS, random))
        mixed = np.ascontiguousarray(sample[:, random.permutation(sample.shape[1])])
        centers = in_batches(mixed, best_start(mixed, k, seed=seed))
    if method == K_MEANS:
        return lambda planes: (nearest_center(planes, centers), None)
    mixture = fit_mixture(frame.at(frame.draw(MIXTURE_ROWS, random)), centers)
    kept = 2 * k * frame.counted.size <= SOFT_BYTES
    return lambda planes: mixture.assign(planes, soft=kept)


def _assemble(
    frame: Frame, pixels: NDArray[Any], assign: Assign, k: int, method: str, seed: int
) -> FeatureClustering:
    """Assign every pixel, number clusters from dark to bright, and add up what they are like."""
    sums, squares, labels, soft = np.zeros((k, len(frame.names))), 0.0, [], []
    for planes in frame.planes():
        found, shares = assign(planes)
        sums += np.stack([np.bincount(found, plane, k) for plane in planes], axis=1)
        squares += float(sum(np.square(plane, dtype=np.float64).sum() for plane in planes))
        labels.append(found)
        if shares is not None:
            soft.append(shares)
    flat = np.concatenate(labels)
    counts = np.bincount(flat, minlength=k)
    greys = np.asarray(np.bincount(flat, pixels[frame.counted], k), np.float64)
    means = sums / np.maximum(counts, 1)[:, None]
    within = max(0.0, squares - float((counts[:, None] * means**2).sum()))
    order, centers = _dark_to_bright(greys, counts)
    rank = np.argsort(order).astype(np.int16)
    image = np.full(pixels.shape, EXCLUDED, np.int16)
    image[frame.counted] = rank[flat]
    return FeatureClustering(
        labels=image,
        centers=centers,
        fractions=counts[order] / frame.size,
        inertia=within,
        thresholds=np.empty(0),
        included_share=frame.size / pixels.size,
        k=k,
        features=frame.features,
        method=method,
        seed=seed,
        names=frame.names,
        feature_centers=means[order],
        memberships=_soft_maps(soft, frame.counted, order),
    )


def _dark_to_bright(greys: Floats, counts: NDArray[np.integer]) -> tuple[NDArray[np.int64], Floats]:
    """Return the clusters in order of their mean grey, and these; empty ones come last."""
    means = np.where(counts > 0, greys / np.maximum(counts, 1), np.inf)
    order = np.argsort(means, kind="stable")
    known = means[order]
    brightest = known[np.isfinite(known)].max()
    return order, np.where(np.isfinite(known), known, brightest)


def _soft_maps(
    soft: list[NDArray[np.float16]], counted: Mask, order: NDArray[np.int64]
) -> NDArray[np.float16] | None:
    if not soft:
        return None
    maps = np.zeros((order.size, *counted.shape), np.float16)
    maps[:, counted] = np.concatenate(soft, axis=1)[order]
    return maps

"""Images as points: maps of similarity, groups with a typical member, neighbours, near-duplicates.

Everything takes one row of numbers per image, from a network (`core.learning.classifying.embed`)
or, where there is none, from `texture_statistics`. One, two or three images are valid, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from core.imaging.filtering import glcm_maps

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
SEED = 0
FEWEST_FOR_TSNE = 5
MOST_FOR_EXACT_TSNE = 400  # beyond, Barnes-Hut: ten times faster, not the same on every machine
# Cosine of em-morph5's embeddings: of 70 micrographs, 95 % of the copies with JPEG loss, noise or
# half the pixels reach it, and one of 2,415 pairs of different fields does. Mirrored copies do not.
NEAR = 0.998
_GLCM = ("contrast", "homogeneity", "energy", "correlation")
_LEVELS, _OCTAVES = 16, 7


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """Points in a plane.

    Attributes
    ----------
    points : ndarray of shape (N, 2), float64
    method : str
        "pca" or "tsne".
    explained : tuple of two floats
        Share of the scatter that each axis shows; (nan, nan) for t-SNE, whose axes mean nothing.
    """

    points: Floats
    method: str
    explained: tuple[float, float]

    def __post_init__(self) -> None:
        if self.points.ndim != 2 or self.points.shape[1] != 2:
            raise ValueError(f"points must be (N, 2), got {self.points.shape}")


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """Images put into groups.

    Attributes
    ----------
    labels : ndarray of shape (N,), int64
        0 for the largest group, and so on down.
    medoids : tuple of int
        For each group the image that is closest to all its others on average.
    """

    labels: Integers
    medoids: tuple[int, ...]


def standardise(rows: NDArray[Any]) -> Floats:
    """Return each column of (N, D) with mean 0 and spread 1; those that never change become 0.

    For measures of different units, such as `texture_statistics`.
    """
    values = _check(rows)
    centred = values - values.mean(axis=0)
    spread = centred.std(axis=0)
    steady = spread <= 1e-9 * np.abs(values).max(axis=0, initial=0)
    return np.asarray(np.where(steady, 0.0, centred / np.where(steady, 1.0, spread)))


def project_pca(rows: NDArray[Any]) -> Projection:
    """Return the two directions of greatest scatter, always with the same signs.

    Parameters
    ----------
    rows : ndarray of shape (N, C)
        One row per image, N >= 1.

    Returns
    -------
    Projection
        Directions that do not exist (one or two images) are 0.

    Raises
    ------
    ValueError
        If the rows are not a finite (N, C) array.

    References
    ----------
    Pearson (1901), On lines and planes of closest fit to systems of points in space, Philosophical
    Magazine 2:559, doi:10.1080/14786440109462720.
    """
    values = _check(rows)
    left, sizes, right = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    count = min(2, sizes.size)
    largest = np.abs(right[:count]).argmax(axis=1)
    signs = np.sign(right[np.arange(count), largest])
    points = np.zeros((len(values), 2))
    points[:, :count] = left[:, :count] * sizes[:count] * np.where(signs == 0, 1, signs)
    total = float((sizes**2).sum())
    shares = [float(size**2 / total) if total else 0.0 for size in sizes[:count]]
    first, second = [*shares, 0.0, 0.0][:2]
    return Projection(points, "pca", (first, second))


def project_tsne(rows: NDArray[Any], *, perplexity: float = 15, seed: int = SEED) -> Projection:
    """Return a map on which neighbours stay neighbours; distances between groups mean little.

    Parameters
    ----------
    rows : ndarray of shape (N, C)
    perplexity : float
        About how many neighbours each image has; at most a third of the images are taken.
    seed : int

    Returns
    -------
    Projection
        Up to 400 images exactly. With fewer than five the method becomes "pca": there is nothing
        to unfold.

    References
    ----------
    van der Maaten, Hinton (2008), Visualizing data using t-SNE, Journal of Machine Learning
    Research 9:2579.
    """
    from sklearn.manifold import TSNE  # scikit-learn takes a second to start: only who needs it

    values = _check(rows)
    if len(values) < FEWEST_FOR_TSNE or np.ptp(values, axis=0).max(initial=0) == 0:
        return project_pca(values)
    start = project_pca(values).points
    start = start / (start[:, 0].std() or 1.0) * 1e-4
    exact = len(values) <= MOST_FOR_EXACT_TSNE
    model = TSNE(
        perplexity=min(perplexity, (len(values) - 1) / 3),
        init=start.astype(np.float32),
        method="exact" if exact else "barnes_hut",
        random_state=seed,
    )
    nothing = float("nan")
    found = np.asarray(model.fit_transform(values), dtype=np.float64)
    return Projection(found - found.mean(axis=0), "tsne", (nothing, nothing))


def group_images(rows: NDArray[Any], k: int, *, seed: int = SEED) -> Grouping:
    """Return k groups of similar images by k-means, each with its medoid.

    Parameters
    ----------
    rows : ndarray of shape (N, C)
    k : int
        From 1; at most the number of different rows are made.
    seed : int

    References
    ----------
    Arthur, Vassilvitskii (2007), k-means++: the advantages of careful seeding, SODA, 1027-1035.
    Kaufman, Rousseeuw (1990), Finding groups in data, chapter 2, doi:10.1002/9780470316801
    (medoids).
    """
    from sklearn.cluster import KMeans

    values = _check(rows)
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    k = min(k, len(np.unique(values, axis=0)))
    found = KMeans(k, n_init=10, random_state=seed).fit(values).labels_
    sizes = np.bincount(found, minlength=k)
    firsts = [int(np.flatnonzero(found == group)[0]) for group in range(k)]
    order = sorted(range(k), key=lambda group: (-sizes[group], firsts[group]))
    labels = np.argsort(order)[found].astype(np.int64)
    return Grouping(labels, tuple(_medoid(values, labels == group) for group in range(k)))


def _medoid(values: Floats, members: NDArray[np.bool_]) -> int:
    """Return the member with the least summed distance to the others; of equal ones the first."""
    places = np.flatnonzero(members)
    inside = values[places]
    return int(
        places[np.argmin(scipy.spatial.distance.cdist(inside, inside).sum(axis=1).round(12))]
    )


def similarities(rows: NDArray[Any]) -> Floats:
    """Return the cosine of the angle between every two rows, shape (N, N), -1 to 1.

    A row of zeros is similar to nothing but itself.
    """
    values = _check(rows)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    unit = values / np.where(lengths > 0, lengths, np.inf)
    found = np.clip(unit @ unit.T, -1, 1)
    np.fill_diagonal(found, 1)
    return np.asarray(found)


def nearest(rows: NDArray[Any], index: int, count: int = 5) -> pd.DataFrame:
    """Return the images most similar to one of them.

    Parameters
    ----------
    rows : ndarray of shape (N, C)
    index : int
        Row of the chosen image.
    count : int
        At most so many.

    Returns
    -------
    DataFrame
        image (row number) and similarity (cosine), the most similar first; empty for one image.
    """
    row = similarities(rows)[index]
    order = np.array([i for i in np.argsort(-row, kind="stable") if i != index], np.int64)[:count]
    return pd.DataFrame({"image": order, "similarity": row[order]})


def near_duplicates(rows: NDArray[Any], threshold: float = NEAR) -> pd.DataFrame:
    """Return pairs of images that a network can hardly tell apart, the most similar first.

    Parameters
    ----------
    rows : ndarray of shape (N, C)
    threshold : float
        Cosine from which a pair is reported.

    Returns
    -------
    DataFrame
        first, second (row numbers, first < second) and similarity.
    """
    found = similarities(rows)
    first, second = np.nonzero(np.triu(found >= threshold, 1))
    pairs = pd.DataFrame({"first": first, "second": second, "similarity": found[first, second]})
    return pairs.sort_values("similarity", ascending=False, kind="stable", ignore_index=True)


def texture_statistics(picture: NDArray[np.uint8]) -> Floats:
    """Return numbers that describe a picture without a network, to be standardised over a set.

    Parameters
    ----------
    picture : ndarray of shape (H, W), uint8
        Of one size scale for all, such as thumbnails of 256 px.

    Returns
    -------
    ndarray of shape (19,), float64
        Mean, spread, skewness and excess of the grey levels; four co-occurrence properties at one
        and at four pixels; and the share of the power in seven octaves of spatial frequency, coarse
        to fine.

    References
    ----------
    Haralick, Shanmugam, Dinstein (1973), Textural features for image classification, IEEE SMC-3,
    610-621, doi:10.1109/TSMC.1973.4309314.
    """
    if picture.ndim != 2 or picture.size == 0 or picture.dtype != np.uint8:
        raise ValueError(f"picture must be (H, W) uint8, got {picture.shape} {picture.dtype}")
    values = picture.astype(np.float64)
    centred = values - values.mean()
    spread = centred.std()
    scaled = centred / spread if spread > 0 else centred
    moments = [values.mean(), spread, (scaled**3).mean(), (scaled**4).mean() - 3]
    levels = (picture.astype(np.int64) * _LEVELS // 256).astype(np.uint8)
    textures = [value for distance in (1, 4) for value in _cooccurrence(levels, distance)]
    return np.array([*moments, *textures, *_octaves(scaled)])


def _cooccurrence(levels: NDArray[np.uint8], distance: int) -> list[float]:
    """Return mean co-occurrence properties over all windows and four directions."""
    maps = glcm_maps(
        levels, _GLCM, window=2 * distance + 9, levels=_LEVELS, distance=distance, angle_deg="mean"
    )
    return [float(maps[name].mean()) for name in _GLCM]


def _octaves(scaled: Floats) -> Floats:
    """Return the share of the power in octaves of spatial frequency, coarse to fine."""
    power = np.abs(np.fft.rfft2(scaled)) ** 2
    power[:, 1 : (scaled.shape[1] + 1) // 2] *= 2  # each stands for its opposite, too
    down = np.fft.fftfreq(scaled.shape[0])[:, None]
    right = np.fft.rfftfreq(scaled.shape[1])[None, :]
    frequency = np.hypot(down, right)
    octave = np.clip(
        np.floor(np.log2(np.maximum(frequency, 1e-9))) + _OCTAVES + 1, 0, _OCTAVES - 1
    ).astype(np.int64)
    power[0, 0] = 0
    sums = np.bincount(octave.ravel(), power.ravel(), _OCTAVES)
    return np.asarray(sums / (sums.sum() or 1.0), dtype=np.float64)


def _check(rows: NDArray[Any]) -> Floats:
    """Return rows as float64, refusing what is no table of numbers."""
    values = np.asarray(rows, dtype=np.float64)
    if values.ndim != 2 or not values.size or not np.isfinite(values).all():
        raise ValueError(f"rows must be a finite (N, C) array with N, C >= 1, got {values.shape}")
    return values

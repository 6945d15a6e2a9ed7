"""How many clusters? Four measures that do not always agree, and a suggestion in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median_low
from typing import Any

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from core.errors import UserError
from core.imaging.filtering import cut_levels, grey_histogram, without_hot
from core.measuring.clustering.features import DEFAULT, FeatureSet
from core.measuring.clustering.frame import describe_frame
from core.measuring.clustering.result import MAX_CLUSTERS, Mask, counted_pixels
from core.measuring.clustering.rows import Planes, group_rows
from core.micrograph import Micrograph

Floats = NDArray[np.float64]
MOST = 8
TITLES = {
    "elbow": "the elbow",
    "silhouette": "the silhouette",
    "calinski_harabasz": "Calinski–Harabasz",
    "gap": "the gap statistic",
}
SILHOUETTE_ROWS = 2000
FEATURE_ROWS = 1 << 13
GAP_ROWS, REFERENCES = 2048, 8
_NOTHING = 1e-12  # of the scatter of all rows: what is left of none after rounding


@dataclass(frozen=True, slots=True, eq=False)
class ChoiceOfK:
    """What speaks for each number of clusters.

    Attributes
    ----------
    table : DataFrame
        One row per number from 1: k, inertia, explained_pct (share of the scatter that clusters
        explain), silhouette (-1 to 1; mean over a sample), calinski_harabasz, gap and gap_error
        (natural logarithms). NaN where a measure says nothing.
    votes : dict of str to int
        The number that each measure favours; the gap statistic may favour 1, no clusters.
    suggested : int
        2 or more.
    """

    table: pd.DataFrame
    votes: dict[str, int]
    suggested: int

    def describe(self) -> str:
        """Return the suggestion in words."""
        by_number: dict[int, list[str]] = {}
        for name, number in self.votes.items():
            by_number.setdefault(number, []).append(TITLES[name])
        parts = [
            f"{_joined(names)} {'favours' if len(names) == 1 else 'favour'} "
            f"{number if number > 1 else 'no clusters at all'}"
            for number, names in sorted(by_number.items())
        ]
        said = "; ".join(parts)
        agreed = len(by_number.get(self.suggested, ()))
        if agreed == len(self.votes):
            verdict = f"All agree on {self.suggested}."
        elif agreed > 1:
            verdict = f"Suggested: {self.suggested} clusters."
        else:
            verdict = f"They disagree: {self.suggested} lies in between, look at the map."
        return f"{said[:1].upper()}{said[1:]}. {verdict}"


def choose_k_gray(
    image: Micrograph | NDArray[Any],
    *,
    exclude: Mask | None = None,
    most: int = MOST,
    seed: int = 0,
) -> ChoiceOfK:
    """Compare numbers of grey-level clusters, each the best there is.

    Parameters
    ----------
    image : Micrograph, or ndarray of shape (H, W)
    exclude : ndarray of shape (H, W), bool, optional
    most : int
        Largest number to try, 3 to 20; less where there are fewer grey levels.
    seed : int
        Of the samples for silhouette (2,000 pixels) and gap statistic (2,048 pixels, 8 references).

    Raises
    ------
    UserError
        If all pixels are excluded or alike.

    References
    ----------
    Rousseeuw (1987), Silhouettes, doi:10.1016/0377-0427(87)90125-7. Caliński & Harabasz (1974), A
    dendrite method for cluster analysis, doi:10.1080/03610927408827101. Tibshirani, Walther &
    Hastie (2001), Estimating the number of clusters via the gap statistic, JRSS B 63, 411-423,
    doi:10.1111/1467-9868.00293.
    """
    pixels = image.pixels if isinstance(image, Micrograph) else np.asarray(image)
    included = counted_pixels(pixels, exclude)
    pixels = without_hot(pixels, None if included is None else ~included)
    greys = pixels.ravel() if included is None else pixels[included]
    histogram = grey_histogram(greys)
    cut_levels(histogram, 2)  # says what is wrong where not even two are possible
    most = min(_checked(most), len(histogram))
    random = np.random.default_rng(seed)
    sample = _drawn(greys, SILHOUETTE_ROWS, random).astype(np.float64)[None]
    cuts = {k: cut_levels(histogram, k) for k in range(2, most + 1)}
    centred = histogram.levels - np.average(histogram.levels, weights=histogram.counts)
    total = float((histogram.counts * centred**2).sum() + histogram.scatter.sum())
    inertias = {1: total} | {k: cut.inertia for k, cut in cuts.items()}
    silhouettes = {
        k: silhouette(sample, np.searchsorted(cut.thresholds, sample[0])) for k, cut in cuts.items()
    }
    few = _drawn(greys, GAP_ROWS, random).astype(np.float64)[None]
    gaps = gap_statistic(few, _best_inertias, most, random)
    return _compare(inertias, silhouettes, gaps, int(greys.size))


def choose_k_features(
    image: Micrograph | NDArray[Any],
    *,
    exclude: Mask | None = None,
    region: Mask | None = None,
    features: FeatureSet = DEFAULT,
    most: int = MOST,
    seed: int = 0,
) -> ChoiceOfK:
    """Compare numbers of clusters by features, on 8,192 pixels drawn at random.

    All else as in `choose_k_gray` and `cluster_features`.
    """
    pixels = image.pixels if isinstance(image, Micrograph) else np.asarray(image)
    frame = describe_frame(pixels, features, exclude=exclude, region=region)
    random = np.random.default_rng(seed)
    planes = frame.at(frame.draw(FEATURE_ROWS, random))
    inertias = _group_inertias(planes, 1, seed)
    silhouettes: dict[int, float] = {}
    chosen = np.sort(random.permutation(planes.shape[1])[:SILHOUETTE_ROWS])
    for k in range(2, _checked(most) + 1):
        try:
            groups = group_rows(planes, k, seed=seed)
        except UserError:
            if k == 2:
                raise
            break
        inertias[k] = groups.inertia
        silhouettes[k] = silhouette(planes[:, chosen], groups.labels[chosen])
    few = np.ascontiguousarray(planes[:, random.permutation(planes.shape[1])[:GAP_ROWS]])
    gaps = gap_statistic(few, lambda p, m: _group_inertias(p, m, seed), max(inertias), random)
    return _compare(inertias, silhouettes, gaps, planes.shape[1])


def silhouette(planes: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Return how much nearer rows lie to their own cluster than to the next, -1 to 1.

    Parameters
    ----------
    planes : ndarray of shape (features, n)
        Time and memory grow with n².
    labels : ndarray of shape (n,), integers from 0

    Returns
    -------
    float
        Mean over all rows; 0 for a row that is alone in its cluster. NaN for a single cluster.
    """
    counts = np.bincount(labels)
    present = np.flatnonzero(counts)
    if present.size < 2:
        return float("nan")
    rows = np.asarray(planes.T, np.float64)
    apart = scipy.spatial.distance.cdist(rows, rows)
    sums = np.stack([apart[:, labels == cluster].sum(axis=1) for cluster in present], axis=1)
    own = np.searchsorted(present, labels)
    place = np.arange(labels.size)
    inside = sums[place, own] / np.maximum(counts[labels] - 1, 1)
    means = sums / counts[present]
    means[place, own] = np.inf
    beside = means.min(axis=1)
    most = np.maximum(inside, beside)
    values = np.where(most > 0, (beside - inside) / np.where(most > 0, most, 1), 0)
    values[counts[labels] == 1] = 0
    return float(values.mean())


def gap_statistic(
    planes: NDArray[np.floating],
    inertias_of: Callable[[Any, int], dict[int, float]],
    most: int,
    random: np.random.Generator,
) -> dict[int, tuple[float, float]]:
    """Return gap and its error for 1 to `most` clusters, against rows spread evenly in a box.

    The first number that leaves nothing to explain has an endless gap and is the last.

    Parameters
    ----------
    planes : ndarray of shape (features, n)
    inertias_of : callable
        Takes planes and the largest number, and returns inertias by number.
    most : int
    random : Generator
    """
    low, high = planes.min(axis=1)[:, None], planes.max(axis=1)[:, None]
    logs = []
    for _ in range(REFERENCES):
        even = (low + (high - low) * random.random(planes.shape)).astype(planes.dtype)
        reference = inertias_of(even, most)
        logs.append([np.log(max(reference.get(k, 0.0), 1e-300)) for k in range(1, most + 1)])
    own = inertias_of(planes, most)
    found: dict[int, tuple[float, float]] = {}
    if own[1] <= 0:  # all are alike
        return found
    for k, column in enumerate(np.asarray(logs).T, 1):
        error = float(column.std() * np.sqrt(1 + 1 / REFERENCES))
        if own.get(k, 0.0) <= _NOTHING * own[1]:
            found[k] = (float("inf"), error)
            break
        found[k] = (float(column.mean() - np.log(own[k])), error)
    return found


def _best_inertias(planes: NDArray[np.floating], most: int) -> dict[int, float]:
    """Return the least inertias of one plane for 1 to `most` clusters."""
    histogram = grey_histogram(planes[0])
    centred = planes[0] - planes[0].mean()
    found = {1: float((centred**2).sum())}
    for k in range(2, min(most, len(histogram)) + 1):
        found[k] = cut_levels(histogram, k).inertia
    return found


def _group_inertias(planes: Planes, most: int, seed: int) -> dict[int, float]:
    away = planes - planes.mean(axis=1, dtype=np.float64)[:, None]
    found = {1: float((away**2).sum())}
    for k in range(2, most + 1):
        try:
            found[k] = group_rows(planes, k, seed=seed, starts=2).inertia
        except UserError:  # a part of the rows may differ in fewer ways than all of them
            break
    return found


def _compare(
    inertias: dict[int, float],
    silhouettes: dict[int, float],
    gaps: dict[int, tuple[float, float]],
    count: int,
) -> ChoiceOfK:
    """Put the measures side by side and let each of them vote."""
    numbers, total = sorted(inertias), inertias[1]
    nothing = (float("nan"), float("nan"))
    told = {k: gap if np.isfinite(gap[0]) else nothing for k, gap in gaps.items()}
    table = pd.DataFrame(
        {
            "k": numbers,
            "inertia": [inertias[k] for k in numbers],
            "explained_pct": [100 * (1 - inertias[k] / total) for k in numbers],
            "silhouette": [silhouettes.get(k, float("nan")) for k in numbers],
            "calinski_harabasz": [_variance_ratio(inertias, k, count) for k in numbers],
            "gap": [told.get(k, nothing)[0] for k in numbers],
            "gap_error": [told.get(k, nothing)[1] for k in numbers],
        }
    )
    votes = {"elbow": find_elbow(table["inertia"].to_numpy(np.float64))}
    for name in ("silhouette", "calinski_harabasz"):
        if table[name].notna().any():
            votes[name] = numbers[int(np.nanargmax(table[name].to_numpy(np.float64)))]
    if gaps:
        votes["gap"] = _first_gap(gaps)
    return ChoiceOfK(table, votes, _suggest(votes))


def _variance_ratio(inertias: dict[int, float], k: int, count: int) -> float:
    """Return Calinski's and Harabasz's ratio of variances between and within clusters."""
    if k == 1 or inertias[k] <= 0 or count <= k:
        return float("nan")
    return (inertias[1] - inertias[k]) / (k - 1) / (inertias[k] / (count - k))


def find_elbow(inertias: Floats) -> int:
    """Return the number, from 2, at which inertia bends most: farthest below the line of its ends.

    Parameters
    ----------
    inertias : ndarray of shape (n,)
        For 1 to n clusters, n at least 2.

    References
    ----------
    Satopää et al. (2011), Finding a "kneedle" in a haystack, doi:10.1109/ICDCSW.2011.20.
    """
    line = np.linspace(inertias[0], inertias[-1], inertias.size)
    return max(2, int(np.argmax(line - inertias)) + 1)


def _first_gap(gaps: dict[int, tuple[float, float]]) -> int:
    """Return the first number whose gap the next one does not exceed by more than its error."""
    for k in sorted(gaps)[:-1]:
        gap, error = gaps[k + 1]
        if gaps[k][0] >= gap - error:
            return k
    return max(gaps)


def _suggest(votes: dict[str, int]) -> int:
    """Return the number named most, the smaller in a tie; without one, the middle of them."""
    several = [max(2, number) for number in votes.values()]
    number, times = min(Counter(several).items(), key=lambda item: (-item[1], item[0]))
    return number if times > 1 else median_low(several)


def _checked(most: int) -> int:
    if not 3 <= most <= MAX_CLUSTERS:
        raise ValueError(f"most must be from 3 to {MAX_CLUSTERS}, got {most}")
    return most


def _drawn(greys: NDArray[Any], most: int, random: np.random.Generator) -> NDArray[Any]:
    """Return finite greys, at most so many, drawn at random."""
    if greys.size <= most:
        return greys
    return greys[random.choice(greys.size, most, replace=False, shuffle=False)]


def _joined(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"

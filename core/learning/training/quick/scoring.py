"""How good a linear head is on groups held out: interval, baselines, learning curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from core.imaging.display import to_display
from core.learning.classifying import (
    THRESHOLD,
    balanced_accuracy,
    conformal_threshold,
    confusion_matrix,
    cool_by_group,
    find_threshold,
    measure_distance,
    softmax,
    summarise,
)
from core.learning.models import Reference
from core.learning.training.quick.folds import count_groups, split
from core.learning.training.quick.head import fit_at, fit_head
from core.micrograph import Micrograph

SHARES = (0.25, 0.5, 0.75, 1.0)  # of the groups that a learning curve learns from
CURVE_SEEDS = 2
HISTOGRAM_BINS = 32
CALIBRATED_FROM = 20  # groups from which on a temperature is worth fitting
NOVELTY_FROM = 4  # groups of every class: three neighbours beside the one that is asked about
_TEMPERATURES = np.exp(np.linspace(-1.6, 1.6, 65))  # 0.2 to 5
_DRAWS = 20_000
_MOST_COUNTED = 200_000  # pixels of a histogram: its shares are then known to 0.2 %
Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """What heads said of pictures whose group they never saw.

    Attributes
    ----------
    logits : ndarray of shape (M, K), float64
    places : ndarray of shape (M,), int64
        Which of the pictures they are about, ascending.
    distances : ndarray of shape (M,), float64
        `measure_distance` from the pictures that were learnt from, at temperature 1.
    folds : int
    """

    logits: Array
    places: Array
    distances: Array
    folds: int


def hold_out(features: Array, truth: Array, groups: Array) -> HeldOut | None:
    """Return held-out answers; None where a class has one group only: nothing honest can be said.

    Each head chooses its own strength from the groups that it learns from.
    """
    classes = int(truth.max()) + 1
    rows: dict[int, tuple[Array, float]] = {}
    folds = 0
    for rest, held in split(truth, groups):
        head = fit_head(features[rest], truth[rest], groups[rest])
        logits = head(features[held])
        known = _reference(features[rest], truth[rest], groups[rest], classes)
        far = measure_distance(known, features[held], softmax(logits))
        rows |= dict(zip(held.tolist(), zip(logits, far, strict=True), strict=True))
        folds += 1
    if not rows:
        return None
    places = np.array(sorted(rows))
    logits = np.stack([rows[place][0] for place in places])
    return HeldOut(logits, places, np.array([rows[place][1] for place in places]), folds)


def _reference(features: Array, truth: Array, groups: Array, classes: int) -> Reference:
    return Reference(
        features.astype(np.float32),
        truth.astype(np.int64),
        np.zeros((0, classes), np.float32),
        np.zeros(0, np.int64),
        groups.astype(np.int64),
    )


def score(held_out: HeldOut, truth: Array, groups: Array, classes: Sequence[str]) -> dict[str, Any]:
    """Return the scores of a card; the interval also means something where all is right."""
    own, members = truth[held_out.places], groups[held_out.places]
    logits = held_out.logits
    if len(np.unique(members)) >= CALIBRATED_FROM:
        logits = cool_by_group(logits, own, members)
    found = summarise(logits, own, members, classes, 1.0)
    low, high = small_interval(held_out.logits.argmax(axis=1), own, members, len(classes))
    return found | {"balanced_accuracy_interval_95": [round(low, 4), round(high, 4)]}


def small_interval(
    predicted: Array, truth: Array, groups: Array, classes: int
) -> tuple[float, float]:
    """Return the 95 % interval of the balanced accuracy for few pictures.

    Resampling tells nothing where all answers are right. Here the recall of each class has
    Jeffreys' posterior, with as many trials as the class has groups: pictures of one group say
    the same thing. The mean of the recalls is drawn from these.

    References
    ----------
    Brown, Cai & DasGupta (2001), Interval estimation for a binomial proportion, Statistical
    Science, doi:10.1214/ss/1009213286; Brodersen et al. (2010), The balanced accuracy and its
    posterior distribution, ICPR, doi:10.1109/ICPR.2010.764.
    """
    rng = np.random.default_rng(0)
    trials = np.zeros(classes, np.int64)
    found = count_groups(truth, groups)
    trials[: len(found)] = found
    drawn, recalls = [], []
    for index in np.flatnonzero(trials):
        recall = float((predicted[truth == index] == index).mean())
        right = recall * trials[index]
        drawn.append(rng.beta(right + 0.5, trials[index] - right + 0.5, _DRAWS))
        recalls.append(recall)
    low, high = np.percentile(np.mean(drawn, axis=0), [2.5, 97.5])
    at = float(np.mean(recalls))
    return min(float(low), at), max(float(high), at)


def score_histograms(histograms: Array, truth: Array, groups: Array, places: Array) -> float:
    """Return the balanced accuracy of the nearest neighbour in grey levels, groups held out.

    Who is no better than this has learnt brightness and contrast, which a detector's knobs change.

    Parameters
    ----------
    histograms : ndarray of shape (N, 32)
        As `grey_histogram` returns them; how far apart two are is the area between their sums.
    truth, groups : ndarray of shape (N,), int
    places : ndarray of shape (M,), int
        The pictures that the score is about.
    """
    sums = histograms.cumsum(axis=1)
    apart = cdist(sums[places], sums, "cityblock")
    apart[groups[places][:, None] == groups[None]] = np.inf
    predicted = truth[apart.argmin(axis=1)]
    matrix = confusion_matrix(predicted, truth[places], int(truth.max()) + 1)
    return balanced_accuracy(matrix)


def grey_histogram(micrograph: Micrograph, mask: Array | None) -> NDArray[np.float64]:
    """Return the shares of grey levels as the file states them, (32,); of floats, as displayed."""
    pixels = micrograph.pixels
    shown = to_display(micrograph) if pixels.dtype.kind == "f" else pixels
    top = float(np.iinfo(shown.dtype).max)
    kept = shown.ravel() if mask is None or mask.all() else shown[~mask]
    kept = kept[:: -(-kept.size // _MOST_COUNTED)]
    counts = np.histogram(kept, HISTOGRAM_BINS, (0, top))[0]
    return np.asarray(counts / max(1, counts.sum()))


def learning_curve(
    features: Array, truth: Array, groups: Array, strength: float
) -> list[dict[str, float]]:
    """Return the held-out balanced accuracy for shares of the groups that are learnt from.

    Returns
    -------
    list of dict
        With "share", "per_class" (pictures of a class learnt from, the mean), "balanced_accuracy".
        A share that leaves a class without pictures is left out.
    """
    curve = []
    for share in SHARES:
        seeds = range(CURVE_SEEDS if share < 1 else 1)
        found = [_at_share(features, truth, groups, strength, share, seed) for seed in seeds]
        known = [each for each in found if each is not None]
        if known:
            size, accuracy = np.mean(known, axis=0)
            curve.append(
                {
                    "share": share,
                    "per_class": round(float(size), 1),
                    "balanced_accuracy": round(float(accuracy), 4),
                }
            )
    sizes = [entry["per_class"] for entry in curve]
    return [e for place, e in enumerate(curve) if e["per_class"] not in sizes[:place]]


def _at_share(
    features: Array, truth: Array, groups: Array, strength: float, share: float, seed: int
) -> tuple[float, float] | None:
    classes = int(truth.max()) + 1
    rng = np.random.default_rng(seed)
    predicted = np.full(len(truth), -1)
    sizes = []
    for rest, held in split(truth, groups):
        kept = _thin_out(rest, truth, groups, share, rng)
        if len(np.unique(truth[kept])) < classes:
            return None
        head = fit_at(features[kept], truth[kept], strength)
        predicted[held] = head(features[held]).argmax(axis=1)
        sizes.append(len(kept) / classes)
    asked = predicted >= 0
    matrix = confusion_matrix(predicted[asked], truth[asked], classes)
    return float(np.mean(sizes)), balanced_accuracy(matrix)


def _thin_out(
    places: Array, truth: Array, groups: Array, share: float, rng: np.random.Generator
) -> Array:
    """Return the pictures of a share of each class's groups, at least one of each."""
    kept: list[Array] = []
    for label in np.unique(truth[places]):
        own = places[truth[places] == label]
        names = rng.permutation(np.unique(groups[own]))
        chosen = names[: max(1, round(share * len(names)))]
        kept.append(own[np.isin(groups[own], chosen)])
    return np.sort(np.concatenate(kept))


def calibrate(held_out: HeldOut, truth: Array, groups: Array) -> dict[str, float]:
    """Return what of a card's calibration the counts allow; empty for very few pictures.

    A prediction set of level q needs q / (1 − q) held-out groups to mean anything; twice as many
    are asked for. Novelty needs three neighbours of the same class from other groups.
    """
    own, members = truth[held_out.places], groups[held_out.places]
    count = len(np.unique(members))
    calibration: dict[str, float] = {}
    temperature = 1.0
    if count >= CALIBRATED_FROM:
        temperature = fit_smoothed_temperature(held_out.logits, own)
        calibration["temperature"] = round(temperature, 4)
    level = next((level for level in (0.9, 0.8) if count * round(1 - level, 3) >= 2 * level), None)
    if level is not None:
        logits = held_out.logits.astype(np.float32).astype(np.float64)  # as they are kept
        probabilities = softmax(logits, calibration.get("temperature", 1.0))
        calibration["conformal_level"] = level
        calibration["conformal_threshold"] = round(
            conformal_threshold(probabilities, own, level), 4
        )
    if count_groups(truth, groups).min() >= NOVELTY_FROM:
        before, after = (2 - softmax(held_out.logits, t).max(axis=1) for t in (1.0, temperature))
        calibration[THRESHOLD] = round(find_threshold(held_out.distances / before * after), 4)
    return calibration


def fit_smoothed_temperature(logits: Array, truth: Array) -> float:
    """Return the temperature of the highest likelihood, with targets that are not quite sure.

    Where all held-out answers are right the plain likelihood asks for ever surer ones; a right
    answer counts as (n + 1) / (n + K) here, of n pictures and K classes.

    References
    ----------
    Platt (1999), Probabilistic outputs for support vector machines, Advances in Large Margin
    Classifiers, section 2; Guo et al. (2017), ICML, arXiv:1706.04599.
    """
    count, classes = logits.shape
    target = np.full(logits.shape, 1 / (count + classes))
    target[np.arange(count), truth] = (count + 1) / (count + classes)
    losses = [
        -(target * np.log(softmax(logits, float(t)).clip(1e-12))).sum() for t in _TEMPERATURES
    ]
    return float(_TEMPERATURES[int(np.argmin(losses))])

"""Labelled pictures and a network per fold -> what networks say of pictures they never saw.

Everything a card claims comes from here: scores, calibration, prediction sets, novelty, and how
far the answers hang on what says nothing about the specimen. A group of originals never stands on
both sides of a split.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from core.errors import UserError
from core.imaging.overlays import find_overlays
from core.imaging.reading import read_micrograph
from core.imaging.simulation import FOREIGN, simulate_foreign
from core.learning.classifying import (
    LEVELS,
    NEAR_ANY,
    THRESHOLD,
    area_under_curve,
    at_temperature,
    balanced_accuracy,
    batches,
    conformal_threshold,
    confusion_matrix,
    cool_by_group,
    find_threshold,
    fit_temperature,
    look_at,
    measure_apartness,
    measure_coverage,
    measure_distance,
    softmax,
    summarise,
)
from core.learning.models import Classifier, Reference
from core.learning.training.pictures import LabelledPicture
from core.micrograph import Micrograph

Array = NDArray[Any]
Mask = NDArray[np.bool_]
Frames = Sequence[tuple[Micrograph, Mask | None]]
NetworkOf = Callable[[str, Sequence[int]], Classifier]
Report = Callable[[str], None]

SQUARES, WHOLE = "pictures", "whole_frames"
_NEAR, _FAR = "distances of pictures", "distances of foreign pictures"
# The way of measuring was chosen by looking at these kinds; the others judge it.
FOREIGN_CHOSEN_ON = tuple(FOREIGN)[::2]


def _with_overlays(micrograph: Micrograph, mask: Mask | None) -> tuple[Micrograph, Mask | None]:
    return micrograph, None


def _inverted(micrograph: Micrograph, mask: Mask | None) -> tuple[Micrograph, Mask | None]:
    pixels = micrograph.pixels
    turned = (pixels.max() - pixels + pixels.min()).astype(pixels.dtype)
    return replace(micrograph, pixels=turned), mask


def _stretched(factor: float) -> Callable[[Micrograph, Mask | None], Any]:
    def change(micrograph: Micrograph, mask: Mask | None) -> tuple[Micrograph, Mask | None]:
        height, width = micrograph.shape
        size = (max(1, round(width * factor)), height)
        pixels = cv2.resize(micrograph.pixels, size, interpolation=cv2.INTER_LINEAR)
        if mask is not None:
            mask = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        return Micrograph(micrograph.name, pixels), mask

    return change


# What a network must not need: each is a whole frame with one of them taken away or changed.
CHANGES: Mapping[str, Callable[[Micrograph, Mask | None], Any]] = {
    "overlays_shown": _with_overlays,
    "contrast_inverted": _inverted,
    "aspect_wider": _stretched(1.25),
    "aspect_narrower": _stretched(0.8),
}


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """What networks said of pictures whose group they never saw.

    Attributes
    ----------
    logits : dict of str to ndarray of shape (N, K)
        By the way the pictures were shown: "pictures", "whole_frames", one of `CHANGES`.
    truth, groups : ndarray of shape (N,), int64
    distances : ndarray of shape (N,), float64
        `measure_distance` of each picture from the ones its network learnt from, at temperature 1.
    foreign : ndarray of shape (folds, kinds × pictures of each), float64
        The same of pictures that show none of the classes; no columns when there are none.
    folds : ndarray of shape (N,), int64
    """

    logits: dict[str, Array]
    truth: Array
    groups: Array
    distances: Array
    foreign: Array
    folds: Array

    @property
    def shown(self) -> str:
        """How the app shows them: whole frames when there are some."""
        return WHOLE if WHOLE in self.logits else SQUARES

    def distances_at(self, temperature: float) -> Array:
        """Return the distances as the finished network measures them, at its temperature."""
        return at_temperature(self.distances, self.logits[self.shown], temperature)


def cross_validate(
    pictures: Sequence[LabelledPicture],
    views: Mapping[str, Frames],
    classes: Sequence[str],
    network_of: NetworkOf,
    *,
    folds: int,
    seed: int,
    foreign_each: int = 0,
    work: Path | None = None,
    report: Report = print,
) -> HeldOut:
    """Return what a network per fold says of the pictures it never saw.

    Parameters
    ----------
    pictures : sequence of N LabelledPicture
    views : mapping of str to N frames
        The ways in which they are shown (`show`).
    classes : sequence of str
    network_of : callable
        Gets the name of a phase ("fold0") and the places of the pictures to learn from.
    folds, seed : int
        Of the stratified split by group.
    foreign_each : int
        How many simulated pictures of each kind that is none of the classes are shown, too.
    work : Path, optional
        Where the answers of each fold are kept, so that a stopped training goes on after them.

    Raises
    ------
    UserError
        If there are fewer groups than folds.
    """
    truth = np.array([classes.index(picture.label) for picture in pictures])
    groups = np.unique([picture.group for picture in pictures], return_inverse=True)[1]
    if groups.max() + 1 < folds:
        raise UserError(
            f"{folds} folds need at least {folds} groups of originals, there are "
            f"{groups.max() + 1}. Add pictures or lower the number of folds."
        )
    shown = views[WHOLE if WHOLE in views else SQUARES]
    foreign = list_foreign(foreign_each)
    logits = {name: np.zeros((len(pictures), len(classes))) for name in views}
    distances, fold_of = np.zeros(len(pictures)), np.zeros(len(pictures), np.int64)
    far = np.zeros((folds, len(foreign)))
    for fold, (rest, held) in enumerate(split(truth, groups, folds, seed)):
        kept = work / f"fold{fold}.answers.pt" if work else None
        answers = _recall(kept)
        if answers is None:
            classifier = network_of(f"fold{fold}", rest.tolist())
            known = make_reference(classifier, [shown[i] for i in rest], truth[rest], groups[rest])
            answers = {
                name: ask(classifier, [frames[i] for i in held])[0]
                for name, frames in views.items()
            }
            answers[_NEAR] = _distances(classifier, known, [shown[i] for i in held])
            answers[_FAR] = _distances(classifier, known, foreign)
            _keep(answers, kept)
        for name in views:
            logits[name][held] = answers[name]
        distances[held], far[fold], fold_of[held] = answers[_NEAR], answers[_FAR], fold
        found = logits[SQUARES][held].argmax(1) == truth[held]
        report(f"fold {fold}: {found.mean():.3f} of {len(held)} held-out micrographs right")
    return HeldOut(logits, truth, groups, distances, far, fold_of)


def split(truth: Array, groups: Array, folds: int, seed: int) -> list[tuple[Array, Array]]:
    """Return per fold the places learnt from and those held out, groups whole, classes alike."""
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    return list(splitter.split(truth, truth, groups))


def _recall(path: Path | None) -> dict[str, Array] | None:
    """Return the answers of a fold that are kept, if any."""
    if path is None or not path.is_file():
        return None
    kept: dict[str, torch.Tensor] = torch.load(path, weights_only=True)
    return {name: values.numpy() for name, values in kept.items()}


def _keep(answers: Mapping[str, Array], path: Path | None) -> None:
    if path is not None:
        part = path.with_suffix(".new")
        torch.save({name: torch.from_numpy(values) for name, values in answers.items()}, part)
        part.replace(path)


def show(pictures: Sequence[LabelledPicture], whole_frames: Path | None) -> dict[str, Frames]:
    """Return the ways in which pictures are shown to a network, each with N frames and masks."""
    views: dict[str, Frames] = {SQUARES: [(picture.micrograph, None) for picture in pictures]}
    if whole_frames is None:
        return views
    read = [read_micrograph(whole_frames / picture.relative) for picture in pictures]
    views[WHOLE] = [(frame, find_overlays(frame)) for frame in read]
    for name, change in CHANGES.items():
        views[name] = [change(*frame) for frame in views[WHOLE]]
    return views


def list_foreign(each: int) -> Frames:
    """Return so many simulated pictures of each kind that no class describes, kind after kind."""
    return [(simulate_foreign(kind, n), None) for kind in FOREIGN for n in range(each)]


def ask(classifier: Classifier, frames: Frames) -> tuple[Array, NDArray[np.float32]]:
    """Return logits (N, K) and embeddings (N, C) of frames."""
    answers: dict[int, tuple[Array, Array]] = {}
    micrographs, masks = [frame for frame, _ in frames], [mask for _, mask in frames]
    for places, inputs in batches(classifier, micrographs, masks):
        answers.update(zip(places, zip(*look_at(classifier, inputs), strict=True), strict=True))
    rows = [answers[place] for place in range(len(frames))]
    return np.stack([row[0] for row in rows]), np.stack([row[1] for row in rows])


def make_reference(
    classifier: Classifier,
    frames: Frames,
    truth: Array,
    groups: Array,
    held_out: HeldOut | None = None,
) -> Reference:
    """Return what is kept of training micrographs: their embeddings, and held-out answers."""
    answers = np.zeros((0, len(classifier.card.classes))), np.zeros(0), np.zeros(0)
    if held_out is not None:
        answers = held_out.logits[held_out.shown], held_out.truth, held_out.groups
    return Reference(
        embeddings=ask(classifier, frames)[1],
        targets=truth.astype(np.int64),
        heldout_logits=answers[0].astype(np.float32),
        heldout_targets=answers[1].astype(np.int64),
        groups=groups.astype(np.int64),
        heldout_groups=answers[2].astype(np.int64),
    )


def _distances(
    classifier: Classifier, known: Reference, frames: Frames, groups: Array | None = None
) -> Array:
    if not frames:
        return np.zeros(0)
    logits, embeddings = ask(classifier, frames)
    temperature = classifier.card.calibration.get("temperature", 1.0)
    near_any = bool(classifier.card.calibration.get(NEAR_ANY))
    probabilities = softmax(logits, temperature)
    return measure_distance(known, embeddings, probabilities, groups, near_any=near_any)


def calibrate(held_out: HeldOut, level: float = 0.9) -> dict[str, float]:
    """Return temperature, conformal threshold and novelty threshold for a card."""
    logits = held_out.logits[held_out.shown].astype(np.float32).astype(np.float64)
    temperature = round(fit_temperature(logits, held_out.truth), 4)
    probabilities = softmax(logits, temperature)
    return {
        "temperature": temperature,
        "conformal_level": level,
        "conformal_threshold": round(conformal_threshold(probabilities, held_out.truth, level), 4),
        THRESHOLD: round(find_threshold(held_out.distances_at(temperature)), 4),
    }


def score(held_out: HeldOut, classes: Sequence[str], folds: int) -> dict[str, Any]:
    """Return the metrics of a card, as plain values; each group's temperature is the others'."""
    truth, groups = held_out.truth, held_out.groups
    cooled = {
        name: cool_by_group(held_out.logits[name], truth, groups)
        for name in (SQUARES, WHOLE)
        if name in held_out.logits
    }
    metrics: dict[str, Any] = {
        "protocol": f"{folds}-fold cross-validation, split by group of originals",
        **{name: summarise(rows, truth, groups, classes, 1.0) for name, rows in cooled.items()},
        "prediction_sets": [
            {
                "level": entry.level,
                "covered": round(entry.covered, 4),
                "mean_size": round(entry.mean_size, 3),
                "one_class": round(entry.single, 4),
            }
            for entry in measure_coverage(held_out.logits[held_out.shown], truth, groups, LEVELS)
        ],
    }
    if WHOLE in held_out.logits:
        metrics["shortcuts"] = _score_changes(held_out, classes)
    return metrics


def list_worst(
    held_out: HeldOut, pictures: Sequence[LabelledPicture], classes: Sequence[str], count: int = 10
) -> list[dict[str, Any]]:
    """Return the pictures whose class was found least probable, for a card."""
    logits, truth = held_out.logits[held_out.shown], held_out.truth
    cooled = softmax(cool_by_group(logits, truth, held_out.groups))
    own = cooled[np.arange(len(truth)), truth]
    return [
        {
            "picture": pictures[place].relative or pictures[place].micrograph.name,
            "class": classes[truth[place]],
            "said": classes[int(cooled[place].argmax())],
            "probability": round(float(own[place]), 4),
        }
        for place in np.argsort(own)[:count].tolist()
    ]


def _score_changes(held_out: HeldOut, classes: Sequence[str]) -> dict[str, Any]:
    """Return the balanced accuracy of whole frames and by how many points each change moves it."""

    def accuracy(name: str) -> float:
        predicted = held_out.logits[name].argmax(axis=1)
        return balanced_accuracy(confusion_matrix(predicted, held_out.truth, len(classes)))

    whole = accuracy(WHOLE)
    return {
        "balanced_accuracy": round(whole, 4),
        "points": {name: round(100 * (accuracy(name) - whole), 2) for name in CHANGES},
        "same_label": {
            name: round(
                float(
                    np.mean(
                        held_out.logits[name].argmax(axis=1)
                        == held_out.logits[WHOLE].argmax(axis=1)
                    )
                ),
                4,
            )
            for name in CHANGES
        },
    }


def score_apartness(
    classifier: Classifier, kept: Reference, foreign: Frames
) -> tuple[Array, Array]:
    """Return novelty (N,) of the originals, each without its group, and of foreign pictures."""
    temperature = classifier.card.calibration.get("temperature", 1.0)
    held_out = kept.heldout_logits if len(kept.heldout_logits) == len(kept.embeddings) else None
    near = measure_apartness(kept, kept.embeddings, kept.groups, held_out, temperature)
    logits, embeddings = ask(classifier, foreign)
    return near, measure_apartness(kept, embeddings, None, logits, temperature)


def score_novelty(
    held_out: HeldOut, classifier: Classifier, kept: Reference, frames: Frames, threshold: float
) -> dict[str, Any]:
    """Return how well novelty tells foreign pictures from originals, for a card.

    `auroc` is of the network that is kept, each original measured without its own group;
    `auroc_held_out` of networks that never saw the original, the mean over the folds, by the
    distance and how they hesitate. Where novelty is how far apart (`measure_apartness`), what lies
    beyond is that, else of the folds' distances.
    """
    each = held_out.foreign.shape[1] // len(FOREIGN)
    kinds = np.repeat(list(FOREIGN), each)
    if classifier.card.calibration.get(NEAR_ANY):
        near, far = score_apartness(classifier, kept, list_foreign(each))
        distances, threshold = near, 1.0
    else:
        near = _distances(classifier, kept, frames, kept.groups)
        far = _distances(classifier, kept, list_foreign(each))
        distances = held_out.distances_at(classifier.card.calibration.get("temperature", 1.0))
    unseen = ~np.isin(kinds, FOREIGN_CHOSEN_ON)

    def folds(chosen: Array) -> float:
        areas = [
            area_under_curve(held_out.distances[held_out.folds == fold], row[chosen])
            for fold, row in enumerate(held_out.foreign)
        ]
        return round(float(np.mean(areas)), 4)

    return {
        "foreign_pictures": len(kinds),
        "foreign_kinds": len(FOREIGN),
        "auroc": round(area_under_curve(near, far), 4),
        "auroc_unseen_kinds": round(area_under_curve(near, far[unseen]), 4),
        "auroc_held_out": folds(np.full(len(kinds), True)),
        "auroc_held_out_unseen_kinds": folds(unseen),
        "auroc_by_kind": {
            kind: round(area_under_curve(near, far[kinds == kind]), 4) for kind in FOREIGN
        },
        "foreign_beyond": round(float((far > threshold).mean()), 4),
        "held_out_beyond": round(float((distances > threshold).mean()), 4),
    }

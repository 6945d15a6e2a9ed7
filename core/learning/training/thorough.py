"""Micrographs by class -> a fine-tuned classifier with a card, in some minutes, resumable.

The last blocks of the start learn; its first blocks stay, so views go through them once for all
folds (`tuning`). What a quick training checks and joins is checked and joined here, too.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.errors import UserError
from core.learning.models import Classifier, ModelCard, head_name, load_model
from core.learning.training.crossvalidation import HeldOut
from core.learning.training.pictures import LabelledPicture
from core.learning.training.plan import TUNED, TrainingPlan, tuned
from core.learning.training.quick import scoring
from core.learning.training.quick.features import Look, look, stack
from core.learning.training.quick.likeness import join_groups, same_field
from core.learning.training.quick.seen import seen_before
from core.learning.training.readme import describe
from core.learning.training.run import train_pictures
from core.learning.training.starting import Start
from core.learning.training.tuning import (
    PER_FRAME_S,
    PER_LESSON_S,
    PER_VIEW_S,
    Watch,
)

MOST_PICTURES = 400
_ACTIVATION_BYTES = 80 * 12 * 12 * 2  # of a view of 192 px behind five blocks
_OPTIMISER_BYTES = 13_700_000 * 5  # weights, gradient, two moments, running average
_STEP_BYTES = 48 * 6_000_000
_FEW, _VIEWS = 16, 1600
_MADE_BY = "On the Train page or by `train_thoroughly`"


@dataclass(frozen=True, slots=True, eq=False)
class Tuned:
    """A classifier that was trained thoroughly, and what the README of its folder says."""

    classifier: Classifier
    readme: str


def can_be_tuned(start: Classifier) -> bool:
    """Tell whether a model is of the kind whose last blocks can be tuned here."""
    return start.card.architecture == TUNED["architecture"] and start.has_linear_head


def thorough_plan(pictures: int) -> TrainingPlan:
    """Return what a thorough training of so many pictures does: some minutes on two cores."""
    return tuned(
        finetune_samples=min(2400, max(720, 12 * pictures) // 48 * 48),
        folds=3,
        views_each=max(4, min(_FEW, _VIEWS // max(1, pictures))),
        tiles_each=0,
        simulated_views=0,
        crowd_views=0,
        scatter_views=0,
        real_share=1.0,
        foreign_each=0,
        workers=max(1, (os.cpu_count() or 2) // 2),
    )


def foresee_s(pictures: int) -> float:
    """Return how long a thorough training takes, in seconds of a busy core."""
    plan = thorough_plan(pictures)
    views = pictures * plan.views_each * PER_VIEW_S
    lessons = (plan.folds + 1) * plan.finetune_samples * PER_LESSON_S
    return views + lessons + plan.folds * pictures * PER_FRAME_S


def foresee_bytes(pictures: int) -> int:
    """Return how much memory it takes at most beside the pictures."""
    cached = pictures * thorough_plan(pictures).views_each * _ACTIVATION_BYTES
    return 2 * cached + _OPTIMISER_BYTES + _STEP_BYTES


def train_thoroughly(
    pictures: Sequence[LabelledPicture],
    start: Classifier,
    work: Path,
    *,
    name: str = "own-classes",
    watch: Watch | None = None,
) -> Tuned:
    """Return a classifier whose last blocks were tuned on one's own pictures, scored by groups.

    Parameters
    ----------
    pictures : sequence of LabelledPicture
        Of two classes or more, each of two originals or more.
    start : Classifier
        One that `can_be_tuned`.
    work : Path
        A folder for what is unfinished; the same one again goes on where it was stopped.
    name : str
        Of the new model.
    watch : Watch, optional
        Told about progress; its `stop` ends the training.

    Raises
    ------
    UserError
        If the pictures are too many, or of too few classes or originals, or the start is of
        another kind.
    Stopped
        If the watch was asked to stop; the work folder holds what was done.
    """
    if not can_be_tuned(start):
        raise UserError(
            f"{start.name} cannot be tuned here. Start from em-morph5-2, or learn quickly."
        )
    if len(pictures) > MOST_PICTURES:
        raise UserError(
            f"{len(pictures):,} pictures are more than the {MOST_PICTURES} that are tuned on a "
            "page. Give fewer, learn quickly, or use python -m core train."
        )
    watch = watch or Watch()
    watch.total_s = foresee_s(len(pictures))  # the page asks from the first second on
    looks = look(start, [picture.micrograph for picture in pictures])
    joined = _joined(pictures, looks)
    watch.total_s = foresee_s(len(joined))
    out = work / "model"
    shutil.rmtree(out, ignore_errors=True)
    train_pictures(
        joined,
        out,
        plan=thorough_plan(len(joined)),
        name=name,
        work=work / "unfinished",
        start=_begin_with(start),
        device=start.device,
        report=_silent,
        watch=watch,
        calibrate=_calibrate,
    )
    made = load_model(out, device=start.device)
    shutil.rmtree(out, ignore_errors=True)
    card = _said_of_few(made, joined, looks, start)
    classifier = Classifier(made.network, card, start.device)
    classifier.reference = made.reference
    return Tuned(classifier, describe(card, _MADE_BY))


def _said_of_few(
    made: Classifier, pictures: Sequence[LabelledPicture], looks: Sequence[Look], start: Classifier
) -> ModelCard:
    """Return the card with baselines, an interval that fits few pictures, and what had been seen.

    Six right answers of six are 61 to 100 %, not 100 to 100 % as resampling them says.
    """
    card, kept = made.card, made.reference
    metrics = card.metrics | _baselines(pictures, looks)
    if kept is not None and len(kept.heldout_targets):
        said = kept.heldout_logits.argmax(axis=1)
        low, high = scoring.small_interval(
            said, kept.heldout_targets, kept.heldout_groups, len(card.classes)
        )
        ends = [round(low, 4), round(high, 4)]
        metrics["pictures"] = metrics["pictures"] | {"balanced_accuracy_interval_95": ends}
    seen = int(seen_before(start, [p.micrograph for p in pictures], stack(looks)).sum())
    if "conformal_level" not in card.calibration:
        metrics.pop("prediction_sets", None)
    limits = card.limits
    if seen:
        limits = (
            f"{seen} of {len(pictures)} pictures, or close copies, are ones that {start.name} has "
            "learnt from: it knows them, so the score is too good.",
            *limits,
        )
    training = card.training | {"seen_by_start": seen}
    return replace(card, metrics=metrics, training=training, limits=limits)


def _calibrate(held_out: HeldOut) -> dict[str, float]:
    """Return what of a calibration the counts allow, as for a quick training."""
    places = np.arange(len(held_out.truth))
    logits = held_out.logits[held_out.shown]
    folds = int(held_out.folds.max()) + 1
    said = scoring.HeldOut(logits, places, held_out.distances, folds)
    return scoring.calibrate(said, held_out.truth, held_out.groups)


def _baselines(pictures: Sequence[LabelledPicture], looks: Sequence[Look]) -> dict[str, float]:
    """Return what chance and grey levels alone would have reached, for the card."""
    names = sorted({picture.label for picture in pictures})
    truth = np.array([names.index(picture.label) for picture in pictures])
    groups = np.unique([picture.group for picture in pictures], return_inverse=True)[1]
    histograms = np.stack([each.histogram for each in looks])
    grey = scoring.score_histograms(histograms, truth, groups, np.arange(len(truth)))
    return {"chance": round(1 / len(names), 4), "grey_histogram": round(grey, 4)}


def _silent(_: str) -> None:
    """Say nothing: the watch is read instead."""


def _joined(pictures: Sequence[LabelledPicture], looks: Sequence[Look]) -> list[LabelledPicture]:
    """Return the pictures with those of one field in one group, whatever was said of them."""
    pairs = same_field(np.stack([each.print for each in looks]))
    groups = join_groups([picture.group for picture in pictures], pairs)
    joined = [
        replace(picture, group=f"original {group}")
        for picture, group in zip(pictures, groups.tolist(), strict=True)
    ]
    for label in sorted({picture.label for picture in joined}):
        if len({picture.group for picture in joined if picture.label == label}) < 2:
            raise UserError(
                f"“{label}” comes from one original only, so no score can be honest. Add pictures "
                "of another specimen, or learn quickly, which then gives no score."
            )
    return joined


def _begin_with(start: Classifier) -> Start:
    head = head_name(start.card.architecture)
    body = {
        name: value.detach().cpu()
        for name, value in start.network.state_dict().items()
        if not name.startswith(head)
    }
    card = start.card
    return Start(start.name, card.sha256, card.architecture, dict(card.options), body, ())

"""Labelled folders -> a model folder, scored by grouped cross-validation so that nothing leaks.

The recipe: learn the forms from endless simulated micrographs, then fine-tune on the real ones.
Fine-tuning is repeated once per fold for the scores and the calibration, then once on all
pictures for the weights that are kept. Every finished phase is kept in a work folder, and the
long simulated phase also while it runs, so a stopped training goes on where it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core.errors import UserError
from core.imaging.simulation import KINDS
from core.learning.classifying import THRESHOLD
from core.learning.models import LONGEST_WORD, ModelCard, is_word, pick_device, save_model
from core.learning.training import crossvalidation, unfinished
from core.learning.training.phases import Report, Trainer, threads_beside
from core.learning.training.pictures import LabelledPicture, read_labelled_folders
from core.learning.training.plan import GOING_ON, TUNED, TrainingPlan, tuned
from core.learning.training.quick.generality import list_fits, measure, name_of
from core.learning.training.quick.seen import DIGESTS, short_digest
from core.learning.training.readme import describe
from core.learning.training.scales import training_range
from core.learning.training.starting import Start
from core.learning.training.tuning import PER_FRAME_S, PER_LESSON_S, Watch, prepare

Calibrate = Callable[[crossvalidation.HeldOut], dict[str, float]]
_SPREAD = 4  # groups of a class that need not be in every fold: each is held out once, anyhow
__all__ = ["TrainingPlan", "plan_for", "train", "train_pictures"]


def plan_for(start: Start | None, *, goes_on: bool = False, **changes: Any) -> TrainingPlan:
    """Return the usual plan for what a training begins with, with some values changed.

    One that goes on from an earlier training is shorter and slower.
    """
    if start is not None and start.architecture == TUNED["architecture"]:
        return tuned(**{**(GOING_ON if goes_on else {}), **changes})
    return TrainingPlan(**changes)


def train(
    folder: Path | Sequence[Path],
    out: Path,
    *,
    plan: TrainingPlan | None = None,
    whole_frames: Path | None = None,
    work: Path | None = None,
    notes: Sequence[str] = (),
    sources: bool = False,
    sources_by_fits: bool = False,
    start: Start | None = None,
    earlier: Path | None = None,
    keep_work: bool = False,
    device: str = "auto",
    report: Report = print,
) -> ModelCard:
    """Train a classifier, score it by grouped cross-validation, and write a model folder.

    Parameters
    ----------
    folder : Path or sequence of Path
        `folder/<class>/<file>`; see `read_labelled_folders` for groups.
    out : Path
        The model folder to write: weights.safetensors, reference.safetensors, card.json and
        README.md.
    plan : TrainingPlan, optional
    whole_frames : Path, optional
        A folder that holds the same files as whole frames, `<split>/<class>/<file>`; they are
        scored by the same folds. Only the plan's `tiles_each` windows of them are learnt from, all
        at one size: how large a frame is must not give its class away.
    work : Path, optional
        Where unfinished phases are kept until the training is done; `.training/<name of out>` by
        default. What is there of other pictures, labels, groups or plans is never gone on with.
    notes : sequence of str
        Cautions and credits for the card, beside what the counts say.
    sources : bool
        Whether to fine-tune some more networks, without whole sources and on shares of the
        originals, and say in the card what they make of what they never saw.
    sources_by_fits : bool
        Whether each of those is a fit like that of the kept network: a dozen more of them.
    start : Start, optional
        A network to begin with instead of one drawn at random; it also gives the architecture.
    earlier : Path, optional
        The kept work folder of an earlier training of the same pictures: every fold goes on from
        its own network, which never saw what it is asked about.
    keep_work : bool
        Whether the work folder stays, so that a later training can go on from it.
    device : str
        "auto" takes CUDA, else Apple MPS, else the CPU.
    report : callable
        Told about progress, a line at a time.

    Returns
    -------
    ModelCard
        The card that was written.

    Raises
    ------
    UserError
        If the folder holds no two classes, or fewer groups than folds, or the work folder belongs
        to a training that began with other weights.
    """
    folders = [folder] if isinstance(folder, Path) else list(folder)
    _require_name(out.name)
    return train_pictures(
        read_labelled_folders(folders),
        out,
        plan=plan,
        whole_frames=whole_frames,
        work=work,
        notes=notes,
        sources=sources,
        sources_by_fits=sources_by_fits,
        start=start,
        earlier=earlier,
        keep_work=keep_work,
        device=device,
        report=report,
    )


def _require_name(name: str) -> None:
    if not is_word(name):
        raise UserError(
            "The model folder's name becomes the model's: give one of plain letters without “|”, "
            f"at most {LONGEST_WORD} of them."
        )


def train_pictures(
    pictures: Sequence[LabelledPicture],
    out: Path,
    *,
    plan: TrainingPlan | None = None,
    name: str = "",
    whole_frames: Path | None = None,
    work: Path | None = None,
    notes: Sequence[str] = (),
    sources: bool = False,
    sources_by_fits: bool = False,
    start: Start | None = None,
    earlier: Path | None = None,
    keep_work: bool = False,
    device: str = "auto",
    report: Report = print,
    watch: Watch | None = None,
    calibrate: Calibrate | None = None,
) -> ModelCard:
    """Train a classifier of pictures that are read already; see `train`.

    Parameters
    ----------
    name : str
        Of the model; that of its folder when left out.
    watch : Watch, optional
        Counts the work and stops it.
    calibrate : callable, optional
        Returns a card's calibration for what folds said of held-out pictures; by default
        `crossvalidation.calibrate`.
    """
    watch = watch or Watch()
    plan = plan or plan_for(start)
    if start is not None:
        plan = replace(plan, architecture=start.architecture)
        report(f"starts from {start.title} of {start.source}; its head is replaced")
    _require_name(name or out.name)
    classes = tuple(sorted({picture.label for picture in pictures}))
    plan = _fitting(plan, pictures, report)
    work = work or Path(".training") / out.name
    before: dict[str, Any] = {}
    if earlier is not None:
        parts = [name_of(rest) for rest in list_fits(pictures, plan)] if sources_by_fits else []
        before = unfinished.check_earlier(earlier, pictures, classes, plan, start, parts)
    if unfinished.claim(work, pictures, classes, plan, start):
        report(f"begins anew: what lay unfinished in {work} was of other pictures or another plan")
    trainer = Trainer(classes, plan, pick_device(device), work, report, start, watch, earlier)
    report(f"{len(pictures)} pictures, classes {dict(Counter(p.label for p in pictures))}")
    if twins := _say_twins(pictures):
        report(twins)
    with threads_beside(plan.workers):
        trainer.pretrain()
        views = crossvalidation.show(pictures, whole_frames)
        answered = len(list(work.glob("fold*.answers.pt")))
        watch.skip(answered * plan.finetune_samples * PER_LESSON_S)
        if plan.still_blocks:
            wholes = [frame for frame, _ in views.get(crossvalidation.WHOLE, ())]
            prepare(trainer, pictures, wholes)
        held_out = crossvalidation.cross_validate(
            pictures,
            views,
            classes,
            lambda phase, places: trainer.as_classifier(
                trainer.finetune(phase, [pictures[i] for i in places])
            ),
            folds=plan.folds,
            seed=plan.seed,
            foreign_each=plan.foreign_each if trainer.simulated else 0,
            work=work,
            report=lambda line: _note(report, watch, line, len(pictures)),
        )
        weights = trainer.finetune("final", pictures)
        elsewhere = {}
        if sources or sources_by_fits:
            seen = before.get("plan", {}).get("finetune_samples", 0)
            elsewhere = measure(trainer, pictures, views, wholly=sources_by_fits, views_before=seen)
    card = ModelCard(
        name=name or out.name,
        architecture=plan.architecture,
        classes=classes,
        options=trainer.options,
        display_names={name: _in_words(name) for name in classes},
        preparation=plan.preparation.to_dict(),
        calibration=(calibrate or crossvalidation.calibrate)(held_out) | plan.yardstick,
        metrics=crossvalidation.score(held_out, classes, plan.folds)
        | {"worst_pictures": crossvalidation.list_worst(held_out, pictures, classes)}
        | elsewhere,
        training={
            **asdict(plan),
            "torch": torch.__version__,
            **_describe_start(start),
            **({"went_on_from": before} if before else {}),
            DIGESTS: _list_digests(views),
        },
        data=_list_sources(pictures),
        limits=(*_list_limits(pictures), *notes),
        training_range=training_range(pictures, views),
    )
    card = _keep(out, trainer, weights, card, held_out, views[held_out.shown])
    (out / "README.md").write_text(describe(card), encoding="utf-8")
    if not keep_work:
        unfinished.forget(work)
    return card


def _say_twins(pictures: Sequence[LabelledPicture]) -> str:
    """Return which pictures stand in two classes, as a sentence; empty if none does."""
    same: dict[str, list[LabelledPicture]] = {}
    for picture in pictures:
        same.setdefault(short_digest(picture.micrograph), []).append(picture)
    found = [twins for twins in same.values() if len({twin.label for twin in twins}) > 1]
    named = [" and ".join(f"{t.micrograph.name} ({t.label})" for t in twins) for twins in found[:4]]
    if not found:
        return ""
    more = f"; and {len(found) - 4} more" if len(found) > 4 else ""
    return (
        f"the same picture stands in two classes: {'; '.join(named)}{more}. One label of each is "
        "wrong"
    )


def _note(report: Report, watch: Watch, line: str, asked: int) -> None:
    report(line)
    watch.step(asked * PER_FRAME_S)


def _fitting(
    plan: TrainingPlan, pictures: Sequence[LabelledPicture], report: Report
) -> TrainingPlan:
    """Return the plan as it can be for these pictures; the card then says what was done.

    Raises
    ------
    UserError
        If a class comes from one group of originals only: none of it could be held out.
    """
    groups: dict[str, set[str]] = {}
    for picture in pictures:
        groups.setdefault(picture.label, set()).add(picture.group)
    least = min(groups, key=lambda label: len(groups[label]))
    count = len(groups[least])
    if count < 2:
        raise UserError(
            f"“{least}” comes from one group of originals only, so no score can be honest. Add "
            "pictures of another specimen, or use --quick, which then gives no score."
        )
    everything = len(set().union(*groups.values()))
    if count < min(plan.folds, _SPREAD) and plan.folds <= everything:
        report(f"{count} folds instead of {plan.folds}: “{least}” has {count} groups of originals")
        plan = replace(plan, folds=count)
    if not set(groups) <= set(KINDS):  # the simulator knows none of them
        plan = replace(plan, pretrain_samples=0, real_share=1.0)
    return plan


def _in_words(name: str) -> str:
    """Return a class for people: what the simulator's "rods_fibres" joins is "and", else a gap."""
    return name.replace("_", " & " if name in KINDS else " ")


def _list_digests(views: Mapping[str, crossvalidation.Frames]) -> list[str]:
    """Return what tells later that a picture, or its whole frame, was learnt from."""
    ways = [
        views[name] for name in (crossvalidation.SQUARES, crossvalidation.WHOLE) if name in views
    ]
    return sorted({short_digest(frame) for frames in ways for frame, _ in frames})


def _describe_start(start: Start | None) -> dict[str, Any]:
    if start is None:
        return {}
    return {"start": {"source": start.source, "sha256": start.sha256, "notes": list(start.notes)}}


def _keep(
    out: Path,
    trainer: Trainer,
    weights: dict[str, Tensor],
    card: ModelCard,
    held_out: crossvalidation.HeldOut,
    frames: crossvalidation.Frames,
) -> ModelCard:
    """Write the model folder with its reference; return the card as it was written."""
    classifier = trainer.as_classifier(weights, card)
    kept = crossvalidation.make_reference(
        classifier, frames, held_out.truth, held_out.groups, held_out
    )
    if trainer.simulated and trainer.plan.foreign_each:
        novelty = crossvalidation.score_novelty(
            held_out, classifier, kept, frames, card.calibration[THRESHOLD]
        )
        card = replace(card, metrics=card.metrics | {"novelty": novelty})
    return save_model(out, classifier.network, card, kept, half=trainer.plan.half)


def _list_sources(pictures: Sequence[LabelledPicture]) -> tuple[dict[str, Any], ...]:
    counts = Counter((p.source, p.licence, p.label) for p in pictures)
    return tuple(
        {"source": source, "licence": licence, "class": label, "pictures": count}
        for (source, licence, label), count in sorted(counts.items())
    )


def _list_limits(pictures: Sequence[LabelledPicture]) -> tuple[str, ...]:
    """Return what the counts alone say about how far the scores reach."""
    limits = []
    for label in sorted({picture.label for picture in pictures}):
        own = [picture for picture in pictures if picture.label == label]
        groups, sources = len({p.group for p in own}), len({p.source for p in own})
        limits.append(
            f"{label}: {len(own)} pictures from {groups} groups of originals and {sources} "
            f"source{'s' if sources > 1 else ''}; other specimens and instruments may score lower."
        )
    limits.append("Every image gets one of the classes, also one that belongs to none of them.")
    return tuple(limits)

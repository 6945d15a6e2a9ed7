"""The folder of a training that is not done: which training it belongs to, and when it goes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from core import __version__
from core.errors import UserError
from core.learning.training.pictures import LabelledPicture
from core.learning.training.plan import TrainingPlan
from core.learning.training.starting import Start

_START, _KEY, _SPLIT, _PLAN = "start.txt", "training.txt", "pictures.txt", "plan.json"
_OURS = ("*.pt", "*.new", _START, _KEY, _SPLIT, _PLAN)


def claim(
    work: Path,
    pictures: Sequence[LabelledPicture],
    classes: Sequence[str],
    plan: TrainingPlan,
    start: Start | None,
) -> bool:
    """Make a work folder that of this training; return whether phases of another one went.

    Phases are weights, and nothing in them says what they learnt from: the folder notes the
    digests of pictures with their labels and groups, the plan, and the versions.

    Raises
    ------
    UserError
        If the folder holds a training that began with other weights, or cannot be written.
    """
    key = _digest(pictures, classes, plan)
    try:
        work.mkdir(parents=True, exist_ok=True)
        _check_same_start(work, start)
        begun = any(work.glob("*.pt"))
        same = _read(work / _KEY) == key
        if begun and not same:
            _remove(work)
        (work / _START).write_text(start.sha256 if start else "random", encoding="utf-8")
        (work / _KEY).write_text(key, encoding="utf-8")
        (work / _SPLIT).write_text(split_digest(pictures, classes, plan), encoding="utf-8")
        (work / _PLAN).write_text(json.dumps(asdict(plan)), encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"The folder {work} cannot be written ({error.strerror}). Give another one with --work."
        ) from error
    return begun and not same


def forget(work: Path) -> None:
    """Remove what a training that is done kept; the folder, too, when nothing else is in it."""
    _remove(work)
    if not any(work.iterdir()):
        work.rmdir()


def _remove(work: Path) -> None:
    for pattern in _OURS:
        for path in work.glob(pattern):
            path.unlink(missing_ok=True)


def check_earlier(
    earlier: Path,
    pictures: Sequence[LabelledPicture],
    classes: Sequence[str],
    plan: TrainingPlan,
    start: Start | None,
    parts: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the plan of an earlier training and the digests of its phases, for the card.

    `parts` are the phases that it must have besides its folds and its last fit.

    Raises
    ------
    UserError
        If it learnt from other pictures, labels, groups or folds: a network would then go on that
        has seen what it is asked about.
    """
    same_start = _read(earlier / _START) == (start.sha256 if start else "random")
    if not same_start or _read(earlier / _SPLIT) != split_digest(pictures, classes, plan):
        raise UserError(
            f"The folder {earlier} is not that of a training of these pictures, groups and folds "
            "from this start. "
            "Give the folder that an earlier training of them kept (--keep-work)."
        )
    phases = [f"fold{fold}" for fold in range(plan.folds)] + ["final"]
    if missing := [phase for phase in phases if not (earlier / f"{phase}.pt").is_file()]:
        raise UserError(
            f"The training in {earlier} was not finished: {missing[0]} is missing. Run it to its "
            "end with --keep-work first."
        )
    if missing := [part for part in parts if not (earlier / f"{part}.pt").is_file()]:
        raise UserError(
            f"The training in {earlier} kept no fits without whole sources ({missing[0]} is "
            "missing). Run it again with --sources-by-fits --keep-work, or leave that out here."
        )
    kept = {p: (earlier / f"{p}.pt").read_bytes() for p in (*phases, *parts)}
    digests = {p: hashlib.sha256(weights).hexdigest() for p, weights in kept.items()}
    return {"plan": json.loads(_read(earlier / _PLAN) or "{}"), "weights": digests}


def split_digest(
    pictures: Sequence[LabelledPicture], classes: Sequence[str], plan: TrainingPlan
) -> str:
    """Return a digest of what is held out by which fold."""
    shown = [(p.relative, p.label, p.group) for p in pictures]
    parts = [shown, list(classes), plan.folds, plan.seed, plan.architecture, plan.still_blocks]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _digest(pictures: Sequence[LabelledPicture], classes: Sequence[str], plan: TrainingPlan) -> str:
    """Return a digest of everything that the weights of a phase follow from."""
    shown = [(p.micrograph.shape, _pixels(p), p.label, p.group, p.source) for p in pictures]
    parts = [shown, list(classes), asdict(plan), __version__, torch.__version__]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _pixels(picture: LabelledPicture) -> str:
    pixels = picture.micrograph.pixels
    return f"{pixels.dtype.str} {hashlib.sha256(pixels.tobytes()).hexdigest()}"


def _check_same_start(work: Path, start: Start | None) -> None:
    own, begun = start.sha256 if start else "random", any(work.glob("*.pt"))
    before = _read(work / _START) or ("random" if begun else own)
    if before != own and begun:
        raise UserError(
            f"The folder {work} holds an unfinished training that began with other weights. Give "
            "another one with --work, or remove it."
        )


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""

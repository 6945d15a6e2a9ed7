"""How far a training reaches: sources that a network never saw, and fewer originals to learn from.

Both need many fits. Asked for, each is one like that of the network that is kept. Else, where the
start knows natural pictures, a linear head on its features as they are is fitted each time, in
milliseconds, and elsewhere each fit takes a part of the views. Both are simpler than the kept
network: what they say is rather a lower bound.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.learning.classifying import balanced_accuracy, bootstrap_interval, confusion_matrix
from core.learning.training import crossvalidation
from core.learning.training.phases import Trainer
from core.learning.training.pictures import LabelledPicture
from core.learning.training.plan import TrainingPlan
from core.learning.training.quick.head import fit_head

PART = 1 / 3  # of the views of a full fit
SHARES = (0.25, 0.5, 0.75, 1.0)  # of the groups of originals of every class
_TOGETHER = 0.16  # of the pictures: so much may be left out of one fit
_KEPT = 1 / 3  # of every class's pictures, beside sources left out together
_KEPT_SOURCES = 2 / 3  # of every class's sources, or all but one
_ORDER_SEED = 20
Array = NDArray[Any]
Judge = Callable[[Sequence[int], Sequence[int]], Array]  # learnt from, asked -> classes said


def measure(
    trainer: Trainer,
    pictures: Sequence[LabelledPicture],
    views: Mapping[str, crossvalidation.Frames],
    *,
    wholly: bool = False,
    views_before: int = 0,
) -> dict[str, Any]:
    """Return for the card what is known of other sources and of more pictures.

    Parameters
    ----------
    trainer : Trainer
        After its last fit.
    pictures : sequence of LabelledPicture
    views : mapping
        The ways in which they are shown.
    wholly : bool
        Whether each fit is one like that of the kept network, of as many views. One that went on
        from an earlier training goes on from that one's fits on the same pictures.
    views_before : int
        What each of those had seen.
    """
    frames = views.get(crossvalidation.WHOLE, views[crossvalidation.SQUARES])
    plan = trainer.plan
    if wholly:
        judge = judge_by_fits(trainer, plan, pictures, frames)
        seen = plan.finetune_samples + views_before
        return measure_by(judge, pictures, plan, seen, held_out_folds=2)
    if not plan.still_blocks:
        brief = replace(plan, finetune_samples=round(PART * plan.finetune_samples))
        judge = judge_by_fits(trainer, brief, pictures, frames)
        return measure_by(judge, pictures, plan, brief.finetune_samples)
    start = trainer.as_classifier(trainer.new_network().state_dict())
    judge = judge_by_features(crossvalidation.ask(start, frames)[1], pictures)
    return measure_by(judge, pictures, plan, 0)


def measure_by(
    judge: Judge,
    pictures: Sequence[LabelledPicture],
    plan: TrainingPlan,
    views: int,
    *,
    held_out_folds: int = 1,
) -> dict[str, Any]:
    """Return sources left out and learning curve, by one way of fitting and asking.

    Parameters
    ----------
    judge : callable
    pictures : sequence of LabelledPicture
    plan : TrainingPlan
        Its folds and seed are those of the cross-validation.
    views : int
        Of a fit; 0 where only a head is fitted, which is quick: every fold and each source alone.
    held_out_folds : int
        How many folds the learning curve asks about where it is not quick.
    """
    pools = list_spare_sources(pictures) if views == 0 else pool_sources(pictures)
    count = plan.folds if views == 0 else held_out_folds
    return {
        "held_out_sources": hold_out_sources(judge, pictures, pools),
        "held_out_sources_views": views,
        "learning_curve": learning_curve(judge, pictures, plan, views, count),
    }


def list_fits(pictures: Sequence[LabelledPicture], plan: TrainingPlan) -> list[list[int]]:
    """Return the places of the pictures that each fit of `measure(wholly=True)` learns from."""
    truth, groups = _truth(pictures)
    pools = [leave_out(pictures, pool)[0] for pool in pool_sources(pictures)]
    parts = [
        take_share(truth, groups, rest, share)
        for rest, _ in fullest_folds(truth, groups, plan, 2)
        for share in SHARES[:-1]  # the network of a fold is that of all its groups
    ]
    return pools + parts


def judge_by_features(features: Array, pictures: Sequence[LabelledPicture]) -> Judge:
    """Return what fits a linear head on features (N, C) of the pictures."""
    truth, groups = _truth(pictures)

    def judge(rest: Sequence[int], asked: Sequence[int]) -> Array:
        rest, asked = list(rest), list(asked)
        head = fit_head(features[rest], truth[rest], groups[rest])
        return np.asarray(head(features[asked]).argmax(axis=1))

    return judge


def judge_by_fits(
    trainer: Trainer,
    plan: TrainingPlan,
    pictures: Sequence[LabelledPicture],
    frames: crossvalidation.Frames,
) -> Judge:
    """Return what fine-tunes a network each time, by another plan than the trainer's.

    Each fit is kept in the work folder under a name that follows from what it learnt, so that a
    stopped training goes on, and a later one finds it.
    """
    brief = copy(trainer)
    brief.plan = plan
    names = _fold_names(pictures, plan) if plan == trainer.plan else {}

    def judge(rest: Sequence[int], asked: Sequence[int]) -> Array:
        name = names.get(name_of(rest), name_of(rest))
        weights = brief.finetune(name, [pictures[i] for i in rest])
        logits, _ = crossvalidation.ask(brief.as_classifier(weights), [frames[i] for i in asked])
        return np.asarray(logits.argmax(axis=1))

    return judge


def name_of(rest: Sequence[int]) -> str:
    """Return the phase of a fit on the pictures at these places."""
    places = ",".join(str(place) for place in sorted(int(place) for place in rest))
    return f"part-{hashlib.sha256(places.encode()).hexdigest()[:12]}"


def _fold_names(pictures: Sequence[LabelledPicture], plan: TrainingPlan) -> dict[str, str]:
    """Return which fits the cross-validation has made already."""
    folds = crossvalidation.split(*_truth(pictures), plan.folds, plan.seed)
    return {name_of(rest.tolist()): f"fold{fold}" for fold, (rest, _) in enumerate(folds)}


def _truth(pictures: Sequence[LabelledPicture]) -> tuple[Array, Array]:
    """Return class and group of every picture as numbers."""
    classes = np.unique([picture.label for picture in pictures], return_inverse=True)[1]
    return classes, np.unique([picture.group for picture in pictures], return_inverse=True)[1]


def hold_out_sources(
    judge: Judge, pictures: Sequence[LabelledPicture], pools: Sequence[Sequence[str]]
) -> list[dict[str, Any]]:
    """Return what networks say of whole sources that they never saw, for the card.

    Pictures of the same originals from elsewhere are not learnt from, either.
    """
    classes = sorted({picture.label for picture in pictures})
    rows: list[dict[str, Any]] = []
    for pool in pools:
        rest, out = leave_out(pictures, pool)
        if {pictures[i].label for i in rest} == set(classes):
            said = [classes[k] for k in judge(rest, out)]
            rows.extend(list_answers(pictures, dict(zip(out, said, strict=True))))
    return sorted(rows, key=lambda row: (row["source"], row["class"]))


def leave_out(
    pictures: Sequence[LabelledPicture], pool: Sequence[str]
) -> tuple[list[int], list[int]]:
    """Return the places learnt from and those of these sources; no original is in both."""
    out = [place for place, picture in enumerate(pictures) if picture.source in pool]
    groups = {pictures[place].group for place in out}
    rest = [i for i, p in enumerate(pictures) if p.source not in pool and p.group not in groups]
    return rest, out


def list_spare_sources(pictures: Sequence[LabelledPicture]) -> list[tuple[str, ...]]:
    """Return the sources that can be left out, each alone: every class has pictures elsewhere."""
    labels = Counter(picture.label for picture in pictures)
    sources = sorted({picture.source for picture in pictures})
    return [(name,) for name in sources if _least_kept([name], pictures, labels) > 0]


def list_answers(
    pictures: Sequence[LabelledPicture], said: Mapping[int, str]
) -> Iterator[dict[str, Any]]:
    """Yield a row of the card per source and class.

    Parameters
    ----------
    pictures : sequence of LabelledPicture
    said : mapping
        Number of a picture that was left out -> the class that the network named.
    """
    answers: dict[tuple[str, str], list[str]] = {}
    for place, label in said.items():
        answers.setdefault((pictures[place].source, pictures[place].label), []).append(label)
    for (source, label), own in answers.items():
        yield {
            "source": source,
            "class": label,
            "pictures": len(own),
            "right": own.count(label),
            "said": dict(Counter(own).most_common()),
            "left_out": len(said),
        }


def pool_sources(pictures: Sequence[LabelledPicture]) -> list[tuple[str, ...]]:
    """Return which sources are left out of one fit: large ones alone, small ones together.

    Largest first, each goes where at most 16 % of the pictures are then left out, and every class
    keeps a third of its own and two thirds of its sources: else a class would be learnt from one
    or two. One that alone takes more is left out alone, unless a class would be without pictures.
    """
    sizes = Counter(picture.source for picture in pictures)
    labels = Counter(picture.label for picture in pictures)
    pools: list[list[str]] = []
    for source in sorted(sizes, key=lambda name: (-sizes[name], name)):
        if _least_kept([source], pictures, labels) == 0:
            continue
        for pool in pools:
            joined = [*pool, source]
            few = sum(sizes[name] for name in joined) <= _TOGETHER * len(pictures)
            kept = _least_kept(joined, pictures, labels) >= _KEPT
            if few and kept and _is_spread(joined, pictures):
                pool.append(source)
                break
        else:
            pools.append([source])
    return [tuple(pool) for pool in pools]


def _least_kept(
    pool: Sequence[str], pictures: Sequence[LabelledPicture], labels: Mapping[str, int]
) -> float:
    """Return the smallest share of a class's pictures that stays without these sources."""
    out = Counter(picture.label for picture in pictures if picture.source in pool)
    return min(1 - out[label] / count for label, count in labels.items())


def _is_spread(pool: Sequence[str], pictures: Sequence[LabelledPicture]) -> bool:
    """Tell whether no class loses more than a third of its sources, except for a single one."""
    pairs = {(picture.label, picture.source) for picture in pictures}
    sources = Counter(label for label, _ in pairs)
    out = Counter(label for label, source in pairs if source in pool)
    return all(n < 2 or n <= (1 - _KEPT_SOURCES) * sources[label] for label, n in out.items())


def learning_curve(
    judge: Judge,
    pictures: Sequence[LabelledPicture],
    plan: TrainingPlan,
    views: int,
    folds: int,
) -> list[dict[str, Any]]:
    """Return the held-out scores of fits on shares of the groups of originals, for the card."""
    truth, groups = _truth(pictures)
    parts = fullest_folds(truth, groups, plan, folds)
    answers = []
    for share in SHARES:
        for rest, held in parts:
            part = take_share(truth, groups, rest, share)
            answers.append((share, part, held, judge(part, held.tolist())))
    return curve_rows(truth, groups, answers, views, int(truth.max() + 1))


def fullest_folds(
    truth: Array, groups: Array, plan: TrainingPlan, count: int
) -> list[tuple[Array, Array]]:
    """Return those folds of the cross-validation whose rarest class has most pictures."""
    parts = crossvalidation.split(truth, groups, plan.folds, plan.seed)
    rarest = [np.bincount(truth[held], minlength=truth.max() + 1).min() for _, held in parts]
    order = np.argsort(-np.array(rarest), kind="stable")[:count]
    return [parts[place] for place in order]


def take_share(truth: Array, groups: Array, rest: Sequence[int] | Array, share: float) -> list[int]:
    """Return the places of this share of every class's groups; a larger share holds a smaller."""
    rest = np.asarray(rest)
    order = np.random.default_rng(_ORDER_SEED).permutation(groups.max() + 1)
    kept: set[int] = set()
    for label in np.unique(truth[rest]):
        present = set(groups[rest][truth[rest] == label].tolist())
        own = [group for group in order.tolist() if group in present]
        kept |= set(own[: int(np.ceil(share * len(own)))])
    return [int(place) for place in rest if groups[place] in kept]


def curve_rows(
    truth: Array,
    groups: Array,
    answers: Sequence[tuple[float, Sequence[int], Array, Array]],
    views: int,
    classes: int,
) -> list[dict[str, Any]]:
    """Return a row of the card per share; the interval is over resampled groups held out.

    Parameters
    ----------
    truth, groups : ndarray of shape (N,)
    answers : sequence of tuple
        A fit each: share, places learnt from, places held out, classes (indices) said of them.
    views : int
        Of a fit.
    classes : int
    """
    rows = []
    for share in sorted({answer[0] for answer in answers}):
        fits = [answer for answer in answers if answer[0] == share]
        held = np.concatenate([fit[2] for fit in fits])
        said = np.concatenate([fit[3] for fit in fits])
        matrix = confusion_matrix(said, truth[held], classes)
        rows.append(
            {
                "share": share,
                "groups": round(float(np.mean([len(set(groups[fit[1]])) for fit in fits])), 1),
                "pictures": round(float(np.mean([len(fit[1]) for fit in fits])), 1),
                "balanced_accuracy": round(balanced_accuracy(matrix), 4),
                "balanced_accuracy_interval_95": [
                    round(end, 4)
                    for end in bootstrap_interval(said, truth[held], groups[held], classes)
                ],
                "accuracy": round(float((truth[held] == said).mean()), 4),
                "held_out": len(held),
                "folds": len(fits),
                "views": views,
            }
        )
    return rows

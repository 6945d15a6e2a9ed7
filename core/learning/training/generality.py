"""How far a training reaches: sources that a network never saw, and fewer originals to learn from.

Both need many fits, so each takes a part of the views of the fit that is kept: what they say is a
lower bound of what the kept network would do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.learning.classifying import balanced_accuracy, bootstrap_interval, confusion_matrix
from core.learning.training import crossvalidation
from core.learning.training.phases import Trainer
from core.learning.training.pictures import LabelledPicture

PART = 1 / 3  # of the views of a full fit
SHARES = (0.25, 0.5, 0.75, 1.0)  # of the groups of originals of every class
_TOGETHER = 0.16  # of the pictures: so much may be left out of one fit
_KEPT = 1 / 3  # of every class's pictures, beside sources left out together
_ORDER_SEED = 20
Array = NDArray[Any]


def briefly(trainer: Trainer) -> Trainer:
    """Return the same trainer with `PART` of the views a fit."""
    brief = copy(trainer)
    brief.plan = replace(trainer.plan, finetune_samples=round(PART * trainer.plan.finetune_samples))
    return brief


def measure(
    trainer: Trainer,
    pictures: Sequence[LabelledPicture],
    views: Mapping[str, crossvalidation.Frames],
) -> dict[str, Any]:
    """Return for the card what is known of other sources and of more pictures."""
    found = learning_curve(trainer, pictures, views)
    return hold_out_sources(trainer, pictures, views) | found


def hold_out_sources(
    trainer: Trainer,
    pictures: Sequence[LabelledPicture],
    views: Mapping[str, crossvalidation.Frames],
) -> dict[str, Any]:
    """Return what networks say of whole sources that they never saw, for the card.

    Small sources are left out together, which is harder than one at a time; so are pictures of
    the same originals from elsewhere. A source is asked about when each of its classes has
    pictures elsewhere.
    """
    frames = views.get(crossvalidation.WHOLE, views[crossvalidation.SQUARES])
    brief = briefly(trainer)
    rows: list[dict[str, Any]] = []
    for number, pool in enumerate(pool_sources(pictures)):
        out = {place for place, picture in enumerate(pictures) if picture.source in pool}
        groups = {pictures[place].group for place in out}
        rest = [p for i, p in enumerate(pictures) if i not in out and p.group not in groups]
        classifier = brief.as_classifier(brief.finetune(f"without_sources{number}", rest))
        places = sorted(out)
        logits, _ = crossvalidation.ask(classifier, [frames[i] for i in places])
        said = {i: brief.classes[k] for i, k in zip(places, logits.argmax(axis=1), strict=True)}
        rows.extend(list_answers(pictures, said))
    rows.sort(key=lambda row: (row["source"], row["class"]))
    return {"held_out_sources": rows, "held_out_sources_views": brief.plan.finetune_samples}


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

    Largest first, each goes where at most 16 % of the pictures are then left out and every class
    keeps a third of its own; one that alone takes more is left out alone, unless a class would
    be without pictures.
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
            if few and _least_kept(joined, pictures, labels) >= _KEPT:
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


def learning_curve(
    trainer: Trainer,
    pictures: Sequence[LabelledPicture],
    views: Mapping[str, crossvalidation.Frames],
) -> dict[str, Any]:
    """Return the held-out scores of fits on shares of the groups of originals, for the card.

    One fold is held out, the one that has most of its rarest class: four fits are enough to wait.
    """
    frames = views.get(crossvalidation.WHOLE, views[crossvalidation.SQUARES])
    brief = briefly(trainer)
    truth = np.array([brief.classes.index(picture.label) for picture in pictures])
    groups = np.unique([picture.group for picture in pictures], return_inverse=True)[1]
    count = len(brief.classes)
    folds = crossvalidation.split(truth, groups, brief.plan.folds, brief.plan.seed)
    rest, held = max(folds, key=lambda fold: np.bincount(truth[fold[1]], minlength=count).min())
    answers = []
    for share in SHARES:
        part = take_share(truth, groups, rest, share)
        weights = brief.finetune(f"share{round(100 * share)}", [pictures[i] for i in part])
        logits, _ = crossvalidation.ask(brief.as_classifier(weights), [frames[i] for i in held])
        answers.append((share, part, held, logits.argmax(axis=1)))
    seen = brief.plan.finetune_samples
    return {"learning_curve": curve_rows(truth, groups, answers, seen, count)}


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
        rows.append(
            {
                "share": share,
                "groups": round(float(np.mean([len(set(groups[fit[1]])) for fit in fits])), 1),
                "pictures": round(float(np.mean([len(fit[1]) for fit in fits])), 1),
                "balanced_accuracy": round(
                    balanced_accuracy(confusion_matrix(said, truth[held], classes)), 4
                ),
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

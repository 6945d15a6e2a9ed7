"""Micrographs by class -> a classifier with a card, in seconds: a linear head on frozen features.

Everything that a card claims is measured on groups of originals held out; pictures of one field
are always one group.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import safetensors.torch
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from core.errors import UserError
from core.learning.models import (
    Classifier,
    ModelCard,
    Reference,
    build_network,
    head_name,
    list_models,
    load_model,
    save_model,
)
from core.learning.training.pictures import LabelledPicture
from core.learning.training.quick import scoring
from core.learning.training.quick.features import Look, Progress, look, stack
from core.learning.training.quick.folds import count_groups
from core.learning.training.quick.head import Head, fit_head
from core.learning.training.quick.likeness import join_groups, same_field
from core.learning.training.quick.readme import describe
from core.learning.training.quick.seen import DIGESTS, seen_before, short_digest
from core.learning.training.scales import training_range
from core.micrograph import Micrograph

WAY = "a linear head on frozen features"
MOST_PICTURES = 2000
_LONGEST_NAME = 120
_SHIPPED = "em-morph5"
Array = NDArray[Any]
Groups = Mapping[str, Any] | Sequence[str] | None


def train_quickly(
    classes: Mapping[str, Sequence[Micrograph]],
    *,
    groups: Groups = None,
    start: Classifier | None = None,
    name: str = "own-classes",
    on_progress: Progress | None = None,
) -> Classifier:
    """Return a classifier of one's own classes, with a card that says how good it is.

    Parameters
    ----------
    classes : mapping of str to sequence of Micrograph
        Two classes or more, each with at least one picture.
    groups : optional
        Which original (specimen, session, article) each picture comes from: names by class as the
        pictures are, or a flat sequence of them in the order of the classes, or a mapping from a
        picture's name or sha256 to its group. Left out, each picture is its own; pictures that
        show the same field are one group in any case.
    start : Classifier, optional
        Whose features are used; the shipped model when left out. Its head must be linear.
    name : str
        Of the new model.
    on_progress : callable, optional
        Called as on_progress(done, total) while pictures are looked at.

    Returns
    -------
    Classifier
        With card and reference; `save_quick` writes it as a model folder. Its reference keeps the
        pictures in the order of the sorted classes.

    Raises
    ------
    UserError
        If there are fewer than two classes with pictures, more than 2,000 pictures, a class name
        that is no plain text, or a start whose head is more than one linear layer.
    """
    pictures = as_pictures(classes, groups)
    return learn(pictures, start=start, name=name, on_progress=on_progress)


def as_pictures(
    classes: Mapping[str, Sequence[Micrograph]], groups: Groups = None
) -> list[LabelledPicture]:
    """Return labelled pictures, sorted by class, each with the group that it is said to be of."""
    flat: list[LabelledPicture] = []
    place = 0
    for label, micrographs in classes.items():
        for number, micrograph in enumerate(micrographs):
            group = _group_of(groups, label, number, place, micrograph)
            flat.append(
                LabelledPicture(micrograph, str(label).strip(), group, "own pictures", "", "")
            )
            place += 1
    return sorted(flat, key=lambda picture: picture.label)


def _group_of(groups: Groups, label: str, number: int, place: int, picture: Micrograph) -> str:
    own = f"picture {place}"
    if groups is None:
        return own
    if not isinstance(groups, Mapping):
        return str(groups[place])
    listed = groups.get(label)
    if listed is not None and not isinstance(listed, str):
        return str(listed[number])
    return str(groups.get(picture.sha256) or groups.get(picture.name) or own)


def learn(
    pictures: Sequence[LabelledPicture],
    *,
    start: Classifier | None = None,
    name: str = "own-classes",
    notes: Sequence[str] = (),
    on_progress: Progress | None = None,
) -> Classifier:
    """Return a classifier of labelled pictures; see `train_quickly`. Notes are for the card.

    Raises
    ------
    UserError
        If there are fewer than two classes, or the start has no linear head to replace.
    """
    names = _require_classes(pictures)
    start = start or load_model(default_start())
    if not start.has_linear_head:
        raise UserError(
            f"The head of {start.name} is more than one linear layer, so no other can take its "
            "place. Start from the shipped model."
        )
    looks = look(start, [picture.micrograph for picture in pictures], on_progress)
    features = stack(looks)
    truth = np.array([names.index(picture.label) for picture in pictures], np.int64)
    pairs = same_field(np.stack([each.print for each in looks]))
    groups = join_groups([picture.group for picture in pictures], pairs)
    with threadpool_limits(1, "blas"):  # threads that wait for each other took ten times as long
        head = fit_head(features, truth, groups)
        held_out = scoring.hold_out(features, truth, groups)
        card = _card(start, pictures, names, name, head, held_out, truth, groups, looks)
    reference = _reference(features, truth, groups, held_out, len(names))
    card = replace(card, limits=(*card.limits, *notes))
    return put_on(start, head, card, reference)


def _require_classes(pictures: Sequence[LabelledPicture]) -> tuple[str, ...]:
    names = tuple(sorted({picture.label for picture in pictures}))
    if len(names) < 2:
        raise UserError(
            "There are pictures of fewer than two classes. Give pictures of at least two, each "
            "under its own name."
        )
    if len(pictures) > MOST_PICTURES:
        raise UserError(
            f"{len(pictures):,} pictures are more than the {MOST_PICTURES:,} of a quick training. "
            "Give fewer, or train thoroughly with python -m core train."
        )
    for label in names:
        if not label or "|" in label or not label.isprintable() or len(label) > _LONGEST_NAME:
            raise UserError(
                f"“{label[:40]}” cannot be the name of a class. Use plain text of up to "
                f"{_LONGEST_NAME} letters, without “|”."
            )
    return names


def default_start() -> str:
    """Return the name of the shipped model, the newest one; the first installed one without it.

    Raises
    ------
    UserError
        If none is installed.
    """
    names = list_models()
    if not names:
        raise UserError("No model is installed to start from. Copy a model folder into models/.")
    shipped = [name for name in names if name.startswith(_SHIPPED)]
    return max(shipped, default=names[0])


def put_on(start: Classifier, head: Head, card: ModelCard, reference: Reference) -> Classifier:
    """Return the network of a start with another head; both networks share nothing that changes.

    Raises
    ------
    UserError
        If the start computes something else than this layer of its pooled activation.
    """
    own = head_name(card.architecture)
    weights = dict(start.network.state_dict())
    shape = (len(card.classes), *weights[f"{own}.weight"].shape[1:])
    weights[f"{own}.weight"] = torch.from_numpy(head.weight.astype(np.float32)).reshape(shape)
    weights[f"{own}.bias"] = torch.from_numpy(head.bias.astype(np.float32))
    weights = {key: value.detach().cpu().contiguous().clone() for key, value in weights.items()}
    with torch.device("meta"):  # no time for weights that are not kept
        network = build_network(card.architecture, len(card.classes), card.options)
    network.load_state_dict(weights, assign=True)
    card = replace(card, sha256=_digest(safetensors.torch.save(weights)))
    made = Classifier(network, replace(card, reference=_digest_reference(reference)), start.device)
    made.reference = reference
    _require_same(made, head)
    return made


def _require_same(classifier: Classifier, head: Head) -> None:
    draw = torch.Generator().manual_seed(0)
    activation = torch.rand((1, head.weight.shape[1], 4, 4), generator=draw)
    with torch.inference_mode():
        found = classifier.head(activation.to(classifier.device)).cpu().numpy()
    wanted = head(activation.mean(dim=(2, 3)).numpy())
    if not np.allclose(found, wanted, rtol=1e-3, atol=1e-3):
        raise UserError(
            f"The network of {classifier.card.training['start']['source']} does more with its "
            "features than one linear layer. Start from the shipped model."
        )


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _digest_reference(reference: Reference) -> str:
    arrays = {
        name: np.ascontiguousarray(getattr(reference, name))
        for name in type(reference).__dataclass_fields__
    }
    return _digest(safetensors.numpy.save(arrays))


def _reference(
    features: Array, truth: Array, groups: Array, held_out: scoring.HeldOut | None, classes: int
) -> Reference:
    places = np.zeros(0, np.int64) if held_out is None else held_out.places
    logits = np.zeros((0, classes)) if held_out is None else held_out.logits
    return Reference(
        features, truth, logits.astype(np.float32), truth[places], groups, groups[places]
    )


def _card(
    start: Classifier,
    pictures: Sequence[LabelledPicture],
    names: tuple[str, ...],
    name: str,
    head: Head,
    held_out: scoring.HeldOut | None,
    truth: Array,
    groups: Array,
    looks: Sequence[Look],
) -> ModelCard:
    micrographs = [picture.micrograph for picture in pictures]
    seen = int(seen_before(start, micrographs, stack(looks)).sum())
    began = {"source": start.name, "sha256": start.card.sha256, "notes": []}
    return ModelCard(
        name=name,
        architecture=start.card.architecture,
        classes=names,
        options=dict(start.card.options),
        display_names={label: label for label in names},
        preparation=start.preparation.to_dict(),
        calibration=scoring.calibrate(held_out, truth, groups) if held_out else {},
        metrics=_metrics(held_out, names, head, truth, groups, looks),
        training={
            "way": WAY,
            "start": began,
            "strength": head.strength,
            "seen_by_start": seen,
            DIGESTS: sorted({short_digest(micrograph) for micrograph in micrographs}),
        },
        data=_list_data(pictures),
        limits=_list_limits(names, truth, groups, seen, start.name),
        training_range=training_range(pictures, {"pictures": [(m, None) for m in micrographs]}),
    )


def _metrics(
    held_out: scoring.HeldOut | None,
    names: Sequence[str],
    head: Head,
    truth: Array,
    groups: Array,
    looks: Sequence[Look],
) -> dict[str, Any]:
    if held_out is None:
        alone = [
            label for label, n in zip(names, count_groups(truth, groups), strict=True) if n < 2
        ]
        return {
            "protocol": f"No score: {', '.join(alone)[:200]} comes from one original only, so "
            "none of it can be held out"
        }
    histograms = np.stack([each.histogram for each in looks])
    return {
        "protocol": f"{held_out.folds}-fold cross-validation of the linear head, split by group of "
        "originals",
        "pictures": scoring.score(held_out, truth, groups, names),
        "chance": round(1 / len(names), 4),
        "grey_histogram": round(
            scoring.score_histograms(histograms, truth, groups, held_out.places), 4
        ),
        "learning_curve": scoring.learning_curve(stack(looks), truth, groups, head.strength),
    }


def _list_data(pictures: Sequence[LabelledPicture]) -> tuple[dict[str, Any], ...]:
    counts = Counter((p.source, p.licence, p.label) for p in pictures)
    return tuple(
        {"source": source, "licence": licence, "class": label, "pictures": count}
        for (source, licence, label), count in sorted(counts.items())
    )


def _list_limits(
    names: Sequence[str], truth: Array, groups: Array, seen: int, start: str
) -> tuple[str, ...]:
    counts = zip(
        names, np.bincount(truth).tolist(), count_groups(truth, groups).tolist(), strict=True
    )
    limits = [
        f"{label}: {pictures} picture{'s' * (pictures > 1)} from {originals} original"
        f"{'s' * (originals > 1)}; other specimens and instruments may score lower."
        for label, pictures, originals in counts
    ]
    if seen:
        limits.append(
            f"{seen} of {len(truth)} pictures, or close copies, are ones that {start} has learnt "
            "from: its features know them, so the score is too good."
        )
    limits.append("Every image gets one of the classes, also one that belongs to none of them.")
    return tuple(limits)


def save_quick(classifier: Classifier, folder: Path) -> ModelCard:
    """Write a model folder: weights, card, reference and README; return the card as written."""
    card = save_model(folder, classifier.network, classifier.card, classifier.reference)
    (folder / "README.md").write_text(describe(card), encoding="utf-8")
    return card

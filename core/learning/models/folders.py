"""Model folders and weight files on disk <-> a classifier in memory.

A model is a folder with `weights.safetensors`, `card.json` and a README. The card says how the
network is built, what it was trained on and how well it did; its SHA-256 of the weights is
checked at every load. Weight files of others are opened by `foreign`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from core.errors import UnusableModel, UserError
from core.learning.models.card import ModelCard
from core.learning.models.classifier import Classifier, pick_device
from core.learning.models.foreign.files import read_safetensors
from core.learning.models.foreign.opening import open_weights, require_classes, with_labels
from core.learning.models.installed import (
    CARD,
    CHOSEN,
    PREPARED_BY,
    file_digest,
    find_model,
    list_models,
)
from core.learning.models.networks import NETWORKS, build_network, is_known
from core.learning.models.preparing.choice import read_preparation, with_preparation
from core.learning.models.preparing.stated import Stated
from core.learning.models.reference import REFERENCE, Reference

WEIGHTS = "weights.safetensors"


def load_model(
    name_or_path: str | Path,
    device: str = "auto",
    *,
    prepare: str = "",
    several: bool | None = None,
) -> Classifier:
    """Return a classifier from a model folder or a weight file.

    Parameters
    ----------
    name_or_path : str or Path
        The name of an installed model, or a path to a model folder or to a weight file, whose
        architecture is told from its names and shapes (`foreign.opening`).
    device : str
        "auto" takes CUDA, else Apple MPS, else the CPU.
    prepare : str
        How frames are prepared for a network from elsewhere, as `read_preparation` takes it;
        empty for what its file or its card says.
    several : bool or None
        Whether several classes may be true of one frame, one sigmoid each, for a network from
        elsewhere; None for what its file or its card says.

    Returns
    -------
    Classifier
        In eval mode, its parameters without gradient: one object serves all threads.

    Raises
    ------
    UserError
        If `prepare` is no such text, or the model is one that was trained here, or has one output.
    UnusableModel
        If there is no such model, its weights are damaged, they disagree with the card, or a
        weight file is an encoder without classes of micrographs.
    """
    folder = _locate(name_or_path)
    if not (folder / CARD).is_file():
        return _load_foreign(folder, device, prepare, several)
    card = state_card(ModelCard.from_json(_read_text(folder / CARD)), prepare, several)
    if not is_known(card.architecture):
        raise UnusableModel(
            f"The model {card.name} uses the architecture {card.architecture!r}, which this "
            f"Micrographia does not know. Known are: {', '.join(NETWORKS)}."
        )
    weights = _read_weights(folder / WEIGHTS, card)
    reference = _read_reference(folder, card)
    try:
        network = _fill_network(card, weights)
        return Classifier(network, card, pick_device(device), reference)
    except (ArithmeticError, RuntimeError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UnusableModel(
            f"The weights of {card.name} do not fit its card ({reason[:200]}). "
            "Copy the model folder again."
        ) from error


def _fill_network(card: ModelCard, weights: Mapping[str, Tensor]) -> nn.Module:
    """Return the network that a card describes with these weights in it.

    Raises
    ------
    ValueError
        If names or shapes differ; the message names the first.
    """
    with torch.device("meta"):  # no memory for what the card only claims
        network = build_network(card.architecture, card.outputs, card.options)
    wanted = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    given = {name: tuple(value.shape) for name, value in weights.items()}
    for name in (*wanted, *given):
        if wanted.get(name) != given.get(name):
            raise ValueError(
                f"{name[:80]} has the shape {given.get(name, 'none')}, the card's architecture and "
                f"{len(card.classes)} classes need {wanted.get(name, 'none')}"
            )
    network.load_state_dict(weights, assign=True)
    return network


def _load_foreign(path: Path, device: str, prepare: str, several: bool | None) -> Classifier:
    opened = open_weights(path)
    card = state_card(require_classes(opened), prepare, several)
    return Classifier(opened.network, card, pick_device(device))


def state_card(card: ModelCard, prepare: str, several: bool | None) -> ModelCard:
    """Return a card with what a person says of a network from elsewhere.

    Raises
    ------
    UserError
        If it is one that was trained here, or has one output.
    """
    card = prepare_card(card, prepare)
    if several is None or several == card.multi_label:
        return card
    if PREPARED_BY not in card.training:
        raise UserError(
            f"{card.name} was trained with one class a frame; leave --classes out. It is for "
            "networks from elsewhere."
        )
    if card.outputs == 1:
        raise UserError(
            f"{card.name} has one output, which says how probable its second class is: one class a "
            "frame. Leave --classes out."
        )
    return with_labels(card, several=several)


def prepare_card(card: ModelCard, prepare: str) -> ModelCard:
    """Return a card with the preparation that a person chose; the same card for an empty text.

    Raises
    ------
    UserError
        If the text is none, or the model was trained here and is right as it is.
    """
    if not prepare:
        return card
    if PREPARED_BY not in card.training:
        raise UserError(
            f"{card.name} was trained with the preparation that its card states; leave --prepare "
            "out. It is for networks from elsewhere."
        )
    chosen = read_preparation(prepare, input_side(card))
    facts = {**card.training, PREPARED_BY: CHOSEN, "preparation": prepare}
    limits = with_preparation(card.limits, chosen, CHOSEN)
    return replace(card, preparation=chosen.to_dict(), training=facts, limits=limits)


def as_prepared(card: ModelCard, size_hw: tuple[int, int]) -> ModelCard:
    """Return a card for pictures that are prepared already, 8 bits and of the network's size."""
    mean, std = card.preparation.get("mean", [0.0]), card.preparation.get("std", [1.0])
    same = Stated(*size_hw, 0, mean=tuple(mean), std=tuple(std))
    return replace(card, preparation=same.to_dict())


def input_side(card: ModelCard) -> int:
    """Return the side in px that a network was made for, or that its card states; else 224."""
    known = card.options.get("image") or card.preparation.get("height_px")
    return int(known) if known else 224


def save_model(
    folder: Path,
    network: nn.Module,
    card: ModelCard,
    reference: Reference | None = None,
    *,
    half: bool = False,
) -> ModelCard:
    """Write weights, card and reference into a folder; return the card with their SHA-256.

    With `half` the weights are kept as 16-bit floats, half the size.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = {
        name: value.detach().to("cpu", copy=True).contiguous()
        for name, value in network.state_dict().items()
    }
    if half:
        weights = {n: v.half() if v.is_floating_point() else v for n, v in weights.items()}
    save_file(weights, folder / WEIGHTS)
    values = {f.name: getattr(card, f.name) for f in fields(card)}
    (folder / REFERENCE).unlink(missing_ok=True)
    kept = reference.save(folder / REFERENCE) if reference is not None else ""
    card = ModelCard(**{**values, "sha256": file_digest(folder / WEIGHTS), "reference": kept})
    (folder / CARD).write_text(card.to_json(), encoding="utf-8")
    return card


def _locate(name_or_path: str | Path) -> Path:
    place = find_model(name_or_path)
    if place is None:
        names = ", ".join(list_models()) or "none"
        raise UnusableModel(
            f"There is no model {str(name_or_path)[:200]!r}. Installed models: {names}."
        )
    return place


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableModel(f"{path.name} cannot be read. Copy the model folder again.") from error


def _read_weights(path: Path, card: ModelCard) -> Mapping[str, Tensor]:
    try:
        if file_digest(path) != card.sha256:
            raise UnusableModel(
                f"The weights of {card.name} are not the ones its card was written for (their "
                "SHA-256 differs). Copy the model folder again."
            )
        weights = {
            name: value.float() if value.is_floating_point() else value
            for name, value in read_safetensors(path).items()
        }
    except OSError as error:
        raise UnusableModel(
            f"The weights of {card.name} cannot be read. Copy the model folder again."
        ) from error
    if any(not torch.isfinite(value).all() for value in weights.values()):
        raise UnusableModel(f"The weights of {card.name} hold NaN or infinity; train it again.")
    return weights


def _read_reference(folder: Path, card: ModelCard) -> Reference | None:
    if not card.reference:
        return None
    reference = Reference.load(folder / REFERENCE, card.reference)
    if reference.classes != len(card.classes):
        raise UnusableModel(
            f"{REFERENCE} of {card.name} is about {reference.classes} classes, its card names "
            f"{len(card.classes)}. Copy the model folder again."
        )
    return reference

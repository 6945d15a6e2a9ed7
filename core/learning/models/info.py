"""What was understood of a model folder or a weight file, as plain values and as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import nn

from core.errors import UserError
from core.learning.models.card import ModelCard
from core.learning.models.folders import load_model, state_card
from core.learning.models.foreign.opening import open_weights
from core.learning.models.installed import CARD, find_model, say_what_is_missing
from core.learning.models.networks import title
from core.learning.models.preparing.choice import describe_preparation, make_preparation


def understand_model(name: Path, prepare: str = "", several: bool | None = None) -> dict[str, Any]:
    """Return what is known of a model, as plain values.

    Parameters
    ----------
    name : Path
        A weight file, a model folder, or the name of an installed model.
    prepare : str
        How frames are to be prepared, as `read_preparation` takes it; empty for what the file says.
    several : bool or None
        Whether several classes may be true of one frame, as `load_model` takes it.

    Returns
    -------
    dict
        file, model, architecture, classes (words, none for an encoder), classes_per_frame ("one" or
        "several"; empty for an encoder), parameters (number),
        preparation (in words), notes (what was inferred), missing (what it cannot tell),
        limits, sha256 and decision_threshold; or file and error.
    """
    place = find_model(name) or name
    try:
        is_folder = (place / CARD).is_file()
        facts = (_of_folder if is_folder else _of_file)(place, prepare, several)
    except UserError as error:
        return {"file": str(name), "error": str(error)}
    return {"file": str(name), **facts}


def _of_folder(folder: Path, prepare: str, several: bool | None) -> dict[str, Any]:
    classifier = load_model(folder, device="cpu", prepare=prepare, several=several)
    card = classifier.card
    return _facts(card.name, card.architecture, classifier.network, (), card, "")


def _of_file(path: Path, prepare: str, several: bool | None) -> dict[str, Any]:
    opened = open_weights(path)
    card = state_card(opened.card, prepare, several) if opened.card else None
    return _facts(
        opened.name, opened.architecture, opened.network, opened.notes, card, opened.sha256
    )


def _facts(
    name: str,
    architecture: str,
    network: nn.Module,
    notes: Sequence[str],
    card: ModelCard | None,
    sha256: str,
) -> dict[str, Any]:
    return {
        "model": name,
        "architecture": title(architecture),
        "parameters": sum(value.numel() for value in network.parameters()),
        "notes": list(notes),
        "classes": [card.display_name(label) for label in card.classes] if card else [],
        "classes_per_frame": ("several" if card.multi_label else "one") if card else "",
        "decision_threshold": card.decision_threshold if card else None,
        "preparation": describe_preparation(make_preparation(card.preparation)) if card else "",
        "missing": say_what_is_missing(asdict(card)) if card else "",
        "limits": list(card.limits) if card else [],
        "sha256": card.sha256 if card else sha256,
    }


def as_text(entry: Mapping[str, Any]) -> str:
    """Return what was understood of one model, a line per fact."""
    if "error" in entry:
        return f"{entry['file']}: {entry['error']}"
    classes = ", ".join(entry["classes"]) or "none: an encoder, for train --start-from"
    lines = [
        f"{entry['file']}: {entry['architecture']}, {entry['parameters'] / 1e6:.2f} million "
        "parameters",
        f"  classes: {classes}",
        *([f"  frames: {entry['preparation']}"] if entry["preparation"] else []),
        *(f"  {note}" for note in entry["notes"]),
        *([f"  {entry['missing']}"] if entry["missing"] else []),
        *(f"  {limit}" for limit in entry["limits"]),
        f"  SHA-256 of the weights {entry['sha256']}",
    ]
    return "\n".join(lines)

"""A weight file of others -> a network and a card that says what was inferred.

Opened are Visual-CCC's `.pth` (its networks, thresholds, class names and preparation) and plain
state dicts of the networks that Micrographia knows. Nothing is guessed silently: every inference is
a sentence of `Opened.notes`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from core.errors import UnusableModel
from core.learning.models.card import ModelCard
from core.learning.models.foreign.files import WeightFile, read_weight_file
from core.learning.models.foreign.fitting import TITLES, Fit, fit_network
from core.learning.models.installed import WEIGHT_SUFFIXES
from core.learning.models.preparation import CentreCrop, Preparation

LONGEST_NAME = 60
UNNAMED = "The file names no classes"
_PUBLIC_SETS = {1000: "as ImageNet's thousand", 54: "as MicroNet's 54"}
_LIMITS = (
    "Brought from elsewhere: nothing is known here of what it was trained on.",
    "Not calibrated: its probabilities are the network's own and may be too sure.",
    "Every image gets one of the classes, also one that belongs to none of them.",
)
_CROP_LIMIT = "It sees only the central square of a frame, as in its own program."


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A weight file that fits a network.

    Attributes
    ----------
    name : str
        What to call it, from the file's name.
    architecture : str
    options : dict of str to Any
    network : nn.Module
        With one input channel and the file's weights.
    card : ModelCard or None
        None for an encoder: it cannot classify before it was trained on classes of micrographs.
    notes : tuple of str
        What was inferred from names, shapes and what stands beside the weights.
    sha256 : str
        Digest of the file.
    """

    name: str
    architecture: str
    options: dict[str, Any]
    network: nn.Module
    card: ModelCard | None
    notes: tuple[str, ...]
    sha256: str


def open_weights(path: Path, name: str | None = None) -> Opened:
    """Return the network of a weight file, without being told the architecture.

    Parameters
    ----------
    path : Path
        A .pth, .pt, .pth.tar or .safetensors file, told by its content.
    name : str, optional
        The file's own name, where the path is another.

    Raises
    ------
    UnusableModel
        If the file cannot be opened safely, fits no known network, or contradicts itself.
    """
    file = read_weight_file(path)
    fit = fit_network(file.tensors)
    name = _short_name(name or path.name)
    card, notes = _read_meaning(fit, file, name)
    notes = (_describe(fit), *fit.notes, *notes)
    return Opened(name, fit.architecture, fit.options, fit.network, card, notes, file.sha256)


def require_classes(opened: Opened) -> ModelCard:
    """Return the card of a network that can classify.

    Raises
    ------
    UnusableModel
        If it is an encoder.
    """
    if opened.card is None:
        raise UnusableModel(
            f"{opened.name} is an encoder ({TITLES[opened.architecture]}) and knows no classes of "
            "micrographs yet. Train it on yours: python -m core train FOLDER MODEL --start-from "
            "FILE."
        )
    return opened.card


def _describe(fit: Fit) -> str:
    head = "no head that fits" if fit.outputs is None else _count(fit.outputs, "output")
    return (
        f"{TITLES[fit.architecture]} with {_count(fit.channels, 'input channel')} and {head}: told "
        "from the names and shapes of the weights."
    )


def _count(number: int, noun: str, plural: str = "s") -> str:
    return f"{number} {noun}{'' if number == 1 else plural}"


def _read_meaning(
    fit: Fit, file: WeightFile, name: str
) -> tuple[ModelCard | None, tuple[str, ...]]:
    """Return the card, None for an encoder, and what was inferred."""
    class_map = file.beside.get("class_map")
    if fit.outputs is None or (fit.channels == 3 and class_map is None):
        return None, (_say_why_encoder(fit),)
    _check_task(file.beside.get("task"), fit.outputs)
    classes, named = _read_classes(class_map, fit.outputs)
    threshold, decided = _read_threshold(file.beside, fit.outputs)
    preparation, prepared = _choose_preparation(fit, file)
    card = ModelCard(
        name=name,
        architecture=fit.architecture,
        classes=tuple(classes),
        display_names=classes,
        options=fit.options,
        preparation=preparation.to_dict(),
        training={"file_sha256": file.sha256, **_plain_facts(file.beside)},
        limits=_LIMITS if preparation.sees_whole_frames else (*_LIMITS, _CROP_LIMIT),
        sha256=file.sha256,
        decision_threshold=threshold,
    )
    return card, (named, *decided, prepared)


def _say_why_encoder(fit: Fit) -> str:
    if fit.outputs is None:
        reason = "It brings no head of its kind"
    else:
        which = _PUBLIC_SETS.get(fit.outputs, "and neither their names nor its preparation known")
        reason = f"Its {fit.outputs} classes ({which}) are not classes of your micrographs"
    return (
        f"{reason}: it is an encoder for transfer learning, not a classifier. Its head will be "
        "replaced; it can classify once it was trained."
    )


def _check_task(task: object, outputs: int) -> None:
    """Refuse a task that contradicts the network."""
    if not isinstance(task, str):
        return
    fits = {"binary": outputs <= 2, "multi": outputs >= 2}
    wrong = [word for word, fine in fits.items() if word in task.lower() and not fine]
    if wrong or re.search("segment|detect|regress|sequence", task.lower()):
        raise UnusableModel(
            f"The file says that its task is “{_shown(task)}”, but its network has "
            f"{_count(outputs, 'output')}. Export the network that belongs to the task."
        )


def _read_classes(class_map: object, outputs: int) -> tuple[dict[str, str], str]:
    """Return identifier -> words of each class in the order of the scores, and a note."""
    expected = max(2, outputs)
    if class_map is None:
        words = [f"class {number}" for number in range(expected)]
        note = f"{UNNAMED}; they are called {words[0]} … {words[-1]}."
        return {_identifier(word, []): word for word in words}, note
    words = _in_order(class_map)
    if len(words) != expected:
        raise UnusableModel(
            f"The file names {_count(len(words), 'class', 'es')}, its network has "
            f"{_count(outputs, 'output')}. Export both from the same training."
        )
    return name_classes(words), f"The file names the classes: {', '.join(words)}."


def _in_order(class_map: object) -> list[str]:
    """Return the names of a map name -> index (or index -> name), in the order of the indices."""
    pairs: list[tuple[object, object]] = []
    if isinstance(class_map, Mapping):
        pairs = list(class_map.items())
    if pairs and all(isinstance(key, int) for key, _ in pairs):
        pairs = [(name, index) for index, name in pairs]
    by_index = {i: n for n, i in pairs if isinstance(n, str) and type(i) is int}
    if sorted(by_index) != list(range(len(pairs))) or not pairs:
        raise UnusableModel(
            "The class map of the file does not give every class a name and a number from 0 on. "
            "Export the file again."
        )
    return [_shown(by_index[index]) for index in range(len(pairs))]


def name_classes(words: list[str]) -> dict[str, str]:
    """Return an identifier for each class's words: {"rods_fibres": "rods & fibres", …}.

    Raises
    ------
    UnusableModel
        If a name is empty or there twice.
    """
    words = [_shown(word) for word in words]
    if not all(words) or len({word.lower() for word in words}) < len(words):
        raise UnusableModel("Every class needs a name of its own.")
    named: dict[str, str] = {}
    for word in words:
        named[_identifier(word, list(named))] = word
    return named


def _identifier(word: str, taken: list[str]) -> str:
    stem = re.sub(r"\W+", "_", word.lower()).strip("_") or "class"
    identifier, number = stem, 1
    while identifier in taken:
        number += 1
        identifier = f"{stem}_{number}"
    return identifier


def _shown(text: str) -> str:
    """Return text as one short printable line, without what divides lists of classes."""
    text = "".join(c if c.isprintable() else " " for c in text[: 4 * LONGEST_NAME])
    return text.replace("|", "/").strip()[:LONGEST_NAME]


def _read_threshold(
    beside: Mapping[str, Any], outputs: int
) -> tuple[float | None, tuple[str, ...]]:
    """Return the threshold on the probability of class 1 of a network with one output."""
    if outputs != 1:
        return None, ()
    given = beside.get("classification_threshold")
    if given is None:
        return 0.5, ("Class 1 is named above a probability of 0.5; the file states no threshold.",)
    number = isinstance(given, int | float) and not isinstance(given, bool)
    if not number or not 0 < given < 1:
        raise UnusableModel(
            f"The classification threshold of the file is {_shown(str(given))}, it must lie "
            "between 0 and 1. Export the file again."
        )
    return float(given), (
        f"Class 1 is named above a probability of {given:.4g}, as the file says.",
    )


def _choose_preparation(fit: Fit, file: WeightFile) -> tuple[CentreCrop | Preparation, str]:
    if fit.architecture == "emnet":
        return Preparation(), "The whole frame enters the network, as is usual for EMNet."
    crop = CentreCrop()
    how = f"short side {crop.short_px} px, central {crop.crop_px} × {crop.crop_px} px"
    ours = fit.architecture in ("alexnet", "visualcnn") or "task" in file.beside
    if ours and fit.channels == 1:
        return crop, f"Frames are prepared as Visual-CCC does: {how}, grey levels 0–1."
    return crop, (
        f"The file does not say how frames are to be prepared; as in Visual-CCC they are brought "
        f"to {how}, grey levels 0–1. If it was trained otherwise, its answers will be off."
    )


def _plain_facts(beside: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the file says of its training, as far as it is plain."""
    facts: dict[str, Any] = {}
    if type(beside.get("epoch")) is int:
        facts["epoch"] = beside["epoch"]
    if isinstance(beside.get("task"), str):
        facts["task"] = _shown(beside["task"])
    return facts


def _short_name(file_name: str) -> str:
    """Return a file's name without its endings, as one short line."""
    stem = _shown(Path(file_name).name)
    while stem.lower().endswith(WEIGHT_SUFFIXES):
        stem = stem.rpartition(".")[0]
    return stem[:40].strip() or "network"

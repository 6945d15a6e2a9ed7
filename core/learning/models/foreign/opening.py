"""A weight file of others -> a network and a card that says what was inferred.

Opened are Visual-CCC's `.pth` (its networks, thresholds, class names and preparation) and what
PyTorch, torchvision, timm, Lightning and Hugging Face write of networks that can be told from
names and shapes. Nothing is guessed silently: every inference is a sentence of `Opened.notes`, and
where a file does not say how frames are to be prepared, the card says that nobody has chosen yet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from core.errors import UnusableModel
from core.learning.models.borrowed.from_onnx import ONNX
from core.learning.models.card import ModelCard
from core.learning.models.foreign.bundles import open_bundle
from core.learning.models.foreign.files import EMA, WRAPPERS, WeightFile, read_weight_file
from core.learning.models.foreign.fitting import Fit, fit_network
from core.learning.models.foreign.last_layers import RELU_TAKEN
from core.learning.models.foreign.onnx_files import fit_onnx, is_onnx
from core.learning.models.foreign.stating import (
    has_many_labels,
    read_hints,
    read_measures,
    read_names,
    read_stated,
    read_what_differs,
)
from core.learning.models.installed import (
    ASSUMED,
    PREPARED_BY,
    STATED_BY_FILE,
    WEIGHT_SUFFIXES,
    file_digest,
)
from core.learning.models.networks import title
from core.learning.models.preparation import CentreCrop, Preparation
from core.learning.models.preparing.choice import (
    AnyPreparation,
    describe_preparation,
    usual_preparation,
    with_preparation,
)

LONGEST_NAME = 60
UNNAMED = "The file names no classes"
_ONE = "Every image gets one of the classes, also one that belongs to none of them."
_SEVERAL = "It answers every class for itself: several may be true of one frame, or none."
_PUBLIC_SETS = {1000: "as ImageNet's thousand", 54: "as MicroNet's 54"}
_LIMITS = (
    "Brought from elsewhere: nothing is known here of what it was trained on.",
    "Not calibrated: its probabilities are the network's own and may be too sure.",
    _ONE,
)


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


def open_weights(path: Path, name: str | None = None, *, grey: bool = False) -> Opened:
    """Return the network of a weight file, without being told the architecture.

    Parameters
    ----------
    path : Path
        A .pth, .pt, .pth.tar or .safetensors file, told by its content; or a folder or a ZIP that
        holds one and what belongs to it, such as Hugging Face's.
    name : str, optional
        The file's own name, where the path is another.
    grey : bool
        Whether three channels are summed to one, for networks of `NETWORKS` alone: what a training
        here starts from.

    Raises
    ------
    UnusableModel
        If the file cannot be opened safely, fits no known network, or contradicts itself.
    """
    file_name = name or path.name
    with open_bundle(path) as (weights, facts):
        if not grey and is_onnx(weights, file_name):
            fit, said = fit_onnx(weights)
            file = WeightFile({}, said, "", file_digest(weights))
            return _opened(fit, file, {**said, **facts}, file_name)
        file = read_weight_file(weights)
        beside = {**file.beside, **facts}
        hints = read_hints(beside, file_name)
        if differs := read_what_differs(beside):
            raise UnusableModel(
                f"The file’s configuration differs from what is built here: {differs}. "
                "Export it to ONNX (torch.onnx.export) and give that."
            )
        fit = fit_network(file.tensors, hints, read_measures(beside), grey=grey)
    return _opened(fit, file, beside, file_name)


def _opened(fit: Fit, file: WeightFile, beside: dict[str, Any], file_name: str) -> Opened:
    name = _short_name(file_name)
    file = WeightFile(file.tensors, beside | _read_left_out(fit), file.wrapper, file.sha256)
    card, notes = _read_meaning(fit, file, name)
    if EMA in beside:
        notes = (
            *notes,
            f"The file holds averaged weights, too ({beside[EMA]}); they were not taken.",
        )
    if file.wrapper and file.wrapper not in WRAPPERS:
        notes = (f"Taken were the weights that lie under “{_shown(file.wrapper)}”.", *notes)
    notes = (_describe(fit), *fit.notes, *notes)
    return Opened(name, fit.architecture, fit.options, fit.network, card, notes, file.sha256)


def _read_left_out(fit: Fit) -> dict[str, Any]:
    """Return means and standard deviations that a network kept as tensors of its own."""
    found: dict[str, Any] = {}
    for name, value in fit.left_out.items():
        last = name.rpartition(".")[2]
        if last in ("mean", "std") and value.numel() in (1, 3):
            found[last] = [float(number) for number in value.flatten()]
    return found


def require_classes(opened: Opened) -> ModelCard:
    """Return the card of a network that can classify.

    Raises
    ------
    UnusableModel
        If it is an encoder.
    """
    if opened.card is None:
        left = next((note for note in opened.notes if "no part of the network" in note), "")
        other = (
            " What it holds besides gives no one row of scores a picture, as networks that find "
            f"places or objects: {left.rpartition(': ')[2]}"
            if left
            else ""
        )
        raise UnusableModel(
            f"{opened.name} is an encoder ({title(opened.architecture)}) and knows no classes of "
            "micrographs yet. Train it on yours: python -m core train FOLDER MODEL --start-from "
            f"FILE.{other}"
        )
    return opened.card


def _describe(fit: Fit) -> str:
    head = "no head that fits" if fit.outputs is None else _count(fit.outputs, "output")
    return (
        f"{title(fit.architecture)} with {_count(fit.channels, 'input channel')} and {head}: told "
        f"from {'its program' if fit.architecture == ONNX else 'names and shapes of the weights'}."
    )


def _count(number: int, noun: str, plural: str = "s") -> str:
    return f"{number} {noun}{'' if number == 1 else plural}"


def _read_meaning(
    fit: Fit, file: WeightFile, name: str
) -> tuple[ModelCard | None, tuple[str, ...]]:
    """Return the card, None for an encoder, and what was inferred."""
    names = read_names(file.beside, fit.outputs)
    if fit.outputs is None or (fit.outputs in _PUBLIC_SETS and names is None):
        return None, (_say_why_encoder(fit),)
    _check_task(file.beside, fit.outputs)
    several = fit.outputs > 1 and has_many_labels(file.beside)
    classes, named = _read_classes(names, fit.outputs)
    threshold, decided = _read_threshold(file.beside, fit.outputs, several=several)
    preparation, by, prepared = _choose_preparation(fit, file)
    facts = {"file_sha256": file.sha256, PREPARED_BY: by, **_plain_facts(file.beside)}
    card = ModelCard(
        name=name,
        architecture=fit.architecture,
        classes=tuple(classes),
        display_names=classes,
        options=fit.options,
        preparation=preparation.to_dict(),
        training=facts,
        limits=(
            *with_preparation(_LIMITS, preparation, by),
            *(note for note in fit.notes if note == RELU_TAKEN),
        ),
        sha256=file.sha256,
        decision_threshold=threshold,
    )
    card = with_labels(card, several=True) if several else card
    return card, (named, *decided, prepared)


def with_labels(card: ModelCard, *, several: bool) -> ModelCard:
    """Return a card whose scores are read as sigmoids, or as a softmax over the classes."""
    said = (*(each for each in card.limits if each not in (_ONE, _SEVERAL)),)
    return replace(card, multi_label=several, limits=(*said, _SEVERAL if several else _ONE))


def _say_why_encoder(fit: Fit) -> str:
    if fit.outputs is None:
        reason = "It brings no head of its kind"
    else:
        which = _PUBLIC_SETS.get(fit.outputs, "whose names are not known")
        reason = f"Its {fit.outputs} classes ({which}) are not classes of your micrographs"
    return (
        f"{reason}: it is an encoder for transfer learning, not a classifier. Its head will be "
        "replaced; it can classify once it was trained."
    )


def _check_task(beside: Mapping[str, Any], outputs: int) -> None:
    """Refuse a task that contradicts the network, or that no network here has."""
    task = beside.get("task")
    if not isinstance(task, str) or has_many_labels({"task": task}):
        return
    fits = {"binary": outputs <= 2, "multi": outputs >= 2}
    wrong = [word for word, fine in fits.items() if word in task.lower() and not fine]
    if wrong or re.search("segment|detect|regress|sequence", task.lower()):
        raise UnusableModel(
            f"The file says that its task is “{_shown(task)}”, but its network has "
            f"{_count(outputs, 'output')}. Export the network that belongs to the task."
        )


def _read_classes(words: list[str] | None, outputs: int) -> tuple[dict[str, str], str]:
    """Return identifier -> words of each class in the order of the scores, and a note."""
    expected = max(2, outputs)
    if words is None:
        words = [f"class {number}" for number in range(expected)]
        note = f"{UNNAMED}; they are called {words[0]} … {words[-1]}."
        return {_identifier(word, []): word for word in words}, note
    if len(words) != expected:
        raise UnusableModel(
            f"The file names {_count(len(words), 'class', 'es')}, its network has "
            f"{_count(outputs, 'output')}. Export both from the same training."
        )
    words = [_shown(word) for word in words]
    return name_classes(words), f"The file names the classes: {', '.join(words[:20])}."


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
    beside: Mapping[str, Any], outputs: int, *, several: bool
) -> tuple[float | None, tuple[str, ...]]:
    """Return the threshold on a probability, where sigmoids give it, and a note."""
    if outputs != 1 and not several:
        return None, ()
    given = beside.get("classification_threshold")
    if given is None and several:
        return None, (f"{_SEVERAL} A class is named above a probability of 0.5.",)
    if given is None:
        return 0.5, ("Class 1 is named above a probability of 0.5; the file states no threshold.",)
    number = isinstance(given, int | float) and not isinstance(given, bool)
    if not number or not 0 < given < 1:
        raise UnusableModel(
            f"The classification threshold of the file is {_shown(str(given))}, it must lie "
            "between 0 and 1. Export the file again."
        )
    if several:
        return float(given), (
            f"{_SEVERAL} A class is named above a probability of {given:.4g}, as the file says.",
        )
    return float(given), (
        f"Class 1 is named above a probability of {given:.4g}, as the file says.",
    )


def _choose_preparation(fit: Fit, file: WeightFile) -> tuple[AnyPreparation, str, str]:
    """Return the preparation, who said so (`PREPARED_BY`), and a note."""
    if fit.architecture == "emnet":
        return (
            Preparation(),
            STATED_BY_FILE,
            "The whole frame enters the network, as is usual for EMNet.",
        )
    size = fit.options.get("image")
    stated = read_stated(file.beside, size)
    if stated is not None and stated[1]:
        return (
            stated[0],
            STATED_BY_FILE,
            f"Frames are prepared as the file says: {describe_preparation(stated[0])}.",
        )
    ours = fit.architecture in ("alexnet", "visualcnn") or "task" in file.beside
    if stated is None and fit.channels == 1 and size is None:
        crop = CentreCrop()
        if ours:
            said = f"Frames are prepared as Visual-CCC does: {describe_preparation(crop)}."
            return crop, STATED_BY_FILE, said
        return crop, ASSUMED, _say_assumed(crop, "as in Visual-CCC")
    found = stated[0] if stated is not None else usual_preparation("imagenet", size or 224)
    said = "which is in part what is usual" if stated is not None else "as is usual for its kind"
    return found, ASSUMED, _say_assumed(found, said)


def _say_assumed(preparation: AnyPreparation, why: str) -> str:
    how = describe_preparation(preparation)
    return (
        f"The file does not say how frames are to be prepared; {why}: {how}. "
        "If it was trained otherwise, its answers will be off: choose the way it was trained with "
        "(--prepare on the command line)."
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

"""Model folders on disk <-> a classifier in memory; `foreign` opens other weight files.

A model is a folder with `weights.safetensors`, `card.json` and a README. The card says how the
network is built, what it was trained on and how well it did; its SHA-256 of the weights is
checked at every load.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from core.errors import UnusableModel
from core.learning.models.installed import CARD as CARD
from core.learning.models.installed import find_model
from core.learning.models.installed import list_models as list_models
from core.learning.models.installed import models_folder as models_folder
from core.learning.models.networks import NETWORKS, build_network
from core.learning.models.preparation import make_preparation
from core.learning.models.reference import REFERENCE, Reference
from core.micrograph import Micrograph

WEIGHTS = "weights.safetensors"
CARD_VERSION = 1


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model is, what it learnt from and how far it can be trusted.

    `classes` are identifiers in the order of the scores; `display_names` are their words for
    people. `metrics`, `calibration` and `training` hold plain values; their keys are documented
    in the model's README. `reference` is the SHA-256 of what is kept of the training set, empty
    when nothing is; `training_range` says which field widths were trained on (`magnification`).
    `decision_threshold` is for networks with one output: class 0 at or below this probability of
    class 1; None means the most probable class.
    """

    name: str
    architecture: str
    classes: tuple[str, ...]
    display_names: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    preparation: dict[str, Any] = field(default_factory=dict)
    calibration: dict[str, float] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    data: tuple[dict[str, Any], ...] = ()
    limits: tuple[str, ...] = ()
    sha256: str = ""
    reference: str = ""
    training_range: dict[str, Any] = field(default_factory=dict)
    decision_threshold: float | None = None
    version: int = CARD_VERSION

    def __post_init__(self) -> None:
        if len(self.classes) < 2 or len(set(self.classes)) != len(self.classes):
            raise ValueError(f"a model needs two or more different classes, got {self.classes}")

    def display_name(self, label: str) -> str:
        """Return a class's words for people: "rods_fibres" -> "rods & fibres"."""
        return self.display_names.get(label, label.replace("_", " "))

    def to_json(self) -> str:
        """Return the card as indented JSON."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> ModelCard:
        """Return the card that `to_json` wrote.

        Raises
        ------
        UnusableModel
            If the text is not a card of a known version.
        """
        try:
            values = json.loads(text)
            version = values.get("version")
            if version != CARD_VERSION:
                raise UnusableModel(
                    f"The model card has version {version}; this Micrographia reads version "
                    f"{CARD_VERSION}. Update Micrographia or export the model again."
                )
            known = {f.name for f in fields(cls)}
            values = {key: value for key, value in values.items() if key in known}
            for key in ("classes", "data", "limits"):
                values[key] = tuple(values.get(key, ()))
            return cls(**values)
        except (ValueError, TypeError, AttributeError) as error:
            raise UnusableModel(
                f"The model card ({CARD}) cannot be read: {error}. Copy the model folder again."
            ) from error


class Classifier:
    """A network ready to classify: in eval mode, without gradients, shared by every thread.

    Attributes
    ----------
    card : ModelCard
    name : str
    device : str
        "cuda", "mps" or "cpu".
    reference : Reference or None
        What is kept of the training set; None when the model brings none.
    """

    def __init__(
        self,
        network: nn.Module,
        card: ModelCard,
        device: str = "cpu",
        reference: Reference | None = None,
    ) -> None:
        self.card = card
        self.name = card.name
        self.device = device
        self.reference = reference
        self.preparation = make_preparation(card.preparation)
        # Channels last: convolutions on a CPU took two thirds of the time.
        network = network.eval().requires_grad_(False).to(device)
        self._network: nn.Module = network.to(memory_format=torch.channels_last)
        self._blocks: dict[str, nn.Module] = dict(self._network.blocks())  # type: ignore[operator]

    @property
    def network(self) -> nn.Module:
        """The module itself; treat it as read-only."""
        return self._network

    def prepare(self, micrograph: Micrograph, exclude: np.ndarray | None = None) -> Tensor:
        """Return the network's input, shape (1, 1, h, w), float32, on the classifier's device."""
        image = self.preparation(micrograph, exclude)
        return torch.from_numpy(image)[None, None].to(self.device)

    def features(self, x: Tensor) -> Tensor:
        """Return the last activation map (N, C, h', w') as float32; autocast on CUDA."""
        with torch.autocast("cuda", enabled=self.device == "cuda"):
            activation: Tensor = self._network.features(x)  # type: ignore[operator]
        return activation.float()

    def head(self, activation: Tensor) -> Tensor:
        """Return logits (N, classes) of an activation map, in float32.

        A network with one output z has the logits (-z/2, z/2), whose softmax is its sigmoid.
        """
        logits: Tensor = self._network.head(activation)  # type: ignore[operator]
        return torch.cat([-logits / 2, logits / 2], dim=1) if logits.shape[1] == 1 else logits

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the activation maps, from the input on; the last is that of `features`."""
        return tuple(self._blocks)

    def activation(self, x: Tensor, layer: str) -> Tensor:
        """Return the activation map (N, C, h', w') of a layer as float32; autocast on CUDA.

        Raises
        ------
        ValueError
            If no layer has that name.
        """
        return self._run(x, 0, self._end_of(layer))

    def finish(self, activation: Tensor, layer: str) -> Tensor:
        """Return logits (N, classes) that follow from the activation map of a layer, in float32.

        Raises
        ------
        ValueError
            If no layer has that name.
        """
        return self.head(self._run(activation, self._end_of(layer), len(self._blocks)))

    @cached_property
    def has_linear_head(self) -> bool:
        """Whether class scores are linear in the averages of the last activation map.

        Tried out with activations drawn at random: only the averages count, and they add up.
        """
        draw = torch.Generator().manual_seed(0)
        with torch.inference_mode():
            channels = self.features(torch.zeros(1, 1, 64, 64, device=self.device)).shape[1]
            a, b = torch.rand(2, 1, channels, 8, 8, generator=draw).to(self.device)
            averages = a.mean(dim=(2, 3), keepdim=True).expand_as(a)
            head_a, head_b, head_0 = self.head(a), self.head(b), self.head(torch.zeros_like(a))
            only_averages = torch.allclose(head_a, self.head(averages), rtol=1e-4, atol=1e-5)
            summed = self.head(a + b) - head_0
        linear = torch.allclose(head_a + head_b - 2 * head_0, summed, rtol=1e-4, atol=1e-5)
        return only_averages and linear

    def _end_of(self, layer: str) -> int:
        if layer not in self._blocks:
            raise ValueError(f"no layer is called {layer!r}; there are {', '.join(self._blocks)}")
        return self.layers.index(layer) + 1

    def _run(self, x: Tensor, start: int, end: int) -> Tensor:
        with torch.autocast("cuda", enabled=self.device == "cuda"):
            for block in list(self._blocks.values())[start:end]:
                x = block(x)
        return x.float()


def pick_device(device: str = "auto") -> str:
    """Return the device to use: CUDA, else Apple MPS, else CPU, when asked for "auto"."""
    if device != "auto":
        return device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def load_model(name_or_path: str | Path, device: str = "auto") -> Classifier:
    """Return a classifier from a model folder or a weight file.

    Parameters
    ----------
    name_or_path : str or Path
        The name of an installed model, or a path to a model folder or to a weight file, whose
        architecture is told from its names and shapes (`core.learning.models.foreign.opening`).
    device : str
        "auto" takes CUDA, else Apple MPS, else the CPU.

    Raises
    ------
    UnusableModel
        If there is no such model, its weights are damaged, they disagree with the card, or a
        weight file is an encoder without classes of micrographs.
    """
    folder = _locate(name_or_path)
    if folder.is_file():
        return _load_foreign(folder, device)
    card = ModelCard.from_json(_read_text(folder / CARD))
    if card.architecture not in NETWORKS:
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
    outputs = len(card.classes) if card.decision_threshold is None else 1
    with torch.device("meta"):  # no memory for what the card only claims
        network = build_network(card.architecture, outputs, card.options)
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


def _load_foreign(path: Path, device: str) -> Classifier:
    from core.learning.models.foreign.opening import (  # which builds on this module
        open_weights,
        require_classes,
    )

    opened = open_weights(path)
    return Classifier(opened.network, require_classes(opened), pick_device(device))


def save_model(
    folder: Path, network: nn.Module, card: ModelCard, reference: Reference | None = None
) -> ModelCard:
    """Write weights, card and reference into a folder; return the card with their SHA-256."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {
        name: value.detach().to("cpu", copy=True).contiguous()
        for name, value in network.state_dict().items()
    }
    save_file(weights, folder / WEIGHTS)
    values = {f.name: getattr(card, f.name) for f in fields(card)}
    (folder / REFERENCE).unlink(missing_ok=True)
    kept = reference.save(folder / REFERENCE) if reference is not None else ""
    card = ModelCard(**{**values, "sha256": _digest(folder / WEIGHTS), "reference": kept})
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
        if _digest(path) != card.sha256:
            raise UnusableModel(
                f"The weights of {card.name} are not the ones its card was written for (their "
                "SHA-256 differs). Copy the model folder again."
            )
        weights = {
            name: value.float() if value.is_floating_point() else value
            for name, value in load_file(path).items()
        }
    except (OSError, SafetensorError) as error:
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


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

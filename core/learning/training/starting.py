"""Weights that a training begins with, from a weight file or a model folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from core.errors import UnusableModel
from core.learning.models import CARD, TITLES, find_model, head_name, load_model, open_weights


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """What a training begins with: everything of a network but its last linear layer.

    Attributes
    ----------
    source : str
        The file, address or name that a person gave.
    sha256 : str
        Digest of the weights.
    architecture : str
    options : dict of str to Any
    weights : dict of str to Tensor
        Without the head, which depends on the classes.
    notes : tuple of str
        What was inferred.
    """

    source: str
    sha256: str
    architecture: str
    options: dict[str, Any]
    weights: dict[str, Tensor]
    notes: tuple[str, ...]

    @property
    def title(self) -> str:
        """Name of the architecture in words."""
        return TITLES[self.architecture]

    def fill(self, network: nn.Module) -> None:
        """Put the weights into a network of this architecture; its head stays as it is."""
        missing, unexpected = network.load_state_dict(self.weights, strict=False)
        if unexpected or any(not name.startswith(head_name(self.architecture)) for name in missing):
            raise ValueError(f"the start does not fit: {[*missing, *unexpected][:3]}")


def read_start(path: Path, source: str) -> Start:
    """Return what a training can begin with.

    Parameters
    ----------
    path : Path
        A weight file, a model folder, or the name of an installed model.
    source : str
        What the person gave; kept in the card of the new model.

    Raises
    ------
    UnusableModel
        If there is no such file or model, or it cannot be used.
    """
    place = find_model(path)
    if place is None:
        raise UnusableModel(
            f"There is no weight file or model “{source[:200]}” to start from. Give a path, the "
            "name of an installed model, or an address."
        )
    if (place / CARD).is_file():
        classifier = load_model(place, device="cpu")
        card = classifier.card
        body = _body(classifier.network, card.architecture)
        return Start(source, card.sha256, card.architecture, dict(card.options), body, ())
    opened = open_weights(place)
    body = _body(opened.network, opened.architecture)
    return Start(source, opened.sha256, opened.architecture, opened.options, body, opened.notes)


def _body(network: nn.Module, architecture: str) -> dict[str, Tensor]:
    head = head_name(architecture)
    return {
        name: value.contiguous()
        for name, value in network.state_dict().items()
        if name not in (f"{head}.weight", f"{head}.bias")
    }

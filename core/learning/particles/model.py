"""A particle model on disk <-> in memory: weights, and a card that says what they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from core.errors import UnusableModel
from core.learning.models import (
    CARD,
    PARTICLES,
    WEIGHTS,
    file_digest,
    models_folder,
    read_safetensors,
)
from core.learning.particles.network import ParticleNetwork

SHIPPED = "em-particles"
_LARGEST_BYTES = 64 << 20  # of a weight file; the shipped one has 2.5 MB
_LONGEST_CARD = 1_000_000  # characters
_WIDEST = 512  # channels


@dataclass(frozen=True, slots=True)
class ParticleCard:
    """What a particle model is, what it learned from and how well it does.

    `widths` are the decoder's channels; `metrics`, `training` and `data` hold plain values.
    """

    name: str
    widths: tuple[int, ...] = (96, 64, 48, 32)
    kind: str = PARTICLES
    metrics: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    data: tuple[dict[str, Any], ...] = ()
    limits: tuple[str, ...] = ()
    sha256: str = ""
    version: int = 1

    def to_json(self) -> str:
        """Return the card as indented JSON."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> ParticleCard:
        """Return the card that `to_json` wrote.

        Raises
        ------
        UnusableModel
            If the text is no card of a particle model.
        """
        try:
            if len(text) > _LONGEST_CARD:
                raise ValueError("it is longer than any card")
            values = json.loads(text)
            known = {each.name for each in fields(cls)}
            card = cls(**{key: value for key, value in values.items() if key in known})
            return replace(
                card, widths=_checked(card), data=tuple(card.data), limits=tuple(card.limits)
            )
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise UnusableModel(
                f"The card of the particle model ({CARD}) cannot be read: {str(error)[:200]}. "
                "Copy the model folder again."
            ) from error


def _checked(card: ParticleCard) -> tuple[int, ...]:
    """Return the widths of a card; what cannot be is a ValueError."""
    if card.kind != PARTICLES or card.version != 1:
        raise ValueError(f"it is of kind {card.kind!r} and version {card.version!r}")
    widths = tuple(card.widths)
    if len(widths) != 4 or any(
        type(w) is not int or not 8 <= w <= _WIDEST or w % 8 for w in widths
    ):
        raise ValueError(f"widths must be four multiples of 8 up to {_WIDEST}, got {widths}")
    return widths


def load_particle_model(folder: Path) -> tuple[ParticleNetwork, ParticleCard]:
    """Return a network that answers, and its card.

    Raises
    ------
    UnusableModel
        If the folder is no particle model, or weights and card disagree.
    """
    try:
        card = ParticleCard.from_json((folder / CARD).read_text(encoding="utf-8"))
        path = folder / WEIGHTS
        if path.stat().st_size > _LARGEST_BYTES or file_digest(path) != card.sha256:
            raise UnusableModel(
                f"The weights of {folder.name} are not the ones its card was written for (their "
                "SHA-256 differs). Copy the model folder again."
            )
        weights = read_safetensors(path)
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableModel(
            f"The particle model {folder.name} cannot be read. Copy the model folder again."
        ) from error
    return _filled(card, weights), card


def _filled(card: ParticleCard, weights: Mapping[str, Tensor]) -> ParticleNetwork:
    with torch.device("meta"):  # no memory for what the card only claims
        network = ParticleNetwork(card.widths)
    wanted = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    given = {name: tuple(value.shape) for name, value in weights.items()}
    singles = {n: v.float() if v.is_floating_point() else v for n, v in weights.items()}
    if wanted != given or any(not torch.isfinite(value).all() for value in singles.values()):
        raise UnusableModel(
            f"The weights of {card.name} do not fit its card, or hold NaN. "
            "Copy the model folder again."
        )
    network.load_state_dict(singles, assign=True)
    return network.eval().requires_grad_(False)


def save_particle_model(folder: Path, network: ParticleNetwork, card: ParticleCard) -> ParticleCard:
    """Write weights as 16-bit floats and the card; return the card with their SHA-256."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = {
        name: (value.half() if value.is_floating_point() else value).cpu().contiguous()
        for name, value in network.state_dict().items()
    }
    save_file(kept, folder / WEIGHTS)
    card = replace(card, sha256=file_digest(folder / WEIGHTS))
    (folder / CARD).write_text(card.to_json(), encoding="utf-8")
    return card


def shipped_network() -> ParticleNetwork | None:
    """Return the installed network, loaded once and shared; None where none is installed."""
    folder = models_folder() / SHIPPED
    return _shared(folder) if (folder / CARD).is_file() else None


@lru_cache(maxsize=2)
def _shared(folder: Path) -> ParticleNetwork:
    network, _ = load_particle_model(folder)
    return network

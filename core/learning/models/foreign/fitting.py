"""Named tensors -> the network that they belong to, told from names and shapes alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.errors import UnusableModel
from core.learning.models.foreign.published import plain_lite_names
from core.learning.models.networks import NETWORKS, build_network

Shapes = Mapping[str, tuple[int, ...]]

TITLES = {
    "emnet": "EMNet",
    "visualcnn": "VisualCNN",
    "alexnet": "AlexNet",
    "resnet18": "ResNet-18",
    "resnet50": "ResNet-50",
    "mobilenet_v3_small": "MobileNetV3 small",
    "efficientnet_lite0": "EfficientNet-Lite0",
    "efficientnet_b0": "EfficientNet-B0",
    "convnext_tiny": "ConvNeXt tiny",
    "densenet121": "DenseNet-121",
}
MOST_OUTPUTS = 1000
_WIDEST = 4096  # channels of a stage
_PREFIXES = ("module.", "_orig_mod.", "model.", "network.", "net.", "backbone.", "encoder.")
_COUNTER = "num_batches_tracked"  # of batch normalisation; older files lack it
_OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12])\.")


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A network with the weights of a file in it.

    Attributes
    ----------
    architecture : str
        One of `NETWORKS`.
    options : dict of str to Any
        Its options; empty for the usual ones.
    network : nn.Module
        With one input channel. Its head is all zero when `outputs` is None.
    outputs : int or None
        Number of outputs; None when the file brings no head that fits the network's.
    channels : int
        Input channels in the file: 1, or 3 that were summed to one.
    notes : tuple of str
        What was inferred or changed, a sentence each.
    """

    architecture: str
    options: dict[str, Any]
    network: nn.Module
    outputs: int | None
    channels: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Blueprint:
    """Names and shapes of an architecture; `stem` takes the picture, `head` gives the scores."""

    architecture: str
    options: tuple[tuple[str, Any], ...]
    shapes: dict[str, tuple[int, ...]]
    stem: str
    head: str

    @property
    def body(self) -> dict[str, tuple[int, ...]]:
        """Everything but the head and the counters of batch normalisation."""
        return {
            name: shape
            for name, shape in self.shapes.items()
            if name not in self.head_names and not name.endswith(_COUNTER)
        }

    @property
    def head_names(self) -> tuple[str, str]:
        return f"{self.head}.weight", f"{self.head}.bias"


def fit_network(tensors: Mapping[str, Tensor]) -> Fit:
    """Return the one network that tensors fit, with these in it.

    Prefixes that all names share (`module.` and the like) are left out, a stem of three channels is
    summed to one, 16-bit floats become 32-bit ones; each is said in the notes.

    Raises
    ------
    UnusableModel
        If they fit no network, or hold NaN or infinity.
    """
    tensors, notes = _plain_names(tensors)
    shapes = {name: tuple(value.shape) for name, value in tensors.items()}
    blueprint = _find(shapes)
    tensors = _rename_head(tensors, blueprint)
    outputs = _count_outputs(tensors, blueprint)
    stem = tensors[f"{blueprint.stem}.weight"]
    kinds = {value.dtype for value in tensors.values() if value.is_floating_point()}
    if kinds - {torch.float32}:
        notes.append("Its numbers were brought to 32-bit floats.")
    if stem.shape[1] == 3:
        notes.append("Its three input channels were summed to one, as for a grey picture.")
    state = _state(tensors, blueprint, outputs)
    _check_finite(state)
    with torch.device("meta"):  # neither drawn at random nor held twice
        network = build_network(blueprint.architecture, outputs or 2, dict(blueprint.options))
    network.load_state_dict(state, assign=True)
    options = dict(blueprint.options)
    return Fit(blueprint.architecture, options, network, outputs, stem.shape[1], tuple(notes))


def head_name(architecture: str) -> str:
    """Return the name of the last linear layer, the one that depends on the number of classes."""
    return _blueprint(architecture, ()).head


def _plain_names(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """Return the tensors under the names that torchvision uses, and what was changed in words."""
    left_out: list[str] = []
    named = plain_lite_names(tensors)
    while prefix := next((p for p in _PREFIXES if all(n.startswith(p) for n in named)), ""):
        named = {name.removeprefix(prefix): value for name, value in named.items()}
        left_out.append(prefix)
    if any(name.startswith("features.module.") for name in named):
        named = {n.replace("features.module.", "features.", 1): v for n, v in named.items()}
        left_out.append("module.")
    renamed = {_OLD_DENSENET.sub(r"\1\2.", name): value for name, value in named.items()}
    notes = [f"All its names began with “{''.join(left_out)}”, which was left out."]
    return renamed, notes if left_out else []


def _find(shapes: Shapes) -> _Blueprint:
    """Return the architecture that fits; otherwise name the nearest one and what differs."""
    misfits = {
        blueprint.architecture: (blueprint, _misfits(blueprint, shapes))
        for blueprint in (_blueprint(name, _options(name, shapes)) for name in NETWORKS)
    }
    for blueprint, wrong in misfits.values():
        if not wrong:
            return blueprint
    known = ", ".join(TITLES[name] for name in NETWORKS)
    nearest, wrong = min(misfits.values(), key=lambda each: len(each[1]) / len(each[0].body))
    message = f"These weights fit no network that Micrographia knows ({known})."
    if len(wrong) < len(nearest.body) / 2:
        message += (
            f" The nearest is {TITLES[nearest.architecture]}, but {len(wrong)} of the tensors "
            f"differ, the first is {wrong[0][:80]}."
        )
    raise UnusableModel(message)


def _misfits(blueprint: _Blueprint, shapes: Shapes) -> list[str]:
    """Return the names that are missing, of another shape, or too many inside the network."""
    wrong = []
    for name, wanted in blueprint.body.items():
        given = shapes.get(name, ())
        if name == f"{blueprint.stem}.weight" and given[1:2] == (3,):
            given = (given[0], 1, *given[2:])
        if given != wanted:
            wrong.append(name)
    roots = {name.partition(".")[0] for name in blueprint.body}
    known = {*blueprint.shapes, *blueprint.head_names}
    return wrong + [n for n in shapes if n not in known and n.partition(".")[0] in roots]


def _rename_head(tensors: dict[str, Tensor], blueprint: _Blueprint) -> dict[str, Tensor]:
    """Return the tensors with a head called `last_linear`, as some collections do, renamed."""
    return {
        re.sub(r"^last_linear\.", f"{blueprint.head}.", name): value
        for name, value in tensors.items()
    }


def _count_outputs(tensors: Mapping[str, Tensor], blueprint: _Blueprint) -> int | None:
    """Return the number of outputs; None without a head of the network's kind."""
    weight, bias = (tensors.get(name) for name in blueprint.head_names)
    inputs = blueprint.shapes[f"{blueprint.head}.weight"][1]
    if weight is None or bias is None or weight.ndim != 2 or weight.shape[1] != inputs:
        return None
    count = weight.shape[0]
    return count if bias.shape == (count,) and 1 <= count <= MOST_OUTPUTS else None


def _state(
    tensors: Mapping[str, Tensor], blueprint: _Blueprint, outputs: int | None
) -> dict[str, Tensor]:
    """Return everything that the network holds, float32; what the file lacks is zero."""
    state = {}
    for name, shape in blueprint.shapes.items():
        in_head = name in blueprint.head_names
        if name.endswith(_COUNTER):
            state[name] = torch.tensor(0)
        elif in_head and outputs is None:
            state[name] = torch.zeros(shape)
        else:
            state[name] = tensors[name].to(torch.float32).contiguous()
    stem = f"{blueprint.stem}.weight"
    state[stem] = state[stem].sum(dim=1, keepdim=True)
    return state


def _check_finite(state: Mapping[str, Tensor]) -> None:
    for name, value in state.items():
        if not np.isfinite(value.numpy()).all():  # torch's took 30 times as long on two busy cores
            raise UnusableModel(
                f"The weights hold NaN or infinity (in {name}): the training that made them "
                "diverged. Give another checkpoint of it."
            )


def _options(architecture: str, shapes: Shapes) -> tuple[tuple[str, Any], ...]:
    """Return the options that shapes tell; only our own network has any."""
    names = [f"stages.{stage}.0.conv1.weight" for stage in range(4)]
    if architecture != "emnet" or not all(shapes.get(name) for name in names):
        return ()
    widths = tuple(shapes[name][0] for name in names)
    usual = _blueprint("emnet", ()).shapes
    is_usual = all(shapes[name][0] == usual[name][0] for name in names)
    is_sane = all(2 <= width <= _WIDEST for width in widths)
    return (("widths", widths),) if is_sane and not is_usual else ()


@lru_cache(maxsize=32)
def _blueprint(architecture: str, options: tuple[tuple[str, Any], ...]) -> _Blueprint:
    with torch.device("meta"):
        network = build_network(architecture, 2, dict(options))
    convolutions = [n for n, m in network.named_modules() if isinstance(m, nn.Conv2d)]
    linear = [n for n, m in network.named_modules() if isinstance(m, nn.Linear)]
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    return _Blueprint(architecture, options, shapes, convolutions[0], linear[-1])

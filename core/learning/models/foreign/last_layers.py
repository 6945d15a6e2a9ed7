"""What a file brings as the last layers of a network: its own kind of head, or another one."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from core.learning.models.foreign.candidates import Shapes

MOST_OUTPUTS = 1000
RELU_TAKEN = (
    "Between the linear layers of its head a ReLU is taken: names and shapes do not tell which "
    "function stands there. If it is another one, answers are off: say so in the file "
    "(head_activation), or export it to ONNX (torch.onnx.export)."
)
_BATCH = ("running_mean", "running_var")
_STATISTICS = (*_BATCH, "num_batches_tracked")


@dataclass(frozen=True, slots=True)
class Last:
    """The last layers of a file.

    Attributes
    ----------
    outputs : int or None
        Scores; None where no head fits.
    state : dict of str to Tensor
        Under the names of the network that `options` build.
    options : dict of str to Any
        `slot` and `head` of `build_network`; empty for the network's own kind.
    used : frozenset of str
        Names of the file that went into `state`.
    notes : tuple of str
    """

    outputs: int | None
    state: dict[str, Tensor] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    used: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


def read_last_layers(
    inside: Mapping[str, Tensor],
    beside: Mapping[str, Tensor],
    wanted: Shapes,
    head: str,
    mark: int,
    function: str | None = None,
) -> Last:
    """Return the last layers that a file brings.

    Parameters
    ----------
    inside : mapping of str to Tensor
        What it holds besides the network's body, under the network's names.
    beside : mapping of str to Tensor
        What lay outside the network: a head may stand beside a backbone.
    wanted : mapping of str to shape
        The network's own last layers, `mark` where the number of outputs stands.
    head : str
        Name of the layer that gives the scores.
    mark : int
    function : str, optional
        What stands between its linear layers, where the file says it.
    """
    own = _read_own(inside, wanted, head, mark)
    if own is not None:
        return own
    root = head.partition(".")[0]
    width = _width(wanted, root)
    for slot in dict.fromkeys((head, root)):
        layers = {n: v for n, v in inside.items() if n.startswith(f"{slot}.")}
        around = {n: v for n, v in inside.items() if n.startswith(f"{root}.") and n not in layers}
        needed = {n for n in wanted if not n.startswith(f"{slot}.") and n.startswith(f"{root}.")}
        takes = wanted[f"{head}.weight"][1] if slot == head else width
        if takes and needed <= set(around):
            found = _read_chain(layers, slot, takes, function)
            if found is not None:
                return _with(found, {n: around[n] for n in needed})
    # A head of its own behind a backbone that kept what stands before its last layer.
    needed = {n for n in wanted if not n.startswith(f"{head}.")}
    around = {n: v for n, v in inside.items() if n.startswith(f"{root}.")}
    kept = {n for n, v in around.items() if tuple(v.shape) == wanted.get(n)}
    if not needed <= kept or len(kept) < len(around):
        return Last(None)
    for group in sorted({n.partition(".")[0] for n in beside}):
        layers = {n: v for n, v in beside.items() if n.startswith(f"{group}.")}
        found = _read_chain(layers, head, wanted[f"{head}.weight"][1], function)
        if found is not None:
            return _with(found, {n: around[n] for n in needed})
    return Last(None)


def _with(last: Last, more: Mapping[str, Tensor]) -> Last:
    return Last(
        last.outputs, last.state | dict(more), last.options, last.used | set(more), last.notes
    )


def _width(wanted: Shapes, root: str) -> int:
    """Return what enters the head's child as a flat vector; 0 where it is no flat one."""
    first = next((n for n in wanted if n.startswith(f"{root}.") and n.endswith(".weight")), "")
    shape = wanted.get(first, ())
    return shape[1] if len(shape) == 2 else 0


def _read_own(inside: Mapping[str, Tensor], wanted: Shapes, head: str, mark: int) -> Last | None:
    """Return the network's own kind of head, where names and shapes are those."""
    weight = inside.get(f"{head}.weight")
    if weight is None or weight.ndim != len(wanted[f"{head}.weight"]):
        return None
    outputs = weight.shape[0]
    if not 1 <= outputs <= MOST_OUTPUTS:
        return None
    state = {}
    for name, shape in wanted.items():
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(0)
            continue
        value = inside.get(name)
        if value is None or tuple(value.shape) != tuple(outputs if s == mark else s for s in shape):
            return None
        state[name] = value
    root = head.partition(".")[0]
    over = [n for n in inside if n.startswith(f"{root}.") and n not in wanted]
    if over:
        return None
    return Last(outputs, state, {}, frozenset(state))


def _read_chain(
    tensors: Mapping[str, Tensor], slot: str, takes: int, function: str | None
) -> Last | None:
    """Return a chain of linear layers and normalisations that takes a vector of a width."""
    modules: dict[str, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        module, _, kind = name.rpartition(".")
        modules.setdefault(module, {})[kind] = value
    layers: list[tuple[Any, ...]] = []
    state: dict[str, Tensor] = {}
    width = takes
    functions = _where_functions_stand(modules)
    for module, parts in modules.items():
        layer = _read_layer(parts, width)
        if layer is None:
            return None
        if module in functions:
            layers.append((function or "relu",))
        if layer[0] == "linear":
            width = layer[2]
        for kind, value in parts.items():
            if kind != "num_batches_tracked":
                state[f"{slot}.{len(layers)}.{kind}"] = value
        if layer[0] == "batch":
            state[f"{slot}.{len(layers)}.num_batches_tracked"] = torch.tensor(0)
        layers.append(layer)
    if not layers or layers[-1][0] != "linear" or not 1 <= width <= MOST_OUTPUTS:
        return None
    linear = sum(layer[0] == "linear" for layer in layers)
    notes = (RELU_TAKEN,) if functions and linear > 1 and function is None else ()
    return Last(width, state, {"slot": slot, "head": tuple(layers)}, frozenset(tensors), notes)


def _where_functions_stand(modules: Mapping[str, Mapping[str, Tensor]]) -> set[str]:
    """Return the layers before which a function stands: once from each linear layer to the next.

    Layers that are counted tell it: what has no weights, as a function or dropout, leaves a gap,
    and of two gaps the first one is the function's, as is usual. Where there is none, nothing
    stands between. Layers with names of their own have it right before the next linear one.
    """
    names = list(modules)
    linear = [n for n in names if modules[n]["weight"].ndim == 2] if _have_weights(modules) else []
    found = set()
    for first, last in itertools.pairwise(linear):
        stretch = names[names.index(first) : names.index(last) + 1]
        places = [name.rpartition(".")[2] for name in stretch]
        if not all(place.isdecimal() for place in places):
            found.add(last)
            continue
        steps = zip(itertools.pairwise(map(int, places)), stretch[1:], strict=True)
        gaps = [name for (before, here), name in steps if here > before + 1]
        found.update(gaps[:1])
    return found


def _have_weights(modules: Mapping[str, Mapping[str, Tensor]]) -> bool:
    return all("weight" in parts for parts in modules.values())


def _read_layer(parts: Mapping[str, Tensor], width: int) -> tuple[Any, ...] | None:
    weight = parts.get("weight")
    if weight is None or not set(parts) <= {"weight", "bias", *_STATISTICS}:
        return None
    bias = parts.get("bias")
    if weight.ndim == 2 and weight.shape[1] == width and "running_mean" not in parts:
        fits = bias is None or tuple(bias.shape) == (weight.shape[0],)
        return ("linear", width, int(weight.shape[0]), bias is not None) if fits else None
    vectors = [v for k, v in parts.items() if k != "num_batches_tracked"]
    if bias is None or any(tuple(v.shape) != (width,) for v in vectors):
        return None
    return ("batch", width) if set(_BATCH) <= set(parts) else ("layer", width)

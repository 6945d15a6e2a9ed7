"""The last layers of a network, where they are other ones than its library gives it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

MOST_LAYERS = 24
_WIDEST = 65_536

Layer = tuple[Any, ...]  # ("linear", inputs, outputs, has a bias), ("batch", n), ("layer", n), …
FUNCTIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "elu": nn.ELU,
    "tanh": nn.Tanh,
    "mish": nn.Mish,
    "hardswish": nn.Hardswish,
    "leaky_relu": nn.LeakyReLU,
}


def build_head(layers: Sequence[Sequence[Any]]) -> nn.Sequential:
    """Return layers that take a pooled vector (N, C): linear ones, normalisations and functions.

    Parameters
    ----------
    layers : sequence of sequences
        ("linear", inputs, outputs, whether with a bias), ("batch", width), ("layer", width) or
        one of `FUNCTIONS` alone, such as ("relu",), as a card keeps them.

    Raises
    ------
    ValueError
        If a layer is of no known kind or out of bounds.
    """
    if not 1 <= len(layers) <= MOST_LAYERS:
        raise ValueError(f"a head has 1 to {MOST_LAYERS} layers, got {len(layers)}")
    return nn.Sequential(*(_build(tuple(layer)) for layer in layers))


def _build(layer: Layer) -> nn.Module:
    kind, *sizes = layer
    if not all(
        type(size) is bool or (type(size) is int and 1 <= size <= _WIDEST) for size in sizes
    ):
        raise ValueError(f"a layer of a head has impossible measures {sizes!r:.60}")
    if kind == "linear" and len(sizes) == 3:
        return nn.Linear(sizes[0], sizes[1], bias=bool(sizes[2]))
    if kind == "batch" and len(sizes) == 1:
        return nn.BatchNorm1d(sizes[0])
    if kind == "layer" and len(sizes) == 1:
        return nn.LayerNorm(sizes[0])
    if kind in FUNCTIONS and not sizes:
        return FUNCTIONS[kind]()
    raise ValueError(f"no layer of a head is of the kind {str(kind)[:20]!r}")


def put_head(network: nn.Module, slot: str, layers: Sequence[Sequence[Any]]) -> None:
    """Put other last layers into a network, at the name of the module that they stand for."""
    parent, _, child = slot.rpartition(".")
    place = network.get_submodule(parent) if parent else network
    if child not in dict(place.named_children()):
        raise ValueError(f"the network has no {slot[:60]!r}")
    setattr(place, child, build_head(layers))

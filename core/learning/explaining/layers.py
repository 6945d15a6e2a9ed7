"""What each activation map of a network is: its size and how much of the frame a cell looks at."""

from __future__ import annotations

import math
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from core.learning.models import Classifier

_MEASURED: WeakKeyDictionary[Classifier, dict[str, float]] = WeakKeyDictionary()
_SQUARE_PX = 1024  # side of the frame on which fields are measured
_PROBES = 3  # inputs drawn at random: where ReLU is silent for one it speaks for another


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """One activation map for frames of one shape.

    Attributes
    ----------
    name : str
    map_hw : tuple of two ints
        Rows and columns of cells over what the network sees.
    cell_px : float
        Height of a cell in px of the frame.
    field_px : float
        Side of the square that the middle cell depends on, its receptive field, in px of the
        frame; at most what the network sees.
    """

    name: str
    map_hw: tuple[int, int]
    cell_px: float
    field_px: float


def describe_layers(classifier: Classifier, shape: tuple[int, int]) -> tuple[LayerFacts, ...]:
    """Return the facts of every layer for frames of a shape (H, W), from the input on.

    The receptive field is measured: the box around all input pixels to which the middle cell has a
    gradient (Luo et al. 2016, arXiv:1701.04128, call its core the effective receptive field). It is
    measured once for each classifier, on a square frame, since that costs as much as thirty
    answers; a field that fills the square is said to fill a frame of any shape.
    """
    height, width = classifier.preparation.size_hw(shape)
    top, _, bottom, _ = classifier.preparation.seen_box(shape)
    frame_px = (bottom - top) / height
    fields = _fields(classifier)
    facts = []
    with torch.no_grad():
        maps = classifier.activations(torch.zeros(1, 1, height, width, device=classifier.device))
        for layer, activation in maps:
            rows, cols = activation.shape[2:]
            field = min(fields[layer], max(height, width))
            facts.append(
                LayerFacts(layer, (rows, cols), frame_px * height / rows, frame_px * field)
            )
    return tuple(facts)


def _fields(classifier: Classifier) -> dict[str, float]:
    """Return the side of each layer's field in px of the network's input; infinite: all of it."""
    if classifier not in _MEASURED:
        _MEASURED[classifier] = _measure_fields(classifier)
    return _MEASURED[classifier]


def _measure_fields(classifier: Classifier) -> dict[str, float]:
    size_hw = classifier.preparation.size_hw((_SQUARE_PX, _SQUARE_PX))
    draw = torch.Generator().manual_seed(0)
    leaf = torch.randn(_PROBES, 1, *size_hw, generator=draw).to(classifier.device)
    fields = dict.fromkeys(classifier.layers, math.inf)
    with torch.enable_grad():
        leaf.requires_grad_(True)
        for layer, activation in classifier.activations(leaf):
            side = _middle_field(activation, leaf)
            if side >= max(size_hw):  # what follows sees no less
                break
            fields[layer] = side
    return fields


def _middle_field(activation: Tensor, leaf: Tensor) -> int:
    """Return the side of the box of input pixels that the middle cell of a map depends on."""
    rows, cols = activation.shape[2:]
    middle = activation[:, :, rows // 2, cols // 2].sum()
    (gradient,) = torch.autograd.grad(middle, leaf, retain_graph=True)
    touched = (gradient != 0).any(dim=0)[0]
    return max(int(touched.any(dim=axis).count_nonzero()) for axis in (0, 1))

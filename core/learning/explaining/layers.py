"""What each activation map of a network is: its size and how much of the frame a cell looks at."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.learning.models import Classifier

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
    gradient (Luo et al. 2016, arXiv:1701.04128, call its core the effective receptive field).
    """
    height, width = classifier.preparation.size_hw(shape)
    top, _, bottom, _ = classifier.preparation.seen_box(shape)
    frame_px = (bottom - top) / height
    draw = torch.Generator().manual_seed(0)
    inputs = torch.randn(_PROBES, 1, height, width, generator=draw).to(classifier.device)
    facts = []
    for layer in classifier.layers:
        rows, cols, field = _middle_field(classifier, inputs, layer)
        facts.append(LayerFacts(layer, (rows, cols), frame_px * height / rows, frame_px * field))
    return tuple(facts)


def _middle_field(classifier: Classifier, inputs: Tensor, layer: str) -> tuple[int, int, int]:
    """Return rows and columns of a layer's map and the side of its middle cell's field in px."""
    leaf = inputs.clone().requires_grad_(True)
    with torch.enable_grad():
        activation = classifier.activation(leaf, layer)
        rows, cols = activation.shape[2:]
        (gradient,) = torch.autograd.grad(activation[:, :, rows // 2, cols // 2].sum(), leaf)
    touched = (gradient != 0).any(dim=0)[0]
    sides = [int(touched.any(dim=axis).count_nonzero()) for axis in (1, 0)]
    return rows, cols, max(sides)

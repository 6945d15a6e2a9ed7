"""What a method may look at, and what a method is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor

from core.learning.models import Classifier, Preparation


class Cost(Enum):
    """How often a method runs the network."""

    NONE = "does not ask the network"
    ONE_PASS = "one pass, shared by all methods of this kind"
    MANY_PASSES = "many passes"


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One prepared micrograph, its activation at a layer and the gradient of a class score.

    Attributes
    ----------
    classifier : Classifier
    inputs : Tensor of shape (1, 1, H, W)
    layer : str
        One of the classifier's layers.
    activation, gradient : Tensor of shape (C, h, w)
        The activation map and the gradient of the target's logit with respect to it; of a
        transformer with its class token behind the map (`Classifier.places`).
    target, contrast : int
        Indices of the explained class and of the class it is told apart from.
    channels : int or None
        How many channels Score-CAM and Ablation-CAM try; None tries all.
    seed : int
        For what is drawn at random.
    """

    classifier: Classifier
    inputs: Tensor
    layer: str
    activation: Tensor
    gradient: Tensor
    target: int
    contrast: int
    channels: int | None = None
    seed: int = 0

    @property
    def maps(self) -> Tensor:
        """The channels of the activation that are maps of the frame, (C, h, w)."""
        return self.classifier.places(self.activation)

    @property
    def slopes(self) -> Tensor:
        """The gradient at `maps`, (C, h, w)."""
        return self.classifier.places(self.gradient)

    @property
    def mean_grey(self) -> float:
        """The grey level that says nothing, in units of the input: 0 where it is standardised."""
        standardised = isinstance(self.classifier.preparation, Preparation)
        return 0.0 if standardised else float(self.inputs.mean())

    def scores(self, inputs: Tensor) -> Tensor:
        """Return the target's logit, shape (N,), for other inputs (N, 1, H, W)."""
        return self.classifier.head(self.classifier.features(inputs))[:, self.target]

    def scores_after(self, activations: Tensor) -> Tensor:
        """Return the target's logit, shape (N,), for other activation maps (N, C, h, w)."""
        return self.classifier.finish(activations, self.layer)[:, self.target]


@dataclass(frozen=True, slots=True)
class Method:
    """A way to draw an explanation.

    `draw` returns the signed map of a scene, (h, w), at the resolution of the layer or, where it
    works on pixels, of the input.
    """

    title: str
    formula: str
    reference: str
    cost: Cost
    draw: Callable[[Scene], Tensor]
    needs_linear_head: bool = False
    needs_attention: bool = False
    needs_answers_only: bool = False
    is_baseline: bool = False


def score_gradient(
    classifier: Classifier, activations: Tensor, layer: str, choose: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor]:
    """Return logits (N, K) and the gradient of a sum of them with respect to the activations.

    Parameters
    ----------
    classifier : Classifier
    activations : Tensor of shape (N, C, h, w)
        Become a leaf of their own graph: nothing of the network takes part in it.
    layer : str
    choose : function of logits (N, K)
        Says how much each logit counts, (N, K).
    """
    leaf = activations.detach().requires_grad_(True)
    with torch.enable_grad():
        logits = classifier.finish(leaf, layer)
        weights = choose(logits.detach())
        (gradient,) = torch.autograd.grad((logits * weights).sum(), leaf)
    return logits.detach(), gradient

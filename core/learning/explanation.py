"""Class activation maps over the full frame: which parts speak for a class.

No hooks and no `.backward()`: the features are computed without gradients, the activation becomes
a leaf, and one `torch.autograd.grad` gives the score's gradient with respect to it. Nothing is
left on the network, so any number of threads may explain with one model at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.learning.checkpoints import Classifier
from core.learning.preparation import Box
from core.micrograph import Micrograph

LAST_LAYER = "features"


@dataclass(frozen=True, slots=True)
class Method:
    """A way to draw an explanation from activations and their gradients.

    `combine` takes the activation and the gradient of the score, both (C, h, w), and returns the
    signed map (h, w).
    """

    title: str
    formula: str
    reference: str
    combine: Callable[[Tensor, Tensor], Tensor]


def _grad_cam(activation: Tensor, gradient: Tensor) -> Tensor:
    weights = gradient.mean(dim=(1, 2), keepdim=True)
    return (weights * activation).sum(dim=0)


def _hires_cam(activation: Tensor, gradient: Tensor) -> Tensor:
    return (gradient * activation).sum(dim=0)


def _layer_cam(activation: Tensor, gradient: Tensor) -> Tensor:
    return (gradient.clamp(min=0) * activation).sum(dim=0)


METHODS: Mapping[str, Method] = {
    "grad-cam": Method(
        "Grad-CAM",
        "Σ over channels of (mean gradient × activation)",
        "Selvaraju et al. (2017), ICCV, doi:10.1109/ICCV.2017.74",
        _grad_cam,
    ),
    "hirescam": Method(
        "HiResCAM",
        "Σ over channels of (gradient × activation)",
        "Draelos & Carin (2020), arXiv:2011.08891",
        _hires_cam,
    ),
    "layercam": Method(
        "LayerCAM",
        "Σ over channels of (positive gradient × activation)",
        "Jiang et al. (2021), IEEE TIP, doi:10.1109/TIP.2021.3089943",
        _layer_cam,
    ),
}


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Where a network found evidence for a class.

    Attributes
    ----------
    heatmap : ndarray of shape (H, W), float32, 0–1
        Positive evidence over the micrograph's own frame, scaled to its own maximum; all zero
        when there is none.
    raw : ndarray of shape (h, w), float32
        The signed map at the layer's resolution, in units of the class score (logit).
    method : str
        A key of `METHODS`.
    target : str
        Identifier of the explained class.
    layer : str
    seen_box : tuple of four ints
        (top, left, bottom, right) in px: the part of the frame that the network saw and that `raw`
        covers; (0, 0, H, W) unless its preparation crops. Outside it the heat map is zero.
    """

    heatmap: NDArray[np.float32]
    raw: NDArray[np.float32]
    method: str
    target: str
    layer: str
    seen_box: Box

    def __post_init__(self) -> None:
        if self.heatmap.ndim != 2 or self.heatmap.dtype != np.float32:
            raise ValueError(
                f"the heat map must be (H, W) float32, got {self.heatmap.shape} "
                f"{self.heatmap.dtype}"
            )

    @property
    def has_evidence(self) -> bool:
        """Whether any part of the frame speaks for the class."""
        return bool(self.heatmap.max() > 0)


def explain(
    classifier: Classifier,
    micrograph: Micrograph,
    method: str = "grad-cam",
    target: str | None = None,
    layer: str | None = None,
    *,
    exclude: NDArray[Any] | None = None,
) -> Explanation:
    """Return the explanation of one class by one method.

    Parameters
    ----------
    classifier : Classifier
    micrograph : Micrograph
    method : str
        A key of `METHODS`.
    target : str, optional
        A class identifier; the predicted class by default.
    layer : str, optional
        Only "features", the network's last activation map, is available.
    exclude : ndarray of shape (H, W), bool, optional
        Pixels that are not specimen, hidden from the network.

    Raises
    ------
    ValueError
        If the method, the class or the layer is unknown.
    """
    if method not in METHODS:
        raise ValueError(f"no method is called {method!r}; there are {', '.join(METHODS)}")
    return explain_all(
        classifier, micrograph, target=target, layer=layer, exclude=exclude, methods=(method,)
    )[method]


def explain_all(
    classifier: Classifier,
    micrograph: Micrograph,
    *,
    target: str | None = None,
    layer: str | None = None,
    exclude: NDArray[Any] | None = None,
    methods: tuple[str, ...] = tuple(METHODS),
) -> dict[str, Explanation]:
    """Return one explanation per method from a single pass through the network."""
    if layer not in (None, LAST_LAYER):
        raise ValueError(f"no layer is called {layer!r}; there is {LAST_LAYER!r}")
    inputs = classifier.prepare(micrograph, exclude)
    activation, gradient, name = _pass(classifier, inputs, target)
    # A frame without contrast enters as zeros: whatever the biases answer is not evidence in it.
    seen = float(inputs.any())
    seen_box = classifier.preparation.seen_box(micrograph.shape)
    explanations = {}
    for method in methods:
        raw = (METHODS[method].combine(activation, gradient) * seen).cpu().numpy()
        heatmap = to_frame(raw, micrograph.shape, seen_box)
        explanations[method] = Explanation(heatmap, raw, method, name, LAST_LAYER, seen_box)
    return explanations


def _pass(classifier: Classifier, inputs: Tensor, target: str | None) -> tuple[Tensor, Tensor, str]:
    classes = classifier.card.classes
    if target is not None and target not in classes:
        raise ValueError(f"no class is called {target!r}; there are {', '.join(classes)}")
    with torch.no_grad():
        activation = classifier.features(inputs)
    leaf = activation.detach().requires_grad_(True)
    with torch.enable_grad():
        logits = classifier.head(leaf)[0]
        index = int(logits.argmax()) if target is None else classes.index(target)
        (gradient,) = torch.autograd.grad(logits[index], leaf)
    return activation[0], gradient[0], classes[index]


def to_frame(
    raw: NDArray[Any], shape: tuple[int, int], seen_box: Box | None = None
) -> NDArray[np.float32]:
    """Return positive evidence over the whole frame, (H, W) float32, scaled to a maximum of 1.

    `raw` covers `seen_box`, the whole frame by default; elsewhere the answer is zero.
    """
    top, left, bottom, right = seen_box or (0, 0, *shape)
    heatmap = np.zeros(shape, np.float32)
    heatmap[top:bottom, left:right] = _positive(raw, (bottom - top, right - left))
    return heatmap


def _positive(raw: NDArray[Any], shape: tuple[int, int]) -> NDArray[np.float32]:
    height, width = shape
    # Enlarge the signed map first: positive and negative cells then meet at zero, not at a step.
    # Bilinear never overshoots, so a map without positive cells stays without.
    positive = np.clip(cv2.resize(raw, (width, height), interpolation=cv2.INTER_LINEAR), 0, None)
    peak = float(positive.max())
    if not np.isfinite(peak) or peak <= 0:
        return np.zeros(shape, np.float32)
    return np.asarray(positive / peak, dtype=np.float32)

"""Which parts of the frame speak for a class, by any of `METHODS`.

No hooks and no `.backward()`: the activation is computed without gradients and becomes a leaf, and
one `torch.autograd.grad` gives the score's gradient with respect to it. Nothing is left on the
network, so any number of threads may explain with one model at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.errors import UserError
from core.learning.classifying import (
    Classification,
    batches,
    count_workers,
    look_at,
    lowest_probability,
    pool_of_workers,
    read_logits,
    with_signs,
)
from core.learning.explaining.methods.registry import BASELINES as BASELINES
from core.learning.explaining.methods.registry import EVERY_METHOD as EVERY_METHOD
from core.learning.explaining.methods.registry import METHODS as METHODS
from core.learning.explaining.methods.registry import ONE_PASS as ONE_PASS
from core.learning.explaining.methods.scene import Method as Method
from core.learning.explaining.methods.scene import Scene, score_gradient
from core.learning.models import Box, Classifier
from core.micrograph import Micrograph

OFFERED = tuple(n for n in EVERY_METHOD if n in METHODS or not EVERY_METHOD[n].is_baseline)
LAST_LAYER = "features"  # another name for the last layer of any network
COINCIDING = ("cam", "grad-cam", "xgrad-cam", "hirescam")


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Where a network found evidence for a class.

    Attributes
    ----------
    heatmap : ndarray of shape (H, W), float32, 0–1
        Positive evidence over the micrograph's own frame, scaled to its own maximum; all zero
        when there is none.
    raw : ndarray of shape (h, w), float32
        The signed map at the resolution of the layer, or of the input for methods that work on
        pixels. For Grad-CAM in units of the class score (logit).
    method : str
        A key of `EVERY_METHOD`.
    target : str
        Identifier of the explained class.
    layer : str
        The activation map that was explained, one of the classifier's `layers`.
    seen_box : tuple of four ints
        (top, left, bottom, right) in px: the part of the frame that the network saw and that `raw`
        covers; (0, 0, H, W) unless its preparation crops. Outside it the heat map is zero.
    contrast : str
        The class that the target was told apart from (Finer-CAM); otherwise empty.
    """

    heatmap: NDArray[np.float32]
    raw: NDArray[np.float32]
    method: str
    target: str
    layer: str
    seen_box: Box
    contrast: str = ""

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

    @property
    def points_nowhere(self) -> bool:
        """Whether every place speaks for the class more than half as much as the strongest one."""
        return bool(0 < self.raw.max() < 2 * self.raw.min())


def explain(
    classifier: Classifier,
    micrograph: Micrograph,
    method: str = "grad-cam",
    target: str | None = None,
    layer: str | None = None,
    *,
    exclude: NDArray[Any] | None = None,
    contrast: str | None = None,
    channels: int | None = None,
    seed: int = 0,
) -> Explanation:
    """Return the explanation of one class by one method.

    Parameters
    ----------
    classifier : Classifier
    micrograph : Micrograph
    method : str
        A key of `EVERY_METHOD`.
    target : str, optional
        A class identifier; by default the class that the network names.
    layer : str, optional
        One of `classifier.layers`; the last one by default, also called "features".
    exclude : ndarray of shape (H, W), bool, optional
        Pixels that are not specimen, hidden from the network.
    contrast : str, optional
        For Finer-CAM, the class to tell the target apart from; by default the most probable other.
    channels : int, optional
        For Score-CAM and Ablation-CAM: try only so many channels, the most influential by
        gradient.
    seed : int
        For the random baseline.

    Returns
    -------
    Explanation
        `heatmap` of the micrograph's own shape (H, W), float32 in [0, 1], and `raw`, its signed
        values; class, method, layer and scores that made it.

    Raises
    ------
    ValueError
        If the method, a class or the layer is unknown, or the contrast is the target.
    UserError
        If the method does not fit the network: CAM needs a global average and one linear layer.
    """
    return explain_all(
        classifier,
        micrograph,
        target=target,
        layer=layer,
        exclude=exclude,
        methods=(method,),
        contrast=contrast,
        channels=channels,
        seed=seed,
    )[method]


def explain_all(
    classifier: Classifier,
    micrograph: Micrograph,
    *,
    target: str | None = None,
    layer: str | None = None,
    exclude: NDArray[Any] | None = None,
    methods: Sequence[str] | None = None,
    contrast: str | None = None,
    channels: int | None = None,
    seed: int = 0,
) -> dict[str, Explanation]:
    """Return one explanation per method; those of one pass share it.

    Parameters
    ----------
    classifier : Classifier
    micrograph : Micrograph
    target : str, optional
        A class identifier; by default the class that the network names.
    layer : str, optional
        One of `classifier.layers`; the last one by default.
    exclude : ndarray of shape (H, W), bool, optional
        Pixels that are not specimen, hidden from the network.
    methods : sequence of str, optional
        Keys of `EVERY_METHOD`; by default all that need one pass and fit the network.
    contrast : str, optional
        For Finer-CAM, the class to tell the target apart from.
    channels : int, optional
        For Score-CAM and Ablation-CAM: try only so many channels.
    seed : int
        For the random baselines.

    Returns
    -------
    dict of str to Explanation
        In the order of the methods.

    Raises
    ------
    ValueError, UserError
        As `explain`.
    """
    chosen = fitting_methods(classifier, ONE_PASS) if methods is None else tuple(methods)
    _check(classifier, chosen, (target, contrast))
    layer = layer_name(classifier, layer)
    inputs = classifier.prepare(micrograph, exclude)
    activation, gradient, logits = _pass(classifier, inputs, layer, target, again=True)
    index, other = _sides(classifier, logits[0], target, contrast)
    scene = Scene(
        classifier, inputs, layer, activation[0], gradient[0], index, other, channels, seed
    )
    return {name: _draw(scene, name, micrograph.shape) for name in chosen}


def classify_and_explain(
    classifier: Classifier,
    micrographs: Sequence[Micrograph],
    *,
    method: str = "grad-cam",
    target: str | None = None,
    layer: str | None = None,
    excludes: Sequence[NDArray[Any] | None] | None = None,
    level: float | None = None,
) -> list[tuple[Classification, Explanation]]:
    """Return the answer for each micrograph and its explanation, from one pass per batch.

    Parameters are those of `classify` and `explain`; without a target each micrograph is explained
    for its own label. The same numbers as from the two functions one after the other, up to the
    rounding of batches. On a CPU each pass has a thread of its own, several at once: sums then
    round the same on any number of cores, and no thread waits for another at every layer.
    """
    _check(classifier, (method,), (target,))
    layer = layer_name(classifier, layer)
    floor = lowest_probability(classifier, level)
    masks = [None] * len(micrographs) if excludes is None else list(excludes)

    def work(batch: tuple[list[int], Tensor]) -> list[tuple[int, Classification, Explanation]]:
        places, inputs = batch
        activation, gradient, logits = _pass(classifier, inputs, layer, target)
        pooled = _pool(classifier, inputs, activation, layer)
        found = []
        for row, place in enumerate(places):
            index, other = _sides(classifier, logits[row], target, None)
            one = inputs[row : row + 1]
            scene = Scene(classifier, one, layer, activation[row], gradient[row], index, other)
            drawn = _draw(scene, method, micrographs[place].shape)
            answer = read_logits(classifier, logits[row], pooled[row], floor=floor)
            found.append((place, with_signs(answer, micrographs[place], masks[place]), drawn))
        return found

    answers: dict[int, tuple[Classification, Explanation]] = {}
    workers = count_workers(classifier.device)
    with pool_of_workers(workers, one_thread_each=classifier.device == "cpu") as pool:
        for found in pool.map(work, batches(classifier, micrographs, excludes)):
            answers.update({place: (answer, drawn) for place, answer, drawn in found})
    return [answers[place] for place in range(len(micrographs))]


def fuse(explanations: Sequence[Explanation]) -> Explanation:
    """Return one map of several layers: the mean of their positive evidence, each scaled to 1.

    Parameters
    ----------
    explanations : sequence of Explanation
        Of one micrograph by one method for one class.

    Raises
    ------
    ValueError
        If there are none, or they explain different things.
    """
    kinds = {(e.method, e.target, e.contrast, e.heatmap.shape) for e in explanations}
    if len(kinds) != 1:
        raise ValueError("only maps of one micrograph, method and class can be fused")
    first = explanations[0]
    height, width = np.max([e.raw.shape for e in explanations], axis=0)
    maps = [_positive(e.raw, (int(height), int(width))) for e in explanations]
    raw = np.asarray(np.mean(maps, axis=0), np.float32)
    heatmap = to_frame(raw, first.heatmap.shape, first.seen_box)
    layers = " + ".join(e.layer for e in explanations)
    return Explanation(
        heatmap, raw, first.method, first.target, layers, first.seen_box, first.contrast
    )


def fitting_methods(classifier: Classifier, methods: Sequence[str] = OFFERED) -> tuple[str, ...]:
    """Return those of the methods that this network allows; of all that are offered when left out.

    Baselines beside those of `METHODS` are for measurements and are not offered.
    """
    return tuple(
        name
        for name in methods
        if (classifier.has_linear_head or not EVERY_METHOD[name].needs_linear_head)
        and (classifier.has_attention or not EVERY_METHOD[name].needs_attention)
        and (EVERY_METHOD[name].needs_answers_only or not classifier.answers_only)
    )


def coinciding_methods(classifier: Classifier, layer: str | None = None) -> tuple[str, ...]:
    """Return the methods that must give one and the same map here, up to its scale.

    Behind a global average and one linear layer the gradient is the same in every cell of the last
    activation map; equal maps are then no independent evidence.
    """
    is_last = layer_name(classifier, layer) == classifier.layers[-1]
    return COINCIDING if is_last and classifier.has_linear_head else ()


def layer_name(classifier: Classifier, layer: str | None) -> str:
    """Return the name of a layer as the classifier has it; the last one for None and "features".

    Raises
    ------
    ValueError
        If no layer has that name.
    """
    if layer in (None, LAST_LAYER):
        return classifier.layers[-1]
    if layer not in classifier.layers:
        known = ", ".join(classifier.layers)
        raise ValueError(f"no layer is called {layer!r}; there are {known} ({LAST_LAYER!r})")
    return str(layer)


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


def _check(classifier: Classifier, methods: Sequence[str], classes: Sequence[str | None]) -> None:
    known = classifier.card.classes
    for method in methods:
        if method not in EVERY_METHOD:
            raise ValueError(f"no method is called {method!r}; there are {', '.join(EVERY_METHOD)}")
        if EVERY_METHOD[method].needs_linear_head and not classifier.has_linear_head:
            raise UserError(
                f"{EVERY_METHOD[method].title} needs a network whose head is a global average and "
                f"one linear layer; {classifier.name} has another one. Choose Grad-CAM."
            )
        if EVERY_METHOD[method].needs_attention and not classifier.has_attention:
            raise UserError(
                f"{EVERY_METHOD[method].title} needs a transformer; {classifier.name} is none. "
                "Choose Grad-CAM."
            )
        if classifier.answers_only and not EVERY_METHOD[method].needs_answers_only:
            raise UserError(
                f"{EVERY_METHOD[method].title} needs gradients or layers; {classifier.name} only "
                "answers (ONNX). Choose occlusion or rise."
            )
    for name in classes:
        if name is not None and name not in known:
            raise ValueError(f"no class is called {name!r}; there are {', '.join(known)}")


def _pass(
    classifier: Classifier, inputs: Tensor, layer: str, target: str | None, *, again: bool = False
) -> tuple[Tensor, Tensor, NDArray[np.float64]]:
    """Return activations and gradients (N, C, h, w) and logits (N, K) of the network's one run.

    With `again` the last map may be that of an answer before, and is remembered for the next.
    """
    with torch.no_grad():
        is_last = layer == classifier.layers[-1]
        see = classifier.look if again else classifier.features
        activation = see(inputs) if is_last else classifier.activation(inputs, layer)
        if classifier.answers_only:
            answers = classifier.head(activation).cpu().numpy().astype(np.float64)
            return activation, torch.zeros_like(activation), answers

    def choose(logits: Tensor) -> Tensor:
        rows = logits.cpu().numpy().astype(np.float64)
        picked = torch.zeros_like(logits)
        for row, values in enumerate(rows):
            picked[row, _sides(classifier, values, target, None)[0]] = 1
        return picked

    logits, gradient = score_gradient(classifier, activation, layer, choose)
    return activation, gradient, logits.cpu().numpy().astype(np.float64)


def _pool(
    classifier: Classifier, inputs: Tensor, activation: Tensor, layer: str
) -> NDArray[np.float32]:
    """Return the embeddings (N, C); another pass only when the map is of an earlier layer."""
    if layer != classifier.layers[-1]:
        return look_at(classifier, inputs)[1]
    return activation.detach().mean(dim=(2, 3)).cpu().numpy().astype(np.float32)


def _sides(
    classifier: Classifier, logits: NDArray[np.float64], target: str | None, contrast: str | None
) -> tuple[int, int]:
    """Return the index of the explained class and of the one it is told apart from."""
    classes = classifier.card.classes
    name = target or read_logits(classifier, logits).label
    if contrast == name:
        raise ValueError(f"{name!r} cannot be told apart from itself; choose another contrast")
    index = classes.index(name)
    others = np.where(np.arange(len(classes)) == index, -np.inf, logits)
    return index, int(others.argmax()) if contrast is None else classes.index(contrast)


def _draw(scene: Scene, method: str, shape: tuple[int, int]) -> Explanation:
    card, seen_box = scene.classifier.card, scene.classifier.preparation.seen_box(shape)
    raw = EVERY_METHOD[method].draw(scene).float().cpu().numpy()
    # A frame without contrast enters as zeros: whatever the biases answer is not evidence in it.
    sees_something = bool((scene.inputs != scene.inputs[0, 0, 0, 0]).any())
    raw = np.nan_to_num(raw) * np.float32(sees_something)
    return Explanation(
        to_frame(raw, shape, seen_box),
        raw,
        method,
        card.classes[scene.target],
        scene.layer,
        seen_box,
        card.classes[scene.contrast] if method == "finer-cam" else "",
    )

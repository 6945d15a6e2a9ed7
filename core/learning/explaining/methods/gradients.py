"""Class activation maps from one activation and the gradient of a class score at it.

Notation: A is the activation (C, h, w), g the gradient of the class score S with respect to it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from core.learning.explaining.methods.scene import Scene, score_gradient


def cam(scene: Scene) -> Tensor:
    """Σ_c w_c A_c with the weights w of the linear head; their mean over the frame is S - bias.

    The head averages each channel over the frame, so w_c is the gradient times the number of cells.
    """
    cells = scene.maps[0].numel()
    return cells * grad_cam(scene)


def grad_cam(scene: Scene) -> Tensor:
    """Σ_c mean(g_c) A_c."""
    return _weighted(scene.slopes.mean(dim=(1, 2)), scene.maps)


def grad_cam_plus_plus(scene: Scene) -> Tensor:
    """Σ_c (Σ_ij α_cij relu(g_cij)) A_c with α = g² / (2 g² + g³ ΣA_c)."""
    gradient, activation = scene.slopes, scene.maps
    total = activation.sum(dim=(1, 2), keepdim=True)
    alpha = 1 / (2 + gradient * total)  # g² cancels
    alpha = torch.where(torch.isfinite(alpha), alpha, 0)
    return _weighted((alpha * gradient.clamp(min=0)).sum(dim=(1, 2)), activation)


def x_grad_cam(scene: Scene) -> Tensor:
    """Σ_c (Σ g_c A_c / ΣA_c) A_c."""
    gradient, activation = scene.slopes, scene.maps
    total = activation.sum(dim=(1, 2))
    weights = (gradient * activation).sum(dim=(1, 2)) / torch.where(total == 0, 1, total)
    return _weighted(weights, activation)


def hires_cam(scene: Scene) -> Tensor:
    """Σ_c g_c A_c, cell by cell."""
    return (scene.slopes * scene.maps).sum(dim=0)


def layer_cam(scene: Scene) -> Tensor:
    """Σ_c relu(g_c) A_c, cell by cell."""
    return (scene.slopes.clamp(min=0) * scene.maps).sum(dim=0)


def eigen_cam(scene: Scene) -> Tensor:
    """First principal component of A over its cells; it asks for no class.

    Its sign is free; it is taken such that the map grows with the sum of the activation.
    """
    return _principal(scene.maps, scene.maps.sum(dim=0))


def eigen_grad_cam(scene: Scene) -> Tensor:
    """First principal component of g A over its cells, with the sign of HiResCAM."""
    return _principal(scene.slopes * scene.maps, hires_cam(scene))


def finer_cam(scene: Scene) -> Tensor:
    """Grad-CAM of S - S', the margin over the logit S' of a similar class."""

    def margin(logits: Tensor) -> Tensor:
        weights = torch.zeros_like(logits)
        weights[0, scene.target] += 1
        weights[0, scene.contrast] -= 1
        return weights

    activation, layer = scene.activation[None], scene.layer
    _, gradient = score_gradient(scene.classifier, activation, layer, margin)
    slopes = scene.classifier.places(gradient[0])
    return _weighted(slopes.mean(dim=(1, 2)), scene.maps)


def attention_rollout(scene: Scene) -> Tensor:
    """Product over the blocks of (mean attention of the heads + identity) / 2; asks for no class.

    The row of the class token, or the mean of all rows where there is none, at the patches.
    """
    with torch.no_grad():
        flow: Tensor | None = None
        for attention in scene.classifier.attentions(scene.inputs):
            step = attention[0].mean(dim=0)
            step = (step + torch.eye(len(step), device=step.device)) / 2
            flow = step if flow is None else step @ flow
        rows, cols = scene.classifier.activation(scene.inputs, scene.classifier.layers[-1]).shape[
            2:
        ]
    if flow is None:
        return scene.inputs.new_zeros(rows, cols)
    apart = len(flow) - rows * cols
    told = flow[0] if apart else flow.mean(dim=0)
    return told[apart:].reshape(rows, cols)


def _weighted(weights: Tensor, activation: Tensor) -> Tensor:
    return torch.einsum("c,chw->hw", weights, activation)


def _principal(maps: Tensor, like: Tensor) -> Tensor:
    """Return the projection of every cell on the first principal axis, in the sense of `like`."""
    cells = maps.flatten(1).T.double()
    cells = cells - cells.mean(dim=0)
    # The smaller of the two Gram matrices has the same largest eigenvalue.
    if cells.shape[0] <= cells.shape[1]:
        gram = cells @ cells.T
        axis = _first_axis(gram)
        projection = axis * (axis @ gram @ axis).clamp(min=0).sqrt()
    else:
        projection = cells @ _first_axis(cells.T @ cells)
    centred = like.flatten().double() - like.double().mean()
    sign = -1 if float(projection @ centred) < 0 else 1
    oriented: Tensor = sign * projection
    return oriented.reshape(like.shape).float()


def _first_axis(gram: Tensor) -> Tensor:
    """Return the unit eigenvector of the largest eigenvalue of a Gram matrix.

    By the power method on its 64th power: eigenvalues that differ by 1 % are told apart to 1e-6,
    in a third of the time of a full decomposition. All zero for a matrix of zeros.
    """
    power = gram
    for _ in range(6):
        power = power / power.trace().clamp(min=1e-300)
        power = power @ power
    axis = power[:, int(power.diagonal().argmax())]
    for _ in range(20):
        axis = power @ (axis / axis.norm().clamp(min=1e-300))
    first: Tensor = axis / axis.norm().clamp(min=1e-300)
    return first

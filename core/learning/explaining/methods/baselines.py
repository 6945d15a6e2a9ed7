"""Maps that know nothing of the network: what every method must beat."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from core.learning.explaining.methods.scene import Scene


def random(scene: Scene) -> Tensor:
    """Uniform noise at the resolution of the layer, from the scene's seed."""
    noise = np.random.default_rng(scene.seed).random(scene.activation.shape[1:], np.float32)
    return torch.from_numpy(noise)


def sobel(scene: Scene) -> Tensor:
    """Length of the grey-level gradient of the input: an edge detector."""
    image = scene.inputs[0, 0].cpu().numpy()
    return torch.from_numpy(np.hypot(*(cv2.Sobel(image, cv2.CV_32F, *d) for d in ((1, 0), (0, 1)))))


def brightness(scene: Scene) -> Tensor:
    """Grey levels above the darkest one, at the resolution of the input."""
    grey = scene.inputs[0, 0]
    return grey - grey.min()


def contrast(scene: Scene) -> Tensor:
    """Distance of the grey levels from their mean, at the resolution of the input."""
    grey = scene.inputs[0, 0]
    return (grey - grey.mean()).abs()


def random_contrast(scene: Scene) -> Tensor:
    """Noise in the place of a gradient, times the distance of the grey levels from their mean."""
    draw = torch.Generator().manual_seed(scene.seed)
    noise = torch.randn(scene.inputs.shape[2:], generator=draw).abs()
    return noise.to(scene.inputs.device) * contrast(scene)

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

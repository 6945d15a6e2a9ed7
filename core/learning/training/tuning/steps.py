"""What every loop over training steps needs: precision, learning rate, files."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch


def half_pays(device: str) -> bool:
    """Tell whether 16-bit floats are fast: emulated ones took 14 times as long on a CPU."""
    return device != "cpu" or bool(torch.cpu._is_avx512_bf16_supported())


def load(path: Path) -> Any:
    """Return what torch.save wrote, tensors and plain values only."""
    return torch.load(path, map_location="cpu", weights_only=True)


def warm_up_and_decay(steps: int) -> Callable[[int], float]:
    """Return the factor of the learning rate at each step: a short rise, then half a cosine."""
    warm = max(1, min(200, steps // 10))
    return lambda step: (
        min(1.0, (step + 1) / warm) * 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps)))
    )

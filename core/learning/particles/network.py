"""A small network that answers, for each pixel, where it lies in a particle.

The encoder is EfficientNet-Lite0 up to 1/16 of the frame (Tan & Le 2019, arXiv:1905.11946), whose
published weights fit; the decoder adds finer maps step by step (U-Net, Ronneberger et al. 2015,
doi:10.1007/978-3-319-24574-4_28) up to 1/2 of the frame.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from core.learning.models import build_network

COARSEST = 16  # inputs must be a multiple of this on both sides
MAPS = ("inside", "rim", "depth")
_STAGES = (16, 24, 40, 112)  # channels of the encoder at 1/2, 1/4, 1/8 and 1/16
_GROUPS = 8


def _convolution(channels_in: int, channels_out: int, dilation: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, 1, dilation, dilation, bias=False),
        nn.GroupNorm(_GROUPS, channels_out),
        nn.ReLU(),
    )


class Surroundings(nn.Module):
    """What lies around each place at 1/16: near, farther, far, and the whole frame."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.near = _convolution(channels_in, channels_out)
        self.far = nn.ModuleList([_convolution(channels_out, channels_out, n) for n in (2, 4)])
        self.whole = nn.Linear(channels_out, channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """Return activations (N, channels_out, h, w) for x (N, channels_in, h, w)."""
        y: Tensor = self.near(x)
        for layer in self.far:
            y = y + layer(y)
        whole: Tensor = self.whole(y.mean(dim=(2, 3)))
        return y + whole[:, :, None, None]


class Finer(nn.Module):
    """Double the resolution and mix in the encoder's map of that resolution."""

    def __init__(self, channels_in: int, channels_beside: int, channels_out: int) -> None:
        super().__init__()
        self.beside = nn.Conv2d(channels_beside, channels_out, 1)
        self.mix = nn.Sequential(
            _convolution(channels_in + channels_out, channels_out),
            _convolution(channels_out, channels_out),
        )

    def forward(self, x: Tensor, beside: Tensor) -> Tensor:
        """Return activations (N, channels_out, 2 h, 2 w)."""
        larger = nn.functional.interpolate(x, scale_factor=2.0, mode="bilinear")
        mixed: Tensor = self.mix(torch.cat([larger, self.beside(beside)], dim=1))
        return mixed


class ParticleNetwork(nn.Module):
    """Standardised frames -> inside, rim (logits) and depth (0 at the rim, 1 in the middle).

    Parameters
    ----------
    widths : sequence of four ints
        Channels of the decoder at 1/16, 1/8, 1/4 and 1/2 of the frame, each a multiple of 8.
    """

    def __init__(self, widths: Sequence[int] = (96, 64, 48, 32)) -> None:
        super().__init__()
        whole = build_network("efficientnet_lite0", 1, {})
        self.conv_stem, self.bn1 = whole.conv_stem, whole.bn1
        self.stages = nn.Sequential(*list(whole.stages)[:5])  # type: ignore[arg-type]
        self.surroundings = Surroundings(_STAGES[3], widths[0])
        self.finer = nn.ModuleList(
            [Finer(widths[n], _STAGES[2 - n], widths[n + 1]) for n in range(3)]
        )
        self.answers = nn.Conv2d(widths[3], len(MAPS), 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return maps (N, 3, H / 2, W / 2) for x (N, 1, H, W); H and W multiples of 16."""
        y = nn.functional.relu6(self.bn1(self.conv_stem(x)))  # type: ignore[operator]
        beside = []
        for stage in self.stages:
            y = stage(y)
            beside.append(y)
        y = self.surroundings(y)
        for number, layer in enumerate(self.finer):
            y = layer(y, beside[2 - number])
        maps: Tensor = self.answers(y)
        return maps

"""The first convolution of a network, which takes the picture."""

from __future__ import annotations

import torch
from torch import nn

LARGEST_IMAGE_PX = 1024


def first_convolution(network: nn.Module) -> str:
    """Return the name of the convolution that takes the picture."""
    names = [name for name, module in network.named_modules() if isinstance(module, nn.Conv2d)]
    if not names:
        raise ValueError("the network has no convolution that takes a picture")
    return str(names[0])


def set_channels(network: nn.Module, channels: int) -> None:
    """Give a network a first convolution of so many input channels, untrained."""
    first = network.get_submodule(first_convolution(network))
    if not isinstance(first, nn.Conv2d) or first.in_channels == channels or first.groups != 1:
        return
    first.in_channels = channels
    shape = first.out_channels, channels, *first.kernel_size
    first.weight = nn.Parameter(torch.empty(shape, device=first.weight.device))
    first.reset_parameters()

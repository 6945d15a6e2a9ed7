"""A network's pass as one call, during which other threads have Python's interpreter.

Every operation of torch lets go of the interpreter and waits for it afterwards. Where another
thread of Python is at work that is a wait for each of hundreds of operations: beside two of them a
pass of 0.08 s took 14 s. A scripted network waits once. Its operations are the same, and so are its
digits.
"""

from __future__ import annotations

import functools
import threading
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

Step = tuple[int, int, int, bool, bool, bool]
Chain = tuple[list[Tensor], list[Tensor], list[Step]]
_TRIED = 2  # calls: a model that is looked at and left is not scripted, which takes 0.1 to 2 s


class OneCall:
    """The last activation map of a network that learns no more, on a CPU and without gradients.

    Parameters
    ----------
    network : Module
        In eval mode, as `networks` promises. With a method `chain` (see `convolve_all`) that is
        what is computed, for each frame and, with `both`, its inverse; its `blocks` otherwise.
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._made: Callable[[Tensor], Tensor] | None = None
        self._is_chain = hasattr(network, "chain")
        self._asked = 0
        self._lock = threading.Lock()

    def __call__(self, x: Tensor) -> Tensor:
        """Return the map (N, C, h', w') of inputs (N, channels, h, w)."""
        with self._lock:
            self._asked += 1
            if self._made is None and (self._is_chain or self._asked > _TRIED):
                self._made = self._make()
            made: Callable[[Tensor], Tensor] = self._made or self._network.features  # type: ignore[assignment]
        # Not optimised: that would be worked out anew for every size of frame, at twice its time.
        with torch.no_grad(), torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
            return made(x)

    def _make(self) -> Callable[[Tensor], Tensor]:
        if not self._is_chain:
            blocks = nn.Sequential(*(block for _, block in self._network.blocks()))  # type: ignore[operator]
            return script(blocks.eval()) or self._network.features  # type: ignore[return-value]
        with torch.inference_mode(False), torch.no_grad():  # whoever asked first
            chain: Chain = self._network.chain()  # type: ignore[operator]
        answer, both = _answer_each(), bool(self._network.both)
        return lambda x: answer(x, *chain, both)


@functools.cache
def _answer_each() -> Callable[..., Tensor]:
    return script(answer_each) or answer_each


def answer_each(
    x: Tensor, weights: list[Tensor], shifts: list[Tensor], steps: list[Step], both: bool
) -> Tensor:
    """Return `convolve_all` of each frame, or its mean over the frame and its inverse.

    One at a time: what several need between layers does not fit a cache.
    """
    maps: list[Tensor] = []
    for frame in x.split(1):  # type: ignore[no-untyped-call]
        one = convolve_all(frame, weights, shifts, steps)
        if both:
            one = (one + convolve_all(-frame, weights, shifts, steps)) / 2
        maps.append(one)
    return torch.cat(maps)


def convolve_all(
    x: Tensor, weights: list[Tensor], shifts: list[Tensor], steps: list[Step]
) -> Tensor:
    """Return the activations behind a chain of convolutions, padded as TensorFlow does it.

    Parameters
    ----------
    x : Tensor of shape (N, C, H, W)
    weights, shifts : list of Tensor
        Of each convolution: (C', C / groups, k, k) and (C',).
    steps : list of (stride, dilation, groups, is cut, begins, adds)
        Of each convolution: whether its activations are cut to 0 … 6, whether a block begins with
        it, and whether what that block began with is added behind it.
    """
    began = x
    for weight, shift, (stride, dilation, groups, is_cut, begins, adds) in zip(  # noqa: B905
        weights, shifts, steps
    ):
        if begins:
            began = x
        reach = (weight.shape[-1] - 1) * dilation
        down, across = reach // 2, reach // 2
        if stride > 1:  # one more at the end: a first row of zeros in the kernel
            height, width = x.shape[-2], x.shape[-1]
            rows = max(((height + stride - 1) // stride - 1) * stride + reach + 1 - height, 0)
            columns = max(((width + stride - 1) // stride - 1) * stride + reach + 1 - width, 0)
            down, across = rows - rows // 2, columns - columns // 2
            weight = nn.functional.pad(weight, (across - columns // 2, 0, down - rows // 2, 0))
        x = torch.conv2d(
            x, weight, shift, (stride, stride), (down, across), (dilation, dilation), groups
        )
        if is_cut:
            x = nn.functional.relu6(x, inplace=True)
        if adds:
            x = x + began
    return x


def script(made: nn.Module | Callable[..., Tensor]) -> Any:
    """Return the same as one call outside of Python; None where torch cannot.

    Scripting is deprecated without a successor that needs no compiler; without it a network answers
    step by step, and the same.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return torch.jit.script(made)
        except Exception:  # many kinds, for whatever a network is made of
            return None

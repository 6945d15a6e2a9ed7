"""EfficientNet-Lite0 with one input channel and an answer as fine as 1/16 of the frame.

Names and shapes are those of the published weights (converted from Google's TPU repository), so
that plain state dicts fit. No squeeze-and-excitation, ReLU6, TensorFlow's “same” padding.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn

from core.learning.models.borrowed.backbones import Blocks
from core.learning.models.one_call import Chain

# Kernel, stride, expansion, channels, repeats of each stage.
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
_STEM, _WIDTH = 32, 1280
_LAST_STRIDE = 5  # the stage after which the published network sees 1/32 of the frame
_EPSILON = 1e-3  # of batch normalisation, TensorFlow's


class SameConv(nn.Conv2d):
    """A convolution whose output has ⌈side / stride⌉ px, padded as TensorFlow does it.

    Attributes
    ----------
    answering : (int, int)
        Stride and dilation while the network answers; those of `nn.Conv2d` while it learns.
    """

    def __init__(self, channels_in: int, channels_out: int, kernel: int, stride: int, groups: int):
        super().__init__(channels_in, channels_out, kernel, stride, groups=groups, bias=False)
        self.answering = stride, 1

    def forward(
        self, x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None
    ) -> Tensor:
        """Return activations of shape (N, C', ⌈h / stride⌉, ⌈w / stride⌉).

        With a weight and a bias those are used instead of its own. Depthwise kernels stay 32-bit on
        a CPU whatever the rest is: their gradient took three times as long as 16-bit floats.
        """
        if self.groups > 1 and x.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
            with torch.autocast("cpu", enabled=False):
                return self._convolve(x.float(), weight, bias).to(x.dtype)
        return self._convolve(x, weight, bias)

    def _convolve(self, x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
        weight = self.weight if weight is None else weight
        stride, dilation = (self.stride[0], 1) if self.training else self.answering
        reach = (self.kernel_size[0] - 1) * dilation
        if stride == 1:
            padding = (reach // 2, reach // 2)
        else:
            (top, bottom), (left, right) = (_margins(side, reach, stride) for side in x.shape[-2:])
            # One more at the end: a first row of zeros in the kernel instead of a padded copy of
            # the map, which is fresh memory.
            weight = nn.functional.pad(weight, (right - left, 0, bottom - top, 0))
            padding = (bottom, right)
        return nn.functional.conv2d(x, weight, bias, stride, padding, dilation, self.groups)


def _margins(side: int, reach: int, stride: int) -> tuple[int, int]:
    """Return how many px TensorFlow's “same” adds before and after; the same or one more."""
    more = max((-(-side // stride) - 1) * stride + reach + 1 - side, 0)
    return more // 2, more - more // 2


def _conv(c_in: int, c_out: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> SameConv:
    return SameConv(c_in, c_out, kernel, stride, groups)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=_EPSILON)


class _Normed(nn.Module):
    """A convolution and its normalisation, one convolution while the network answers."""

    def __init__(self, conv: SameConv, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        self.conv = conv
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        return _normed(self.conv, self.norm, x)


def _normed(conv: SameConv, norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """Return normalised activations; stored statistics go into the convolution's weights.

    The weights are multiplied at every call: 3 million products beside a billion of the
    convolutions, and what is kept, learnt and loaded stays as it is published.
    """
    if norm.training:
        out: Tensor = norm(conv(x))
        return out
    folded: Tensor = conv(x, *_fold(conv, norm))
    return folded


def _fold(conv: SameConv, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Return the weight and the shift of a convolution that normalises, too."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    return scale[:, None, None, None] * conv.weight, norm.bias - scale * norm.running_mean


def _cut(x: Tensor) -> Tensor:
    """Return activations between 0 and 6, in place: fresh memory cost as much as a convolution."""
    return nn.functional.relu6(x, inplace=True)


# A convolution, its normalisation, and whether its activations are cut, a block begins with it, and
# what the block began with is added behind it.
_Link = tuple[SameConv, nn.BatchNorm2d, bool, bool, bool]


class SeparableBlock(nn.Module):
    """A depthwise and a pointwise convolution: the first stage."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv_dw = _conv(channels_in, channels_in, kernel, stride, channels_in)
        self.bn1 = _norm(channels_in)
        self.conv_pw = _conv(channels_in, channels_out)
        self.bn2 = _norm(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """Return activations of shape (N, channels_out, ⌈h / stride⌉, ⌈w / stride⌉)."""
        return _normed(self.conv_pw, self.bn2, _cut(_normed(self.conv_dw, self.bn1, x)))

    def links(self) -> list[_Link]:
        """Return its convolutions in their order."""
        return [
            (self.conv_dw, self.bn1, True, False, False),
            (self.conv_pw, self.bn2, False, False, False),
        ]


class InvertedBlock(nn.Module):
    """Inverted residual (Sandler et al. 2018, doi:10.1109/CVPR.2018.00474)."""

    def __init__(
        self, channels_in: int, channels_out: int, kernel: int, stride: int, expansion: int
    ) -> None:
        super().__init__()
        wide = channels_in * expansion
        self.conv_pw = _conv(channels_in, wide)
        self.bn1 = _norm(wide)
        self.conv_dw = _conv(wide, wide, kernel, stride, wide)
        self.bn2 = _norm(wide)
        self.conv_pwl = _conv(wide, channels_out)
        self.bn3 = _norm(channels_out)
        self.is_residual = stride == 1 and channels_in == channels_out

    def forward(self, x: Tensor) -> Tensor:
        """Return activations of shape (N, channels_out, ⌈h / stride⌉, ⌈w / stride⌉)."""
        y = _cut(_normed(self.conv_pw, self.bn1, x))
        y = _cut(_normed(self.conv_dw, self.bn2, y))
        out = _normed(self.conv_pwl, self.bn3, y)
        return out + x if self.is_residual else out

    def links(self) -> list[_Link]:
        """Return its convolutions in their order."""
        return [
            (self.conv_pw, self.bn1, True, True, False),
            (self.conv_dw, self.bn2, True, False, False),
            (self.conv_pwl, self.bn3, False, False, self.is_residual),
        ]


class _Twice(nn.Module):
    """A piece of the network for a frame and its inverse, their channels one after the other."""

    def __init__(self, piece: nn.Module, is_first: bool, is_last: bool) -> None:
        super().__init__()
        self.piece = piece
        self.is_first = is_first
        self.is_last = is_last

    def forward(self, x: Tensor) -> Tensor:
        """Return activations (N, 2 C, h, w) for (N, 2 B, H, W); (N, C, h, w) for the last map."""
        pair = torch.cat([x, -x]) if self.is_first else torch.cat(x.chunk(2, dim=1))
        one, other = self.piece(pair).chunk(2)
        return (one + other) / 2 if self.is_last else torch.cat([one, other], dim=1)


class EfficientNetLite0(nn.Module):
    """EfficientNet-Lite0 (Tan & Le 2019, arXiv:1905.11946), split as `networks` promises.

    The head is a global average and one linear layer, so class activation maps at the last layer
    are exact. While it answers, the last stride is left out and the kernels behind it are dilated
    (à trous, Holschneider et al. 1989): the last map is twice as fine, and its average is that of
    the strided network's four maps over the frame shifted by half a cell. It learns strided, at a
    third of the cost: its weights know no difference.

    Parameters
    ----------
    classes : int
        Number of scores.
    dropout : float
        Probability with which a pooled channel is dropped during training.
    fine : bool
        Whether the last map has 1/16 of the frame's resolution instead of 1/32 when it answers.
    both : bool
        Whether it is asked with the standardised frame and its inverse when it answers. The last
        map is the mean of the two, so scores are means, too, and maps stay exact.
    """

    def __init__(
        self, classes: int, dropout: float = 0.2, fine: bool = True, both: bool = False
    ) -> None:
        super().__init__()
        self.both = both
        self.conv_stem = _conv(1, _STEM, 3, 2)
        self.bn1 = _norm(_STEM)
        widths = (_STEM, *(width for *_, width, _ in STAGES))
        self.stages = nn.Sequential(*(_stage(n, widths[n]) for n in range(len(STAGES))))
        self.conv_head = _conv(widths[-1], _WIDTH)
        self.bn2 = _norm(_WIDTH)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(_WIDTH, classes)
        if fine:
            self._answer_finely()

    def _answer_finely(self) -> None:
        convolutions = [
            module
            for stage in self.stages[_LAST_STRIDE:]
            for module in stage.modules()
            if isinstance(module, SameConv) and module.groups > 1
        ]
        convolutions[0].answering = 1, 1
        for convolution in convolutions[1:]:
            convolution.answering = 1, 2

    def blocks(self) -> Blocks:
        """Return the stem, the seven stages and the last convolution.

        At 1/2, 1/2, 1/4, 1/8, 1/16, 1/16, and three times 1/16 (or 1/32) of the input.
        """
        pieces = self._pieces()
        if not self._is_asked_twice:
            return pieces
        last = len(pieces) - 1
        return tuple(
            (name, _Twice(piece, number == 0, number == last))
            for number, (name, piece) in enumerate(pieces)
        )

    def _pieces(self) -> Blocks:
        return (
            ("stem", nn.Sequential(_Normed(self.conv_stem, self.bn1), nn.ReLU6(inplace=True))),
            *((f"stage {number}", stage) for number, stage in enumerate(self.stages, 1)),
            (
                "last convolution",
                nn.Sequential(_Normed(self.conv_head, self.bn2), nn.ReLU6(inplace=True)),
            ),
        )

    def chain(self) -> Chain:
        """Return all convolutions with what `one_call.convolve_all` needs, as they answer now."""
        links: list[_Link] = [(self.conv_stem, self.bn1, True, False, False)]
        for stage in self.stages:
            for block in cast("Iterable[SeparableBlock | InvertedBlock]", stage):
                links += block.links()
        links.append((self.conv_head, self.bn2, True, False, False))
        weights, shifts = zip(*(_fold(conv, norm) for conv, norm, *_ in links), strict=True)
        steps = [
            (*conv.answering, conv.groups, is_cut, begins, adds)
            for conv, _, is_cut, begins, adds in links
        ]
        return list(weights), list(shifts), steps

    @property
    def _is_asked_twice(self) -> bool:
        return self.both and not self.training

    def features(self, x: Tensor) -> Tensor:
        """Return the last activation map, shape (N, 1280, ⌈H / 16⌉, ⌈W / 16⌉) when it answers."""
        if not self._is_asked_twice:
            return self._run(x)
        if torch.is_grad_enabled():
            one, other = self._run(torch.cat([x, -x])).chunk(2)
            return (one + other) / 2
        # One at a time: what a pair of frames needs between layers does not fit a cache.
        pairs = ((self._run(frame), self._run(-frame)) for frame in x.chunk(len(x)))
        return torch.cat([(one + other) / 2 for one, other in pairs])

    def _run(self, x: Tensor) -> Tensor:
        for _, piece in self._pieces():
            x = piece(x)
        return x

    def head(self, activation: Tensor) -> Tensor:
        """Return logits of shape (N, classes) for an activation map."""
        logits: Tensor = self.classifier(self.dropout(activation.mean(dim=(2, 3))))
        return logits

    def forward(self, x: Tensor) -> Tensor:
        """Return logits of shape (N, classes)."""
        return self.head(self.features(x))


def _stage(number: int, channels: int) -> nn.Sequential:
    kernel, stride, expansion, width, repeats = STAGES[number]
    blocks: list[nn.Module] = []
    for step in (stride, *[1] * (repeats - 1)):
        if expansion == 1:
            blocks.append(SeparableBlock(channels, width, kernel, step))
        else:
            blocks.append(InvertedBlock(channels, width, kernel, step, expansion))
        channels = width
    return nn.Sequential(*blocks)

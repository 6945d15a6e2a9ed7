"""Vision transformers (Dosovitskiy et al. 2021, arXiv:2010.11929) as maps of activations.

The patch tokens of a transformer form a grid, and that grid is the map. The class token (and
registers) are no place of the picture: they travel behind the map, as further channels that hold
one value everywhere, so that what passes through the network is a plain (N, C, h, w) tensor and
`carried` says how many times C channels are no map. The last block belongs to the head: behind it
only the class token counts, and the score has no gradient at the patches.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.learning.models.borrowed.backbones import Blocks


def pack(tokens: Tensor, prefix: int, size_hw: tuple[int, int]) -> Tensor:
    """Return tokens (N, prefix + h·w, C) as (N, (1 + prefix)·C, h, w)."""
    count, _, channels = tokens.shape
    grid = tokens[:, prefix:].transpose(1, 2).reshape(count, channels, *size_hw)
    if not prefix:
        return grid
    apart = tokens[:, :prefix].reshape(count, prefix * channels, 1, 1)
    return torch.cat([grid, apart.expand(-1, -1, *size_hw)], dim=1)


def unpack(packed: Tensor, prefix: int) -> Tensor:
    """Return the tokens (N, prefix + h·w, C) that `pack` took."""
    channels = packed.shape[1] // (1 + prefix)
    grid = packed[:, :channels].flatten(2).transpose(1, 2)
    apart = packed[:, channels:, 0, 0].reshape(packed.shape[0], prefix, channels)
    return torch.cat([apart, grid], dim=1)


class Embedding(nn.Module):
    """Picture -> patch tokens with their places, packed."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, (1 + prefix)·C, h, w) for a picture (N, channels, H, W)."""
        model = self.model
        grid = model.patch_embed.dynamic_feat_size(tuple(x.shape[2:]))
        tokens = model.norm_pre(model.patch_drop(model._pos_embed(model.patch_embed(x))))
        return pack(tokens, model.num_prefix_tokens, grid)


class Block(nn.Module):
    """One block of a transformer between packed tokens."""

    def __init__(self, block: nn.Module, prefix: int) -> None:
        super().__init__()
        self.block = block
        self._prefix = prefix

    def forward(self, x: Tensor) -> Tensor:
        """Return packed tokens of the same shape."""
        return pack(self.block(unpack(x, self._prefix)), self._prefix, (x.shape[2], x.shape[3]))


class Transformer(nn.Module):
    """timm's VisionTransformer, split before its last block.

    Parameters
    ----------
    model : timm's VisionTransformer
    pooled : str
        What enters the last layer: "own" as the model does it; "cls+mean" the class token beside
        the mean of the patches, as DINOv2's linear heads take it (Oquab et al. 2023,
        arXiv:2304.07193).
    """

    prefix = "model."

    def __init__(self, model: Any, pooled: str = "own") -> None:
        super().__init__()
        self.model = model
        self.pooled = pooled

    @property
    def carried(self) -> int:
        """How many tokens that are no place of the picture follow the map."""
        return int(self.model.num_prefix_tokens)

    def blocks(self) -> Blocks:
        """Return the embedding and all blocks but the last."""
        blocks = list(self.model.blocks)[:-1]
        steps = ((f"block {n}", Block(block, self.carried)) for n, block in enumerate(blocks, 1))
        return (("patches", Embedding(self.model)), *steps)

    def features(self, x: Tensor) -> Tensor:
        """Return the packed tokens before the last block."""
        for _, block in self.blocks():
            x = block(x)
        return x

    def head(self, activation: Tensor) -> Tensor:
        """Return logits of shape (N, classes) for packed tokens."""
        model = self.model
        tokens = model.norm(model.blocks[-1](unpack(activation, self.carried)))
        if self.pooled == "own":
            logits: Tensor = model.forward_head(tokens)
            return logits
        patches = tokens[:, self.carried :].mean(dim=1)
        both: Tensor = model.head(torch.cat([tokens[:, 0], patches], dim=1))
        return both

    def forward(self, x: Tensor) -> Tensor:
        """Return logits of shape (N, classes) for x (N, channels, H, W)."""
        return self.head(self.features(x))

    def attentions(self, x: Tensor) -> Iterator[Tensor]:
        """Yield the attention (N, heads, tokens, tokens) of every block, from the input on."""
        packed = Embedding(self.model)(x)
        tokens = unpack(packed, self.carried)
        for block in self.model.blocks:
            yield _attention(block.attn, block.norm1(tokens))
            tokens = block(tokens)


def _attention(layer: Any, tokens: Tensor) -> Tensor:
    """Return the softmax of scaled products that a timm attention layer forms."""
    count, length, _ = tokens.shape
    heads = layer.num_heads
    query, key, _ = layer.qkv(tokens).reshape(count, length, 3, heads, -1).permute(2, 0, 3, 1, 4)
    query, key = layer.q_norm(query), layer.k_norm(key)
    return functional.softmax(query * layer.scale @ key.transpose(-2, -1), dim=-1)

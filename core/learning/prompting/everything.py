"""Masks of all that stands out: a grid of prompts, of whose answers the sure and steady ones stay.

Kirillov et al. (2023), Segment Anything, arXiv:2304.02643, section "fully automatic stage".
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.learning.prompting.network import Seen

Labels = NDArray[np.int32]
GRID = 24  # prompts along the longer side
_AT_ONCE = 32
_SURE, _STEADY, _SAME = 0.88, 0.9, 0.7
_SHIFT = 1.0  # of the logits, up and down: a steady mask hardly changes
_MOST = 0.5  # of the frame: a larger mask is ground
_LEAST_PX = 9


def find_everything(seen: Seen, *, exclude: NDArray[np.bool_] | None = None) -> Labels:
    """Return what the network tells apart by itself, numbered.

    Parameters
    ----------
    seen : Seen
    exclude : ndarray of shape (H, W), bool, optional
        Where nothing is an object.

    Returns
    -------
    ndarray of shape (H, W), int32
        0 is ground. Where masks overlap, the smaller one lies on top.
    """
    kept = _without_twins(_good(seen))
    labels = np.zeros(seen.shape, np.int32)
    masks = [(seen.enlarged(logits) > 0).numpy() for logits in kept]
    for mask in sorted(masks, key=lambda each: -int(each.sum())):
        if _LEAST_PX <= mask.sum() <= _MOST * mask.size:
            labels[mask] = labels.max() + 1
    if exclude is not None:
        labels[exclude] = 0
    numbers, places = np.unique(labels, return_inverse=True)
    start = np.int32(numbers[0] != 0)
    return np.asarray(places.reshape(labels.shape).astype(np.int32) + start, np.int32)


def _grid(shape: tuple[int, int]) -> list[tuple[float, float]]:
    step = max(shape) / GRID
    rows, columns = (np.arange(step / 2, side, step) - 0.5 for side in shape)
    return [(float(row), float(column)) for row in rows for column in columns]


def _good(seen: Seen) -> list[tuple[float, Tensor]]:
    """Return score and small mask of the answers that are sure and steady."""
    places = _grid(seen.shape)
    good: list[tuple[float, Tensor]] = []
    for at in range(0, len(places), _AT_ONCE):
        part = [[place] for place in places[at : at + _AT_ONCE]]
        masks, scores = seen.answer(part, [[1]] * len(part), several=True)
        inner = (masks > _SHIFT).sum(dim=(-2, -1))
        outer = (masks > -_SHIFT).sum(dim=(-2, -1)).clamp(min=1)
        chosen = (scores >= _SURE) & (inner / outer >= _STEADY)
        good += zip(scores[chosen].tolist(), masks[chosen], strict=True)
    return good


def _without_twins(good: list[tuple[float, Tensor]]) -> list[Tensor]:
    """Return the masks without those that a better one covers, best first."""
    kept: list[Tensor] = []
    inside: list[Tensor] = []
    for _, logits in sorted(good, key=lambda each: -each[0]):
        own = logits > 0
        if inside:
            others = torch.stack(inside)
            shared = (others & own).sum(dim=(-2, -1))
            union = (others | own).sum(dim=(-2, -1)).clamp(min=1)
            if bool((shared / union > _SAME).any()):
                continue
        kept.append(logits)
        inside.append(own)
    return kept

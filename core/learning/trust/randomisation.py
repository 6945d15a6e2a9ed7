"""Does a map depend on what the network learnt? Weights are randomised piece by piece to find out.

From the scores back to the input, one piece after another loses what it learnt, and the map is
drawn again each time. A map that stays the same shows the picture, not the network
(Adebayo et al. 2018, Sanity checks for saliency maps, NeurIPS, arXiv:1810.03292). A map may pass
this and still say little (Binder et al. 2023, CVPR, arXiv:2211.12486): it is one check of several.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from core.learning.models import Classifier
from core.learning.trust.agreement import rank_correlation

HEAD = "head"
STILL_SIMILAR = 0.3  # above this rank correlation the map has not noticed that nothing is known


@dataclass(frozen=True, slots=True, eq=False)
class Cascade:
    """How similar a map stays while the network forgets.

    Attributes
    ----------
    depths : tuple of str
        The piece that was randomised last, from the head to the first one; all pieces before it in
        this order are random by then.
    spearman : ndarray of shape (seeds, depths), float64, −1 to 1
        Rank correlation with the trained network's map; 0 where the random network has no map.
    """

    depths: tuple[str, ...]
    spearman: NDArray[np.float64]

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean over the seeds, one per depth."""
        return np.asarray(self.spearman.mean(axis=0))

    @property
    def final(self) -> float:
        """Mean with every weight random."""
        return float(self.mean[-1])

    @property
    def passes(self) -> bool:
        """Whether little of the map is left when nothing of the network is.

        A map that comes back upside down has not forgotten either.
        """
        return abs(self.final) <= STILL_SIMILAR


def cascade(
    classifier: Classifier,
    raw: NDArray[np.floating],
    draw_map: Callable[[Classifier], NDArray[np.floating]],
    seeds: Sequence[int],
    on_step: Callable[[], object] = lambda: None,
) -> Cascade:
    """Return how a map changes under cascading randomisation of a copy of the network.

    Parameters
    ----------
    classifier : Classifier
        Left alone: only deep copies of its network are changed.
    raw : ndarray of shape (h, w)
        The trained network's map.
    draw_map : callable
        Draws the same kind of map with another classifier.
    seeds : sequence of int
        One cascade for each.
    on_step : callable
        Called after every map.
    """
    names = tuple(name for name, _ in pieces(classifier.network))
    similar = np.zeros((len(seeds), len(names)))
    for row, seed in enumerate(seeds):
        for column, other in enumerate(_forgetting(classifier, seed)):
            similar[row, column] = rank_correlation(raw, draw_map(other))
            on_step()
    return Cascade(names, similar)


def _forgetting(classifier: Classifier, seed: int) -> Iterator[Classifier]:
    """Yield classifiers on one copy of the network, with one more piece randomised each time."""
    network = copy.deepcopy(classifier.network)
    generator = torch.Generator().manual_seed(seed)
    for _, modules in pieces(network):
        for module in modules:
            randomise(module, generator)
        yield Classifier(network, classifier.card, classifier.device)


def pieces(network: nn.Module) -> list[tuple[str, list[nn.Module]]]:
    """Return the network's pieces that can forget, from the head to the input: name and modules."""
    blocks: list[tuple[str, nn.Module]] = list(network.blocks())  # type: ignore[operator]
    in_blocks = {id(module) for _, block in blocks for module in block.modules()}
    head = [m for m in network.modules() if id(m) not in in_blocks and _owns_weights(m)]
    found = [(HEAD, head)] if head else []
    for name, block in reversed(blocks):
        modules = [module for module in block.modules() if _owns_weights(module)]
        if modules:
            found.append((name, modules))
    return found


def _owns_weights(module: nn.Module) -> bool:
    return next(module.parameters(recurse=False), None) is not None


@torch.no_grad()
def randomise(module: nn.Module, generator: torch.Generator) -> None:
    """Give one module's own weights fresh values, as before any training (He et al. 2015).

    Matrices and kernels are drawn from a normal distribution of variance 2 / fan-in, offsets are
    zero, normalisations are the identity.
    """
    for name, weight in module.named_parameters(recurse=False):
        if weight.dim() > 1:
            weight.copy_(_he_normal(weight, generator))
        else:
            weight.fill_(0.0 if "bias" in name else 1.0)
    if isinstance(module, _BatchNorm):
        module.reset_running_stats()


def _he_normal(weight: Tensor, generator: torch.Generator) -> Tensor:
    spread = (2 / weight[0].numel()) ** 0.5
    drawn: Tensor = torch.randn(weight.shape, generator=generator) * spread
    return drawn

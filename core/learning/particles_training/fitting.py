"""Views of pictures with numbered objects -> a particle network that has learned from them."""

from __future__ import annotations

import copy
import functools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.learning.particles import ParticleNetwork
from core.learning.particles_training.views import random_view, typical_diameter

_BATCH = 4
_RATE, _ENCODER_SHARE = 1.5e-3, 0.25  # of AdamW; the pretrained encoder learns more slowly
_WARM_UP_STEPS = 100
_MEMORY = 0.998  # of the running average of weights, which is what is kept
_SIMULATED_SHARE = 0.2
_STILL_STAGES = 2  # of the encoder: their maps are the largest, what they see is the most general
_SAVE_EVERY_S = 60


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A picture and its objects.

    Parameters
    ----------
    pixels : ndarray of shape (H, W), uint8
    labels : ndarray of shape (H, W), integer
    diameter : float
        Of its typical object, in px.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[Any]
    diameter: float

    @classmethod
    def of(cls, pixels: NDArray[np.uint8], labels: NDArray[Any]) -> Example:
        """Return the example with its diameter measured."""
        return cls(pixels, labels, typical_diameter(labels))


def fit(
    network: ParticleNetwork,
    real: list[Example],
    simulated: list[Example],
    seconds: float,
    kept: Path,
    seed: int = 0,
    on_step: Callable[[int, float, float], None] | None = None,
) -> ParticleNetwork:
    """Return the running average of a network that learned for a time; begun again, it goes on.

    Parameters
    ----------
    network : ParticleNetwork
        Where it begins; changed in place.
    real, simulated : list of Example
    seconds : float
        For all of it, those spent before included.
    kept : Path
        File with all that is needed to go on.
    seed : int
    on_step : callable, optional
        Called with the step, the share of time gone and the loss.
    """
    average = copy.deepcopy(network)
    optimiser = _optimiser(network)
    step, spent = _resume(kept, network, average, optimiser)
    views = _batches(real, simulated, np.random.default_rng([seed, step]))
    started = saved = time.monotonic()
    _hold_still(network)
    _quicken(network)
    while (gone := (spent + time.monotonic() - started) / seconds) < 1:
        for group in optimiser.param_groups:
            group["lr"] = group["most"] * _rate(step, gone)
        loss = _step(network, optimiser, next(views))
        step += 1
        _follow(average, network, min(_MEMORY, (1 + step) / (10 + step)))
        if on_step:
            on_step(step, gone, loss)
        if time.monotonic() - saved > _SAVE_EVERY_S:
            saved = time.monotonic()
            _keep(kept, network, average, optimiser, step, spent + saved - started)
    _keep(kept, network, average, optimiser, step, spent + time.monotonic() - started)
    return average.eval()


def _rate(step: int, gone: float) -> float:
    return min(1.0, (step + 1) / _WARM_UP_STEPS) * (0.5 + 0.5 * float(np.cos(np.pi * gone)))


def _hold_still(network: ParticleNetwork) -> None:
    """Let everything learn but the finest stages of the encoder."""
    network.train()
    for piece in (network.conv_stem, network.bn1, *network.stages[:_STILL_STAGES]):
        piece.eval().requires_grad_(False)


def _quicken(network: ParticleNetwork) -> None:
    """Let depthwise convolutions learn in 32 bits: in 16 their slopes take five times as long."""
    for module in network.stages.modules():
        if isinstance(module, nn.Conv2d) and module.groups > 1:
            module.forward = functools.partial(_in_singles, module.forward)  # type: ignore[method-assign]


def _in_singles(forward: Callable[..., Tensor], x: Tensor, *rest: Tensor) -> Tensor:
    with torch.autocast("cpu", enabled=False):
        return forward(x.float(), *rest)


def _optimiser(network: ParticleNetwork) -> torch.optim.AdamW:
    encoder = list(network.stages[_STILL_STAGES:].parameters())
    taken = {id(each) for each in encoder}
    still = [network.conv_stem, network.bn1, *network.stages[:_STILL_STAGES]]
    taken |= {id(each) for piece in still for each in piece.parameters()}
    decoder = [each for each in network.parameters() if id(each) not in taken]
    groups = [
        {"params": encoder, "lr": 0.0, "most": _RATE * _ENCODER_SHARE},
        {"params": decoder, "lr": 0.0, "most": _RATE},
    ]
    return torch.optim.AdamW(groups, weight_decay=0.01)


def _step(
    network: ParticleNetwork,
    optimiser: torch.optim.AdamW,
    batch: tuple[Tensor, Tensor, Tensor],
) -> float:
    pixels, wanted, known = batch
    with torch.autocast("cpu", torch.bfloat16):
        answer = network(pixels.contiguous(memory_format=torch.channels_last))
    loss = loss_of(answer.float(), wanted, known)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(network.parameters(), 2.0)
    optimiser.step()
    return float(loss.detach())


def loss_of(answer: Tensor, wanted: Tensor, known: Tensor) -> Tensor:
    """Return how far answers are from what is wanted, where it is known.

    Cross-entropy and Dice's coefficient (Milletari et al. 2016, doi:10.1109/3DV.2016.79) of inside
    and rim, and the smoothed absolute error of depth, which counts more within objects.
    """
    total = known.sum().clamp(min=1)
    loss = torch.zeros(())
    for number, weight in ((0, 1.0), (1, 1.0)):
        logits, truth = answer[:, number], wanted[:, number]
        each = nn.functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
        share = torch.sigmoid(logits) * known
        both = (share * truth).sum((1, 2))
        dice = 1 - (2 * both + 20) / (share.sum((1, 2)) + (truth * known).sum((1, 2)) + 20)
        loss = loss + weight * ((each * known).sum() / total + 0.5 * dice.mean())
    depth, truth = answer[:, 2], wanted[:, 2]
    off = nn.functional.smooth_l1_loss(depth, truth, reduction="none", beta=0.1)
    return loss + 3 * (off * (1 + wanted[:, 0]) * known).sum() / total


def _batches(
    real: list[Example], simulated: list[Example], rng: np.random.Generator
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    while True:
        views = []
        for _ in range(_BATCH):
            source = simulated if simulated and rng.random() < _SIMULATED_SHARE else real
            one = source[int(rng.integers(len(source)))]
            views.append(random_view(one.pixels, one.labels, one.diameter, rng))
        parts = zip(*views, strict=True)
        pixels, wanted, known = (torch.from_numpy(np.stack(part)) for part in parts)
        yield pixels[:, None], wanted, known


@torch.no_grad()
def _follow(average: ParticleNetwork, network: ParticleNetwork, memory: float) -> None:
    for mean, now in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(now, 1 - memory)
        else:
            mean.copy_(now)


def _keep(
    path: Path,
    network: ParticleNetwork,
    average: ParticleNetwork,
    optimiser: torch.optim.AdamW,
    step: int,
    spent: float,
) -> None:
    state = {
        "network": network.state_dict(),
        "average": average.state_dict(),
        "optimiser": optimiser.state_dict(),
        "step": step,
        "spent": spent,
    }
    unfinished = path.with_suffix(".part")
    torch.save(state, unfinished)
    unfinished.replace(path)


def _resume(
    path: Path, network: ParticleNetwork, average: ParticleNetwork, optimiser: torch.optim.AdamW
) -> tuple[int, float]:
    if not path.is_file():
        return 0, 0.0
    state = torch.load(path, weights_only=True)
    network.load_state_dict(state["network"])
    average.load_state_dict(state["average"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"]), float(state["spent"])

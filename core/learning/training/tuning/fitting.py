"""Fine-tuning the last blocks of a network that knows natural pictures, on cached activations."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from core.learning.models import head_name
from core.learning.training.pictures import LabelledPicture
from core.learning.training.plan import TrainingPlan
from core.learning.training.tuning import activations
from core.learning.training.tuning.steps import half_pays, load, warm_up_and_decay
from core.learning.training.tuning.watch import PER_LESSON_S, PER_VIEW_S, Stopped, Watch
from core.micrograph import Micrograph

KEPT_AS = "views.pt"
_REPORT_STEPS = 20
_KEEP_STEPS = 60


class Trainer(Protocol):
    """What is asked of a `phases.Trainer`."""

    classes: tuple[str, ...]
    plan: TrainingPlan
    device: str
    work: Path
    report: Callable[[str], None]
    simulated: tuple[str, ...]
    watch: Watch
    activations: tuple[activations.Activations, dict[int, int]] | None
    earlier: Path | None

    def new_network(self) -> nn.Module:
        """Return a network filled from the start."""

    def keep(self, phase: str, state: dict[str, Any], step: int) -> None:
        """Write where a phase is."""

    def resume(self, phase: str, state: dict[str, Any]) -> int:
        """Return the number of steps done, with everything as it was then."""


def prepare(
    trainer: Trainer, pictures: Sequence[LabelledPicture], wholes: Sequence[Micrograph] = ()
) -> None:
    """Compute the activations of all pictures' views, or take those of the work folder."""
    if trainer.activations is not None:
        return
    path = trainer.work / KEPT_AS
    if not path.is_file():
        began = time.monotonic()
        computed = activations.compute_activations(
            trainer.new_network(),
            pictures,
            trainer.classes,
            trainer.simulated,
            trainer.plan,
            trainer.device,
            wholes,
            trainer.watch,
        )
        activations.keep(computed, path)
        trainer.report(f"{len(computed.owner)} views in {time.monotonic() - began:.0f} s")
    else:
        trainer.watch.skip(len(pictures) * trainer.plan.views_each * PER_VIEW_S)
    numbers = {id(picture): number for number, picture in enumerate(pictures)}
    trainer.activations = activations.recall(path), numbers


def tune(trainer: Trainer, phase: str, pictures: Sequence[LabelledPicture]) -> dict[str, Tensor]:
    """Return the averaged weights of a fit on these pictures; kept in the work folder when done.

    Parameters
    ----------
    trainer : Trainer
        After `prepare` with all pictures that any fit learns from.
    phase : str
    pictures : sequence of LabelledPicture
    """
    finished = trainer.work / f"{phase}.pt"
    if finished.is_file():
        kept: dict[str, Tensor] = load(finished)
        trainer.watch.skip(trainer.plan.finetune_samples * PER_LESSON_S)
        return kept
    prepare(trainer, pictures)
    assert trainer.activations is not None
    cached, numbers = trainer.activations
    chosen = {numbers[id(picture)]: picture.group for picture in pictures}
    state, steps = _begin(trainer, phase)
    first = trainer.resume(phase, state)
    trainer.watch.skip(first * trainer.plan.batch * PER_LESSON_S)
    seed = (trainer.plan.seed + 1) * 1_000_003 + first
    draw = activations.Draw(cached, chosen, trainer.plan, seed)
    _loop(trainer, phase, state, draw, range(first, steps))
    weights: dict[str, Tensor] = state["average"].module.state_dict()
    weights = {name: value.cpu() for name, value in weights.items()}
    torch.save(weights, finished.with_suffix(".new"))
    finished.with_suffix(".new").replace(finished)
    (trainer.work / f"{phase}.partial.pt").unlink(missing_ok=True)
    return weights


def _begin(trainer: Trainer, phase: str) -> tuple[dict[str, Any], int]:
    """Return network, running average, optimiser and schedule, and the number of steps."""
    plan, network = trainer.plan, trainer.new_network()
    head = network.get_submodule(head_name(plan.architecture))
    before = trainer.earlier / f"{phase}.pt" if trainer.earlier else None
    if before is not None and before.is_file():
        network.load_state_dict(load(before))
    else:
        for parameter in head.parameters():
            nn.init.zeros_(parameter)
    still, moving = split(network, plan.still_blocks)
    still.requires_grad_(False)
    optimiser = torch.optim.AdamW(
        [
            {"params": list(moving.parameters()), "lr": plan.finetune_rate},
            {"params": list(head.parameters()), "lr": plan.head_rate},
        ],
        weight_decay=plan.weight_decay,
    )
    steps = max(1, plan.finetune_samples // plan.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, warm_up_and_decay(steps))
    decay = 1 - 1 / max(2.0, plan.average_share * steps)
    running = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    average = AveragedModel(network, multi_avg_fn=running, use_buffers=True)
    return {"network": network, "average": average, "optimiser": optimiser, "s": schedule}, steps


def split(network: nn.Module, still_blocks: int) -> tuple[nn.Sequential, nn.Sequential]:
    """Return the blocks that stay as they are, answering, and those that learn."""
    blocks = [block for _, block in network.train().blocks()]  # type: ignore[operator]
    still, moving = blocks[:still_blocks], blocks[still_blocks:]
    return nn.Sequential(*still).eval(), nn.Sequential(*moving)


def _loop(
    trainer: Trainer, phase: str, state: dict[str, Any], draw: activations.Draw, steps: range
) -> None:
    network, optimiser, device = state["network"], state["optimiser"], trainer.device
    _, moving = split(network, trainer.plan.still_blocks)
    began, hits, seen = time.monotonic(), 0, 0
    for step in steps:
        try:
            trainer.watch.step(trainer.plan.batch * PER_LESSON_S)
        except Stopped:
            trainer.keep(phase, state, step)
            raise
        x, target = (part.to(device) for part in draw.batch())
        x = x.to(memory_format=torch.channels_last)
        with torch.autocast(device, torch.bfloat16, enabled=half_pays(device)):
            logits = network.head(moving(x)).float()
        smoothing = trainer.plan.smoothing
        loss = nn.functional.cross_entropy(logits, target, label_smoothing=smoothing)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        state["s"].step()
        state["average"].update_parameters(network)
        hits, seen = hits + int((logits.argmax(1) == target).sum()), seen + len(target)
        if (step + 1) % _REPORT_STEPS == 0 or step + 1 == steps.stop:
            speed = (step + 1 - steps.start) * trainer.plan.batch / (time.monotonic() - began)
            left_min = (steps.stop - step - 1) * trainer.plan.batch / speed / 60
            trainer.report(
                f"{phase}: step {step + 1}/{steps.stop}, training accuracy {hits / seen:.3f}, "
                f"{speed:.0f} views/s, about {left_min:.0f} min left of this phase"
            )
            hits, seen = 0, 0
        if (step + 1) % _KEEP_STEPS == 0:
            trainer.keep(phase, state, step + 1)

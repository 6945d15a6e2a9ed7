"""The phases of a training: simulated views first, then real ones, each kept when it is done.

What is kept lies in a work folder, and a long phase also while it runs, so that a stopped training
goes on where it was.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from core.imaging.simulation import KINDS
from core.learning.models import Classifier, ModelCard, build_network
from core.learning.training.pictures import LabelledPicture
from core.learning.training.plan import TrainingPlan
from core.learning.training.starting import Start
from core.learning.training.tuning import (
    Activations,
    Watch,
    half_pays,
    load,
    tune,
    warm_up_and_decay,
)
from core.learning.training.views import Labelled, Views

Report = Callable[[str], None]
CHECKPOINT_STEPS = 200


@contextmanager
def threads_beside(workers: int) -> Iterator[None]:
    """Leave a core to each stream of views: threads that wait for each other halve the speed."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, (os.cpu_count() or 2) - workers))
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Trainer:
    """The phases of one training: they share classes, plan, device and work folder."""

    def __init__(
        self,
        classes: tuple[str, ...],
        plan: TrainingPlan,
        device: str,
        work: Path,
        report: Report,
        start: Start | None = None,
        watch: Watch | None = None,
        earlier: Path | None = None,
    ) -> None:
        self.watch = watch or Watch()
        self.earlier = earlier
        self.classes = classes
        self.plan = plan
        self.device = device
        self.work = work
        self.report = report
        self.start = start
        self.options = dict(plan.options) | (dict(start.options) if start else {})
        self.simulated = classes if set(classes) <= set(KINDS) else ()
        self.activations: tuple[Activations, dict[int, int]] | None = None

    def new_network(self) -> nn.Module:
        """Return a network drawn from the plan's seed, filled from the start if there is one."""
        torch.manual_seed(self.plan.seed)
        network = build_network(self.plan.architecture, len(self.classes), self.options)
        if self.start is not None:
            self.start.fill(network)
        return network.to(self.device).to(memory_format=torch.channels_last)

    def pretrain(self) -> None:
        """Learn the forms from simulated micrographs, when the simulator knows every class."""
        if self.simulated and self.plan.pretrain_samples:
            views = Views((), self.simulated, 0.0, self.plan, self.plan.seed)
            self.fit("pretrained", None, views, self.plan.pretrain_samples, self.plan.pretrain_rate)

    def finetune(self, phase: str, pictures: Sequence[LabelledPicture]) -> dict[str, Tensor]:
        """Return weights fine-tuned on real pictures (and simulated ones among them)."""
        if self.plan.still_blocks:
            return tune(self, phase, pictures)
        labelled = [
            Labelled(np.asarray(p.micrograph.pixels, np.float32), self.classes.index(p.label))
            for p in pictures
        ]
        share = self.plan.real_share if self.simulated else 1.0
        views = Views(labelled, self.simulated, share, self.plan, self.plan.seed + 1)
        start = self.work / "pretrained.pt"
        return self.fit(
            phase,
            start if start.is_file() else None,
            views,
            self.plan.finetune_samples,
            self.plan.finetune_rate,
        )

    def fit(
        self, phase: str, start: Path | None, views: Views, samples: int, rate: float
    ) -> dict[str, Tensor]:
        """Return the averaged weights after a phase; kept in the work folder when done."""
        finished = self.work / f"{phase}.pt"
        if finished.is_file():
            kept: dict[str, Tensor] = load(finished)
            return kept
        network = self.new_network()
        if start is not None:
            network.load_state_dict(load(start))
        steps = max(1, samples // self.plan.batch)
        decay = 1 - 1 / max(2.0, self.plan.average_share * steps)
        running = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        average = AveragedModel(network, multi_avg_fn=running, use_buffers=True)
        optimiser = torch.optim.AdamW(
            network.parameters(), lr=rate, weight_decay=self.plan.weight_decay
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, warm_up_and_decay(steps))
        state = {"network": network, "average": average, "optimiser": optimiser, "s": schedule}
        first = self.resume(phase, state)
        # A resumed stream continues with other samples than the ones already seen.
        views.seed = views.seed * 1_000_003 + first
        if not views.pictures:
            early = int(self.plan.early_share * samples) - first * self.plan.batch
            views.small = max(0, early)
        self._loop(phase, state, views, first, steps)
        weights: dict[str, Tensor] = average.module.state_dict()
        torch.save({k: v.cpu() for k, v in weights.items()}, finished)
        (self.work / f"{phase}.partial.pt").unlink(missing_ok=True)
        return weights

    def _loop(
        self, phase: str, state: dict[str, Any], views: Views, first: int, steps: int
    ) -> None:
        network, optimiser = state["network"].train(), state["optimiser"]
        loader = iter(DataLoader(views, batch_size=self.plan.batch, num_workers=self.plan.workers))
        began, hits, seen = time.monotonic(), 0, 0
        for step in range(first, steps):
            x, target = next(loader)
            x = x.to(self.device, memory_format=torch.channels_last)
            target = target.to(self.device)
            with torch.autocast(self.device, torch.bfloat16, enabled=half_pays(self.device)):
                logits = network(x).float()
            loss = nn.functional.cross_entropy(logits, target, label_smoothing=self.plan.smoothing)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            state["s"].step()
            state["average"].update_parameters(network)
            hits += int((logits.argmax(1) == target).sum())
            seen += len(target)
            if (step + 1) % CHECKPOINT_STEPS == 0 or step + 1 == steps:
                speed = (step + 1 - first) * self.plan.batch / (time.monotonic() - began)
                left_min = (steps - step - 1) * self.plan.batch / speed / 60
                self.report(
                    f"{phase}: step {step + 1}/{steps}, training accuracy {hits / seen:.3f}, "
                    f"{speed:.0f} views/s, about "
                    f"{left_min:.0f} min left of this phase"
                )
                hits, seen = 0, 0
                self.keep(phase, state, step + 1)

    def keep(self, phase: str, state: dict[str, Any], step: int) -> None:
        """Write where a phase is, so that a stopped training goes on there."""
        path = self.work / f"{phase}.partial.pt"
        values = {name: part.state_dict() for name, part in state.items()}
        torch.save({"step": step, **values}, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)

    def resume(self, phase: str, state: dict[str, Any]) -> int:
        """Bring a phase to where it was; return the number of steps done."""
        path = self.work / f"{phase}.partial.pt"
        if not path.is_file():
            return 0
        values = load(path)
        for name, part in state.items():
            part.load_state_dict(values[name])
        self.report(f"{phase}: goes on at step {values['step']}")
        return int(values["step"])

    def as_classifier(
        self, weights: dict[str, Tensor], card: ModelCard | None = None
    ) -> Classifier:
        """Return a network with these weights; without a card it gets a plain one."""
        network = build_network(self.plan.architecture, len(self.classes), self.options)
        if self.plan.half:  # what is kept is what is scored
            weights = {
                k: v.half().float() if v.is_floating_point() else v for k, v in weights.items()
            }
        network.load_state_dict(weights)
        card = card or ModelCard(
            self.work.name,
            self.plan.architecture,
            self.classes,
            options=self.options,
            preparation=self.plan.preparation.to_dict(),
            calibration=self.plan.yardstick,
        )
        return Classifier(network, card, self.device)

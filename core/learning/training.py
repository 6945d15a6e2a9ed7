"""Labelled folders -> a model folder, scored by grouped cross-validation so that nothing leaks.

The recipe: learn the forms from endless simulated micrographs, then fine-tune on the real ones.
Fine-tuning is repeated once per fold for the scores and the calibration, then once on all
pictures for the weights that are kept. Every finished phase is kept in a work folder, and the
long simulated phase also while it runs, so a stopped training goes on where it was.
"""

from __future__ import annotations

import itertools
import math
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from core.errors import UserError
from core.imaging.simulate import KINDS, simulate
from core.learning import crossvalidation
from core.learning.augmentation import random_view
from core.learning.checkpoints import Classifier, ModelCard, pick_device, save_model
from core.learning.magnification import training_range
from core.learning.networks import build_network
from core.learning.novelty import THRESHOLD
from core.learning.pictures import LabelledPicture, read_labelled_folders
from core.learning.preparation import Preparation
from core.learning.readme import describe
from core.learning.starting import Start

Array = NDArray[Any]
Report = Callable[[str], None]
CHECKPOINT_STEPS = 200


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How long and how hard to train; kept in the model card.

    `*_samples` count training views; learning rates belong to AdamW with one warm-up and a
    cosine decay. `real_share` is the part of fine-tuning views drawn from the real pictures when
    the simulator knows every class. The kept weights are a running average that reaches back over
    `average_share` of a phase's steps. The first `early_share` of the simulated views are smaller:
    `early_size_px`, which saves a third of the time and teaches another scale.
    """

    pretrain_samples: int = 128_000
    finetune_samples: int = 10_000
    pretrain_rate: float = 2e-3
    finetune_rate: float = 6e-4
    weight_decay: float = 0.05
    real_share: float = 0.7
    smoothing: float = 0.05
    size_px: int = 160
    early_size_px: int = 128
    early_share: float = 0.6
    batch: int = 64
    folds: int = 5
    average_share: float = 0.1
    seed: int = 0
    workers: int = 1
    architecture: str = "emnet"

    @property
    def preparation(self) -> Preparation:
        """Whole frames enter at the scale at which the average view was seen in training."""
        return Preparation(area_px=round(1.6 * self.size_px) ** 2)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture as the training loop needs it."""

    image: Array
    target: int


class Views(IterableDataset[tuple[Tensor, int]]):
    """An endless, seeded stream of training views, class-balanced, real and simulated."""

    def __init__(
        self,
        pictures: Sequence[Labelled],
        simulated: Sequence[str],
        real_share: float,
        plan: TrainingPlan,
        seed: int,
    ) -> None:
        self.pictures = pictures
        self.simulated = simulated
        self.real_share = real_share if pictures else 0.0
        self.plan = plan
        self.seed = seed
        self.small = 0  # how many of the views to come are of the early size

    def __iter__(self) -> Iterator[tuple[Tensor, int]]:
        """Yield (view (1, size, size) float32, class index) without end."""
        worker = get_worker_info()
        rng = np.random.default_rng([self.seed, worker.id if worker else 0])
        by_class: dict[int, list[Array]] = {}
        for picture in self.pictures:
            by_class.setdefault(picture.target, []).append(picture.image)
        targets = sorted(by_class)
        # Batches go round the workers: each sees its share of the early views.
        workers = worker.num_workers if worker else 1
        for count in itertools.count():
            early = count // self.plan.batch * workers * self.plan.batch < self.small
            size_px = self.plan.early_size_px if early else self.plan.size_px
            if rng.random() < self.real_share:
                target = int(rng.choice(targets))
                image = by_class[target][rng.integers(len(by_class[target]))]
            else:
                target = int(rng.integers(len(self.simulated)))
                image = self._simulate(self.simulated[target], rng)
            view = random_view(image, rng, size_px)
            yield torch.from_numpy(view)[None], target

    def _simulate(self, kind: str, rng: np.random.Generator) -> Array:
        size_px = int(self.plan.size_px * 1.2)
        simulation = simulate(
            kind,
            (size_px, size_px),
            int(rng.integers(2**31)),
            annotations=True,
            severity=rng.uniform(0.2, 1.0),
        )
        pixels: Array = simulation.micrograph.pixels
        return pixels


def train(
    folder: Path | Sequence[Path],
    out: Path,
    *,
    plan: TrainingPlan | None = None,
    whole_frames: Path | None = None,
    work: Path | None = None,
    notes: Sequence[str] = (),
    sources: bool = False,
    start: Start | None = None,
    device: str = "auto",
    report: Report = print,
) -> ModelCard:
    """Train a classifier, score it by grouped cross-validation, and write a model folder.

    Parameters
    ----------
    folder : Path or sequence of Path
        `folder/<class>/<file>`; see `read_labelled_folders` for groups.
    out : Path
        The model folder to write: weights.safetensors, reference.safetensors, card.json and
        README.md.
    plan : TrainingPlan, optional
    whole_frames : Path, optional
        A folder that holds the same files as whole frames, `<split>/<class>/<file>`; they are
        scored by the same folds, never trained on.
    work : Path, optional
        Where unfinished phases are kept; `.training/<name of out>` by default.
    notes : sequence of str
        Cautions and credits for the card, beside what the counts say.
    sources : bool
        Whether to fine-tune once more per source, without it, and say in the card what such a
        network makes of it; takes as long as a fold each.
    start : Start, optional
        A network to begin with instead of one drawn at random; it also gives the architecture.
    report : callable
        Told about progress, a line at a time.

    Returns
    -------
    ModelCard
        The card that was written.

    Raises
    ------
    UserError
        If the folder holds no two classes, or fewer groups than folds, or the work folder belongs
        to a training that began with other weights.
    """
    plan = plan or TrainingPlan()
    if start is not None:
        plan = replace(plan, architecture=start.architecture)
        report(f"starts from {start.title} of {start.source}; its head is replaced")
    folders = [folder] if isinstance(folder, Path) else list(folder)
    pictures = read_labelled_folders(folders)
    classes = tuple(sorted({picture.label for picture in pictures}))
    work = work or Path(".training") / out.name
    work.mkdir(parents=True, exist_ok=True)
    _check_same_start(work, start)
    trainer = _Trainer(classes, plan, pick_device(device), work, report, start)
    report(f"{len(pictures)} pictures, classes {dict(Counter(p.label for p in pictures))}")
    with _threads_beside(plan.workers):
        trainer.pretrain()
        views = crossvalidation.show(pictures, whole_frames)
        held_out = crossvalidation.cross_validate(
            pictures,
            views,
            classes,
            lambda phase, places: _as_classifier(
                trainer, trainer.finetune(phase, [pictures[i] for i in places])
            ),
            folds=plan.folds,
            seed=plan.seed,
            against_foreign=bool(trainer.simulated),
            report=report,
        )
        weights = trainer.finetune("final", pictures)
        elsewhere = _hold_out_sources(trainer, pictures, views) if sources else {}
    card = ModelCard(
        name=out.name,
        architecture=plan.architecture,
        classes=classes,
        options=trainer.options,
        display_names={name: name.replace("_", " & ") for name in classes},
        preparation=plan.preparation.to_dict(),
        calibration=crossvalidation.calibrate(held_out),
        metrics=crossvalidation.score(held_out, classes, plan.folds) | elsewhere,
        training={**asdict(plan), "torch": torch.__version__, **_describe_start(start)},
        data=_list_sources(pictures),
        limits=(*_list_limits(pictures), *notes),
        training_range=training_range(pictures, views),
    )
    card = _keep(out, trainer, weights, card, held_out, views[held_out.shown])
    (out / "README.md").write_text(describe(card), encoding="utf-8")
    return card


def _describe_start(start: Start | None) -> dict[str, Any]:
    if start is None:
        return {}
    return {"start": {"source": start.source, "sha256": start.sha256, "notes": list(start.notes)}}


def _check_same_start(work: Path, start: Start | None) -> None:
    """Refuse unfinished phases that began with other weights."""
    note, own = work / "start.txt", start.sha256 if start else "random"
    begun = any(work.glob("*.pt"))
    before = note.read_text(encoding="utf-8") if note.is_file() else "random" if begun else own
    if before != own and begun:
        raise UserError(
            f"The folder {work} holds an unfinished training that began with other weights. Give "
            "another one with --work, or remove it."
        )
    note.write_text(own, encoding="utf-8")


def _keep(
    out: Path,
    trainer: _Trainer,
    weights: dict[str, Tensor],
    card: ModelCard,
    held_out: crossvalidation.HeldOut,
    frames: crossvalidation.Frames,
) -> ModelCard:
    """Write the model folder with its reference; return the card as it was written."""
    classifier = _as_classifier(trainer, weights, card)
    kept = crossvalidation.make_reference(
        classifier, frames, held_out.truth, held_out.groups, held_out
    )
    if trainer.simulated:
        novelty = crossvalidation.score_novelty(
            held_out, classifier, kept, frames, card.calibration[THRESHOLD]
        )
        card = replace(card, metrics=card.metrics | {"novelty": novelty})
    return save_model(out, classifier.network, card, kept)


def _hold_out_sources(
    trainer: _Trainer,
    pictures: Sequence[LabelledPicture],
    views: Mapping[str, crossvalidation.Frames],
) -> dict[str, Any]:
    """Return what networks say of a whole source that they never saw, for the card.

    A source can be left out when each of its classes has pictures elsewhere.
    """
    frames = views.get(crossvalidation.WHOLE, views[crossvalidation.SQUARES])
    rows = []
    for number, source in enumerate(_list_spare_sources(pictures)):
        rest = [picture for picture in pictures if picture.source != source]
        classifier = _as_classifier(trainer, trainer.finetune(f"without_source{number}", rest))
        places = [i for i, picture in enumerate(pictures) if picture.source == source]
        logits, _ = crossvalidation.ask(classifier, [frames[i] for i in places])
        said = [trainer.classes[k] for k in logits.argmax(axis=1)]
        for label in sorted({pictures[i].label for i in places}):
            own = [s for s, i in zip(said, places, strict=True) if pictures[i].label == label]
            rows.append(
                {
                    "source": source,
                    "class": label,
                    "pictures": len(own),
                    "right": own.count(label),
                    "said": dict(Counter(own).most_common()),
                }
            )
    return {"held_out_sources": rows}


def _list_spare_sources(pictures: Sequence[LabelledPicture]) -> list[str]:
    labels: dict[str, set[str]] = {}
    for picture in pictures:
        labels.setdefault(picture.label, set()).add(picture.source)
    return [
        source
        for source in sorted({picture.source for picture in pictures})
        if all(found != {source} for found in labels.values() if source in found)
    ]


@contextmanager
def _threads_beside(workers: int) -> Iterator[None]:
    """Leave a core to each stream of views: threads that wait for each other halve the speed."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, (os.cpu_count() or 2) - workers))
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Trainer:
    """The phases of one training: they share classes, plan, device and work folder."""

    def __init__(
        self,
        classes: tuple[str, ...],
        plan: TrainingPlan,
        device: str,
        work: Path,
        report: Report,
        start: Start | None = None,
    ) -> None:
        self.classes = classes
        self.plan = plan
        self.device = device
        self.work = work
        self.report = report
        self.start = start
        self.options = dict(start.options) if start else {}
        self.simulated = classes if set(classes) <= set(KINDS) else ()

    def new_network(self) -> nn.Module:
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
            kept: dict[str, Tensor] = _load(finished)
            return kept
        network = self.new_network()
        if start is not None:
            network.load_state_dict(_load(start))
        steps = max(1, samples // self.plan.batch)
        decay = 1 - 1 / max(2.0, self.plan.average_share * steps)
        running = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        average = AveragedModel(network, multi_avg_fn=running, use_buffers=True)
        optimiser = torch.optim.AdamW(
            network.parameters(), lr=rate, weight_decay=self.plan.weight_decay
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, _warm_up_and_decay(steps))
        state = {"network": network, "average": average, "optimiser": optimiser, "s": schedule}
        first = self._resume(phase, state)
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
            with torch.autocast(self.device, torch.bfloat16, enabled=_half_pays(self.device)):
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
                self.report(
                    f"{phase}: step {step + 1}/{steps}, training accuracy {hits / seen:.3f}, "
                    f"{speed:.0f} views/s"
                )
                hits, seen = 0, 0
                self._keep(phase, state, step + 1)

    def _keep(self, phase: str, state: dict[str, Any], step: int) -> None:
        path = self.work / f"{phase}.partial.pt"
        values = {name: part.state_dict() for name, part in state.items()}
        torch.save({"step": step, **values}, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)

    def _resume(self, phase: str, state: dict[str, Any]) -> int:
        path = self.work / f"{phase}.partial.pt"
        if not path.is_file():
            return 0
        values = _load(path)
        for name, part in state.items():
            part.load_state_dict(values[name])
        self.report(f"{phase}: goes on at step {values['step']}")
        return int(values["step"])


def _half_pays(device: str) -> bool:
    """Tell whether 16-bit floats are fast: emulated ones took 14 times as long on a CPU."""
    return device != "cpu" or bool(torch.cpu._is_avx512_bf16_supported())


def _load(path: Path) -> Any:
    return torch.load(path, map_location="cpu", weights_only=True)


def _warm_up_and_decay(steps: int) -> Callable[[int], float]:
    warm = max(1, min(200, steps // 10))
    return lambda step: (
        min(1.0, (step + 1) / warm) * 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps)))
    )


def _as_classifier(
    trainer: _Trainer, weights: dict[str, Tensor], card: ModelCard | None = None
) -> Classifier:
    network = build_network(trainer.plan.architecture, len(trainer.classes), trainer.options)
    network.load_state_dict(weights)
    card = card or ModelCard(
        trainer.work.name,
        trainer.plan.architecture,
        trainer.classes,
        options=trainer.options,
        preparation=trainer.plan.preparation.to_dict(),
    )
    return Classifier(network, card, trainer.device)


def _list_sources(pictures: Sequence[LabelledPicture]) -> tuple[dict[str, Any], ...]:
    counts = Counter((p.source, p.licence, p.label) for p in pictures)
    return tuple(
        {"source": source, "licence": licence, "class": label, "pictures": count}
        for (source, licence, label), count in sorted(counts.items())
    )


def _list_limits(pictures: Sequence[LabelledPicture]) -> tuple[str, ...]:
    """Return what the counts alone say about how far the scores reach."""
    limits = []
    for label in sorted({picture.label for picture in pictures}):
        own = [picture for picture in pictures if picture.label == label]
        groups, sources = len({p.group for p in own}), len({p.source for p in own})
        limits.append(
            f"{label}: {len(own)} pictures from {groups} groups of originals and {sources} "
            f"source{'s' if sources > 1 else ''}; other specimens and instruments may score lower."
        )
    limits.append("Every image gets one of the classes, also one that belongs to none of them.")
    return tuple(limits)

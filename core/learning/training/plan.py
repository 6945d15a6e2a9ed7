"""How long and how hard to train."""

from __future__ import annotations

from dataclasses import dataclass

from core.learning.models import Preparation


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

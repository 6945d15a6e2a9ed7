"""How long and how hard to train."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.learning.classifying import NEAR_ANY
from core.learning.models import Preparation


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How long and how hard to train; kept in the model card.

    `*_samples` count training views; learning rates belong to AdamW with one warm-up and a
    cosine decay. `real_share` is the part of fine-tuning views drawn from the real pictures when
    the simulator knows every class. The kept weights are a running average that reaches back over
    `average_share` of a phase's steps. The first `early_share` of the simulated views are smaller:
    `early_size_px`, which saves a third of the time and teaches another scale.

    With `still_blocks` the first blocks of the network stay as they are: `views_each` views of
    every picture, `tiles_each` of its whole frame where there is one, `simulated_views` of
    simulated micrographs, as many of full fields, `crowd_views` and `scatter_views` of further ones
    go through them once, and all fits share what comes out. A new head learns `head_rate` fast.
    `field_share` is the part of full fields among the simulated views, `wide_share` that of views
    whose window is drawn from `wide_window`. `options` are the architecture's, `half` keeps the
    weights as 16-bit floats, `area_px` is what a whole frame is resized to (0: (1.6 views)²).
    With `near_any_class` novelty is the distance to the nearest originals of whatever class;
    `foreign_each` pictures of each foreign kind try it out.
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
    options: Mapping[str, Any] = field(default_factory=dict)
    still_blocks: int = 0
    views_each: int = 16
    tiles_each: int = 0
    simulated_views: int = 1500
    crowd_views: int = 0
    scatter_views: int = 0
    field_share: float = 0.0
    wide_share: float = 0.0
    wide_window: tuple[float, float] = (0.4, 1.4)
    head_rate: float = 3e-3
    half: bool = False
    near_any_class: bool = False
    foreign_each: int = 20
    area_px: int = 0

    @property
    def preparation(self) -> Preparation:
        """Whole frames enter at the scale at which the average view was seen in training."""
        return Preparation(area_px=self.area_px or round(1.6 * self.size_px) ** 2)

    @property
    def yardstick(self) -> dict[str, float]:
        """Return what a card's calibration says of how novelty is measured."""
        return {NEAR_ANY: 1.0} if self.near_any_class else {}


TUNED: Mapping[str, Any] = {
    "architecture": "efficientnet_lite0",
    "options": {"both": True},
    "pretrain_samples": 0,
    "finetune_samples": 9600,
    "tiles_each": 8,
    "crowd_views": 900,
    "scatter_views": 1200,
    "finetune_rate": 5e-4,
    "size_px": 192,
    "batch": 48,
    "still_blocks": 5,
    "real_share": 0.6,
    "field_share": 0.6,
    "wide_share": 0.3,
    "average_share": 0.15,
    "half": True,
    "near_any_class": True,
    "foreign_each": 8,
    "area_px": 288 * 288,  # a square enters at the average view's scale
}


# A second, shorter fit: the running average of the first one is not to be lost at once.
GOING_ON: Mapping[str, Any] = {
    "finetune_samples": 1920,
    "finetune_rate": 3e-4,
    "head_rate": 6e-4,
}


def tuned(**changes: Any) -> TrainingPlan:
    """Return the plan for weights that know natural pictures: only the last blocks learn.

    Their first blocks know edges and textures better than 300 micrographs can teach.
    """
    return TrainingPlan(**{**TUNED, **changes})

"""How far one explanation can be trusted, measured against chance: the trust card.

Each kind of check has a module of its own in `core.learning.trust`, with the paper that it comes
from. Everything drawn at random is drawn from fixed seeds: the same map gives the same card.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.learning.checkpoints import Classifier
from core.learning.classification import compute_logits, read_logits
from core.learning.explanation import (
    BASELINES,
    LAYERS_JOINED,
    METHODS,
    ONE_PASS,
    Explanation,
    explain,
    explain_all,
    fitting_methods,
    fuse,
)
from core.learning.trust.agreement import compare_maps
from core.learning.trust.card import FAST as FAST
from core.learning.trust.card import THOROUGH as THOROUGH
from core.learning.trust.card import Checks, Effort
from core.learning.trust.card import TrustCard as TrustCard
from core.learning.trust.overlays import overlay_share
from core.learning.trust.perturbation import Perturber, Progress
from core.learning.trust.randomisation import Cascade, cascade, pieces
from core.learning.trust.stability import Stability, measure_stability
from core.learning.trust.trials import Trials, run_trials
from core.learning.trust.wording import describe as describe
from core.micrograph import Micrograph

FEW_CHANNELS = 14  # of Score-CAM and Ablation-CAM, where they are only compared with
_TRIALS, _CASCADE = 0.75, 0.92  # shares of the work done after the trials and after the cascade
Mask = NDArray[Any]
Raw = NDArray[np.float32]


def trust_card(
    classifier: Classifier,
    micrograph: Micrograph,
    explanation: Explanation,
    *,
    exclude: Mask | None = None,
    overlays: NDArray[np.bool_] | None = None,
    channels: int | None = None,
    effort: Effort = FAST,
    seed: int = 0,
    progress: Progress | None = None,
) -> TrustCard:
    """Return how far an explanation can be trusted.

    Parameters
    ----------
    classifier : Classifier
        Left alone: weights are randomised on a copy.
    micrograph : Micrograph
    explanation : Explanation
        Of this micrograph by this classifier; of one layer, or of several fused.
    exclude : ndarray of shape (H, W), bool, optional
        What was hidden from the network when it was explained.
    overlays : ndarray of shape (H, W), bool, optional
        Where info bar, scale bar and letters are; an empty mask says that there are none.
    channels : int, optional
        As given to `explain`.
    effort : Effort
        `FAST` or `THOROUGH`.
    seed : int
        For random maps and noise.
    progress : callable, optional
        Called as progress(share done, what).
    """
    inputs = classifier.prepare(micrograph, exclude)
    answer = read_logits(classifier, compute_logits(classifier, inputs)[0])
    perturber = Perturber(classifier, inputs, explanation.target, effort.steps, seed)
    examination = _Examination(
        perturber, micrograph, explanation, exclude, channels, effort, progress or _say_nothing
    )
    return TrustCard(
        classifier.name,
        explanation.method,
        explanation.target,
        explanation.layer,
        classifier.card.display_name(explanation.target),
        METHODS[explanation.method].title,
        answer.probabilities[explanation.target],
        METHODS[explanation.method].is_baseline,
        effort,
        examination.run(overlays) if explanation.has_evidence else None,
    )


def redraw(
    classifier: Classifier,
    micrograph: Micrograph,
    explanation: Explanation,
    *,
    exclude: Mask | None = None,
    channels: int | None = None,
) -> Explanation:
    """Return the same kind of map for another classifier or micrograph: method, class, layers."""
    is_one = explanation.layer in classifier.layers
    layers = [explanation.layer] if is_one else explanation.layer.split(LAYERS_JOINED)
    maps = [
        explain(
            classifier,
            micrograph,
            explanation.method,
            explanation.target,
            layer,
            exclude=exclude,
            contrast=explanation.contrast or None,
            channels=channels,
        )
        for layer in layers
    ]
    return maps[0] if is_one else fuse(maps)


@dataclass(frozen=True, slots=True)
class _Examination:
    """All checks of one map, each told to whoever waits."""

    perturber: Perturber
    micrograph: Micrograph
    explanation: Explanation
    exclude: Mask | None
    channels: int | None
    effort: Effort
    tell: Progress

    def run(self, overlays: NDArray[np.bool_] | None) -> Checks:
        self.tell(0.0, "comparing methods")
        others = self._other_methods()
        share = None
        if overlays is not None and overlays.any():
            share = overlay_share(self.explanation.heatmap, overlays)
        return Checks(
            self._trials(others["sobel"]),
            self._cascade(),
            compare_maps({**others, self.explanation.method: self.explanation.raw}),
            self._stability(),
            share,
        )

    def _other_methods(self) -> dict[str, Raw]:
        """Return the maps of the other methods for this class; at the last of fused layers."""
        classifier, found = self.perturber.classifier, self.explanation
        names = tuple(METHODS) if self.effort.slow_methods else (*ONE_PASS, *BASELINES)
        layer = found.layer.split(LAYERS_JOINED)[-1]
        maps = explain_all(
            classifier,
            self.micrograph,
            target=found.target,
            layer=found.layer if found.layer in classifier.layers else layer,
            exclude=self.exclude,
            methods=fitting_methods(classifier, names),
            contrast=found.contrast or None,
            channels=FEW_CHANNELS,
        )
        return {name: each.raw for name, each in maps.items()}

    def _trials(self, edges: Raw) -> Trials:
        def tell(done: float, what: str) -> None:
            self.tell(_TRIALS * done, what)

        raw, draws = self.explanation.raw, self.effort.draws
        return run_trials(self.perturber, raw, edges, draws, tell)

    def _cascade(self) -> Cascade:
        classifier, seeds = self.perturber.classifier, self.effort.seeds
        total = len(seeds) * len(pieces(classifier.network))
        return cascade(
            classifier,
            self.explanation.raw,
            lambda other: self._draw(other, self.micrograph, self.exclude),
            seeds,
            self._steps("making the network forget", total, _TRIALS, _CASCADE),
        )

    def _stability(self) -> Stability:
        nudges = self.effort.nudges
        return measure_stability(
            self.micrograph,
            self.exclude,
            self.explanation.raw,
            lambda moved, mask: self._draw(self.perturber.classifier, moved, mask),
            nudges,
            self.perturber.size_hw,
            self.perturber.seed,
            self._steps("changing the micrograph a little", len(nudges), _CASCADE, 1.0),
        )

    def _draw(self, classifier: Classifier, micrograph: Micrograph, mask: Mask | None) -> Raw:
        return redraw(
            classifier, micrograph, self.explanation, exclude=mask, channels=self.channels
        ).raw

    def _steps(self, what: str, total: int, start: float, end: float) -> Callable[[], None]:
        """Return a function that tells of one more step on the way from start to end."""
        numbers = itertools.count(1)
        return lambda: self.tell(start + (end - start) * next(numbers) / total, what)


def _say_nothing(done: float, what: str) -> None:
    pass

"""What is found out about one explanation, and how much work that may be."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from core.learning.trust.agreement import Agreement
from core.learning.trust.perturbation import Steps
from core.learning.trust.randomisation import Cascade
from core.learning.trust.stability import Nudge, Stability
from core.learning.trust.trials import MEASURES, Comparison, Trials


@dataclass(frozen=True, slots=True)
class Effort:
    """How thoroughly a map is checked.

    Parameters
    ----------
    steps : Steps
        How finely pixels are taken away.
    draws : int
        Random maps to draw; each counts twice, from both ends.
    seeds : tuple of int
        One cascade of random weights for each.
    nudges : tuple of Nudge
        Small changes of the micrograph.
    slow_methods : bool
        Whether the map is compared with methods that run the network many times, too.
    """

    steps: Steps
    draws: int
    seeds: tuple[int, ...]
    nudges: tuple[Nudge, ...]
    slow_methods: bool = False

    def describe(self) -> str:
        """Return in words what is done."""
        shares = ", ".join(f"{100 * share:.0f}" for share in self.steps.shares)
        road = ", ".join(f"{100 * share:.0f}" for share in self.steps.road_shares)
        nudges = "; ".join(nudge.describe() for nudge in self.nudges)
        return (
            f"Removed shares: {shares} % (deletion, insertion), {road} % (ROAD). Removed places "
            f"are filled with the mean grey level or with a blurred copy. {2 * self.draws} random "
            f"maps, {len(self.seeds)} cascades of random weights. Small changes: {nudges}."
        )


FAST = Effort(
    Steps((0.0, 0.1, 0.5, 0.9, 1.0), road_shares=(0.5,)),
    draws=3,
    seeds=(0, 1),
    nudges=(Nudge(4, 4), Nudge(-4, -4), Nudge(noise_sd=0.1)),
)
THOROUGH = Effort(
    Steps(
        (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0),
        road_shares=(0.1, 0.3, 0.5, 0.7, 0.9),
    ),
    draws=10,
    seeds=(0, 1, 2, 3, 4),
    nudges=(
        *(Nudge(down, right) for down, right in ((4, 0), (-4, 0), (0, 4), (0, -4))),
        *(Nudge(down, right) for down, right in ((8, 8), (-8, -8))),
        *(Nudge(noise_sd=share) for share in (0.05, 0.1, 0.2)),
    ),
    slow_methods=True,
)


@dataclass(frozen=True, slots=True, eq=False)
class Checks:
    """Everything that is measured of a map that holds evidence.

    `overlay_share` is the share of the evidence on info bar, scale bar and letters; None when
    there are none, or nobody said where they are.
    """

    trials: Trials
    cascade: Cascade
    agreement: Agreement
    stability: Stability
    overlay_share: float | None


@dataclass(frozen=True, slots=True, eq=False)
class TrustCard:
    """How far one explanation can be trusted.

    Attributes
    ----------
    model, method, target, layer : str
        What was explained; ids of the method and the class.
    class_name, method_title : str
        Their words for people.
    probability : float
        Of the class, for the whole frame, 0 to 1.
    is_baseline : bool
        Whether the method itself knows nothing of the network.
    effort : Effort
    checks : Checks or None
        None when the map shows no evidence: there is nothing to check.
    """

    model: str
    method: str
    target: str
    layer: str
    class_name: str
    method_title: str
    probability: float
    is_baseline: bool
    effort: Effort
    checks: Checks | None

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Every measure beside the baselines; none without evidence."""
        return tuple(map(self.checks.trials.compare, MEASURES)) if self.checks else ()

    def to_frame(self) -> pd.DataFrame:
        """Return one row per measure: value, baselines, differences, and whether it beats them."""
        rows = [
            {
                "measure": each.measure.title,
                "better": "higher" if each.measure.higher_is_better else "lower",
                "map": each.value,
                "random": each.random,
                "sobel": each.sobel,
                "less_random": each.value - each.random,
                "less_sobel": each.value - each.sobel,
                "beats_random": each.beats_random,
                "beats_sobel": each.beats_sobel,
            }
            for each in self.comparisons
        ]
        return pd.DataFrame(rows)

"""Which method explains these micrographs best? Every method, measured on every one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from core.learning.checkpoints import Classifier
from core.learning.explanation import Explanation, coinciding_methods, explain_all
from core.learning.trust.card import FAST, Effort
from core.learning.trust.perturbation import Perturber, Progress
from core.learning.trust.ranking import Ranked, coarsened, random_maps, rank_map
from core.learning.trust.response import Response
from core.learning.trust.trials import LEAST
from core.micrograph import Micrograph

RANDOM, SOBEL = "random", "sobel"
_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Score:
    """How one method did on one micrograph; all numbers are NaN for a map without evidence.

    Attributes
    ----------
    method : str
    gain : float
        Insertion less deletion, mean of both fills, −1 to 1.
    deletion, insertion : float
        Areas under the curves, mean of both fills.
    road, drop, increase : float
        As in `Response`; `increase` is 0 or 1.
    beats_random, beats_sobel : bool
        Whether the gain is better by at least 0.01 than each random map's, and than that of edges.
    """

    method: str
    gain: float
    deletion: float
    insertion: float
    road: float
    drop: float
    increase: float
    beats_random: bool
    beats_sobel: bool

    @property
    def has_evidence(self) -> bool:
        """Whether there was a map to judge."""
        return bool(np.isfinite(self.gain))


def score_methods(
    classifier: Classifier,
    micrograph: Micrograph,
    methods: Sequence[str],
    *,
    layer: str | None = None,
    exclude: NDArray[Any] | None = None,
    channels: int | None = None,
    effort: Effort = FAST,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Score, ...]:
    """Return how each method, and the two baselines, explain the network's own answer.

    Parameters are those of `explain` and `trust_card`. Methods that must give one map are
    measured once and share the result.
    """
    wanted = tuple(dict.fromkeys(name for name in methods if name not in (RANDOM, SOBEL)))
    alike = [name for name in wanted if name in coinciding_methods(classifier, layer)]
    measured = [name for name in wanted if name not in alike[1:]]
    maps = explain_all(
        classifier,
        micrograph,
        layer=layer,
        exclude=exclude,
        methods=(*measured, SOBEL),
        channels=channels,
    )
    inputs = classifier.prepare(micrograph, exclude)
    perturber = Perturber(classifier, inputs, maps[SOBEL].target, effort.steps, seed)
    responses = _responses(perturber, maps, effort.draws, progress)
    scores = {name: _score(name, responses) for name in (*measured, SOBEL, RANDOM)}
    for name in alike[1:]:
        scores[name] = replace(scores[alike[0]], method=name)
    return tuple(scores[name] for name in (*wanted, SOBEL, RANDOM))


def _responses(
    perturber: Perturber,
    maps: Mapping[str, Explanation],
    draws: int,
    progress: Progress | None,
) -> dict[str, list[Response]]:
    """Return the response to every map that holds evidence, and to all random ones."""
    shown = {name: each.raw for name, each in maps.items() if each.has_evidence}
    if not shown:
        return {}
    size_hw, seed = perturber.size_hw, perturber.seed
    coarsest = min((raw.shape for raw in shown.values()), key=lambda shape: shape[0] * shape[1])
    if SOBEL in shown:
        shown[SOBEL] = coarsened(shown[SOBEL], coarsest)
    ranked: dict[str, Ranked] = {name: rank_map(raw, size_hw, seed) for name, raw in shown.items()}
    noise = random_maps(coarsest, draws, seed)
    drawn = {f"{RANDOM} {n}": rank_map(each, size_hw, seed) for n, each in enumerate(noise)}
    every = {**ranked, **drawn}
    found = perturber.respond(every, {name: each.heat for name, each in every.items()}, progress)
    chance = [found[name] for name in drawn]
    chance += [response.reversed(response.kept) for response in chance]
    return {**{name: [found[name]] for name in ranked}, RANDOM: chance}


def _score(name: str, responses: Mapping[str, Sequence[Response]]) -> Score:
    if name not in responses:
        nan = float("nan")
        return Score(name, nan, nan, nan, nan, nan, nan, beats_random=False, beats_sobel=False)
    own = responses[name]
    gain = _mean([response.gain for response in own])
    chance = max(response.gain for response in responses[RANDOM])
    edges = responses[SOBEL][0].gain if SOBEL in responses else -1.0
    return Score(
        name,
        gain,
        _mean([response.deletion_auc(fill) for response in own for fill in response.deletion]),
        _mean([response.insertion_auc(fill) for response in own for fill in response.insertion]),
        _mean([response.road for response in own]),
        _mean([response.drop for response in own]),
        _mean([float(response.increase) for response in own]),
        beats_random=name != RANDOM and gain - chance >= LEAST,
        beats_sobel=name not in (RANDOM, SOBEL) and gain - edges >= LEAST,
    )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


@dataclass(frozen=True, slots=True)
class Survey:
    """Scores of several micrographs, (micrographs) × (methods), the same methods for each."""

    scores: tuple[tuple[Score, ...], ...]

    def __post_init__(self) -> None:
        if len({tuple(score.method for score in row) for row in self.scores}) != 1:
            raise ValueError("every micrograph needs a score by the same methods")

    def to_frame(self) -> pd.DataFrame:
        """Return one row per method, the best first: means, 95 % interval of the gain, shares.

        Columns: method, micrographs (with evidence), gain, gain_low, gain_high, deletion,
        insertion, road, drop, increase, beats_random, beats_sobel; the last three are shares,
        0 to 1, of the micrographs with evidence. The interval is Student's; NaN for less than two.
        """
        rows = [_summary([row[n] for row in self.scores]) for n in range(len(self.scores[0]))]
        frame = pd.DataFrame(rows)
        return frame.sort_values("gain", ascending=False, ignore_index=True, kind="stable")

    def describe(self, titles: Mapping[str, str]) -> str:
        """Return in words which method to choose for these micrographs."""
        frame = self.to_frame()
        judged = frame[~frame["method"].isin((RANDOM, SOBEL)) & (frame["micrographs"] > 0)]
        if judged.empty:
            return "No method found evidence in these micrographs."
        best = judged.iloc[0]
        edges = float(frame.loc[frame["method"] == SOBEL, "gain"].iloc[0])
        count = int(best["micrographs"])
        head = (
            f"{titles[best['method']]} explains {_micrographs(count)} best: insertion less "
            f"deletion {best['gain']:.2f} on average, edges {edges:.2f}, random maps 0; it beats "
            f"every random map on {round(count * best['beats_random'])} of {count}."
        )
        return head + self._ties(str(best["method"]), titles)

    def _ties(self, best: str, titles: Mapping[str, str]) -> str:
        """Return which other methods cannot be told from the best one by these micrographs."""
        names = [score.method for score in self.scores[0]]
        gains = np.array([[score.gain for score in row] for row in self.scores])
        first = gains[:, names.index(best)]
        alike = [
            titles[name]
            for place, name in enumerate(names)
            if name not in (best, RANDOM, SOBEL) and not _differ(first - gains[:, place])
        ]
        if not alike:
            return ""
        return f" The difference to {' and '.join(_listed(alike))} is within chance."


def _summary(scores: Sequence[Score]) -> dict[str, Any]:
    kept = [score for score in scores if score.has_evidence]
    low, high = _interval(np.array([score.gain for score in kept]))
    names = ("gain", "deletion", "insertion", "road", "drop", "increase")
    shares = ("beats_random", "beats_sobel")
    means = {
        name: _mean([float(getattr(score, name)) for score in kept]) if kept else float("nan")
        for name in (*names, *shares)
    }
    gain = means.pop("gain")
    return {
        "method": scores[0].method,
        "micrographs": len(kept),
        "gain": gain,
        "gain_low": low,
        "gain_high": high,
        **means,
    }


def _interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return Student's 95 % interval of the mean; NaN for less than two values."""
    if len(values) < 2:
        return float("nan"), float("nan")
    half = stats.t.ppf((1 + _LEVEL) / 2, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5
    return float(values.mean() - half), float(values.mean() + half)


def _differ(differences: NDArray[np.float64]) -> bool:
    """Tell whether paired differences are above zero beyond their 95 % interval."""
    known = differences[np.isfinite(differences)]
    return len(known) > 1 and _interval(known)[0] > 0


def _listed(names: Sequence[str]) -> Sequence[str]:
    """Return the names in at most two parts, for an "and" between them."""
    return names if len(names) < 2 else (", ".join(names[:-1]), names[-1])


def _micrographs(count: int) -> str:
    return "this micrograph" if count == 1 else f"these {count} micrographs"

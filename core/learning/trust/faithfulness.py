"""How far an explanation can be trusted, measured against chance and against plain edges."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import UserError
from core.learning.explaining import (
    BASELINES,
    EVERY_METHOD,
    ONE_PASS,
    Cost,
    Explanation,
    coinciding_methods,
    explain,
    explain_all,
    fitting_methods,
    fuse,
)
from core.learning.models import Classifier, as_prepared
from core.learning.trust.agreement import Agreement, compare_maps
from core.learning.trust.card import (
    BRIGHTNESS,
    CONTRAST,
    LEAST,
    MAP,
    RANDOM,
    RANDOM_CONTRAST,
    SOBEL,
)
from core.learning.trust.card import TrustCard as TrustCard
from core.learning.trust.perturbation import NEGATIVE, Perturber, Steps
from core.learning.trust.randomisation import Cascade, cascade, pieces
from core.learning.trust.ranking import Ranked, random_maps, rank_map, sobel_map
from core.learning.trust.response import Response
from core.learning.trust.stability import Nudge, Stability, measure_stability
from core.micrograph import Micrograph

Progress = Callable[[float, str], object]
Mask = NDArray[np.bool_]

_FEW_NUDGES = (
    *(Nudge(down_px=4), Nudge(right_px=4)),
    *(Nudge(down_px=-3, right_px=-3), Nudge(noise_sd=0.05)),
)
_MANY_NUDGES = (
    *_FEW_NUDGES,
    *(Nudge(down_px=8), Nudge(right_px=8), Nudge(down_px=-8), Nudge(right_px=-8)),
    *(Nudge(noise_sd=0.1), Nudge(noise_sd=0.2)),
)
_FINE_SHARES = tuple(float(f) for f in np.linspace(0, 1, 21).round(2))
_FINE_ROAD = tuple(float(f) for f in np.linspace(0.1, 0.9, 9).round(1))


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is spent on one card."""

    steps: Steps
    draws: int
    seeds: tuple[int, ...]
    nudges: tuple[Nudge, ...]


_FEW_STEPS = Steps((0.0, 0.1, 0.3, 0.7, 0.9, 1.0), road_shares=(0.2, 0.5, 0.8))
FAST = Effort(_FEW_STEPS, draws=2, seeds=(0,), nudges=_FEW_NUDGES)
THOROUGH = Effort(Steps(_FINE_SHARES, _FINE_ROAD), draws=8, seeds=(0, 1, 2), nudges=_MANY_NUDGES)


def trust_card(
    classifier: Classifier,
    micrograph: Micrograph,
    explanation: Explanation,
    *,
    exclude: Mask | None = None,
    overlays: Mask | None = None,
    thorough: bool = False,
    seed: int = 0,
    on_progress: Progress | None = None,
) -> TrustCard:
    """Return how far one explanation can be trusted.

    Deletion and insertion: Petsiuk et al. (2018), arXiv:1806.07421. ROAD: Rong et al. (2022),
    arXiv:2202.00449. Average drop and increase: Chattopadhay et al. (2018). Randomised weights:
    Adebayo et al. (2018), arXiv:1810.03292.

    Parameters
    ----------
    classifier : Classifier
        Left as it is; weights are randomised in a copy.
    micrograph : Micrograph
    explanation : Explanation
        Of this micrograph by this classifier, over the whole frame.
    exclude : ndarray of shape (H, W), bool, optional
        Pixels that were hidden from the network.
    overlays : ndarray of shape (H, W), bool, optional
        Where the frame shows no specimen, to see how much evidence lies there.
    thorough : bool
        Finer steps, more random maps, three cascades; some ten times slower.
    seed : int
        For everything that is drawn; the same seed gives the same card.
    on_progress : callable, optional
        Called as progress(share done, what is going on).

    Returns
    -------
    TrustCard
        Deletion, insertion, ROAD, drop and increase beside those of random maps and edges;
        what random weights change; how stable it is.

    Raises
    ------
    UserError
        If the map has no positive evidence: there is nothing to check.
    """
    if not explanation.has_evidence:
        raise UserError(
            "This map has no positive evidence, so there is nothing to check. Choose another "
            "class, method or layer."
        )
    effort = THOROUGH if thorough else FAST
    tell = on_progress or (lambda share, what: None)
    responses, random = _respond(
        classifier, micrograph, explanation, exclude, effort, seed, lambda s, w: tell(0.7 * s, w)
    )
    tell(0.7, "comparing methods")
    agreement = _agree(classifier, micrograph, explanation, exclude, seed)
    forgets = stable = None
    if thorough or EVERY_METHOD[explanation.method].cost is not Cost.MANY_PASSES:
        tell(0.75, "randomising weights")
        forgets = _forget(classifier, micrograph, explanation, exclude, effort, tell)
        tell(0.9, "shifting and adding noise")
        stable = _shake(classifier, micrograph, explanation, exclude, effort, seed)
    tell(1.0, "done")
    return TrustCard(
        explanation.method,
        explanation.target,
        explanation.layer,
        responses,
        random,
        forgets,
        agreement,
        stable,
        None if overlays is None else evidence_share(explanation, overlays),
        thorough,
    )


def compare_methods(
    classifier: Classifier,
    micrographs: Sequence[Micrograph],
    *,
    methods: Sequence[str] | None = None,
    layer: str | None = None,
    excludes: Sequence[Mask | None] | None = None,
    seed: int = 0,
    on_progress: Progress | None = None,
) -> pd.DataFrame:
    """Return how faithful each method is on average over many micrographs, the best first.

    Each micrograph is explained for its own label. Methods that must coincide are one row.

    Returns
    -------
    DataFrame
        One row per method: method, micrographs (with evidence), gain (insertion less deletion,
        mean), gain_sd, road, drop, beats_random and beats_sobel (shares of the micrographs, 0–1).
    """
    chosen = _distinct(classifier, layer) if methods is None else tuple(methods)
    masks = [None] * len(micrographs) if excludes is None else list(excludes)
    rows: list[dict[str, Any]] = []
    for number, (micrograph, mask) in enumerate(zip(micrographs, masks, strict=True)):
        if on_progress is not None:
            on_progress(number / len(micrographs), micrograph.name)
        rows += _compare_on_one(classifier, micrograph, mask, chosen, layer, seed)
    table = pd.DataFrame(rows, columns=["method", "gain", "road", "drop", "random", "sobel"])
    grouped = table.groupby("method", sort=False)
    return (
        pd.DataFrame(
            {
                "micrographs": grouped.size(),
                "gain": grouped["gain"].mean(),
                "gain_sd": grouped["gain"].std(),
                "road": grouped["road"].mean(),
                "drop": grouped["drop"].mean(),
                "beats_random": grouped["random"].mean(),
                "beats_sobel": grouped["sobel"].mean(),
            }
        )
        .sort_values("gain", ascending=False, kind="stable")
        .reset_index()
    )


def evidence_share(explanation: Explanation, mask: Mask) -> float:
    """Return which share of the positive evidence lies in a mask (H, W), 0 to 1."""
    total = float(explanation.heatmap.sum(dtype=np.float64))
    return float(explanation.heatmap[mask].sum(dtype=np.float64)) / total if total > 0 else 0.0


def _respond(
    classifier: Classifier,
    micrograph: Micrograph,
    explanation: Explanation,
    exclude: Mask | None,
    effort: Effort,
    seed: int,
    progress: Progress,
) -> tuple[dict[str, Response], tuple[Response, ...]]:
    """Return the responses to the map, to edges and grey levels, and those to random maps."""
    inputs = classifier.prepare(micrograph, exclude)
    perturber = Perturber(classifier, inputs, explanation.target, effort.steps, seed)
    grey = perturber.picture.mean(axis=0)
    contrast = np.abs(grey - grey.mean())
    noise = np.abs(np.random.default_rng(seed).standard_normal(grey.shape, np.float32))
    greys = {
        BRIGHTNESS: grey - grey.min(),
        CONTRAST: contrast,
        RANDOM_CONTRAST: noise * contrast,
    }
    raws = {MAP: explanation.raw}
    found = _respond_to(perturber, raws, effort.draws, seed, progress, greys)
    names = (MAP, SOBEL, *greys)
    return {n: found[n] for n in names}, tuple(r for n, r in found.items() if n not in names)


def _respond_to(
    perturber: Perturber,
    raws: Mapping[str, NDArray[np.float32]],
    draws: int,
    seed: int,
    progress: Progress | None = None,
    greys: Mapping[str, NDArray[np.float32]] | None = None,
) -> dict[str, Response]:
    """Return responses to maps, and to grey levels, edges and chance with the heat of the first."""
    height, width = perturber.picture.shape[1:]
    size_hw = (height, width)
    maps: dict[str, Ranked] = {n: rank_map(raw, size_hw, seed) for n, raw in raws.items()}
    first, grid_hw = next(iter(maps.values())), next(iter(raws.values())).shape
    for name, raw in (greys or {}).items():
        maps[name] = rank_map(raw, size_hw, seed).like(first)
    maps[SOBEL] = rank_map(sobel_map(perturber.picture, grid_hw), size_hw, seed).like(first)
    heats = {name: ranked.heat for name, ranked in maps.items()}
    for number, raw in enumerate(random_maps(grid_hw, draws, seed)):
        name = f"{RANDOM} {number + 1}"
        maps[name] = rank_map(raw, size_hw, seed + number).like(first)
        heats[name] = maps[name].heat
        heats[NEGATIVE + name] = maps[name].negative().like(first).heat
    return perturber.respond(maps, heats, progress)


def _again(
    classifier: Classifier,
    micrograph: Micrograph,
    exclude: Mask | None,
    like: Explanation,
) -> NDArray[np.float32]:
    """Return the raw map of another network or frame, asked for in the same way."""
    maps = [
        explain(
            classifier,
            micrograph,
            like.method,
            like.target,
            layer,
            exclude=exclude,
            contrast=like.contrast or None,
        )
        for layer in like.layer.split(" + ")
    ]
    return maps[0].raw if len(maps) == 1 else fuse(maps).raw


def _agree(
    classifier: Classifier,
    micrograph: Micrograph,
    explanation: Explanation,
    exclude: Mask | None,
    seed: int,
) -> Agreement:
    layer = explanation.layer.split(" + ")[-1]
    methods = fitting_methods(classifier, (*ONE_PASS, *BASELINES))
    maps = explain_all(
        classifier,
        micrograph,
        target=explanation.target,
        layer=layer,
        exclude=exclude,
        methods=methods,
        seed=seed,
    )
    return compare_maps(
        {name: found.raw for name, found in maps.items()} | {explanation.method: explanation.raw}
    )


def _forget(
    classifier: Classifier,
    micrograph: Micrograph,
    explanation: Explanation,
    exclude: Mask | None,
    effort: Effort,
    tell: Progress,
) -> Cascade:
    steps = len(effort.seeds) * len(pieces(classifier.network))
    done = iter(range(1, steps + 1))
    return cascade(
        classifier,
        explanation.raw,
        lambda other: _again(other, micrograph, exclude, explanation),
        effort.seeds,
        lambda: tell(0.75 + 0.15 * next(done) / steps, "randomising weights"),
    )


def _shake(
    classifier: Classifier,
    micrograph: Micrograph,
    explanation: Explanation,
    exclude: Mask | None,
    effort: Effort,
    seed: int,
) -> Stability:
    if not classifier.preparation.sees_whole_frames:
        return _shake_input(classifier, micrograph, explanation, exclude, effort, seed)
    top, left, bottom, right = classifier.preparation.seen_box(micrograph.shape)
    return measure_stability(
        micrograph,
        exclude,
        explanation.raw,
        lambda moved, mask: _again(classifier, moved, mask, explanation),
        effort.nudges,
        classifier.preparation.size_hw(micrograph.shape),
        seed,
        seen_hw=(bottom - top, right - left),
    )


def _shake_input(
    classifier: Classifier,
    micrograph: Micrograph,
    explanation: Explanation,
    exclude: Mask | None,
    effort: Effort,
    seed: int,
) -> Stability:
    """Return the stability of a network that sees a cut-out: what enters it moves, not the frame.

    Moving the frame would bring other specimen into the cut, and round the shift to its pixels.
    """
    prepared = classifier.preparation(micrograph, exclude)
    size_hw = (prepared.shape[0], prepared.shape[1])
    seen = Micrograph(micrograph.name, np.rint(255 * prepared).astype(np.uint8))
    inside = Classifier(
        classifier.network, as_prepared(classifier.card, size_hw), classifier.device
    )
    return measure_stability(
        seen,
        None,
        explanation.raw,
        lambda moved, mask: _again(inside, moved, mask, explanation),
        effort.nudges,
        size_hw,
        seed,
        keep_depth=True,
    )


def _distinct(classifier: Classifier, layer: str | None) -> tuple[str, ...]:
    """Return the methods of one pass, one of those that must coincide."""
    alike = coinciding_methods(classifier, layer)
    fitting = fitting_methods(classifier, ONE_PASS)
    return tuple(name for name in fitting if name not in alike or name == "grad-cam")


def _compare_on_one(
    classifier: Classifier,
    micrograph: Micrograph,
    exclude: Mask | None,
    methods: Sequence[str],
    layer: str | None,
    seed: int,
) -> list[dict[str, Any]]:
    maps = explain_all(
        classifier, micrograph, layer=layer, exclude=exclude, methods=methods, seed=seed
    )
    raws = {name: found.raw for name, found in maps.items() if found.has_evidence}
    if not raws:
        return []
    target = next(iter(maps.values())).target
    inputs = classifier.prepare(micrograph, exclude)
    perturber = Perturber(classifier, inputs, target, FAST.steps, seed)
    found = _respond_to(perturber, raws, FAST.draws, seed)
    chance = max(r.gain for name, r in found.items() if RANDOM in name)
    return [
        {
            "method": name,
            "gain": found[name].gain,
            "road": found[name].road,
            "drop": found[name].drop,
            "random": found[name].gain - chance >= LEAST,
            "sobel": found[name].gain - found[SOBEL].gain >= LEAST,
        }
        for name in raws
    ]

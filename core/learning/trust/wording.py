"""A trust card in sentences, the most important one first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np

from core.learning.trust.card import Checks, TrustCard
from core.learning.trust.overlays import OVERLAY_ALARM
from core.learning.trust.trials import GAIN, LEAST, Trials

TOP = 0.1  # the share of the frame that the first sentence speaks of
_UNSURE = 0.1  # below this probability there is little to take away


class Verdict(Enum):
    """What a finding means for the map."""

    GOOD = "good"
    DOUBT = "doubt"
    BAD = "bad"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence on one aspect of a map."""

    verdict: Verdict
    sentence: str


def describe(card: TrustCard) -> tuple[Finding, ...]:
    """Return what the card says, in words."""
    if card.checks is None:
        return (
            Finding(
                Verdict.NOTE,
                f"There is no positive evidence for {card.class_name} at this layer: the map is "
                "empty, and there is nothing to check.",
            ),
        )
    return tuple(_findings(card, card.checks))


def _findings(card: TrustCard, checks: Checks) -> Iterator[Finding]:
    yield _against_chance(card, checks.trials)
    if card.probability < _UNSURE:
        yield Finding(
            Verdict.NOTE,
            f"The network gives {card.class_name} only {card.probability:.2f}: there is little to "
            "take away, and deletion says little here.",
        )
    yield _against_edges(checks.trials)
    yield _when_nothing_is_known(card, checks)
    yield _among_methods(card, checks)
    if checks.overlay_share is not None:
        yield _on_overlays(checks.overlay_share)
    yield _under_small_changes(checks)


def _against_chance(card: TrustCard, trials: Trials) -> Finding:
    gain = trials.compare(GAIN)
    full, left = trials.own.full, trials.own.after_deletion(TOP)
    chance = float(np.mean([response.after_deletion(TOP) for response in trials.random]))
    numbers = (
        f"deleting its top {100 * TOP:.0f} % {_move(full, left, card.class_name)}; "
        f"random deletion: {chance:.2f}"
    )
    areas = f"insertion less deletion {_two(gain.value)}, random {_two(gain.random)}"
    if not gain.beats_random:
        opening = "This map explains the decision no better than chance"
        verdict = Verdict.NOTE if card.is_baseline else Verdict.BAD
        return Finding(verdict, f"{opening}: {numbers} ({areas}).")
    opening = "This map explains the decision better than chance"
    if left <= chance - LEAST:
        return Finding(Verdict.GOOD, f"{opening}: {numbers} ({areas}).")
    return Finding(Verdict.DOUBT, f"{opening} over all steps ({areas}), but {numbers}.")


def _move(full: float, left: float, class_name: str) -> str:
    if abs(full - left) < LEAST / 2:
        return f"leaves the probability of {class_name} at {left:.2f}"
    verb = "drops" if left < full else "raises"
    return f"{verb} the probability of {class_name} from {full:.2f} to {left:.2f}"


def _against_edges(trials: Trials) -> Finding:
    gain = trials.compare(GAIN)
    areas = f"insertion less deletion {_two(gain.value)}, edges {_two(gain.sobel)}"
    if gain.beats_sobel:
        return Finding(Verdict.GOOD, f"It says more than the edges of the picture do ({areas}).")
    if gain.sobel - gain.value >= LEAST:
        return Finding(Verdict.DOUBT, f"The edges of the picture alone say more ({areas}).")
    return Finding(Verdict.DOUBT, f"The edges of the picture alone say as much ({areas}).")


def _when_nothing_is_known(card: TrustCard, checks: Checks) -> Finding:
    final = checks.cascade.final
    numbers = f"with every weight random its rank correlation with this map is {_two(final)}"
    if card.is_baseline:
        return Finding(
            Verdict.NOTE, f"{card.method_title} does not ask the network: {numbers} in any case."
        )
    if checks.cascade.passes:
        return Finding(Verdict.GOOD, f"It depends on what the network has learnt: {numbers}.")
    return Finding(
        Verdict.BAD,
        f"It hardly depends on what the network has learnt: {numbers}. It may show the picture "
        "rather than the decision.",
    )


def _among_methods(card: TrustCard, checks: Checks) -> Finding:
    others = checks.agreement.independent_of(card.method)
    if not others:
        return Finding(Verdict.NOTE, "No other method gives a map to compare it with.")
    mean = float(np.mean(list(others.values())))
    verdict = Verdict.GOOD if mean >= 0.5 else Verdict.DOUBT
    word = "agree" if mean >= 0.5 else "agree little"
    return Finding(
        verdict,
        f"Other methods {word} with it: their rank correlation with it is {_two(mean)} on average, "
        f"{_two(min(others.values()))} to {_two(max(others.values()))}.",
    )


def _on_overlays(share: float) -> Finding:
    where = "the info bar, the scale bar and letters"
    if share > OVERLAY_ALARM:
        return Finding(
            Verdict.BAD, f"{100 * share:.0f} % of the evidence lies on {where}, not on specimen."
        )
    if share == 0:
        return Finding(Verdict.GOOD, f"No evidence lies on {where}.")
    percent = "Less than 1" if share < 0.01 else f"Only {100 * share:.0f}"
    return Finding(Verdict.GOOD, f"{percent} % of the evidence lies on {where}.")


def _under_small_changes(checks: Checks) -> Finding:
    stable = checks.stability
    numbers = (
        f"its rank correlation is {_two(stable.mean)} on average and {_two(stable.worst)} at worst "
        f"({stable.nudges[int(stable.spearman.argmin())].describe()})"
    )
    if stable.is_stable:
        return Finding(Verdict.GOOD, f"It stays when the micrograph changes a little: {numbers}.")
    return Finding(Verdict.DOUBT, f"It changes when the micrograph changes a little: {numbers}.")


def _two(value: float) -> str:
    """Return two digits after the point, with a true minus and no "-0.00"."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")

"""One line that says whether to rely on the answer, made of all checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import streamlit as st

from core.ui.classify.checks import Check, Weight
from core.ui.parts import say

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from core.learning.classifying import Classification

_PROBABLE = 0.8  # below, a person would not call it sure, whatever the checks say
_COLOURS: dict[str, Literal["green", "orange", "red"]] = {
    "Sure": "green",
    "Doubtful": "orange",
    "Do not rely on it": "red",
}
_ICONS = {
    "Sure": ":material/verified:",
    "Doubtful": ":material/help:",
    "Do not rely on it": ":material/block:",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far to rely on an answer, and the first reason; `more` counts the other doubts."""

    title: str
    why: say.Line
    more: int = 0


def judge(answer: Classification, checks: Sequence[Check]) -> Verdict:
    """Return the verdict: the gravest doubt decides, and without one the answer is sure.

    Parameters
    ----------
    answer : Classification
    checks : sequence of Check
        All that were made; one that could not be made is a doubt where it matters.
    """
    if answer.shows_nothing:
        return Verdict("Do not rely on it", say.line("There is nothing to classify."))
    against = [check for check in checks if check.sound is False]
    grave = [check for check in against if check.weight is Weight.GRAVE]
    doubts = [check for check in against if check.weight is not Weight.GRAVE]
    if grave:
        return Verdict("Do not rely on it", grave[0].short, len(against) - 1)
    unknown = [check for check in checks if check.sound is None and check.weight is Weight.GRAVE]
    reasons = [check.short for check in [*doubts, *unknown]]
    if len(answer.prediction_set) > 1:
        reasons.insert(0, say.line("Several classes are possible."))
    if not answer.calibrated:
        reasons.append(say.line("Its probabilities were never calibrated."))
    if not answer.present:
        reasons.append(say.line("No class is probable enough to be named."))
    elif answer.probability < _PROBABLE and not reasons and answer.present_above is None:
        reasons.append(say.line("No class is clearly ahead."))
    if reasons:
        return Verdict("Doubtful", reasons[0], len(reasons) - 1)
    made = sum(check.sound is True for check in checks)
    return Verdict("Sure", say.line("All {made} checks speak for it.", made=made))


def draw(verdict: Verdict, into: DeltaGenerator) -> None:
    """Write the verdict into its place."""
    more = say.line(" {n} more below.", n=verdict.more) if verdict.more else say.line("")
    with into.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        st.badge(
            say.line("{title}", title=verdict.title),
            icon=_ICONS[verdict.title],
            color=_COLOURS[verdict.title],
        )
        say.markdown("{why}{more}", why=verdict.why, more=more, width="content")

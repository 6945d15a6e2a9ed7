"""Which of several settings reads look-alikes best."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.measuring.twins.judging import Judgement

CHOSEN_BY = ("fraction", "count", "d50")
_LESS = 0.75  # of the error: what is gained is seen in eight twins, and worth a change
_LEAST_GAIN, _MOST_LOSS = 0.01, 0.02


def how_wrong(said: Judgement) -> float:
    """Return the mean error of share, count and middle diameter, in shares of the true values.

    What is known counts; infinite where nothing is.
    """
    known = [said.error[name] for name in CHOSEN_BY if np.isfinite(said.error[name])]
    return float(np.mean(known)) if known else float("inf")


def best_setting(answers: Mapping[str, Judgement]) -> str | None:
    """Return the setting that reads twins clearly better than the first one, if any does.

    Its mean error (`how_wrong`) is at least a quarter and one point smaller, and none of share,
    count and middle diameter is read more than two points worse.

    Parameters
    ----------
    answers : mapping of str to Judgement
        As `judge_settings` returns them.

    Notes
    -----
    Twins hold objects as the first setting found them. One that would have found others is judged
    by these; a change is only named where it pays by far.
    """
    first, *others = answers
    if answers[first].refusal or not np.isfinite(how_wrong(answers[first])):
        return None
    base = answers[first]
    better = [name for name in others if _is_better(answers[name], base)]
    return min(better, key=lambda name: how_wrong(answers[name]), default=None)


def _is_better(said: Judgement, base: Judgement) -> bool:
    now, before = how_wrong(said), how_wrong(base)
    loses = any(
        not said.error[name] <= base.error[name] + _MOST_LOSS
        for name in CHOSEN_BY
        if np.isfinite(base.error[name])
    )
    return now < _LESS * before and before - now > _LEAST_GAIN and not loses

"""Running a chain for the page: step by step, a part first where it is slow, as far as it goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd
import streamlit as st

from core.errors import UserError
from core.imaging.filtering import Pipeline, Step
from core.micrograph import Micrograph
from core.ui import cache
from core.ui.parts import say, slider
from core.ui.shell import workspace

_DONE = "filters_done"  # chains that this session has waited for
_MOST_DONE = 200
_PREVIEW_FROM_PX = 250_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a chain: the result after the last step that worked, and what stopped it."""

    original: Micrograph
    result: Micrograph
    steps: tuple[Step, ...]
    facts: tuple[cache.StepFacts, ...]
    exclude: bool
    others: Mapping[str, Micrograph] = field(default_factory=dict)
    problem: str = ""

    @property
    def shows_directions(self) -> bool:
        """Whether the result is angles, to be shown as colours."""
        return bool(self.facts) and self.steps[len(self.facts) - 1].spec.direction

    def after(self, count: int) -> Micrograph:
        """Return the micrograph after so many steps."""
        chain = Pipeline(self.steps[:count]).to_json()
        return cache.filtered(self.original, chain, self.exclude, self.others)

    def last_cut(self) -> tuple[Micrograph, tuple[float, ...], str]:
        """Return what entered the last step with thresholds, these, and the step's title."""
        for number in reversed(range(len(self.facts))):
            thresholds = self.facts[number].thresholds
            if thresholds:
                return self.after(number), thresholds, self.steps[number].spec.title
        return self.original, (), ""


def run(micrograph: Micrograph, steps: tuple[Step, ...], exclude: bool) -> Outcome:
    """Apply the steps in order; a problem in one of them ends it there.

    Where slow steps have not been waited for yet, the middle of the frame is shown meanwhile, and
    how far the whole is.
    """
    others = {each.sha256: each for each in workspace.every()}
    waiting = st.empty()
    slow = _is_new_and_slow(micrograph, steps, exclude)
    bar = _show_preview(waiting, micrograph, steps, exclude, others) if slow else None
    facts: list[cache.StepFacts] = []
    problem = ""
    for number, step in enumerate(steps):
        if bar is not None:
            bar.progress(number / len(steps), _progress_text(number, steps))
        try:
            chain = Pipeline(steps[: number + 1]).to_json()
            facts.append(cache.step_facts(micrograph, chain, exclude, others))
        except UserError as error:
            problem = f"Step {number + 1}, {step.spec.title}: {error}"
            break
    waiting.empty()
    _waited_for(micrograph, steps, exclude)
    done = Pipeline(steps[: len(facts)]).to_json()
    result = cache.filtered(micrograph, done, exclude, others)
    return Outcome(micrograph, result, steps, tuple(facts), exclude, others, problem)


def table(outcome: Outcome) -> pd.DataFrame:
    """Return one row per step: its time, and noise, contrast and sharpness after it."""
    before = cache.quality(outcome.original, outcome.original, outcome.exclude)
    titles = ["original", *(f"{n + 1}. {step.spec.title}" for n, step in enumerate(outcome.steps))]
    qualities = [before, *(facts.quality for facts in outcome.facts)]
    return pd.DataFrame(
        {
            "after": titles[: len(qualities)],
            "time": ["", *(_time(facts.elapsed_s) for facts in outcome.facts)],
            "noise (%)": [quality.noise_pct for quality in qualities],
            "contrast (%)": [quality.contrast_pct for quality in qualities],
            "sharpness (%/px)": [quality.sharpness_pct_per_px for quality in qualities],
        }
    )


def _time(elapsed_s: float) -> str:
    return f"{1000 * elapsed_s:.0f} ms" if elapsed_s < 1 else f"{elapsed_s:.1f} s"


def _is_new_and_slow(micrograph: Micrograph, steps: tuple[Step, ...], exclude: bool) -> bool:
    """Tell whether the chain will take its time: no slow step of it has been waited for."""
    last = max((n for n, step in enumerate(steps) if step.is_slow), default=None)
    if last is None or micrograph.pixels.size < _PREVIEW_FROM_PX:
        return False
    done = st.session_state.get(_DONE, {})
    return _key(micrograph, steps[: last + 1], exclude) not in done


def _waited_for(micrograph: Micrograph, steps: tuple[Step, ...], exclude: bool) -> None:
    done: dict[str, bool] = st.session_state.setdefault(_DONE, {})
    for number, step in enumerate(steps):
        if step.is_slow:
            done[_key(micrograph, steps[: number + 1], exclude)] = True
    while len(done) > _MOST_DONE:
        del done[next(iter(done))]


def _key(micrograph: Micrograph, steps: tuple[Step, ...], exclude: bool) -> str:
    return f"{micrograph.key}|{exclude}|{Pipeline(steps).to_json()}"


def _show_preview(
    waiting: st.delta_generator.DeltaGenerator,
    micrograph: Micrograph,
    steps: tuple[Step, ...],
    exclude: bool,
    others: Mapping[str, Micrograph],
) -> st.delta_generator.DeltaGenerator:
    """Show what the chain makes of the middle of the frame, and return a bar for the rest."""
    with waiting.container():
        bar = st.progress(0.0, "A part first …")
        try:
            chain = Pipeline(steps).to_json()
            before, after = cache.filter_preview(micrograph, chain, exclude, others)
        except UserError:  # the run over the whole will say what is wrong, and where
            return bar
        share = 100 * cache.preview_share(micrograph)
        slider.slider(
            cache.micrograph_png(before),
            cache.micrograph_png(after),
            labels=("Original", "Filtered"),
            key="filters_preview",
            alt=f"a part of {micrograph.name}",
            caption=f"The middle of the frame ({share:.2g} % of it), filtered on its own; "
            "the whole follows.",
        )
    return bar


def _progress_text(number: int, steps: tuple[Step, ...]) -> str:
    slow = ", this one is slow" if steps[number].is_slow else ""
    title = say.plain(steps[number].spec.title)
    return f"Step {number + 1} of {len(steps)}: {title}{slow} …"

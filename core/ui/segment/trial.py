"""How wrong the numbers are here, and which neighbour of the settings would be better."""

from __future__ import annotations

from dataclasses import replace

from streamlit.delta_generator import DeltaGenerator

from core.imaging.filtering import Pipeline, Step
from core.measuring.defaults import smallest_region
from core.micrograph import Micrograph
from core.ui import cache
from core.ui.cache import CHAIN, FILE, PARTICLES
from core.ui.measured import Neighbour, trial
from core.ui.segment.settings import FILTERS, METHOD, SIGMA, SPLIT, Asked
from core.ui.shell import SMALLEST, smallest_by


def ask(asked: Asked) -> DeltaGenerator | None:
    """Draw what asks for the trial, and return where its sentence goes."""
    return trial.ask("segment") if cache.can_be_judged(asked.choice) else None


def draw(
    micrograph: Micrograph, asked: Asked, meant: cache.Objects, place: DeltaGenerator | None
) -> None:
    """Draw the trial of what is set, and its sentence in its place."""
    plain = replace(meant, edits=())

    def others() -> list[Neighbour]:
        return neighbours(micrograph, plain)

    trial.draw(micrograph, plain, asked.given, others, "segment", place)


def neighbours(micrograph: Micrograph, meant: cache.Objects) -> list[Neighbour]:
    """Return what one setting more or less would be."""
    way = meant.choice.way
    found: list[Neighbour] = []
    if way not in (PARTICLES, FILE):
        found += trial.of_size(micrograph, meant) + trial.of_split(meant, SPLIT)
    if way == CHAIN and METHOD.value() != FILTERS:
        found += [_smoothed(meant, sigma) for sigma in _sigmas(SIGMA.value())]
        found.append(_by_method(meant, "li" if METHOD.value() == "otsu" else "otsu"))
    return found


def _sigmas(now: float) -> tuple[float, ...]:
    return (1.0,) if not now else tuple({0.0, min(2 * now, SIGMA.high)} - {now})


def _smoothed(meant: cache.Objects, sigma: float) -> Neighbour:
    steps = [s for s in Pipeline.from_json(meant.choice.chain).steps if s.filter != "gaussian"]
    if sigma:
        steps.insert(len(steps) - 1, Step("gaussian", {"sigma_px": sigma}))
    changed = replace(meant, choice=_with(meant, steps))
    if smallest_by() != "stated":
        least = smallest_region(sigma, SMALLEST.value())
        changed = replace(changed, found_by=replace(meant.found_by, smallest_px=least))
    words = f"smoothed by {sigma:g} px before" if sigma else "not smoothed before"
    return Neighbour(words, changed, ((SIGMA, sigma),))


def _by_method(meant: cache.Objects, method: str) -> Neighbour:
    *before, _ = Pipeline.from_json(meant.choice.chain).steps
    choice = _with(meant, [*before, Step(method)])
    words = f"with {METHOD.titles[method]}’s threshold"
    return Neighbour(words, replace(meant, choice=choice), ((METHOD, method),))


def _with(meant: cache.Objects, steps: list[Step]) -> cache.SegmentChoice:
    return replace(meant.choice, chain=Pipeline(tuple(steps)).to_json())

"""What speaks against trusting the label: each check in one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from core.micrograph import Micrograph
from core.ui import cache
from core.ui.parts import show, tables

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from core.learning.classifying import Classification
    from core.learning.models import Classifier

STABLE = 0.8  # share of small changes that a label should outlast


@dataclass(frozen=True, slots=True)
class Check:
    """One sentence about trust; `sound` is None where nothing could be checked."""

    sound: bool | None
    words: str


_ICONS = {True: ":material/check:", None: ":material/help:"}


def draw(checks: Iterable[Check], doubts: DeltaGenerator, calm: DeltaGenerator) -> None:
    """Draw each check as soon as it is known: a doubt as a warning, all else as a line."""
    with calm:  # what is being tried shows here meanwhile
        for check in checks:
            if check.sound is False:
                doubts.warning(check.words, icon=":material/warning:")
            else:
                st.markdown(f"{_ICONS[check.sound]} {check.words}")


def doubts(micrograph: Micrograph, model_name: str, answer: Classification) -> tuple[str, ...]:
    """Return the doubts that cost no further pass of the network, a word or two each."""
    found = []
    if answer.is_novel:
        found.append("unlike the training micrographs")
    if cache.magnification_caution(micrograph, model_name):
        found.append("other scale")
    if len(answer.prediction_set) > 1:
        found.append("several classes possible")
    return tuple(found)


def run(
    micrograph: Micrograph,
    model: Classifier,
    model_name: str,
    answer: Classification,
    exclude: bool,
    level: float | None,
) -> Iterator[Check]:
    """Yield every check of one answer; those that ask the network again come last."""
    yield _novelty(answer)
    yield _scale(micrograph, model, model_name)
    yield _overlays(micrograph, model, model_name, level)
    yield _stability(micrograph, model, model_name, exclude)


def _novelty(answer: Classification) -> Check:
    if answer.novelty is None:
        return Check(
            None,
            "This model keeps nothing of its training micrographs: whether this micrograph is like "
            "them cannot be said.",
        )
    if answer.is_novel:
        return Check(
            False,
            f"Unlike the training micrographs (novelty {answer.novelty:.2f}; 95\u00a0% of "
            "micrographs of their kind stay below 1): the classes may not apply.",
        )
    return Check(True, f"Like the training micrographs (novelty {answer.novelty:.2f}, below 1).")


def _scale(micrograph: Micrograph, model: Classifier, model_name: str) -> Check:
    if not model.card.training_range:
        return Check(None, "This model does not say at which scales it was trained.")
    if micrograph.pixel_size is None:
        return Check(
            None,
            "Without a pixel size, whether the scale is one it was trained at cannot be said.",
        )
    caution = cache.magnification_caution(micrograph, model_name)
    if caution:
        return Check(False, f"The scale is not one it was trained at: {show.plain(caution)}.")
    return Check(True, "Field of view and pixel size are within those of the training micrographs.")


def _overlays(
    micrograph: Micrograph, model: Classifier, model_name: str, level: float | None
) -> Check:
    found = cache.overlay_check(micrograph, model_name, level)
    if found is None:
        return Check(True, "No info bar and no letters were found that could decide.")
    shown, hidden = (
        f"{show.plain(model.card.display_name(a.label))} ({tables.percent(a.probability)})"
        for a in (found.shown, found.hidden)
    )
    if found.changes_label:
        return Check(
            False,
            f"Info bar or letters decide: with them shown the answer is {shown}, with them hidden "
            f"{hidden}.",
        )
    return Check(
        True,
        f"Info bar and letters do not decide: {shown} with them shown, "
        f"{tables.percent(found.hidden.probabilities[found.shown.label])} with them hidden.",
    )


def _stability(micrograph: Micrograph, model: Classifier, model_name: str, exclude: bool) -> Check:
    found = cache.label_stability(micrograph, model_name, exclude)
    words = (
        f"The label stays in {100 * found.share:.0f}\u00a0% of {len(found.changes)} small changes "
        "(flips, shifts, noise)"
    )
    if found.share < STABLE:
        lost = ", ".join(found.lost_to[:3]) + (" …" if len(found.lost_to) > 3 else "")
        return Check(False, f"{words}; it is lost when {lost}.")
    return Check(True, f"{words}.")

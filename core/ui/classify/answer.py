"""The network's answer in words: class, probability, and the classes it cannot exclude."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.reporting import figures
from core.ui.classify.settings import LEVEL
from core.ui.parts import show, tables

if TYPE_CHECKING:
    from core.learning.classifying import Classification
    from core.learning.models import Classifier


def choose_level(model: Classifier) -> float | None:
    """Draw the slider of the prediction set's level; None, without one, for the card's own."""
    from core.learning.classifying import offers_levels

    own = round(100 * model.card.calibration.get("conformal_level", 0.9))
    if not offers_levels(model):
        return None
    return LEVEL.draw(min(max(own, LEVEL.low), LEVEL.high)) / 100


def draw(model: Classifier, answer: Classification, level: float | None) -> None:
    """Draw label, probability, prediction set and the bars of all classes."""
    name = model.card.display_name
    st.metric("Most probable class", name(answer.label))
    st.markdown(
        f"Probability **{tables.percent(answer.probability)}** · runner-up "
        f"{show.plain(name(answer.runner_up))} at {tables.percent(answer.runner_up_probability)}"
    )
    _prediction_set(model, answer, level)
    show.chart(
        figures.probabilities(answer, model.card.display_names, dark=show.is_dark()),
        "classify_probabilities",
        "Probability of every class",
    )
    honest = "calibrated on held-out micrographs" if answer.calibrated else "not calibrated"
    st.caption(
        f"Model {show.plain(model.name)} on {model.device.upper()}, {honest}. It knows these "
        f"{len(answer.ranking)} classes only: whatever you show it gets one of them."
    )


def _prediction_set(model: Classifier, answer: Classification, level: float | None) -> None:
    level = level or model.card.calibration.get("conformal_level")
    if level is None:
        st.caption(
            "This model was never calibrated on held-out micrographs: it cannot say which other "
            "classes are still possible."
        )
        return
    names = [show.plain(model.card.display_name(label)) for label in answer.prediction_set]
    promise = (
        f"For {100 * level:.0f} % of micrographs like those it learnt from, the true class is "
        "among the ones it keeps."
    )
    if answer.is_novel:
        promise += " This one is unlike those, so do not count on it."
    if len(names) > 1:
        listed = f"{', '.join(names[1:-1])} and {names[-1]}" if len(names) > 2 else names[1]
        st.info(f"The network cannot exclude {listed}. {promise}", icon=":material/help:")
    else:
        st.caption(f"The network excludes every other class. {promise}")

"""The network's answer in words: class, probability, and the classes it cannot exclude."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.reporting import figures
from core.ui.classify.settings import LEVEL
from core.ui.parts import say, show, tables

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
    if answer.shows_nothing:
        say.metric("Most probable class", "none")
        say.warning(
            "There is nothing to classify: {why}.",
            why=" and ".join(answer.signs),
            icon=":material/visibility_off:",
        )
        return
    if answer.present_above is None:
        _one_class(model, answer, level)
    else:
        _several(model, answer, answer.present_above)
    show.chart(
        figures.probabilities(
            answer,
            model.card.display_names,
            dark=show.is_dark(),
            threshold=answer.present_above,
        ),
        "classify_probabilities",
        "Probability of every class",
    )
    honest = "calibrated on held-out micrographs" if answer.calibrated else "not calibrated"
    say.caption(
        "Model {name} on {upper}, {honest}. It knows these {ranking} classes only: {gets}.",
        name=say.plain(model.name),
        upper=model.device.upper(),
        honest=honest,
        ranking=len(answer.ranking),
        gets="whatever you show it gets one of them"
        if answer.present_above is None
        else "what it does not know has no name here",
    )


def _one_class(model: Classifier, answer: Classification, level: float | None) -> None:
    name = model.card.display_name
    say.metric("Most probable class", name(answer.label))
    say.markdown(
        "Probability **{probability}** · runner-up {runner_up} at {runner_up_probability}",
        probability=tables.percent(answer.probability),
        runner_up=name(answer.runner_up),
        runner_up_probability=tables.percent(answer.runner_up_probability),
    )
    _prediction_set(model, answer, level)


def _several(model: Classifier, answer: Classification, above: float) -> None:
    """Draw the classes that are named of several that may be true at once."""
    names = [model.card.display_name(label) for label in answer.present]
    say.metric("Classes named" if len(names) != 1 else "Class named", ", ".join(names) or "none")
    say.markdown(
        "Above a probability of {above} · highest {label} at **{probability}**",
        above=tables.percent(above),
        label=model.card.display_name(answer.label),
        probability=tables.percent(answer.probability),
    )
    st.caption(
        "Each class is answered for itself: several may be true of one frame, or none. The "
        "probabilities do not add up to 100\u00a0%, and no set of them is promised."
    )


def _prediction_set(model: Classifier, answer: Classification, level: float | None) -> None:
    level = level or model.card.calibration.get("conformal_level")
    if level is None:
        st.caption(
            "This model was never calibrated on held-out micrographs: it cannot say which other "
            "classes are still possible."
        )
        return
    if answer.is_novel:
        say.caption(
            "What the network excludes counts for micrographs like those it learnt from; this one "
            "is unlike them, so nothing is excluded."
        )
        return
    names = [model.card.display_name(label) for label in answer.prediction_set]
    promise = say.line(
        "For {percent:.0f} % of micrographs like those it learnt from, the true class is among the "
        "ones it keeps.",
        percent=100 * level,
    )
    if len(names) > 1:
        listed = f"{', '.join(names[1:-1])} and {names[-1]}" if len(names) > 2 else names[1]
        say.info(
            "The network cannot exclude {listed}. {promise}",
            listed=listed,
            promise=promise,
            icon=":material/help:",
        )
    else:
        say.caption("The network excludes every other class. {promise}", promise=promise)

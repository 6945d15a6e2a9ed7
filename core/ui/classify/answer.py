"""The network's answer in words: class, probability, and the classes it cannot exclude."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.micrograph import Micrograph
from core.reporting import figures
from core.ui import cache
from core.ui.classify.settings import LEVEL
from core.ui.parts import say, show, tables

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from core.learning.classifying import Classification
    from core.learning.models import Classifier

_SMALL_PX = 220  # width of the evidence beside the answer


def choose_level(model: Classifier) -> float | None:
    """Draw the slider of the prediction set's level; None, without one, for the card's own."""
    from core.learning.classifying import offers_levels

    own = round(100 * model.card.calibration.get("conformal_level", 0.9))
    if not offers_levels(model):
        return None
    return LEVEL.draw(min(max(own, LEVEL.low), LEVEL.high)) / 100


def headline(model: Classifier, answer: Classification) -> None:
    """Write the class, its probability and the runner-up; or that there is nothing to classify."""
    if answer.shows_nothing:
        say.metric("Most probable class", "none")
        show.nothing(answer)
    elif answer.present_above is None:
        _one_class(model, answer)
    else:
        _several(model, answer, answer.present_above)


def _one_class(model: Classifier, answer: Classification) -> None:
    name = model.card.display_name
    say.metric("Most probable class", name(answer.label))
    say.markdown(
        "Probability **{probability}** · runner-up {runner_up} at {runner_up_probability}",
        probability=tables.percent(answer.probability),
        runner_up=name(answer.runner_up),
        runner_up_probability=tables.percent(answer.runner_up_probability),
    )


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


def bars(model: Classifier, answer: Classification) -> None:
    """Draw the probability of every class."""
    if answer.shows_nothing:
        return
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


def explain(model: Classifier, answer: Classification, level: float | None) -> None:
    """Write what the network cannot exclude, and what it knows at all."""
    if answer.shows_nothing:
        return
    if answer.present_above is None:
        _prediction_set(model, answer, level)
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


def where(
    micrograph: Micrograph,
    model_name: str,
    answer: Classification,
    exclude: bool,
    into: DeltaGenerator,
) -> None:
    """Draw where the network found its evidence, small, and the way to its page."""
    with into:
        if "grad-cam" in cache.fitting(model_name):
            question = cache.Question(model_name, exclude=exclude)
            st.image(
                cache.small_heatmap_png(micrograph, question, cache.Look(contour=0.5), _SMALL_PX),
                width=_SMALL_PX,
                output_format="PNG",
                alt=say.line("Where the evidence for {label} lies", label=answer.label),
            )
        st.page_link("pages/2_Explain.py", label="See where", icon=":material/visibility:")


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

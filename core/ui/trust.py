"""How far a map can be trusted: the card of one map, and all methods over all micrographs."""

from __future__ import annotations

import contextvars
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.micrograph import Micrograph
from core.reporting import figures
from core.reporting.export import csv_bytes
from core.ui import cache, show, workspace

if TYPE_CHECKING:
    from core.learning.trust.card import TrustCard
    from core.learning.trust.survey import Survey

_FILLS = {"blur": "a blurred copy", "mean": "the mean grey level"}
_MARKS = {
    "good": ":green[:material/check_circle:]",
    "doubt": ":orange[:material/help:]",
    "bad": ":red[:material/cancel:]",
    "note": ":blue[:material/info:]",
}
_FIRST_CHOICE = ("grad-cam", "grad-cam++", "layercam", "eigen-cam", "eigengrad-cam", "finer-cam")


def draw(micrograph: Micrograph, question: cache.Question) -> None:
    """Draw both parts, each behind a switch: they run the network many times."""
    st.subheader("Can this map be trusted?", anchor=False)
    if st.toggle("Check this map against chance", key="explain_trust"):
        _card(micrograph, question)
    else:
        st.caption(
            "Takes away and puts back parts of the frame in the map's order, in random order and "
            "in that of edges; makes the network forget; compares methods; changes the micrograph "
            "a little. Some seconds."
        )
    st.subheader("Which method suits these micrographs?", anchor=False)
    every = workspace.every()
    count = f"all {len(every)} loaded micrographs" if len(every) > 1 else "the loaded micrograph"
    if st.toggle(f"Compare methods over {count}", key="explain_survey"):
        _survey(every, question)
    else:
        st.caption("Measures each method against chance and edges, for the network's own answers.")


def _card(micrograph: Micrograph, question: cache.Question) -> None:
    thorough = st.toggle(
        "Thorough",
        key="explain_trust_thorough",
        help="Finer steps, 20 random maps, five cascades and all methods: about ten times as long.",
    )
    with _progress_bar() as tell:
        card = cache.trust_card(micrograph, question, thorough, tell)
    _words(card)
    if question.tiled:
        st.caption("Checked is the map of the whole frame, without tiles.")
    if card.checks is None:
        return
    _table(micrograph, card)
    _charts(card)
    st.caption(show.plain(card.effort.describe()))


def _words(card: TrustCard) -> None:
    from core.learning.faithfulness import describe

    first, *others = describe(card)
    st.markdown(f"{_MARKS[first.verdict.value]} **{show.plain(first.sentence)}**")
    lines = [f"{_MARKS[each.verdict.value]} {show.plain(each.sentence)}" for each in others]
    st.markdown("  \n".join(lines))


def _table(micrograph: Micrograph, card: TrustCard) -> None:
    frame = card.to_frame()
    show.table(tabulate(frame), "explain_trust_table", height="content")
    show.download(
        "Trust card (CSV)",
        lambda: csv_bytes(frame),
        f"{show.file_stem(micrograph)}_{card.method}_{card.target}_trust.csv",
        "text/csv",
        "explain_trust_csv",
    )


def tabulate(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the card's table under headings for people."""
    numbers = {
        "this map": "map",
        "random": "random",
        "Sobel": "sobel",
        "− random": "less_random",
        "− Sobel": "less_sobel",
    }
    columns = {title: frame[name].map(_three) for title, name in numbers.items()}
    beats = {
        f"beats {title}": frame[name].map({True: "yes", False: "no"})
        for title, name in (("random", "beats_random"), ("Sobel", "beats_sobel"))
    }
    return pd.DataFrame(
        {"measure": frame["measure"], "better": frame["better"], **columns, **beats}
    )


def _charts(card: TrustCard) -> None:
    from core.learning.trust.randomisation import STILL_SIMILAR

    assert card.checks is not None
    checks, dark = card.checks, show.is_dark()
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Taking parts away, putting them back**")
        fill = st.segmented_control(
            "Removed places show",
            list(_FILLS),
            format_func=_FILLS.__getitem__,
            default="blur",
            key="explain_trust_fill",
        )
        curves = figures.removal_curves(checks.trials, fill or "blur", dark=dark)
        show.chart(curves, "explain_trust_curves", "Probability while parts are removed or kept")
        st.markdown("**A network that forgets**")
        forgetting = figures.forgetting(checks.cascade, STILL_SIMILAR, dark=dark)
        show.chart(forgetting, "explain_trust_forgetting", "Similarity to maps of random networks")
        st.caption("Below the dotted line little is left of the map, as it should be in the end.")
    with right:
        st.markdown("**Do methods agree?**")
        titles = cache.method_titles()
        matrix = figures.agreement(checks.agreement, titles, card.method, dark=dark)
        show.chart(matrix, "explain_trust_agreement", "Rank correlation between the methods' maps")
        for group in checks.agreement.coinciding():
            names = ", ".join(titles[name] for name in group)
            st.caption(f"One and the same map up to scale, no confirmation: {names}.")


def _survey(every: list[Micrograph], question: cache.Question) -> None:
    titles = cache.fitting(question.model_name)
    own = {name: title for name, title in titles.items() if name not in cache.baselines()}
    methods = st.multiselect(
        "Methods to compare",
        list(own),
        default=[name for name in _FIRST_CHOICE if name in own],
        format_func=own.__getitem__,
        key=f"explain_survey_methods_{question.model_name}",
        help="Each takes about a second per micrograph; Score-CAM, occlusion and integrated "
        "gradients more. At the last layer, for the network's own answers.",
    )
    if not methods:
        st.info("Choose one method or more.")
        return
    survey = _measure(every, question, tuple(methods))
    frame = survey.to_frame()
    st.markdown(f"**{show.plain(survey.describe(cache.method_titles()))}**")
    bars = figures.method_survey(frame, cache.method_titles(), dark=show.is_dark())
    show.chart(bars, "explain_survey_chart", "Mean gain of each method", legend=False)
    shown = tabulate_survey(frame, cache.method_titles())
    show.table(shown, "explain_survey_table", height="content")
    show.download(
        "All methods (CSV)",
        lambda: csv_bytes(frame),
        "methods_trust.csv",
        "text/csv",
        "explain_survey_csv",
    )
    st.caption(
        "Means over the micrographs in which the method found evidence. Insertion less deletion: "
        "0 for random maps; the higher, the better the map explains the decision."
    )


def _measure(every: list[Micrograph], question: cache.Question, methods: tuple[str, ...]) -> Survey:
    from core.learning.trust.survey import Survey

    scores = []
    with _progress_bar() as tell:
        for number, micrograph in enumerate(every):

            def tell_all(done: float, what: str, number: int = number) -> None:
                tell((number + done) / len(every), f"micrograph {number + 1} of {len(every)}")

            scores.append(
                cache.method_scores(
                    micrograph, question.model_name, methods, question.exclude, tell_all
                )
            )
    return Survey(tuple(scores))


def tabulate_survey(frame: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Return the table of methods under headings for people."""
    numbers = ("gain", "deletion", "insertion", "road", "drop")
    written = {name: frame[name].map(_three) for name in numbers}
    return pd.DataFrame(
        {
            "method": frame["method"].map(titles),
            "micrographs": frame["micrographs"],
            "insertion − deletion": written["gain"],
            "beats random (%)": 100 * frame["beats_random"],
            "beats Sobel (%)": 100 * frame["beats_sobel"],
            "deletion": written["deletion"],
            "insertion": written["insertion"],
            "ROAD": written["road"],
            "average drop": written["drop"],
            "increase (%)": 100 * frame["increase"],
        }
    )


def _three(value: float) -> str:
    """Return three digits after the point, without "-0.000"."""
    return "–" if pd.isna(value) else f"{round(value, 3) + 0.0:.3f}".replace("-", "−")


@contextmanager
def _progress_bar() -> Iterator[cache.Progress]:
    """Yield what a cached call may report its progress to; the bar goes away in the end.

    Streamlit would record whatever a cached function draws and draw it again at every hit. In the
    context of before the call nothing is recorded.
    """
    place, outside = st.empty(), contextvars.copy_context()

    def tell(done: float, what: str) -> None:
        outside.run(place.progress, min(1.0, done), f"{what[:1].upper()}{what[1:]} …")

    try:
        yield tell
    finally:
        place.empty()

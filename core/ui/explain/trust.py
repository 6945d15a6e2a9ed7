"""How far a map can be trusted: words first, then numbers against chance, then plots."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from core.micrograph import Micrograph
from core.reporting import figures
from core.reporting.batch import csv_bytes
from core.ui import cache
from core.ui.cache import Question
from core.ui.explain.settings import SECTION, TRUST
from core.ui.parts import say, show, working
from core.ui.shell import workspace

if TYPE_CHECKING:
    from core.learning.trust import TrustCard

_SAID = "explain_trust_said"  # micrograph and question -> verdict of the card
_MOST_SAID = 200
_MARKS = {True: "yes", False: "no"}
# Maps of grey levels alone, as a card names them -> headings; |grey| is the distance from the mean.
_GREYS = {
    "brightness": "brightness",
    "distance from the mean grey": "|grey|",
    "random × distance from the mean grey": "random × |grey|",
}


def draw(micrograph: Micrograph, question: Question) -> None:
    """Draw the trust card of one map, and on request of every method on all that is loaded."""
    if question.tiled:
        st.caption("Checked is the map of the whole frame, not the one in tiles.")
        question = replace(question, tiled=False)
    if cache.explanation(micrograph, question).has_evidence:
        _card(micrograph, question)
    else:
        st.info(
            "This map shows no positive evidence, so there is nothing to check. Choose another "
            "class, method or layer.",
            icon=":material/visibility_off:",
        )
    _whole_set(question)


def _card(micrograph: Micrograph, question: Question) -> None:
    thorough = st.toggle(
        "Thorough",
        key="explain_thorough",
        persist_state="session",
        help="Finer steps, eight random maps instead of two, three cascades of random weights, "
        "more shifts and noise: some ten times slower.",
    )
    with working.progress_bar("Checking: {} …") as tell:
        card = cache.trust(micrograph, question, thorough, tell)
    title = cache.model(question.model_name).card.display_name(card.target)
    sentences = card.sentences(title)
    words, is_sound = verdict(card)
    said = st.session_state.setdefault(_SAID, {})
    said[_place(micrograph, question)] = words, is_sound
    for old in list(said)[:-_MOST_SAID]:
        del said[old]
    (say.success if is_sound else say.warning)(
        "{words}. {first}",
        words=words,
        first=sentences[0],
        icon=":material/verified:" if is_sound else ":material/warning:",
    )
    with st.expander("In words", icon=":material/notes:"):
        for sentence in sentences[1:]:
            say.markdown("- {sentence}", sentence=sentence)
    _numbers(card, micrograph)
    _plots(card)


def verdict(card: TrustCard) -> tuple[say.Line, bool]:
    """Return in a few words what a map is better than, and whether that is all it must be."""
    if not card.beats_chance:
        return say.line("No better than chance"), False
    if not card.beats_edges:
        return say.line("Better than chance, no better than plain edges"), False
    if not card.beats_brightness:
        return say.line("Better than chance and edges, no better than grey levels"), False
    return say.line("Better than chance, edges and grey levels"), True


def mark(micrograph: Micrograph, question: Question) -> None:
    """Say in one badge how far the map can be trusted, or offer to check it."""
    said = st.session_state.get(_SAID, {}).get(_place(micrograph, question))
    if said is not None:
        words, is_sound = said
        st.badge(
            say.line("{words}", words=words),
            icon=":material/verified:" if is_sound else ":material/warning:",
            color="green" if is_sound else "orange",
        )
    elif SECTION.value() != TRUST:
        st.button(
            "Can it be trusted?",
            icon=":material/fact_check:",
            key="explain_check",
            type="tertiary",
            help="Compares the map with chance and with plain edges: some seconds.",
            on_click=SECTION.put,
            args=(TRUST,),
        )


def _place(micrograph: Micrograph, question: Question) -> str:
    return f"{micrograph.key} {replace(question, tiled=False)!r}"


def _numbers(card: TrustCard, micrograph: Micrograph) -> None:
    frame = card.to_frame()
    shown = pd.DataFrame(
        {
            "measure": frame["measure"],
            "better is": frame["better"],
            "this map": frame["map"].map(_three),
            "random maps": frame["random"].map(_three),
            "Sobel edges": frame["sobel"].map(_three),
            **{short: frame[name].map(_three) for name, short in _GREYS.items() if name in frame},
            "beats random": frame["beats random"].map(_MARKS),
            "beats edges": frame["beats sobel"].map(_MARKS),
            "beats grey levels": frame["beats greys"].map(_MARKS),
            "less random": frame["less random"].map(_three),
            "less edges": frame["less sobel"].map(_three),
        }
    )
    show.table(shown, "explain_trust_table")
    random = f"{len(card.random)} random maps of the same resolution and amount of heat"
    shares, road = (
        ", ".join(f"{100 * share:.0f}" for share in steps)
        for steps in (card.map.shares, card.map.road_shares)
    )
    say.caption(
        "Removed: {shares} %; for ROAD {road} %. Removed places are filled with the mean "
        "grey level or a blurred copy, for ROAD with noisy linear imputation. Chance: "
        "{random}; beaten when every one of them is, by at least 0.01. Maps of grey levels alone: "
        "brightness; |grey|, the distance from the mean grey; noise times that.",
        shares=shares,
        road=road,
        random=random,
    )
    show.download(
        "Trust card (CSV)",
        csv_bytes(frame),
        f"{show.file_stem(micrograph)}_trust.csv",
        "text/csv",
        "explain_trust_csv",
    )


def _plots(card: TrustCard) -> None:
    dark = show.is_dark()
    response, edges = card.map, card.responses["sobel"]
    greys = sorted(card.greys.items(), key=lambda item: -item[1].gain)[:1]
    left, right = st.columns(2, gap="medium")
    for column, kind, words in (
        (left, "deletion", "removed, hottest first"),
        (right, "insertion", "kept, hottest first"),
    ):
        with column:
            say.markdown("**{capitalize}**", capitalize=kind.capitalize())
            curves = {
                name: np.mean([np.mean(list(getattr(r, kind).values()), axis=0) for r in group], 0)
                for name, group in (
                    ("this map", [response]),
                    ("Sobel edges", [edges]),
                    ("random maps", card.random),
                    *((f"grey levels ({_GREYS[name]})", [grey]) for name, grey in greys),
                )
            }
            figure = figures.removal_curves(response.shares, curves, words, dark=dark)
            show.chart(figure, f"explain_{kind}", f"probability against the share {words}")
    left, right = st.columns([2, 3], gap="medium")
    with left:
        if card.cascade is None:
            st.caption("Random weights are tried for this slow method in the thorough mode only.")
        else:
            st.markdown("**With random weights**")
            figure = figures.cascade(card.cascade.depths, card.cascade.spearman, dark=dark)
            show.chart(figure, "explain_cascade", "how alike the map stays", legend=False)
    with right:
        st.markdown("**Agreement between methods**")
        titles = cache.method_titles()
        names = [titles[name].removesuffix(" (baseline)") for name in card.agreement.methods]
        figure = figures.agreement(names, card.agreement.spearman, dark=dark)
        show.chart(figure, "explain_agreement", "rank correlation between methods")
        for group in card.agreement.coinciding():
            same = ", ".join(titles[name] for name in group)
            say.caption(
                "One map up to scale, and no confirmation of each other: {same}.", same=same
            )


def _whole_set(question: Question) -> None:
    every = tuple(workspace.every())
    st.markdown("**Which method suits these micrographs?**")
    if not st.toggle(
        say.line("Check every method on all that is loaded ({every})", every=len(every)),
        key="explain_whole_set",
        persist_state="session",
    ):
        return
    layer = question.layers[0] if len(question.layers) == 1 else None
    with working.progress_bar("Checking: {} …") as tell:
        table = cache.trust_of_methods(every, question.model_name, layer, question.exclude, tell)
    if table.empty:
        st.info("No method finds evidence in any of the loaded micrographs.")
        return
    titles = cache.method_titles()
    shown = pd.DataFrame(
        {
            "method": table["method"].map(titles),
            "insertion − deletion": table["gain"].map(_three),
            "standard deviation": table["gain_sd"].map(_three),
            "ROAD": table["road"].map(_three),
            "average drop": table["drop"].map(_three),
            "beats random (%)": 100 * table["beats_random"],
            "beats edges (%)": 100 * table["beats_sobel"],
            "micrographs": table["micrographs"],
        }
    )
    show.table(shown, "explain_set_table")
    say.caption(
        "Each micrograph is explained for its own class; the best is first: {iloc}. "
        "Methods that must coincide are one row. Where methods differ by much less than "
        "the standard deviation, their order may be chance.",
        iloc=shown["method"].iloc[0],
    )
    show.download(
        "All methods (CSV)", csv_bytes(table), "trust_of_methods.csv", "text/csv", "explain_set_csv"
    )


def _three(value: float) -> str:
    """Return three digits after the point, without "-0.000"; a dash for what is unknown."""
    return "–" if pd.isna(value) else f"{round(value, 3) + 0.0:.3f}".replace("-", "−")

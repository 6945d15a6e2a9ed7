"""How wrong are these numbers here? The same measurement on look-alikes with known truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.errors import UserError
from core.measuring.twins import OUTSIDE_PX, QUANTITIES, Judgement, Quantities, tell_error
from core.micrograph import Micrograph
from core.reporting import figures
from core.ui import cache
from core.ui.measured.trial import neighbours
from core.ui.measured.trial.neighbours import Neighbour
from core.ui.parts import say, show, viewer, working

_TWINS = 8
_NAMES = {
    "fraction": "share covered",
    "count": "objects",
    "d10": "D10",
    "d50": "D50",
    "d90": "D90",
    "chord": "mean chord",
    "circularity": "circularity",
}
_HELD = (
    "Limits hold on most pictures, not on all. Of 50 real ones in which what people had marked was "
    "measured, 11 were refused; on the others the limits of a mask drawn by a person held the "
    "share in 31 of 39, the count in 26 of 31, D50 in 26 of 30. On 60 drawn pictures the limits "
    "held in 95 to 98 %. A value is only corrected where its side is known; the measured one "
    "stays the answer."
)
_BLIND = (
    "Look-alikes know the original only by what was measured in it, and by its greys. They cannot "
    "see objects behind others, kinds of objects of which none was found, charging, a further "
    "phase that was taken for ground or for objects throughout, or a wrong pixel size."
)


def ask(prefix: str) -> DeltaGenerator:
    """Draw what asks for the trial, and return where its answer goes.

    Parameters
    ----------
    prefix : str
        Of the page; begins the keys.
    """
    place = st.container()
    with place:
        st.toggle(
            "How wrong is this here?",
            key=f"{prefix}_trial",
            persist_state="session",
            help="Look-alikes of this picture, of which the truth is known, are drawn and measured "
            "in the very same way. Takes some seconds; switch it off to cancel.",
        )
    return place


def draw(
    micrograph: Micrograph,
    meant: cache.Objects,
    given: cache.Given,
    others: Callable[[], Sequence[Neighbour]],
    prefix: str,
    place: DeltaGenerator | None,
) -> None:
    """Draw the trial once it is asked for: a sentence in its place, all else here.

    Parameters
    ----------
    micrograph : Micrograph
    meant, given
        What is measured; edits by hand are left out.
    others : function
        Returns settings that may be better; what those would find is looked up only once asked for.
    prefix : str
        Of the page; begins the keys.
    place : DeltaGenerator or None
        As `ask` returned it.
    """
    if place is None or not st.session_state.get(f"{prefix}_trial"):
        return
    meant = replace(meant, edits=())
    with place:
        found = _found(micrograph, meant, given)
    if found is None:
        return
    with st.expander(
        "How wrong this is here, by look-alikes", expanded=True, icon=":material/experiment:"
    ):
        if not found.judgement.refusal:
            _numbers(found.judgement, prefix)
            neighbours.draw(micrograph, meant, given, others, _TWINS, prefix)
        _pictures(found.part, found.twin, prefix)
        say.caption("{words}", words=_BLIND)


def _found(micrograph: Micrograph, meant: cache.Objects, given: cache.Given) -> cache.Judged | None:
    """Return the answer after saying it in a sentence; None where there is none."""
    try:
        with working.progress_bar("Measuring look-alikes: {} …") as tell:
            found = cache.judged(micrograph, meant, _TWINS, given, tell)
    except UserError as error:
        say.caption("{why}", why=error)
        return None
    said = found.judgement
    if said.refusal:
        say.caption(":material/help: {why}", why=said.refusal)
    else:
        say.markdown(":material/experiment: {words}", words=describe(said))
    if found.part.shape != micrograph.shape:
        height, width = found.part.shape
        say.caption("By its middle, {w} × {h} px.", w=width, h=height)
    return found


def describe(said: Judgement) -> say.Line:
    """Return the errors in a sentence: "By 8 look-alikes: the share is right within …"."""
    errors = said.error_limits
    parts = [
        tell_error(name, what, *(each[name] for each in errors))
        for name, what in (("fraction", "the share"), ("count", "the count"), ("d50", "D50"))
    ]
    return say.line(
        "By {twins} look-alikes: {share}, {count}, {size}. {objects}",
        twins=said.count,
        share=parts[0],
        count=parts[1],
        size=parts[2],
        objects=_told(said),
    )


def _told(said: Judgement) -> str:
    """Return what becomes of the objects in look-alikes: "Of their objects 8 % are missed."."""
    if not np.isfinite(said.corrected.count):
        return ""
    counts = said.objects
    lost = [
        f"{100 * count / max(counts.true, 1):.0f} % {what}"
        for count, what in (
            (counts.missed, "are missed"),
            (counts.merged, "are taken for one with others"),
            (counts.split, "are taken for several"),
        )
        if count >= 0.005 * counts.true
    ]
    invented = counts.invented / max(counts.found, 1)
    words = f"Of their objects {', '.join(lost)}" if lost else "All their objects are found"
    if invented >= 0.005:
        words += f"; {100 * invented:.0f} % of those found are none"
    return f"{words}."


def _numbers(said: Judgement, prefix: str) -> None:
    """Draw each quantity's error as a chart, and beside it the values."""
    left, right = show.beside(1)
    with left:
        _chart(said, prefix)
    with right:
        _table(said, prefix)
    for words in filter(None, (by_hand(said), _HELD)):
        say.caption("{words}", words=words)


def by_hand(said: Judgement) -> str:
    """Return what a mask drawn by a person would give; empty where that is not known."""
    parts = []
    for name, template, unit, scale in (
        ("fraction", "cover about {} % ({} to {} {})", "%", 100.0),
        ("d50", "have a D50 of about {} ({} to {} {})", said.unit, 1.0),
    ):
        values = [scale * each[name] for each in said.by_hand]
        if np.isfinite(values).all():
            parts.append(template.format(*(f"{each:.3g}" for each in values), unit))
    if not parts:
        return ""
    return (
        f"A mask drawn by a person would {' and '.join(parts)}: people's outlines run about "
        f"{OUTSIDE_PX[0]:g} px outside of the edge."
    )


def _chart(said: Judgement, prefix: str) -> None:
    rows = [[100 * each[name] for name in QUANTITIES] for each in said.relative_limits]
    figure = figures.mistakes([_NAMES[n] for n in QUANTITIES], *rows, dark=show.is_dark())
    alt = "How far each quantity is read from its true value, with limits"
    show.chart(figure, f"{prefix}_trial_errors", alt, legend=False)


def _table(said: Judgement, prefix: str) -> None:
    """Draw each quantity as measured and as corrected by simulation, with limits."""
    scales = {name: 100.0 if name == "fraction" else 1.0 for name in QUANTITIES}
    units = {"fraction": " (%)", "count": "", "circularity": ""}

    def column(values: Quantities) -> list[float]:
        return [scales[name] * values[name] for name in QUANTITIES]

    sided = [not said.low[n] <= said.measured[n] <= said.high[n] for n in QUANTITIES]
    values = zip(sided, column(said.corrected), strict=True)
    corrected = [f"{value:.4g}" if is_sided else "–" for is_sided, value in values]

    rows = pd.DataFrame(
        {
            "quantity": [_NAMES[n] + units.get(n, f" ({said.unit})") for n in QUANTITIES],
            "measured": column(said.measured),
            "corrected by simulation": corrected,
            "from": column(said.low),
            "to": column(said.high),
        }
    )
    key = f"{prefix}_trial_table"
    st.dataframe(rows, hide_index=True, column_config=show.formats(rows), key=key)


def _pictures(part: Micrograph, twin: Micrograph, prefix: str) -> None:
    """Draw the part that is imitated and a look-alike side by side, moved and zoomed together."""
    viewer.show_micrograph(
        part,
        False,
        key=f"{prefix}_trial_view",
        after=twin,
        labels=("original", "look-alike (simulated)"),
        mode=viewer.SIDE,
        alt="The micrograph beside a look-alike of it",
    )

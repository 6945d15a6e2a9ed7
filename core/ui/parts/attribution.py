"""Which cluster drove the decision: the evidence of an explanation, shared out among clusters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import streamlit as st

from core.measuring.attribution import HasLabels, describe_attribution
from core.micrograph import Micrograph
from core.reporting import figures
from core.reporting.batch import csv_bytes
from core.ui import cache
from core.ui.parts import say, show

_MOST_PHASES = 6


def draw(
    micrograph: Micrograph,
    pick_model: Callable[[], str],
    *,
    prefix: str,
    exclude: bool = True,
    question: cache.Question | None = None,
    clustering: HasLabels | None = None,
    settings: str = "",
    phases: Mapping[str, str] | None = None,
) -> None:
    """Draw the panel behind a switch, since it needs a network.

    Parameters
    ----------
    micrograph : Micrograph
    pick_model : callable
        Draws the choice of the model where nothing is explained yet, and returns its name.
    prefix : str
        Begins the keys of the controls.
    exclude : bool
        Whether overlays take no part; that of the question where there is one.
    question : Question, optional
        What is explained, and how; by default the network's own answer by Grad-CAM.
    clustering : Clustering, optional
        By default grey levels, in as many clusters as a person chooses here.
    settings : str
        All choices that made the clustering: the key under which results are kept.
    phases : mapping of str to str, optional
        Name and colour of each, where the labels are not clusters from dark to bright.
    """
    what = "phase" if phases else "cluster"
    say.subheader("Which {what} drove the decision?", what=say.Line(what))
    if not st.toggle(
        say.line("Share the evidence out among the {what}s", what=say.Line(what)),
        key=f"{prefix}_attribution",
        persist_state="session",
    ):
        say.caption(
            "Sets each {what}'s share of the network's evidence against its share of the area.",
            what=say.Line(what),
        )
        return
    if question is None:
        question = cache.Question(pick_model(), exclude=exclude)
    if clustering is None:
        k = _phases(prefix)
        clustering = cache.clusters(micrograph, cache.ClusterChoice(k, question.exclude))
        settings = f"grey|{k}"
    table = cache.attribution(micrograph, question, settings, clustering)
    _results(table, micrograph, question, prefix, phases or {})


def _phases(prefix: str) -> int:
    value: int = st.slider(
        "Clusters (grey levels, dark to bright)",
        2,
        _MOST_PHASES,
        3,
        key=f"{prefix}_attribution_phases",
        persist_state="session",
        help="With two clusters the threshold is Otsu's.",
    )
    return value


def _results(
    table: pd.DataFrame,
    micrograph: Micrograph,
    question: cache.Question,
    prefix: str,
    phases: Mapping[str, str],
) -> None:
    names = list(phases)
    found = cache.explanation(micrograph, question)
    title = cache.model(question.model_name).card.display_name(found.target)
    say.markdown("**{table}**", table=describe_attribution(table, title, names))
    chart, numbers = st.columns(2, gap="medium")
    with chart:
        show.chart(
            figures.attribution(table, phases, dark=show.is_dark()),
            f"{prefix}_attribution_chart",
            "Share of the area beside the share of the evidence, one by one",
        )
    with numbers:
        show.table(tabulate(table, names), f"{prefix}_attribution_table")
        show.download(
            f"Evidence per {'phase' if names else 'cluster'} (CSV)",
            csv_bytes(table.assign(phase=names) if names else table),
            f"{show.file_stem(micrograph)}_evidence.csv",
            "text/csv",
            f"{prefix}_attribution_csv",
        )
    titles = cache.method_titles()
    say.caption(
        "{method} at “{layer}”. Lift is evidence share / area share: 1 where the network "
        "looks as much as anywhere. Intervals (95 %) come from drawing tiles of the "
        "frame again. “By chance” is the central 95 % of the lift over all places to "
        "which the same map can be moved (the hatched bar): beyond it, the "
        "network follows it.",
        method=titles.get(found.method, found.method),
        layer=found.layer,
    )


def tabulate(table: pd.DataFrame, names: Sequence[str] = ()) -> pd.DataFrame:
    """Return the table under headings for people: shares in per cent, limits as words."""
    return pd.DataFrame(
        {
            **({"phase": list(names)} if names else {"cluster": table["cluster"]}),
            "area (%)": 100 * table["area_share"],
            "evidence (%)": 100 * table["evidence_share"],
            "lift": [_short(value) for value in table["lift"]],
            "lift, 95 %": _ranges(table, "lift"),
            "by chance": _ranges(table, "chance"),
        }
    )


def _ranges(table: pd.DataFrame, name: str) -> list[str]:
    limits = zip(table[f"{name}_low"], table[f"{name}_high"], strict=True)
    return ["–" if pd.isna(low) else f"{_short(low)} to {_short(high)}" for low, high in limits]


def _short(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.2f}"

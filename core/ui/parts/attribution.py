"""Which cluster drove the decision: the evidence of an explanation, shared out among clusters."""

from __future__ import annotations

from collections.abc import Callable

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
    """
    st.subheader("Which cluster drove the decision?", anchor=False)
    if not st.toggle(
        "Share the evidence out among the clusters",
        key=f"{prefix}_attribution",
        persist_state="session",
    ):
        st.caption(
            "Sets each cluster's share of the network's evidence against its share of the area."
        )
        return
    if question is None:
        question = cache.Question(pick_model(), exclude=exclude)
    if clustering is None:
        k = _phases(prefix)
        clustering = cache.clusters(micrograph, cache.ClusterChoice(k, question.exclude))
        settings = f"grey|{k}"
    table = cache.attribution(micrograph, question, settings, clustering)
    _results(table, micrograph, question, prefix)


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
    table: pd.DataFrame, micrograph: Micrograph, question: cache.Question, prefix: str
) -> None:
    found = cache.explanation(micrograph, question)
    title = cache.model(question.model_name).card.display_name(found.target)
    say.markdown("**{table}**", table=describe_attribution(table, title))
    chart, numbers = st.columns(2, gap="medium")
    with chart:
        show.chart(
            figures.attribution(table, dark=show.is_dark()),
            f"{prefix}_attribution_chart",
            "Share of the area beside the share of the evidence, cluster by cluster",
        )
    with numbers:
        show.table(tabulate(table), f"{prefix}_attribution_table")
        show.download(
            "Evidence per cluster (CSV)",
            csv_bytes(table),
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
        "network follows this cluster.",
        method=titles.get(found.method, found.method),
        layer=found.layer,
    )


def tabulate(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table under headings for people: shares in per cent, limits as words."""
    return pd.DataFrame(
        {
            "cluster": table["cluster"],
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

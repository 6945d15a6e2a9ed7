"""Where the network looks in each sample of a finished batch: share of area and of evidence."""

from __future__ import annotations

import streamlit as st

from core.reporting.batch import BatchResult, csv_bytes, evidence_table, group_column
from core.reporting.segmenting import phase_titles
from core.ui.parts import show

_HEADINGS = {
    "is_target": "measured",
    "area_percent": "area (%)",
    "evidence_percent": "evidence (%)",
}
_SHOWN = ("sample", "phase", "is_target", "fields", "area_percent", "evidence_percent", "lift")


def draw(result: BatchResult) -> None:
    """Draw the table, one line per sample and phase, where samples are named and have evidence."""
    recipe = result.recipe
    if group_column(result.fields) != "sample":
        return
    titles = phase_titles(recipe.segmentation, recipe.clusters)
    table = evidence_table(result.fields, titles)
    if table.empty:
        return
    target = ["target" if yes else "" for yes in table["is_target"]]
    shown = table[list(_SHOWN)].assign(is_target=target)
    with st.expander("Evidence in each sample", icon=":material/visibility:"):
        show.table(shown.rename(columns=_HEADINGS), "batch_evidence")
        st.caption(
            "Share of the heat map that lies in a phase, beside the phase’s share of the area: "
            "means over fields. Lift is their ratio; above 1 the network looks there more than "
            "the area alone would make it."
        )
        show.download(
            "Evidence (CSV)",
            csv_bytes(table),
            "evidence_per_sample.csv",
            "text/csv",
            "batch_evidence_csv",
        )

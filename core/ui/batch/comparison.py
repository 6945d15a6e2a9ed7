"""Samples of a finished batch compared: fields are the units."""

from __future__ import annotations

import streamlit as st

from core.reporting.batch import BatchResult, Units, compare_groups, csv_bytes
from core.ui.parts import say, show

_HEADINGS = {
    "compared_with": "compared with",
    "fields_compared_with": "its fields",
    "low": "from",
    "high": "to",
    "p_holm": "p, all together",
}


def draw(result: BatchResult, units: Units) -> None:
    """Draw the differences of samples in a table, where at least two are named."""
    table = compare_groups(result.fields, units, result.recipe)
    if table.empty:
        return
    pairs = len(table[["sample", "compared_with"]].drop_duplicates())
    heading = say.line("Samples compared ({pairs})", pairs=pairs)
    with st.expander(heading, icon=":material/compare_arrows:"):
        show.table(table.rename(columns=_HEADINGS), "batch_comparison", height=300)
        st.caption(
            "Fields are the units, never pooled regions: difference of means over fields with "
            "Welch’s 95 % interval, p of the Mann–Whitney rank test, and the same held for all "
            "lines together (Holm)."
        )
        show.download(
            "Comparison (CSV)",
            csv_bytes(table),
            "samples_compared.csv",
            "text/csv",
            "batch_comparison_csv",
        )

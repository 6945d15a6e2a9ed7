"""A batch while it runs: progress, the rows as they appear, and a way to stop it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.ui.batch import run as batch_run
from core.ui.parts import say, show, tables

EVERY_S = 1.0


@st.fragment(run_every=EVERY_S)
def draw() -> None:
    """Look at the batch every second; once it is over, the whole page is drawn again."""
    run = batch_run.latest()
    if run is None or not run.is_running:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(min(run.progress, 1.0), say.plain(run.words))
        st.button(
            "Cancel",
            icon=":material/stop_circle:",
            key="batch_cancel",
            on_click=run.cancel,
            help="What is done is kept and reported.",
        )
    st.caption("You can go to other pages meanwhile; the batch goes on.")
    rows = run.latest_rows
    if rows:
        show.table(tables.batch_live(pd.DataFrame(rows)), "batch_live")

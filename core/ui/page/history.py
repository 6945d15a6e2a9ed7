"""One step of the browser's history per page: what a page writes into its address adds none."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_mount = st.components.v2.component(
    "micrographia_history",
    html="<span></span>",
    js=Path(__file__).with_name("history.js").read_text(encoding="utf-8"),
)


def keep_short() -> None:
    """Let the browser replace an address whose query alone changes."""
    _mount(key="page_history")

"""Going up to the score once something was learnt: its button lies a screen below it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_mount = st.components.v2.component(
    "micrographia_to_top",
    html="<span></span>",
    js=Path(__file__).with_name("to_top.js").read_text(encoding="utf-8"),
)


def scroll(turn: int) -> None:
    """Scroll the page to its top, once for every number that is higher than those before."""
    _mount(key="train_to_top", data={"turn": turn})

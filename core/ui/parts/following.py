"""A setting that begins with what another page says, and begins again when that changes."""

from __future__ import annotations

from typing import Any

import streamlit as st


def follow(key: str, source: Any) -> None:
    """Put the other page's value under a widget's key, unless it was put there before.

    Call it before the widget is drawn, and give the widget no value of its own. What a person
    chooses in the widget then holds until the other page says something new.
    """
    seen = f"{key}_followed"
    if key not in st.session_state or st.session_state.get(seen, source) != source:
        st.session_state[key] = source
    st.session_state[seen] = source

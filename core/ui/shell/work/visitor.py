"""Who a person is to the server: enough to share its room fairly, and no more."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

_COOKIE = "_streamlit_xsrf"  # the same in all tabs of a browser


def identity() -> str:
    """Return who asks: tabs of one browser are one visitor; "" where nobody does."""
    context = get_script_run_ctx()
    cookie = st.context.cookies.get(_COOKIE)
    return str(cookie or (context.session_id if context else ""))

"""Who a person is to the server: enough to share its room fairly, and no more."""

from __future__ import annotations

import re

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

_COOKIE = "_streamlit_xsrf"  # the same in all tabs of a browser, but for its mask
_MASKED = re.compile(r"2\|((?:[0-9a-f]{2}){1,16})\|((?:[0-9a-f]{2}){1,64})\|\d{1,20}")


def identity() -> str:
    """Return who asks: tabs of one browser are one visitor; "" where nobody does."""
    context = get_script_run_ctx()
    return _token() or str(context.session_id if context else "")


def browser() -> tuple[str, str, str]:
    """Return what tells one browser from others: cookie, address and name; "" for what is unknown.

    In a browser's first session the cookie is not there yet: it comes with the page.
    """
    context = st.context
    agent = str(context.headers.get("User-Agent") or "")
    return _token(), str(context.ip_address or ""), agent


def _token() -> str:
    """Return what stays of the cookie: the server masks it anew with every page."""
    cookie = str(st.context.cookies.get(_COOKIE) or "").strip('"')
    match = _MASKED.fullmatch(cookie)
    if match is None:
        return cookie
    mask, masked = (bytes.fromhex(part) for part in match.groups())
    return bytes(byte ^ mask[place % len(mask)] for place, byte in enumerate(masked)).hex()

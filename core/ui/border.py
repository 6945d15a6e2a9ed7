"""The border between core and the person: where errors become sentences."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from core.errors import UserError
from core.ui import show

CALM_LINE = (
    "Something went wrong on our side, and what you loaded is untouched. "
    "Try another setting or another micrograph."
)
_LOG = logging.getLogger("micrographia")


@contextmanager
def user_errors() -> Iterator[None]:
    """Show a UserError as its own sentence; log anything else and show one calm line."""
    try:
        yield
    except UserError as error:
        st.error(show.plain(str(error)), icon=":material/error:")
    except Exception:
        _LOG.exception("a page failed")
        st.error(CALM_LINE, icon=":material/error:")

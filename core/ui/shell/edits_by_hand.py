"""What a person changed by hand in outlines, kept with the micrograph for the session."""

from __future__ import annotations

import streamlit as st

from core.errors import UserError
from core.measuring.segmentation import Edit, History, parse_edits

_HISTORY = "segment_history"  # digest -> History


def of(sha256: str) -> History:
    """Return the edits of a micrograph."""
    return _every().get(sha256, History())


def put(sha256: str, history: History) -> None:
    """Set the edits of a micrograph."""
    _every()[sha256] = history


def add(sha256: str, edit: Edit) -> None:
    """Make one more edit.

    Raises
    ------
    UserError
        If there are too many.
    """
    put(sha256, of(sha256).add(edit))


def take(sha256: str, said: object) -> bool:
    """Take over the edits of a study, also of a micrograph that is still to be loaded.

    Returns whether they are edits: a study is a stranger's file, and others are left out.
    """
    try:
        put(sha256, History(parse_edits(said)))
    except UserError:
        return False
    return True


def _every() -> dict[str, History]:
    every: dict[str, History] = st.session_state.setdefault(_HISTORY, {})
    return every

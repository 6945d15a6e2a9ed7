"""The browser asks before a tab is left whose work by hand no study holds yet."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import streamlit as st

from core.ui.shell import region, workspace

_SAVED = "study_holds"  # digest of the work that an opened study brought
_BY_HAND = ("viewer_shapes", "segment_history", region.CORNERS, workspace.NAMED_SAMPLES)
_mount = st.components.v2.component(
    "micrographia_unsaved",
    html="<span></span>",
    js=Path(__file__).with_name("unsaved.js").read_text(encoding="utf-8"),
)


def draw() -> None:
    """Let the browser ask, as long as there is something to lose; else nothing is drawn."""
    work = digest()
    if work and work != st.session_state.get(_SAVED):
        _mount(key="unsaved_work", data=work)


def mark_saved() -> None:
    """Note that a study holds what is there now."""
    st.session_state[_SAVED] = digest()


def digest() -> str:
    """Return a digest of what a hand drew, changed, framed and named; "" for nothing."""
    held: dict[str, Any] = {}
    for name in _BY_HAND:
        by_micrograph = st.session_state.get(name) or {}
        if found := {key: value for key, value in by_micrograph.items() if _is_something(value)}:
            held[name] = sorted(found.items(), key=lambda pair: str(pair[0]))
    return hashlib.sha256(repr(held).encode(errors="replace")).hexdigest()[:16] if held else ""


def _is_something(value: object) -> bool:
    """Tell work from what is left when all of it was undone."""
    return bool(getattr(value, "done", value))

"""A visitor's work is kept for an hour beyond its session: who reloads the page finds it again.

Under a key in the address that nobody can guess, and given back to the same browser only. It is
the same memory that the session held: whoever has been away longest makes room for others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from core.ui.batch import kept
from core.ui.shell import region, shelves, visitor, workspace

MOST_BYTES = 384 << 20  # of all that is kept and whose people may be gone
KEY = "workspace_kept"
_WORK = "workspace_work"
# What a hand did; all of it lies in the session under keys that belong to no widget.
_PLAIN = (
    workspace.CURRENT,
    workspace.STEPS,
    workspace.SETTLED,
    workspace.SIMULATED,
    workspace.NAMED_SAMPLES,
    "train_classes",
    "train_labels",
    "train_series",
    "viewer_shapes",
    "viewer_turns",
    region.CORNERS,
)


@dataclass(slots=True, eq=False)
class _Work:
    """What a session holds, as references: it grows with the session and outlives it."""

    shelf: shelves.Shelf[Any] | None = None
    browser: tuple[str, str, str] = ("", "", "")
    plain: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)


_kept: kept.Kept[_Work] = kept.Kept(most=100, most_bytes=MOST_BYTES)


def keep(settings: Callable[[], dict[str, str]]) -> str:
    """Keep what the session holds; return the key for the address, "" for nothing to keep.

    Parameters
    ----------
    settings : callable
        Returns the pages' settings as a link writes them.
    """
    shelf: shelves.Shelf[Any] | None = st.session_state.get(workspace.MICROGRAPHS)
    owner = visitor.identity()
    if not shelf or not owner or len(workspace.samples()) == len(shelf):
        drop()
        return ""
    work: _Work = st.session_state.setdefault(_WORK, _Work())
    work.shelf, work.browser = shelf, visitor.browser()
    work.plain = {name: st.session_state[name] for name in _PLAIN if name in st.session_state}
    work.settings = settings()
    key: str = st.session_state.get(KEY, "")
    if not (key and _kept.renew(key, shelf.nbytes)):
        key = st.session_state[KEY] = _kept.keep(work, shelf.nbytes, owner)
    return key if _kept.find(key) is work else ""


def drop() -> None:
    """Forget what was kept of this session."""
    if work := st.session_state.pop(_WORK, None):
        _kept.drop(work)
    st.session_state.pop(KEY, None)


def revive(key: str) -> tuple[int, dict[str, str]]:
    """Give this session what its browser's last one held; return how many micrographs, settings.

    (0, {}) when it is gone, or was another visitor's.
    """
    work = _kept.find(key)
    if work is None or work.shelf is None or not _is_same(work.browser, visitor.browser()):
        return 0, {}
    st.session_state[workspace.MICROGRAPHS] = work.shelf.copied()
    for name, value in work.plain.items():
        copied = type(value)(value) if isinstance(value, dict | list | set) else value
        st.session_state.setdefault(name, copied)
    _kept.drop(work)  # what was kept of the old session is now this one's
    return len(work.shelf), work.settings


def _is_same(kept: tuple[str, str, str], asks: tuple[str, str, str]) -> bool:
    """Tell whether a browser that asks is the one that what is kept came from."""
    return kept[1:] == asks[1:] and kept[0] in ("", asks[0])

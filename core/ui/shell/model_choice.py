"""Which models a person may use and which one is chosen; the session holds names only.

A model in use lies in `cache.model`, which keeps at most two in memory for everybody and two
of those that were brought; what people bring lies in a folder of this process.
"""

from __future__ import annotations

import streamlit as st

from core.ui import cache

_CHOSEN = "models_chosen"
_ASKED = "models_asked_for_another"
_ADDED = "models_added"  # name -> title, of the models that this person brought
_HAND = "models_hand"  # what says that this session works with them


def choices() -> dict[str, str]:
    """Return the models that this person may use, name to title."""
    titles = {name: name for name in cache.model_names()}
    for name, title in list(_added().items()):
        if not cache.has_model(name):
            del _added()[name]
            continue
        title = f"{title} (added)"
        titles[name] = title if title not in titles.values() else f"{title} {name[-8:]}"
    return titles


def current(names: dict[str, str] | None = None) -> str:
    """Return the name of the chosen model, the first one when none was chosen."""
    names = choices() if names is None else names
    chosen: str | None = st.session_state.get(_CHOSEN)
    return chosen if chosen in names else next(iter(names))


def lost(names: dict[str, str]) -> str:
    """Return the name of a chosen model that is no longer there; "" when all is well."""
    chosen: str = st.session_state.get(_CHOSEN, "")
    return chosen if chosen and chosen not in names else ""


def choose(name: str) -> None:
    """Make a model the current one, on every page."""
    st.session_state[_CHOSEN] = name


def use(name: str, title: str) -> None:
    """Put an added model on the list and make it the current one."""
    _added()[name] = title
    choose(name)
    hold()


def hold(draft: str = "") -> None:
    """Say which added models this session works with: no other visitor's push them out.

    `draft` is one that is being added. Once a page run is enough, before anything is chosen.
    """
    names = {*_added(), draft} - {""}
    if names or _HAND in st.session_state:
        hand = st.session_state.setdefault(_HAND, None) or cache.new_hand()
        hand.hold(names)
        st.session_state[_HAND] = hand


def is_added(name: str) -> bool:
    """Tell whether this person brought a model."""
    return name in _added()


def forget(name: str) -> None:
    """Take an added model off the list; the first installed one becomes the current one."""
    _added().pop(name, None)
    st.session_state.pop(_CHOSEN, None)


def ask_for_another(asked: bool = True) -> None:
    """Note that a model is to be added, or no longer."""
    st.session_state[_ASKED] = asked


def is_asked_for_another() -> bool:
    """Tell whether a model is being added."""
    return bool(st.session_state.get(_ASKED))


def _added() -> dict[str, str]:
    added: dict[str, str] = st.session_state.setdefault(_ADDED, {})
    return added

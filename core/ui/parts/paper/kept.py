"""How figures look and which panels wait for others: kept for the session."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from core.reporting.paper import Panel, Style

_STYLE, _PANELS = "paper_style", "paper_panels"
MOST_PANELS = 12
_MOST_BYTES = 96_000_000


def style() -> Style:
    """Return how all figures look."""
    from core.reporting.paper import Style

    return Style.read(st.session_state.get(_STYLE))


def set_style(said: Any) -> None:
    """Take over how figures look, as a browser states it; what is odd gives the first style."""
    from core.reporting.paper import Style

    st.session_state[_STYLE] = Style.read(said).to_dict()


def change(**values: Any) -> None:
    """Set single values of the style."""
    set_style(dataclasses.replace(style(), **values).to_dict())


def panels() -> list[Panel]:
    """Return the panels that wait for others."""
    return list(st.session_state.get(_PANELS, ()))


def keep(new: Sequence[Panel]) -> bool:
    """Add panels; return whether there was room for them."""
    every = [*panels(), *new]
    size = sum(
        panel.picture.nbytes + sum(tint.values.nbytes for tint in panel.tints) for panel in every
    )
    if len(every) > MOST_PANELS or size > _MOST_BYTES:
        return False
    st.session_state[_PANELS] = every
    return True


def forget() -> None:
    """Begin anew."""
    st.session_state.pop(_PANELS, None)

"""A region chosen in the picture or in the table: it is marked in both, and told in a line."""

from __future__ import annotations

from math import isnan

import pandas as pd
import streamlit as st

from core.ui.parts import say, tables, viewer

_CHOSEN = "cluster_region_chosen"  # label clicked last, and the turn of the table it belongs to
_TURN = "cluster_region_turn"
_OF = "cluster_region_of"


def table_key() -> str:
    """Return the key of the table of regions: a click in the picture starts it anew."""
    return f"cluster_regions_{st.session_state.get(_TURN, 0)}"


def click(at: viewer.Click) -> None:
    """Choose the region that was clicked, or none."""
    st.session_state[_CHOSEN] = at.region
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1


def chosen(measured: pd.DataFrame, settings: str) -> tuple[int, ...]:
    """Return the labels that are chosen: those of the table's rows, else the one clicked."""
    if st.session_state.get(_OF) != settings:
        st.session_state[_OF] = settings
        st.session_state[_CHOSEN] = 0
        st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1
    said = st.session_state.get(table_key())
    if said is not None:
        rows = [row for row in said.get("selection", {}).get("rows", ()) if row < len(measured)]
        return tuple(int(measured["label"].iloc[row]) for row in rows)
    return clicked(measured)


def clicked(measured: pd.DataFrame) -> tuple[int, ...]:
    """Return the label clicked last in the picture, where it still has a row."""
    label = st.session_state.get(_CHOSEN, 0)
    return (label,) if label and (measured["label"] == label).any() else ()


def rows(measured: pd.DataFrame, labels: tuple[int, ...]) -> list[int]:
    """Return the places of labels in the table."""
    return [int(row) for row in measured.index[measured["label"].isin(labels)]]


def draw_chosen(measured: pd.DataFrame, labels: tuple[int, ...]) -> None:
    """Say in a line what was measured of the region that is chosen."""
    if not labels:
        say.caption("{count} outlined regions. Click one to see its numbers.", count=len(measured))
        return
    if len(labels) > 1:
        say.caption("{count} regions are marked.", count=len(labels))
        return
    row = measured[measured["label"] == labels[0]].iloc[0]
    told = [
        say.line("{name} {value:.4g}", name=tables.heading(name), value=row[name])
        for name in measured.columns
        if name.startswith(("equivalent_diameter", "area", "circularity", "feret_max"))
        and not isnan(row[name])
    ]
    say.markdown("**Region {label}** · {told}", label=labels[0], told=say.joined(told, " · "))

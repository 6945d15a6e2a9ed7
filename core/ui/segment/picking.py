"""The object that is chosen in the picture or in the table: marked in both."""

from __future__ import annotations

import pandas as pd
import streamlit as st

_CHOSEN, _TURN, _OF = "segment_chosen", "segment_turn", "segment_chosen_of"


def table_key() -> str:
    """Return the key of the table of objects: a click in the picture starts it anew."""
    return f"segment_objects_{st.session_state.get(_TURN, 0)}"


def click(number: int) -> None:
    """Choose the object that was clicked, or none."""
    st.session_state[_CHOSEN] = number
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1


def chosen(table: pd.DataFrame, settings: str) -> tuple[int, ...]:
    """Return the labels that are chosen: those of the table's rows, else the one clicked."""
    if st.session_state.get(_OF) != settings:
        st.session_state[_OF] = settings
        click(0)
    said = st.session_state.get(table_key())
    if said is not None:
        rows = [row for row in said.get("selection", {}).get("rows", ()) if row < len(table)]
        return tuple(int(table["label"].iloc[row]) for row in rows)
    return clicked(table)


def clicked(table: pd.DataFrame) -> tuple[int, ...]:
    """Return the label clicked last in the picture, where it has a row."""
    label = st.session_state.get(_CHOSEN, 0)
    return (label,) if label and (table["label"] == label).any() else ()


def rows(table: pd.DataFrame, labels: tuple[int, ...]) -> list[int]:
    """Return the places of labels in the table."""
    return [int(row) for row in table.index[table["label"].isin(labels)]]

"""A chain of filters that a person builds: add, move, switch off, set; and the way back."""

from __future__ import annotations

import streamlit as st

from core.imaging.filtering import FAMILIES, FILTERS, MAX_STEPS, PRESETS, Step
from core.micrograph import Micrograph
from core.ui.filters import card
from core.ui.parts import say
from core.ui.shell import filter_chain

_NEXT, _FAMILY, _PRESET = "filters_next", "filters_family", "filters_preset"
_ALL = "All families"


def edit(micrograph: Micrograph) -> tuple[Step, ...]:
    """Draw the editor and return the chain as it stands now."""
    links = filter_chain.links()
    filter_chain.remember()
    _draw_tools()
    for place, link in enumerate(links):
        card.draw(link, place, len(links), micrograph)
    if not links:
        st.caption("The chain is empty: add a filter, or start from a preset.")
    _draw_adding()
    filter_chain.remember()
    return filter_chain.steps()


def _draw_tools() -> None:
    """Draw the way back, and chains to start from."""
    with st.container(horizontal=True, gap="xxsmall", vertical_alignment="center"):
        for name, icon, action, possible in (
            ("Undo", "undo", filter_chain.undo, filter_chain.can_undo()),
            ("Redo", "redo", filter_chain.redo, filter_chain.can_redo()),
            ("Reset", "delete_sweep", filter_chain.reset, bool(filter_chain.links())),
        ):
            st.button(
                "",
                icon=f":material/{icon}:",
                key=f"filters_{name.lower()}",
                help=say.line("{name} the chain", name=name),
                type="tertiary",
                disabled=not possible,
                on_click=action,
            )
        st.selectbox(
            "Start from a preset",
            range(len(PRESETS)),
            index=None,
            format_func=lambda number: PRESETS[number].name,
            placeholder="Presets …",
            key=_PRESET,
            label_visibility="collapsed",
            help=say.joined(
                (
                    say.line("**{name}**: {words}", name=preset.name, words=say.Line(preset.help))
                    for preset in PRESETS
                ),
                "\n\n",
            ),
            on_change=_start_from_preset,
        )


def _start_from_preset() -> None:
    """Put the chosen chain in this one's place, and empty the choice again."""
    chosen = st.session_state[_PRESET]
    if chosen is not None:
        filter_chain.replace_all(PRESETS[chosen].steps)
        st.session_state[_PRESET] = None


def _draw_adding() -> None:
    """Draw the choice of a filter to add; typing searches in it."""
    if filter_chain.is_full():
        say.caption("The chain is full: {max_steps} filters are the most.", max_steps=MAX_STEPS)
        return
    family = st.selectbox(
        "Add a filter from", (_ALL, *FAMILIES), key=_FAMILY, persist_state="session"
    )
    names = [name for name, spec in FILTERS.items() if family in (_ALL, spec.family)]
    st.selectbox(
        "Add a filter",
        names,
        index=None,
        format_func=lambda name: _title(name, family == _ALL),
        placeholder="Choose or type to search …",
        key=_NEXT,
        label_visibility="collapsed",
        on_change=_add_chosen,
    )


def _title(name: str, with_family: bool) -> str:
    spec = FILTERS[name]
    return f"{spec.family}: {spec.title}" if with_family else spec.title


def _add_chosen() -> None:
    """Append the filter chosen in the list, and empty the list's choice again."""
    chosen = st.session_state[_NEXT]
    if chosen is not None:
        filter_chain.append(chosen)
        st.session_state[_NEXT] = None

"""A chain of filters that a person builds: add, move, remove, set parameters.

The chain lives in the session under a plain key, so that the Batch page can apply it too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from core.imaging.filters import FILTERS, FilterSpec, Parameter, Step

_CHAIN = "filters_chain"
_COUNT = "filters_count"
_NEXT = "filters_next"
START = "gaussian"


@dataclass(slots=True)
class Link:
    """One filter in the chain; `number` names its widgets and never changes."""

    number: int
    filter: str
    values: dict[str, Any] = field(default_factory=dict)


def steps() -> tuple[Step, ...]:
    """Return the chain as it stands, ready for a Pipeline or a Recipe."""
    return tuple(Step(link.filter, dict(link.values)) for link in st.session_state.get(_CHAIN, []))


def edit() -> tuple[Step, ...]:
    """Draw the editor and return the chain as it stands now."""
    if _CHAIN not in st.session_state:
        _append(START)
    links: list[Link] = st.session_state[_CHAIN]
    for place, link in enumerate(links):
        _draw(link, place, len(links))
    st.selectbox(
        "Add a filter",
        FILTERS,
        index=None,
        format_func=lambda name: f"{FILTERS[name].family}: {FILTERS[name].title}",
        placeholder="Choose …",
        key=_NEXT,
        on_change=_add_chosen,
    )
    return steps()


def _add_chosen() -> None:
    """Append the filter chosen in the list, and empty the list's choice again."""
    chosen = st.session_state[_NEXT]
    if chosen is not None:
        _append(chosen)
        st.session_state[_NEXT] = None


def _append(name: str) -> None:
    number = st.session_state.get(_COUNT, 0) + 1
    st.session_state[_COUNT] = number
    values = {parameter.name: parameter.default for parameter in FILTERS[name].parameters}
    st.session_state.setdefault(_CHAIN, []).append(Link(number, name, values))


def _draw(link: Link, place: int, total: int) -> None:
    """Draw one filter: its title, the buttons that move or remove it, its parameters."""
    spec = FILTERS[link.filter]
    with st.container(border=True):
        with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="xxsmall"):
            st.markdown(f"**{place + 1}. {spec.title}**", help=_help(spec), width="stretch")
            _move_button(link, "up", place == 0)
            _move_button(link, "down", place == total - 1)
            st.button(
                "",
                icon=":material/close:",
                key=f"filters_remove_{link.number}",
                help="Remove",
                type="tertiary",
                on_click=st.session_state[_CHAIN].remove,
                args=(link,),
            )
        for parameter in spec.parameters:
            link.values[parameter.name] = _control(link, parameter)


def _move_button(link: Link, direction: str, disabled: bool) -> None:
    st.button(
        "",
        icon=f":material/arrow_{direction}ward:",
        key=f"filters_{direction}_{link.number}",
        help=f"Move {direction}",
        type="tertiary",
        disabled=disabled,
        on_click=_move,
        args=(link, -1 if direction == "up" else 1),
    )


def _move(link: Link, by: int) -> None:
    links: list[Link] = st.session_state[_CHAIN]
    place = links.index(link)
    links[place], links[place + by] = links[place + by], links[place]


def _help(spec: FilterSpec) -> str:
    return f"{spec.help}\n\n{spec.reference}" if spec.reference else spec.help


def _control(link: Link, parameter: Parameter) -> Any:
    """Draw the widget that fits a parameter and return its value."""
    key = f"filters_{link.number}_{parameter.name}"
    label = f"{parameter.title} ({parameter.unit})" if parameter.unit else parameter.title
    value = link.values[parameter.name]
    if parameter.kind == "choice":
        options = list(parameter.choices)
        return st.selectbox(label, options, options.index(value), key=key, help=parameter.help)
    kind = float if parameter.kind == "float" else int
    return st.number_input(
        label,
        kind(parameter.low),
        kind(parameter.high),
        kind(value),
        _increment(parameter),
        key=key,
        help=parameter.help or None,
    )


def _increment(parameter: Parameter) -> float:
    """Return how far one press of a button goes: odd numbers stay odd."""
    if parameter.kind != "float":
        return 2 if parameter.kind == "odd" else 1
    return 0.1 if parameter.high - parameter.low <= 20 else 0.5

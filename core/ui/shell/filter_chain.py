"""The chain of filters as the session keeps it, and the way back to what it was.

All of it lies under plain keys, so that it outlives a change of page, undo included.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from core.imaging.filtering import FILTERS, MAX_STEPS, Step

CHAIN = "filters_chain"
START = "gaussian"
_COUNT = "filters_count"
_PAST, _NOW, _FUTURE = "filters_past", "filters_now", "filters_future"
_MOST_UNDO = 100

Snapshot = tuple[tuple[str, tuple[tuple[str, Any], ...], bool], ...]


@dataclass(slots=True)
class Link:
    """One filter in the chain; `number` names its widgets and never changes."""

    number: int
    filter: str
    values: dict[str, Any] = field(default_factory=dict)
    on: bool = True

    @property
    def step(self) -> Step:
        """The filter with its settings."""
        return Step(self.filter, dict(self.values))


def links() -> list[Link]:
    """Return the chain; at first a single Gaussian."""
    if CHAIN not in st.session_state:
        append(START)
    chain: list[Link] = st.session_state[CHAIN]
    return chain


def steps() -> tuple[Step, ...]:
    """Return the filters that are switched on, ready for a Pipeline or a Recipe."""
    return tuple(link.step for link in st.session_state.get(CHAIN, []) if link.on)


def is_full() -> bool:
    """Tell whether no further filter fits."""
    return len(links()) >= MAX_STEPS


def append(name: str, values: dict[str, Any] | None = None) -> Link:
    """Add a filter at the end, with its defaults or with given settings."""
    link = _new(name, values or Step(name).parameters)
    st.session_state.setdefault(CHAIN, []).append(link)
    return link


def remove(link: Link) -> None:
    """Take a filter out."""
    links().remove(link)


def move(link: Link, by: int) -> None:
    """Let a filter change places with a neighbour."""
    chain = links()
    place = chain.index(link)
    chain[place], chain[place + by] = chain[place + by], chain[place]


def duplicate(link: Link) -> None:
    """Put a copy of a filter behind it."""
    copy = _new(link.filter, link.values)
    copy.on = link.on
    links().insert(links().index(link) + 1, copy)


def replace_all(new: Iterable[Step]) -> None:
    """Put another chain in this one's place; undo brings this one back."""
    st.session_state[CHAIN] = [_new(step.filter, step.parameters) for step in new]


def toggle_spot(down: float, right: float, reach: float = 0.012) -> None:
    """Take a spot out of the spectrum, or put one back that was near; adds a notch if need be."""
    notches = [link for link in links() if link.filter == "notch" and link.on]
    link = notches[-1] if notches else append("notch")
    spots = list(link.values["spots"])
    near = [
        spot
        for spot in spots
        if min(abs(spot[0] - sign * down) + abs(spot[1] - sign * right) for sign in (1, -1)) < reach
    ]
    kept = [spot for spot in spots if spot not in near]
    link.values["spots"] = tuple(kept if near else [*spots, (down, right)])


def remember() -> None:
    """Keep what the chain was before the latest change."""
    now = _snapshot()
    before = st.session_state.get(_NOW)
    if before is not None and before != now:
        past = st.session_state.setdefault(_PAST, [])
        past.append(before)
        del past[:-_MOST_UNDO]
        st.session_state[_FUTURE] = []
    st.session_state[_NOW] = now


def can_undo() -> bool:
    """Tell whether there was another chain before."""
    return bool(st.session_state.get(_PAST))


def can_redo() -> bool:
    """Tell whether something was undone."""
    return bool(st.session_state.get(_FUTURE))


def undo() -> None:
    """Go back to the chain before the latest change."""
    _travel(_PAST, _FUTURE)


def redo() -> None:
    """Do again what was undone."""
    _travel(_FUTURE, _PAST)


def reset() -> None:
    """Start again from an empty chain; undo brings the old one back."""
    replace_all(())


def _travel(source: str, target: str) -> None:
    if not st.session_state.get(source):
        return
    st.session_state.setdefault(target, []).append(st.session_state[_NOW])
    wanted: Snapshot = st.session_state[source].pop()
    _restore(wanted)
    st.session_state[_NOW] = wanted


def _restore(wanted: Snapshot) -> None:
    """Rebuild the chain; filters that have not changed keep their number, hence their widgets."""
    unused = list(links())
    chain = []
    for name, values, on in wanted:
        same = next((link for link in unused if _frozen(link) == (name, values, on)), None)
        if same is None:
            same = _new(name, dict(values))
            same.on = on
        else:
            unused.remove(same)
        chain.append(same)
    st.session_state[CHAIN] = chain


def _snapshot() -> Snapshot:
    return tuple(_frozen(link) for link in links())


def _frozen(link: Link) -> tuple[str, tuple[tuple[str, Any], ...], bool]:
    return link.filter, tuple(link.values.items()), link.on


def _new(name: str, values: Any) -> Link:
    number = st.session_state.get(_COUNT, 0) + 1
    st.session_state[_COUNT] = number
    return Link(number, FILTERS[name].name, dict(values))

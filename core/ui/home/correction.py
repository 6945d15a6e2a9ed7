"""What is not specimen, hatched over the current micrograph, and the controls that correct it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from core.imaging.overlays import AS_FOUND, OverlayChoice, overlay_choice
from core.micrograph import Micrograph
from core.ui import cache
from core.ui.home import gallery, scale_card
from core.ui.parts import say, show, viewer
from core.ui.shell import workspace

_MOST_SHARE = 0.4  # of the height that a slider reaches
_SHOWN = "home_show_left_out"
_FIELDS = ("enabled", "top_rows", "bottom_rows", "lettering")


def draw(micrograph: Micrograph, ask_next: Callable[[], None]) -> None:
    """Draw the micrograph beside what was understood of it, and what can be put right.

    Parameters
    ----------
    micrograph : Micrograph
    ask_next : callable
        Draws what else is asked, below what was understood.
    """
    picture, understood = show.beside(2)
    with understood:
        say.subheader("{name}", name=micrograph.name)
        for fact in gallery.facts(micrograph):
            say.caption("{fact}", fact=say.plain(fact))
        with st.container(horizontal=True, gap="xxsmall"):
            gallery.badges(micrograph)
        if micrograph.pixel_size is None:
            scale_card.draw(micrograph)
        hatched = st.toggle(
            "Show what is left out", value=True, key=_SHOWN, persist_state="session"
        )
        with st.popover("Correct what is left out", icon=":material/crop:", key="home_correct"):
            _controls(micrograph)
        ask_next()
    with picture:
        hatch = ", hatched where it is not specimen" if hatched else ""
        viewer.show_micrograph(
            micrograph,
            True,
            key="home_viewer",
            hatched=hatched,
            alt=f"{micrograph.name}{hatch}",
        )


def _controls(micrograph: Micrograph) -> None:
    """Draw the correction; each change is kept with the micrograph at once."""
    choice, height = overlay_choice(micrograph), micrograph.shape[0]
    st.toggle(
        "Leave out info bar and letters of this micrograph",
        value=choice.enabled,
        key=_key(micrograph, "enabled"),
        help="On every page and in a batch. Off: the whole frame counts.",
        on_change=_take,
        args=(micrograph, "enabled"),
    )
    top, bottom = cache.info_bars(micrograph)
    for field, title, found, set_rows in (
        ("top_rows", "Info bar at the top (px)", top, choice.top_rows),
        ("bottom_rows", "Info bar at the bottom (px)", bottom, choice.bottom_rows),
    ):
        rows = found if set_rows is None else set_rows
        st.slider(
            title,
            0,
            max(1, rows, int(_MOST_SHARE * height)),
            rows,
            key=_key(micrograph, field),
            help=say.line("Found: {found} px." if found else "None was found.", found=found),
            disabled=not choice.enabled,
            on_change=_take,
            args=(micrograph, field),
        )
    st.toggle(
        "Letters and scale bar, too",
        value=choice.lettering,
        key=_key(micrograph, "lettering"),
        disabled=not choice.enabled,
        on_change=_take,
        args=(micrograph, "lettering"),
    )
    if replace(choice, bars=()) != AS_FOUND:
        st.button(
            "Back to what was found",
            key=_key(micrograph, "reset"),
            icon=":material/undo:",
            on_click=_reset,
            args=(micrograph,),
        )


def _take(micrograph: Micrograph, field: str) -> None:
    """Keep one changed control."""
    value = st.session_state[_key(micrograph, field)]
    found = dict(zip(("top_rows", "bottom_rows"), cache.info_bars(micrograph), strict=True))
    if field in found and value == found[field]:
        value = None
    choice: OverlayChoice = replace(overlay_choice(micrograph), **{field: value})
    workspace.correct_overlays(micrograph.sha256, choice)


def _reset(micrograph: Micrograph) -> None:
    bars = overlay_choice(micrograph).bars
    workspace.correct_overlays(micrograph.sha256, replace(AS_FOUND, bars=bars))
    for field in _FIELDS:
        st.session_state.pop(_key(micrograph, field), None)


def _key(micrograph: Micrograph, field: str) -> str:
    return f"home_{field}_{micrograph.sha256}"

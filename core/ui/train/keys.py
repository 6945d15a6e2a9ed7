"""One micrograph after another, labelled with the keys 1 to 9."""

from __future__ import annotations

import streamlit as st

from core.ui import cache
from core.ui.parts import say
from core.ui.shell import workspace
from core.ui.train import labels

_SKIPPED, _LAST = "train_skipped", "train_last_labelled"
_MOST_KEYS = 9
_PICTURE_PX = 300


def draw() -> None:
    """Draw the next micrograph without a class, and a button with a key for every class."""
    skipped: list[str] = st.session_state.setdefault(_SKIPPED, [])
    left = labels.unlabelled()
    pool = [each for each in left if each.sha256 not in skipped]
    if not pool:
        if left:
            say.caption("{count} skipped, no other is left without a class.", count=len(left))
            st.button("Show the skipped again", key="train_again", on_click=skipped.clear)
        return
    current = pool[0]
    picture, side = st.columns((1, 2), gap="medium", vertical_alignment="center")
    with picture:
        st.image(
            cache.square_png(current), width=_PICTURE_PX, output_format="PNG", alt=current.name
        )
    with side:
        name = workspace.short_names(workspace.every())[current.sha256]
        say.markdown("**{name}** · {left} to label", name=name, left=len(pool))
        _buttons(current.sha256)
        st.caption("Keys 1 to 9 give the class, 0 skips, U takes the last label off.")


def _buttons(sha256: str) -> None:
    with st.container(horizontal=True, gap="small"):
        for place, number in enumerate(list(labels.classes())[:_MOST_KEYS], start=1):
            st.button(
                say.line("{name}", name=labels.name_of(number)),
                key=f"train_key_{place}",
                shortcut=str(place),
                on_click=_give,
                args=(sha256, number),
            )
        st.button(
            "Skip",
            key="train_key_skip",
            type="tertiary",
            shortcut="0",
            on_click=_skip,
            args=(sha256,),
        )
        st.button(
            "Undo",
            key="train_key_undo",
            type="tertiary",
            shortcut="u",
            on_click=_undo,
            disabled=_LAST not in st.session_state,
        )


def _give(sha256: str, number: int) -> None:
    labels.give(sha256, number)
    st.session_state[_LAST] = sha256


def _skip(sha256: str) -> None:
    st.session_state[_SKIPPED].append(sha256)


def _undo() -> None:
    labels.give(st.session_state.pop(_LAST), None)

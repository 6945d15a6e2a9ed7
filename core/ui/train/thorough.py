"""Thorough training on the page: begin, progress with the time left, cancel, go on."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import streamlit as st

from core.ui import cache
from core.ui.parts import say
from core.ui.shell import visitor, workspace
from core.ui.train import learn
from core.ui.train.tuning import Tuning

if TYPE_CHECKING:
    from core.learning.training import LabelledPicture

_KEY = "train_tuning"
_EVERY_S = 1.0


def draw(pictures: list[LabelledPicture]) -> None:
    """Draw the training at work or stopped, or what begins one; take over what is done."""
    tuning: Tuning | None = st.session_state.get(_KEY)
    if tuning is None:
        _offer(pictures)
    elif tuning.is_running:
        _live()
    elif tuning.made is not None:
        name = cache.keep_tuned(tuning.made, visitor.identity())
        learn.take_over(name, tuning.pictures, tuning.title, tuning.key)
        _drop()
        st.rerun()
    elif tuning.problem:
        say.error("{problem}", problem=tuning.problem)
        st.button("Dismiss", key="tuning_dismiss", on_click=_drop)
    else:
        _stopped(tuning, pictures)


def _offer(pictures: list[LabelledPicture]) -> None:
    if not cache.can_tune():
        return
    most, seconds, _ = cache.tuning_limits(len(pictures))
    with st.container(horizontal=True, vertical_alignment="center"):
        asked = st.button(
            "Train thoroughly",
            icon=":material/fitness_center:",
            key="train_thoroughly",
            disabled=len(pictures) > most,
        )
        say.caption(
            "Tunes the last layers of {start} in the background, about {minutes} min; pays from "
            "about 20 pictures a class on.",
            start=cache.training_start(),
            minutes=max(1, round(seconds / 60)),
            width="stretch",
        )
    if asked:
        _begin(pictures)
        st.rerun()


def _begin(pictures: list[LabelledPicture]) -> None:
    place = f"tuning {secrets.token_hex(4)}"
    _, _, held = cache.tuning_limits(len(pictures))
    workspace.hold_beside(place, held)
    called = learn.title()
    st.session_state[_KEY] = Tuning(
        pictures,
        cache.model(cache.training_start()),
        called,
        learn.key_of(pictures, called),
        place,
        visitor.identity() or None,
    )


def _drop() -> None:
    """Forget the training and give its memory back."""
    tuning: Tuning | None = st.session_state.pop(_KEY, None)
    if tuning is not None:
        workspace.hold_beside(tuning.place, 0)
        tuning.forget()


@st.fragment(run_every=_EVERY_S)
def _live() -> None:
    """Look at the training every second; once it is over, the whole page is drawn again."""
    tuning: Tuning | None = st.session_state.get(_KEY)
    if tuning is None or not tuning.is_running:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(tuning.share, say.plain(tuning.words))
        st.button(
            "Cancel",
            icon=":material/stop_circle:",
            key="tuning_cancel",
            on_click=tuning.cancel,
            help="What is done is kept, and you can go on from there.",
        )
    st.caption("You can go to other pages meanwhile; the training goes on.")


def _stopped(tuning: Tuning, pictures: list[LabelledPicture]) -> None:
    same = learn.key_of(pictures, learn.title()) == tuning.key
    with st.container(horizontal=True, vertical_alignment="center"):
        say.markdown("Stopped at {share:.0f} %.", share=100 * tuning.share)
        st.button(
            "Go on",
            icon=":material/play_arrow:",
            key="tuning_go_on",
            on_click=tuning.go_on,
            disabled=not same,
            help="Only with the same pictures, labels and name.",
        )
        st.button("Discard", icon=":material/close:", key="tuning_discard", on_click=_drop)

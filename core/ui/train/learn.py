"""Learning at the click of a button, and again with every label after that."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from core.ui import cache
from core.ui.parts import say, show, working
from core.ui.shell import model_choice, visitor

if TYPE_CHECKING:
    from core.learning.training import LabelledPicture

_RESULT = "train_result"
_TITLE = "train_title"
_SECONDS_EACH = 0.2  # of a picture that was not looked at yet, on a busy server


@dataclass(frozen=True, slots=True)
class Result:
    """What was learnt: the model's name, and of what in which order."""

    model_name: str
    key: str
    digests: tuple[str, ...]
    is_thorough: bool = False
    turn: int = 0  # counts what was asked for: each time the page goes up to the score


def draw(pictures: list[LabelledPicture]) -> Result | None:
    """Draw name and button; learn when asked, or when labels changed since; return the result."""
    before = made()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "Name of the model", "my classes", key=_TITLE, max_chars=40, persist_state="session"
        )
        asked = st.button(
            show.on_primary("Learn these classes"),
            type="primary",
            icon=":material/model_training:",
            key="train_learn",
        )
    say.caption(
        "A linear head on the frozen features of {start}: about {seconds} s for {count} pictures. "
        "No layer is trained and nothing is simulated. After the first time every new label is "
        "learnt at once.",
        start=cache.training_start(),
        seconds=max(1, round(_SECONDS_EACH * len(pictures) + 1)),
        count=len(pictures),
    )
    key = key_of(pictures, title())
    changed = before is not None and before.key != key
    if asked or (changed and before is not None and not before.is_thorough):
        _learn(pictures, title(), key, before, asked)
        st.rerun()  # the sidebar was drawn before, with the model that was chosen until now
    if changed:
        say.info("Labels changed since the thorough training: learn quickly or train again.")
    return before


def made() -> Result | None:
    """Return what was learnt last, as long as its model is there."""
    before: Result | None = st.session_state.get(_RESULT)
    return before if before is not None and cache.has_model(before.model_name) else None


def title() -> str:
    """Return what the person calls the model."""
    return " ".join(str(st.session_state.get(_TITLE) or "").split()) or "my classes"


def take_over(name: str, pictures: list[LabelledPicture], called: str, key: str) -> None:
    """Make a model that was trained thoroughly the result, beside the one before it."""
    model_choice.use(name, called)
    digests = tuple(picture.micrograph.sha256 for picture in pictures)
    turn = _turn(st.session_state.get(_RESULT)) + 1
    st.session_state[_RESULT] = Result(name, key, digests, is_thorough=True, turn=turn)


def _turn(before: Result | None) -> int:
    return before.turn if before else 0


def _learn(
    pictures: list[LabelledPicture], called: str, key: str, before: Result | None, asked: bool
) -> None:
    with working.progress_bar("learning {}") as tell:
        name = cache.learn_classes(pictures, called, tell, visitor.identity())
    if before is not None and before.model_name != name and not before.is_thorough:
        model_choice.forget(before.model_name)
    model_choice.use(name, called)
    digests = tuple(picture.micrograph.sha256 for picture in pictures)
    st.session_state[_RESULT] = Result(name, key, digests, turn=_turn(before) + asked)


def key_of(pictures: list[LabelledPicture], called: str) -> str:
    """Return a digest of what is learnt: pictures, labels, groups and the model's name."""
    parts = [f"{p.micrograph.sha256} {p.label} {p.group}" for p in pictures]
    return hashlib.sha256("\n".join([called, *parts]).encode()).hexdigest()

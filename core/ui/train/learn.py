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


def draw(pictures: list[LabelledPicture]) -> Result | None:
    """Draw name and button; learn when asked, or when labels changed since; return the result."""
    before: Result | None = st.session_state.get(_RESULT)
    if before is not None and not cache.has_model(before.model_name):
        before = None
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
    title = " ".join(str(st.session_state.get(_TITLE) or "").split()) or "my classes"
    key = _key(pictures, title)
    if asked or (before is not None and before.key != key):
        return _learn(pictures, title, key, before)
    return before


def _learn(pictures: list[LabelledPicture], title: str, key: str, before: Result | None) -> Result:
    with working.progress_bar("learning {}") as tell:
        name = cache.learn_classes(pictures, title, tell, visitor.identity())
    if before is not None and before.model_name != name:
        model_choice.forget(before.model_name)
    model_choice.use(name, title)
    found = Result(name, key, tuple(picture.micrograph.sha256 for picture in pictures))
    st.session_state[_RESULT] = found
    return found


def _key(pictures: list[LabelledPicture], title: str) -> str:
    parts = [f"{p.micrograph.sha256} {p.label} {p.group}" for p in pictures]
    return hashlib.sha256("\n".join([title, *parts]).encode()).hexdigest()

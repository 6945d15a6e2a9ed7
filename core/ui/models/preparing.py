"""How frames are prepared for a model from elsewhere: asked for, seen, and tried both ways."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from core.ui import cache
from core.ui.parts import say, show
from core.ui.shell import EXCLUDE, model_choice, workspace

if TYPE_CHECKING:
    from core.learning.adding import AddedModel

_AS_IT_IS, _OWN = "", "own"
_MOST_TRIED = 4  # micrographs
_OWN_HELP = (
    "size and short in px (short=0 squeezes the whole frame), way of resizing, mean and std of "
    "grey levels 0–1: size=224,short=256,way=bilinear,mean=0.485/0.456/0.406,std=0.229/0.224/0.225"
)


def can_be_chosen(model: AddedModel) -> bool:
    """Tell whether a person may say how frames are prepared."""
    return cache.can_choose_preparation(model)


def choose(model: AddedModel, draft_key: str) -> AddedModel:
    """Let the person say how frames are prepared; return the model that prepares them so."""
    usual = cache.usual_preparations()
    chosen = cache.is_preparation_chosen(model)
    titles = {_AS_IT_IS: "As now", **usual, _OWN: "Own values"}
    draft = st.session_state[draft_key]
    controls, seen = st.columns([2, 1])
    with controls:
        wanted = st.selectbox(
            "How frames are prepared",
            list(titles),
            format_func=titles.__getitem__,
            key=f"models_prepare_{draft.file_id}_{model.name}",
            help="What the network was trained with. Another way gives answers that look like any "
            "other and are wrong.",
        )
        say.caption("Now: {how}.", how=cache.preparation_in_words(model))
        text = wanted or ""
        if wanted == _OWN:
            text = st.text_input("Values", key=f"models_values_{draft.file_id}", help=_OWN_HELP)
        if text:
            model = cache.choose_preparation(model, text)
            model_choice.hold(model.name)
            st.session_state[draft_key] = replace(draft, model=model)
            st.rerun(scope="fragment")
        if not chosen:
            st.warning(
                "The file does not say how frames are prepared. Choose it: until then nobody knows "
                "whether the answers are right.",
                icon=":material/help:",
            )
    with seen:
        _show_what_is_seen(model)
    _try_the_usual(model, chosen=chosen)
    return model


def _show_what_is_seen(model: AddedModel) -> None:
    micrograph = workspace.current()
    if micrograph is not None:
        st.image(
            cache.network_input_png(micrograph, model.name, EXCLUDE.value()),
            caption="What the network sees",
            output_format="PNG",
            width=180,
        )


def _try_the_usual(model: AddedModel, *, chosen: bool) -> None:
    """Show, on demand, how the answers on loaded micrographs change with the preparation."""
    micrographs = workspace.every()[:_MOST_TRIED]
    if not micrographs:
        st.caption("Load a micrograph to see how its answers change with the preparation.")
        return
    key = f"models_usual_{model.card.sha256[:16]}"
    if st.button("Try the usual ones", key=f"{key}_button", icon=":material/compare:"):
        st.session_state[key] = True
    if not st.session_state.get(key):
        return
    found = cache.try_preparations(tuple(micrographs), model.name, EXCLUDE.value())
    show.table(found.frame, f"{key}_table")
    if found.differ and not chosen:
        st.warning(
            "The answers differ much between the usual ways: only one of them can be right. Choose "
            "the one of the training before you believe any of them.",
            icon=":material/warning:",
        )
    elif found.differ:
        st.caption("The answers differ between the usual ways; the one that was chosen counts.")
    else:
        st.caption("The answers hardly depend on the preparation here.")

"""The choice of the model, the same on every page, and the way to add one's own."""

from __future__ import annotations

import streamlit as st

from core.errors import UserError
from core.ui import cache
from core.ui.parts import say
from core.ui.shell import model_choice

_KEY = "settings_model"
_DRAWN = "models_drawn"  # whether the choice stands on the page already
_NONE = (
    "No model is installed. Copy a model folder into models/ and open this page again, or add a "
    "model of your own."
)


def begin_page() -> None:
    """Note that a page starts anew: the choice does not stand on it yet."""
    st.session_state[_DRAWN] = False
    model_choice.hold()


def model_picker() -> str:
    """Return the name of the model to use; draws the choice where it does not stand yet.

    Raises
    ------
    UserError
        If there is no model.
    """
    draw()
    names = model_choice.choices()
    if not names:
        raise UserError(_NONE)
    return model_choice.current(names)


def draw() -> None:
    """Draw the choice in the sidebar, once a page: closed, its title says what holds."""
    if st.session_state.get(_DRAWN):
        return
    st.session_state[_DRAWN] = True
    names = model_choice.choices()
    title = names[model_choice.current(names)] if names else "none"
    with st.sidebar.expander(
        say.line("Model: {title}", title=title), icon=":material/neurology:", key="models_panel"
    ):
        _draw(names)


def _draw(names: dict[str, str]) -> None:
    if names and (lost := model_choice.lost(names)):
        instead = names[model_choice.current(names)]
        say.warning(
            "{lost} is no longer there; {instead} takes its place.", lost=lost, instead=instead
        )
        model_choice.choose(model_choice.current(names))
    if names:
        st.session_state[_KEY] = model_choice.current(names)
        chosen = st.selectbox(
            "Model",
            names,
            label_visibility="collapsed",
            format_func=names.__getitem__,
            key=_KEY,
            on_change=lambda: model_choice.choose(st.session_state[_KEY]),
            help="The network that classifies and explains, the same on every page.",
        )
        if said := cache.missing_in_model(str(chosen)):
            say.caption("{said}", said=said)
    with st.container(horizontal=True, gap="small"):
        if st.button("Add a model", key="models_add", icon=":material/add:"):
            model_choice.ask_for_another()
        if names and model_choice.is_added(model_choice.current(names)):
            st.button(
                "Forget it",
                key="models_forget",
                icon=":material/delete:",
                on_click=model_choice.forget,
                args=(model_choice.current(names),),
                help="Takes this model off the list; the first installed one takes its place.",
            )
    if model_choice.is_asked_for_another():
        from core.ui.models import dialog  # with pandas and figures: who adds a model waits for it

        dialog.draw()

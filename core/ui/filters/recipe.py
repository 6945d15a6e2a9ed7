"""A chain as JSON: to take home, to bring back, to send as text."""

from __future__ import annotations

import streamlit as st

from core.errors import UserError
from core.imaging.filtering import Pipeline, Step
from core.reporting.batch import read_recipe
from core.reporting.recipe import Recipe
from core.ui.parts import say, show
from core.ui.shell import EXCLUDE, filter_chain

_UPLOAD, _TEXT, _TURN = "filters_recipe_file", "filters_recipe_text", "filters_recipe_turn"
_PROBLEM = "filters_recipe_problem"
_MOST_MB = 1


def draw(steps: tuple[Step, ...], exclude: bool) -> None:
    """Draw the download of the recipe, its text, and both ways to bring one back."""
    recipe = Recipe(filters=steps, exclude_overlays=exclude).to_json().encode()
    with st.container(horizontal=True, gap="small"):
        show.download("Recipe (JSON)", recipe, "recipe.json", "application/json", "filters_json")
        exchange = st.popover("Share or load a recipe", icon=":material/data_object:")
    with exchange:
        st.caption("The chain as text; the button at its right end copies it.")
        st.code(Pipeline(steps).to_json(), language=None, wrap_lines=True, height=110)
        st.text_area(
            "Paste a recipe",
            key=_TEXT,
            height=90,
            placeholder='{"steps": [{"filter": "otsu"}]}',
            on_change=_from_text,
        )
        st.file_uploader(
            "Or load a file",
            "json",
            key=f"{_UPLOAD}_{st.session_state.get(_TURN, 0)}",
            max_upload_size=_MOST_MB,
            on_change=_from_file,
        )
        st.caption(
            "It replaces the chain; undo brings the old one back. Filters that are switched off "
            "are not part of a recipe. On the command line: python -m core filter FILE --recipe "
            "recipe.json"
        )
    problem = st.session_state.pop(_PROBLEM, "")
    if problem:
        say.error("{problem}", problem=problem, icon=":material/error:")


def _from_text() -> None:
    text = st.session_state[_TEXT]
    if text.strip():
        _load(text)
        if not st.session_state[_PROBLEM]:
            st.session_state[_TEXT] = ""


def _from_file() -> None:
    turn = st.session_state.get(_TURN, 0)
    file = st.session_state[f"{_UPLOAD}_{turn}"]
    if file is None:
        return
    st.session_state[_TURN] = turn + 1
    try:
        text = file.getvalue().decode("utf-8-sig")
    except UnicodeDecodeError:
        st.session_state[_PROBLEM] = "The file is not text. Choose a recipe.json."
        return
    _load(text)


def _load(text: str) -> None:
    """Put the recipe's filters in the chain's place, or keep the sentence that says why not."""
    st.session_state[_PROBLEM] = ""
    try:
        recipe = read_recipe(text.strip())
    except UserError as error:
        st.session_state[_PROBLEM] = f"The chain was left as it is. {error}"
        return
    filter_chain.replace_all(recipe.filters)
    if '"exclude_overlays"' in text:
        EXCLUDE.put(recipe.exclude_overlays)

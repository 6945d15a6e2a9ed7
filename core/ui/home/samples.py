"""The samples of what is loaded: a rule with its preview, a list by hand, or a table."""

from __future__ import annotations

import streamlit as st

from core.ui.parts import begin_anew, say, type_over
from core.ui.shell import grouping, user_errors, workspace

_LIST = "home_samples"
_TURN = "home_samples_file_turn"  # a file that was read gives way to the next
_SAID = "home_samples_said"
_MOST_MB = 5  # of a table, as `read_samples` takes


def draw() -> None:
    """Draw the question where there is more than one micrograph to group."""
    loaded = workspace.every()
    if len(loaded) < 2:
        return
    with st.container(border=True, gap="small", key="home_samples"):
        if grouping.of_loaded():
            say.markdown("**Samples** {counts}", counts=grouping.written(grouping.of_loaded()))
        else:
            st.markdown("**Samples** Which micrographs show the same specimen?")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            grouping.ask([each.name for each in loaded], "home", with_counts=False)
            with st.popover("By hand or from a table", icon=":material/edit:"):
                with user_errors():
                    _list()
                with user_errors():
                    _table()
            st.page_link("pages/8_Compare.py", label="On a map", icon=":material/lasso_select:")


def _list() -> None:
    """Draw every micrograph with its sample, to be typed over."""
    loaded = workspace.every()
    type_over(
        {each.sha256: grouping.sample_of(each) for each in loaded},
        grouping.state,
        key=_LIST,
        heads=("Micrograph", "Sample"),
        names=workspace.short_names(loaded),
    )
    st.button(
        "Forget what was named by hand",
        key="home_samples_forget",
        type="tertiary",
        disabled=not grouping.stated(),
        on_click=_forget,
    )


def _forget() -> None:
    grouping.stated().clear()
    begin_anew(_LIST)


def _table() -> None:
    """Take a CSV with the columns name and sample."""
    turn = st.session_state.setdefault(_TURN, 0)
    file = st.file_uploader(
        "A CSV with the columns name and sample",
        ("csv", "tsv", "txt"),
        key=f"home_samples_table_{turn}",
        max_upload_size=_MOST_MB,
    )
    if said := st.session_state.get(_SAID):
        say.caption("{said}", said=said)
    if file is None:
        return
    from core.reporting.batch import find_key, read_samples

    table = read_samples(file.getvalue())
    found = {
        each.sha256: table[key]
        for each in workspace.every()
        if (key := find_key(table, each.name)) is not None
    }
    grouping.state(found)
    st.session_state[_SAID] = f"{len(found)} of {len(table)} names in the table are loaded."
    st.session_state[_TURN] = turn + 1
    begin_anew(_LIST)
    st.rerun()

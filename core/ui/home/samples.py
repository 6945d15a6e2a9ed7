"""The samples of what is loaded: a rule with its preview, a list by hand, or a table."""

from __future__ import annotations

import streamlit as st

from core.ui.parts import say
from core.ui.shell import grouping, user_errors, workspace

_TURN = "home_samples_turn"  # a list that was changed from elsewhere begins anew
_SAID = "home_samples_said"
_LIST_PX = 390
_MOST_MB = 5  # of a table, as `read_samples` takes


def draw() -> None:
    """Draw the question where there is more than one micrograph to group."""
    loaded = workspace.every()
    if len(loaded) < 2:
        return
    with st.container(border=True, gap="small", key="home_samples"):
        named = sum(bool(grouping.sample_of(each)) for each in loaded)
        if named:
            say.markdown("**Samples** {counts}", counts=grouping.written(grouping.of_loaded()))
        else:
            st.markdown("**Samples** Which micrographs show the same specimen?")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            grouping.ask([each.name for each in loaded], "home")
            with st.popover("By hand or from a table", icon=":material/edit:"):
                with user_errors():
                    _list()
                with user_errors():
                    _table()
            st.page_link("pages/8_Compare.py", label="On a map", icon=":material/lasso_select:")


def _list() -> None:
    """Draw every micrograph with its sample, to be typed over."""
    loaded = workspace.every()
    turn = st.session_state.setdefault(_TURN, 0)
    names = workspace.short_names(loaded)
    before = [grouping.sample_of(each) for each in loaded]
    rows = {"micrograph": [names[each.sha256] for each in loaded], "sample": before}
    edited = st.data_editor(
        rows,
        key=f"home_samples_list_{turn}_{len(loaded)}",
        hide_index=True,
        disabled=["micrograph"],
        height=min(_LIST_PX, 38 + 35 * len(loaded)),
        column_config={
            "micrograph": st.column_config.TextColumn("Micrograph"),
            "sample": st.column_config.TextColumn("Sample ✎", max_chars=120),
        },
    )
    now = [str(name or "").strip() for name in edited["sample"]]
    changed = {
        each.sha256: new for each, new, old in zip(loaded, now, before, strict=True) if new != old
    }
    if changed:
        grouping.state(changed)
        st.session_state[_TURN] = turn + 1
        st.rerun()
    st.button(
        "Forget what was named by hand",
        key="home_samples_forget",
        type="tertiary",
        disabled=not grouping.stated(),
        on_click=_forget,
    )


def _forget() -> None:
    grouping.stated().clear()
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1


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
    st.rerun()

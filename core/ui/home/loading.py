"""How files get in: many at once, a folder or an archive, with a progress bar and a summary."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from core.imaging.reading import MAX_FILE_MB
from core.micrograph import Micrograph
from core.ui.home import gallery
from core.ui.parts import say
from core.ui.shell import uploads, workspace

LABEL = "Micrographs to load for all pages: pictures, files of instruments, or a ZIP of them"
_FILES, _FOLDER = "Files or a ZIP", "A folder"
_PROBLEMS, _ADDED = "home_problems", "home_added"
_SHOWN_AT_ONCE = 4


def draw(beside: Callable[[], None]) -> None:
    """Take files; the uploader is emptied after each, since the gallery shows what is loaded.

    `beside` draws what stands in one line with the choice of files or a folder.
    """
    turn = st.session_state.setdefault("home_turn", 0)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        what = st.segmented_control(
            "What to load",
            (_FILES, _FOLDER),
            default=_FILES,
            required=True,
            key="home_what",
            persist_state="session",
            label_visibility="collapsed",
            width="content",
        )
        beside()
    folder = what == _FOLDER
    files = st.file_uploader(
        "A folder of micrographs, with its subfolders" if folder else LABEL,
        uploads.FORMATS,
        accept_multiple_files="directory" if folder else True,
        key=f"home_{'folder' if folder else 'upload'}_{turn}",
        help=uploads.HELP,
        max_upload_size=MAX_FILE_MB,
    )
    if files:
        _load(files)
        uploads.let_go(files)
        st.session_state["home_turn"] = turn + 1
        st.rerun()
    _summary()


def _load(files: Sequence[workspace.NamedFile]) -> None:
    bar = st.progress(0.0, "Reading …")
    added = 0

    def show(done: int, total: int, micrograph: Micrograph | None, name: str) -> None:
        nonlocal added
        if micrograph is not None:
            added += 1
            gallery.prepare(micrograph)
        bar.progress(
            done / total, say.line("{done} of {total} · {name}", done=done, total=total, name=name)
        )

    st.session_state[_PROBLEMS] = workspace.add(files, show)
    st.session_state[_ADDED] = added


def _summary() -> None:
    """Say what became of the last upload; it stays until the next one or until dismissed."""
    problems = st.session_state.get(_PROBLEMS) or []
    if not problems:
        return
    added = st.session_state.get(_ADDED, 0)
    with st.container(horizontal=True, vertical_alignment="center"):
        say.markdown(
            "{added} added, {problems} not:", added=added, problems=len(problems), width="stretch"
        )
        st.button(
            "Dismiss",
            key="home_dismiss",
            type="tertiary",
            icon=":material/close:",
            on_click=lambda: st.session_state.pop(_PROBLEMS),
        )
    for problem in problems[:_SHOWN_AT_ONCE]:
        known = isinstance(problem, workspace.AlreadyLoadedError)
        (say.info if known else say.error)("{problem}", problem=problem)
    rest = problems[_SHOWN_AT_ONCE:]
    if rest:
        with st.expander(say.line("{rest} more", rest=len(rest))):
            for problem in rest:
                say.markdown("{problem}", problem=str(problem))

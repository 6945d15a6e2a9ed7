"""How pictures get their classes: zones to drop on, folders or a ZIP, a table, a list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import PurePosixPath

import streamlit as st

from core.errors import UserError
from core.imaging.reading import MAX_FILE_MB
from core.imaging.reading import uploads as reading
from core.ui import cache
from core.ui.parts import say
from core.ui.shell import samples, uploads, workspace
from core.ui.train import keys, labels

ZONES, FOLDERS, TABLE, LIST = (
    "Drop by class",
    "Folders or a ZIP",
    "A labels table",
    "What is loaded",
)
_TURN, _PROBLEMS = "train_turn", "train_problems"
_CARD_PX, _SMALL_PX = 300, 62
_SHOWN = 8  # small pictures of a class
_SHOWN_AT_ONCE = 4
_LISTED = 12  # micrographs of the list at once
_LEFT_BEHIND = ("thumbs.db", "desktop.ini", ".ds_store")
_NONE = "no class"


def draw() -> None:
    """Draw the ways to label, the one that is chosen, and what went wrong last time."""
    way = st.segmented_control(
        "How to give the classes",
        (ZONES, FOLDERS, TABLE, LIST),
        default=ZONES,
        required=True,
        key="train_way",
        persist_state="session",
        label_visibility="collapsed",
    )
    {ZONES: _zones, FOLDERS: _folders, TABLE: _table, LIST: _list}[way or ZONES]()
    _tell_problems()


def _turn() -> int:
    turn: int = st.session_state.setdefault(_TURN, 0)
    return turn


def _add_class() -> None:
    labels.add_class()


def _zones() -> None:
    grid = st.grid(3, min_column_width=_CARD_PX, border=True, gap="small")
    for number in list(labels.classes()):
        with grid.cell():
            _zone(number)
    st.button(
        "Add a class",
        icon=":material/add:",
        key="train_add_class",
        on_click=_add_class,
        disabled=len(labels.classes()) >= labels.MOST_CLASSES,
    )


def _zone(number: int) -> None:
    key = f"train_name_{number}"
    st.session_state.setdefault(key, labels.classes()[number])
    st.text_input(
        say.line("Name of class {place}", place=number + 1),
        key=key,
        max_chars=60,
        placeholder=f"Class {number + 1}",
        on_change=lambda: labels.rename(number, st.session_state[key]),
    )
    files = st.file_uploader(
        say.line("Pictures of {name}", name=labels.name_of(number)),
        uploads.FORMATS,
        accept_multiple_files=True,
        key=f"train_drop_{number}_{_turn()}",
        help=uploads.HELP,
        max_upload_size=MAX_FILE_MB,
    )
    if files:
        _take(files, lambda _: number)
    own = labels.of(number)
    with st.container(horizontal=True, vertical_alignment="center"):
        count = f"{len(own)} picture{'' if len(own) == 1 else 's'}" if own else "no pictures yet"
        say.caption("{count}", count=count)
        if len(labels.classes()) > 2:
            st.button(
                "Remove",
                key=f"train_remove_{number}",
                type="tertiary",
                icon=":material/close:",
                help=say.line("Remove the class {name}", name=labels.name_of(number)),
                on_click=labels.remove_class,
                args=(number,),
            )
    if own:
        with st.container(horizontal=True, gap="xxsmall"):
            for micrograph in own[:_SHOWN]:
                st.image(
                    cache.square_png(micrograph),
                    width=_SMALL_PX,
                    output_format="PNG",
                    alt=micrograph.name,
                )


def _folders() -> None:
    what = st.segmented_control(
        "What to give",
        ("A folder", "A ZIP"),
        default="A folder",
        required=True,
        key="train_what",
        persist_state="session",
        label_visibility="collapsed",
    )
    folder = what == "A folder"
    files = st.file_uploader(
        "A folder with a sub-folder per class" if folder else "A ZIP with a folder per class",
        [*uploads.FORMATS, "csv"],
        accept_multiple_files="directory" if folder else True,
        key=f"train_{'folder' if folder else 'zip'}_{_turn()}",
        help="The name of the folder that a picture lies in is its class. A labels.csv in it, with "
        "the columns file, label and group, has the last word.",
        max_upload_size=MAX_FILE_MB,
    )
    if files:
        _take(files, _class_of_folder)


def _class_of_folder(path: str) -> int | None:
    parent = PurePosixPath(path.replace("\\", "/")).parent.name
    return labels.class_named(parent) if parent else None


def _table() -> None:
    if not workspace.every():
        st.write("Load the micrographs on Home or with the other ways first; the table names them.")
        st.page_link("Home.py", label="Load on Home", icon=":material/upload_file:")
    file = st.file_uploader(
        "Table with the columns file and label, and group where you know it",
        ["csv", "tsv", "txt"],
        key=f"train_table_{_turn()}",
        help="As any spreadsheet saves it: commas, semicolons or tabs, UTF-8, UTF-16 or Windows.",
        max_upload_size=5,
    )
    if file is not None:
        st.session_state[_PROBLEMS] = _apply(file.getvalue())
        _next_turn([file])


def _apply(data: bytes) -> list[str]:
    """Take a table over; return what of it fits nothing, as sentences."""
    try:
        lines = cache.label_lines(data)
    except UserError as error:
        return [str(error)]
    by_name: dict[str, list[str]] = {}
    for micrograph in workspace.every():
        by_name.setdefault(micrograph.name.casefold(), []).append(micrograph.sha256)
    missing = []
    for line in lines:
        found = by_name.get(line.name.casefold(), [])
        for sha256 in found:
            labels.give(sha256, labels.class_named(line.label))
            if line.group:
                labels.note_series(sha256, line.group)
        if not found:
            missing.append(line.name)
    if not missing:
        return []
    named = ", ".join(missing[:_SHOWN_AT_ONCE]) + (" …" if len(missing) > _SHOWN_AT_ONCE else "")
    return [f"{len(missing)} of {len(lines)} lines name a file that is not loaded: {named}."]


def _list() -> None:
    micrographs = workspace.every()
    if not micrographs:
        st.write("Nothing is loaded. Load micrographs on Home, or take simulated samples:")
        st.page_link("Home.py", label="Load on Home", icon=":material/upload_file:")
        samples.offer("train")
        return
    keys.draw()
    first = _turn_pages(len(micrographs))
    names = workspace.short_names(micrographs)
    grid = st.grid(6, min_column_width=150, gap="small")
    for micrograph in micrographs[first : first + _LISTED]:
        with grid.cell():
            st.image(
                cache.square_png(micrograph), width=140, output_format="PNG", alt=micrograph.name
            )
            choose(micrograph.sha256, names[micrograph.sha256], "list")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("A new class", key="train_new_class", max_chars=60)
        st.button("Add", key="train_new_class_add", on_click=_add_typed)


def _add_typed() -> None:
    name = " ".join(st.session_state.get("train_new_class", "").split())
    if name:
        labels.class_named(name)
        st.session_state["train_new_class"] = ""


def _turn_pages(count: int) -> int:
    if count <= _LISTED:
        return 0
    pages = -(-count // _LISTED)
    page = st.pagination(pages, key="train_list_page") if hasattr(st, "pagination") else 1
    return (min(int(page or 1), pages) - 1) * _LISTED


def choose(sha256: str, name: str, where: str) -> None:
    """Draw the choice of a micrograph's class; `where` keeps two choices of one page apart."""
    key = f"train_class_{where}_{sha256}"
    options = [None, *labels.classes()]
    st.session_state[key] = labels.label_of(sha256)
    st.selectbox(
        say.line("Class of {name}", name=name),
        options,
        format_func=lambda number: _NONE if number is None else labels.name_of(number),
        key=key,
        on_change=lambda: labels.give(sha256, st.session_state[key]),
    )


def _take(files: Sequence[workspace.NamedFile], class_of: Callable[[str], int | None]) -> None:
    """Load files and label each; a labels.csv among them has the last word."""
    tables = [file for file in files if file.name.lower().endswith(".csv")]
    contents = [(f.name, f.getvalue()) for f in files if f not in tables and _is_ours(f.name)]
    total = reading.count(contents)
    bar = st.progress(0.0, "Reading …")
    problems: list[str] = []
    held: list[bytes] = [file.getvalue() for file in tables]
    for done, item in enumerate(reading.unpack(contents), start=1):
        path = (item.path or item.name) if isinstance(item, reading.Given) else item.name
        share = min(1.0, done / max(total, done))
        bar.progress(
            share, say.line("{done} of {total} · {name}", done=done, total=total, name=path)
        )
        if not _is_ours(path):
            continue
        if isinstance(item, reading.Given) and path.lower().endswith(".csv"):
            held.append(item.data)
            continue
        try:
            sha256 = workspace.take(item)
        except UserError as error:
            problems.append(f"{path}: {error}")
            continue
        problems += _label(sha256, path, class_of)
    for data in held:
        problems += _apply(data)
    st.session_state[_PROBLEMS] = problems
    _next_turn(files)


def _label(sha256: str, path: str, class_of: Callable[[str], int | None]) -> list[str]:
    number, before = class_of(path), labels.label_of(sha256)
    folder = str(PurePosixPath(path.replace("\\", "/")).parent)
    if folder not in (".", ""):
        labels.note_series(sha256, folder)
    if number is None:
        return [f"{path}: it lies in no folder, so its class is not known. Choose it in the list."]
    labels.give(sha256, number)
    if before is not None and before != number:
        was, now = labels.name_of(before), labels.name_of(number)
        return [f"{path}: the same picture stood in “{was}”; now it is in “{now}”."]
    return []


def _is_ours(path: str) -> bool:
    return path.replace("\\", "/").rpartition("/")[2].lower() not in _LEFT_BEHIND


def _next_turn(files: Sequence[object]) -> None:
    uploads.let_go(files)
    st.session_state[_TURN] = _turn() + 1
    st.rerun()


def _tell_problems() -> None:
    problems: list[str] = st.session_state.get(_PROBLEMS) or []
    if not problems:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        say.markdown("{problems} to look at:", problems=len(problems), width="stretch")
        st.button(
            "Dismiss",
            key="train_dismiss",
            type="tertiary",
            icon=":material/close:",
            on_click=partial(st.session_state.pop, _PROBLEMS, None),
        )
    for problem in problems[:_SHOWN_AT_ONCE]:
        say.warning("{problem}", problem=problem)
    if rest := problems[_SHOWN_AT_ONCE:]:
        with st.expander(say.line("{rest} more", rest=len(rest))):
            for problem in rest:
                say.markdown("{problem}", problem=problem)

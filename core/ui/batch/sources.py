"""What a batch works on: what is loaded, dropped files, a dropped folder, or a path if local."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import streamlit as st

from core.errors import UserError
from core.imaging.reading import MAX_FILE_MB
from core.micrograph import Micrograph
from core.reporting.batch import GivenSource, count_samples, list_sources
from core.reporting.recipe import Recipe
from core.ui.batch import scales
from core.ui.parts import say
from core.ui.shell import grouping, uploads, user_errors, workspace

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

LOCAL_ENV = "MICROGRAPHIA_LOCAL_PATHS"
LOADED = "What is loaded"
LABEL = "Micrographs for this batch alone: they are measured and not loaded on the other pages"
FILES, FOLDER, PATH = "Files or a ZIP", "A folder", "A path on this computer"
MOST_MB = 1024  # of uploads for one batch
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_OF_PROXIES = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


def paths_are_allowed() -> bool:
    """Tell whether a person may name a folder of the server's disk.

    Only where the server listens to its own machine alone and the page was asked for there, or
    where `MICROGRAPHIA_LOCAL_PATHS` is "1"; "0" forbids it everywhere. A hosted app would otherwise
    show strangers its disk: behind a proxy it, too, listens to its own machine alone.
    """
    stated = os.environ.get(LOCAL_ENV)
    if stated in ("0", "1"):
        return stated == "1"
    return st.get_option("server.address") in _LOOPBACK and _asked_for_here()


def _asked_for_here() -> bool:
    """Tell whether the browser runs on this machine, by what it and a proxy between them say."""
    headers = {name.lower(): value for name, value in st.context.headers.items()}
    if any(name in headers for name in _OF_PROXIES):
        return False
    hosts = (headers.get("host"), headers.get("origin"))
    return all(_host(stated) in _LOOPBACK for stated in hosts if stated)


def _host(stated: str) -> str:
    """Return the name in a Host or an Origin header; "" when it is none."""
    try:
        return urlsplit(stated if "//" in stated else f"//{stated}").hostname or ""
    except ValueError:
        return ""


def choose() -> Sequence[GivenSource]:
    """Draw the choice and return the sources; empty while there are none."""
    loaded = workspace.every()
    options = [*([LOADED] if loaded else []), FILES, FOLDER]
    options += [PATH] if paths_are_allowed() else []
    origin = st.segmented_control(
        "Micrographs",
        options,
        default=options[0],
        required=True,
        format_func=lambda way: f"{way} ({len(loaded)})" if way == LOADED else way,
        key="batch_origin",
        persist_state="session",
    )
    if origin == LOADED:
        return loaded
    if origin == PATH:
        with user_errors():  # a wrong path hides nothing else of the page
            return _from_path()
        return []
    files = st.file_uploader(
        "A folder for this batch alone, with its subfolders" if origin == FOLDER else LABEL,
        uploads.FORMATS,
        accept_multiple_files="directory" if origin == FOLDER else True,
        key="batch_folder" if origin == FOLDER else "batch_files",
        help=uploads.HELP,
        max_upload_size=MAX_FILE_MB,
    )
    with user_errors():
        _require_room(files)
        return [(file.name, file.getvalue()) for file in files]
    return []


def ask_samples(sources: Sequence[GivenSource], recipe: Recipe | None, from_file: bool) -> None:
    """Draw the first question of a batch: which of the micrographs show the same specimen."""
    names = file_names(sources)
    if recipe is not None and from_file:
        rule = recipe.sample_from
        counts = count_samples(rule, names) if rule else {}
        if counts:
            say.caption("Samples by the recipe: {counts}", counts=grouping.written(counts))
        return
    with st.container(border=True, gap="xsmall", key="batch_samples"):
        st.markdown("**Samples** Which micrographs show the same specimen?")
        grouping.ask(names, "batch")
        by_hand = len(grouping.pairs())
        if by_hand:
            say.caption(
                "{by_hand} of what is loaded were named by hand on Home, which counts first.",
                by_hand=by_hand,
            )
        scales.ask(_samples(names))


def _samples(names: Sequence[str]) -> list[str]:
    """Return the samples of a batch: those of the rule, and those named by hand."""
    rule = grouping.SAMPLE.value()
    counted = count_samples(rule, names) if rule else {}
    return list(dict.fromkeys([*counted, *(sample for _, sample in grouping.pairs())]))


def file_names(sources: Sequence[GivenSource]) -> list[str]:
    """Return the names of the files, with their folders; archives are not looked into."""
    names: list[str] = []
    for source in sources:
        if isinstance(source, tuple):
            names.append(source[0])
        elif isinstance(source, Micrograph):
            names.append(source.name)
        elif isinstance(source, Path):
            with suppress(UserError):
                names += [each.path for each in list_sources(source)]
    return [name for name in names if not name.lower().endswith(".zip")]


def _require_room(files: Sequence[UploadedFile]) -> None:
    """Refuse, and let go of, more files than a session may hold or the server has room for."""
    total = sum(file.size for file in files)
    try:
        if total > MOST_MB * 2**20:
            raise UserError(
                f"These files are {total / 2**20:.0f} MB; give at most {MOST_MB} MB at once, or "
                "run python -m core batch on a computer of yours."
            )
        workspace.hold_beside("uploads", total)
    except UserError:
        uploads.let_go(files)
        raise


def _from_path() -> Sequence[GivenSource]:
    typed = st.text_input(
        "Folder, file or ZIP",
        key="batch_path",
        persist_state="session",
        placeholder="/data/micrographs",
    )
    if not typed.strip():
        return []
    try:
        path = Path(typed.strip()).expanduser()
        found = path.exists()
    except (OSError, ValueError, RuntimeError):  # no such user, no such name
        found = False
    if not found:
        raise UserError(f"There is nothing at {typed.strip()}. Check the path.")
    return [path]


def run_label(sources: Sequence[GivenSource]) -> str:
    """Return what the button that starts a batch says; archives and folders are not counted."""
    names = [source[0] for source in sources if isinstance(source, tuple)]
    packed = any(name.lower().endswith(".zip") for name in names)
    if packed or any(isinstance(source, Path) for source in sources):
        return "Run on all of it"
    return f"Run on {len(sources)} micrograph{'' if len(sources) == 1 else 's'}"

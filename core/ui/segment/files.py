"""Label images and edits from files, kept with their micrograph for the session."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.errors import UserError
from core.measuring.segmentation import (
    Segmentation,
    agreement,
    edits_json,
    from_file,
    read_edits,
)
from core.micrograph import Micrograph
from core.ui import cache
from core.ui.parts import say, show
from core.ui.segment import hand
from core.ui.shell import uploads, workspace

FORMATS = ["tif", "tiff", "png", "npy", "zip", "roi"]
MOST_MB = 64
_FILES, _TURN = "segment_files", "segment_files_turn"  # digest -> (name, bytes)
_PROBLEM = "segment_files_problem"
_HELD = "segment files"


def ask(micrograph: Micrograph) -> tuple[str, bytes]:
    """Draw the uploader; return name and bytes of what was given for this micrograph."""
    turn = st.session_state.get(_TURN, 0)
    st.file_uploader(
        "Labels, a mask or ROIs",
        FORMATS,
        key=f"segment_file_{turn}",
        max_upload_size=MOST_MB,
        on_change=_take,
        args=(micrograph,),
        help="A label image or a mask (TIFF, PNG, NPY) of this micrograph's size, as Fiji, "
        "Cellpose, StarDist, ilastik or QuPath export it, or ROIs of ImageJ (.roi, .zip).",
    )
    if problem := st.session_state.pop(_PROBLEM, ""):
        say.error("{problem}", problem=problem, icon=":material/error:")
    name, data = _every().get(micrograph.sha256, ("", b""))
    if data:
        say.caption("From “{name}”.", name=name)
    return name, data


def _every() -> dict[str, tuple[str, bytes]]:
    found: dict[str, tuple[str, bytes]] = st.session_state.setdefault(_FILES, {})
    return found


def _take(micrograph: Micrograph) -> None:
    """Keep a file that was given, or the sentence why it cannot be kept."""
    turn = st.session_state.get(_TURN, 0)
    file = st.session_state[f"segment_file_{turn}"]
    if file is None:
        return
    st.session_state[_TURN] = turn + 1
    data = file.getvalue()
    every = _every() | {micrograph.sha256: (file.name, data)}
    try:
        from_file(data, micrograph, file.name)
        workspace.hold_beside(_HELD, sum(len(each) for _, each in every.values()))
    except UserError as error:
        st.session_state[_PROBLEM] = str(error)
    else:
        st.session_state[_FILES] = every
    uploads.let_go([file])


def draw(
    micrograph: Micrograph, asked: cache.Objects, given: cache.Given, found: Segmentation
) -> None:
    """Draw edits as a file, in and out, and the comparison with someone else's result."""
    with st.expander("Edits by hand as a file, and a second person's result"):
        origin = {"way": found.origin.way, "digests": list(found.origin.digests)}
        show.download(
            "Edits (JSON)",
            lambda: edits_json(hand.history(micrograph).done, origin).encode(),
            f"{show.file_stem(micrograph)}_edits.json",
            "application/json",
            "segment_edits_json",
        )
        _ask_edits(micrograph)
        _compare(micrograph, asked.choice.exclude, found)


def _ask_edits(micrograph: Micrograph) -> None:
    file = st.file_uploader(
        "Make saved edits again", "json", key="segment_edits_file", max_upload_size=8
    )
    if file is None:
        return
    try:
        text = file.getvalue().decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError("The file is not text. Choose an edits.json that this page saved.") from (
            error
        )
    edits = read_edits(text)
    if st.button(say.line("Add {count} edits", count=len(edits)), key="segment_edits_add"):
        for edit in edits:
            hand.add(micrograph, edit)
        st.rerun()


def _compare(micrograph: Micrograph, exclude: bool, found: Segmentation) -> None:
    file = st.file_uploader(
        "Compare with labels or ROIs of someone else",
        FORMATS,
        key="segment_other_file",
        max_upload_size=MOST_MB,
    )
    if file is None:
        return
    other, notes = from_file(
        file.getvalue(), micrograph, file.name, exclude=cache.excluded(micrograph, exclude)
    )
    both = agreement(found.labels, other.labels, found.included)
    with st.container(horizontal=True):
        say.metric("Objects alike (F1)", _number(both.f1), width="content")
        say.metric("Overlap of these", _number(both.mean_iou), width="content")
        say.metric("Kappa of pixels", _number(both.kappa), width="content")
    say.caption(
        "{matched} of {first} here and {second} there are the same object: they share at least "
        "half of what both cover. Kappa is 1 for full agreement and 0 for chance. {notes}",
        matched=both.matched,
        first=both.first,
        second=both.second,
        notes=" ".join(notes),
    )


def _number(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3f}"

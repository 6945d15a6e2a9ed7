"""Save all work as one file, and open it again: Home's door to `core.reporting.study`.

A study may be a stranger's. Its micrographs come under digests of their own, so that nobody's
results can be found under the digest of another's file, and its settings are read as those of a
stranger's link.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.errors import UserError
from core.imaging.display import file_stem
from core.imaging.reading import MAX_FILE_MB
from core.measuring.by_hand import read_shapes
from core.micrograph import Micrograph, digest_pixels
from core.ui import batch
from core.ui.page import rooms, unsaved
from core.ui.page.links import address
from core.ui.parts import say, show, viewer
from core.ui.shell import edits_by_hand, grouping, region, sentence, workspace

if TYPE_CHECKING:
    from core.reporting.study import Study

_TURN, _SAID, _PROBLEM = "study_turn", "study_said", "study_problem"
_NAMED = 3


def draw() -> None:
    """Draw both."""
    with st.container(horizontal=True, gap="small"):
        if workspace.every():
            with st.popover("Save study", icon=":material/save:", key="study_save"):
                _save()
        with st.popover("Open study", icon=":material/folder_open:", key="study_open"):
            st.caption("All that “Save study” wrote: micrographs, scales, samples, settings.")
            st.file_uploader(
                "A study (.micrographia.zip)",
                "zip",
                key=f"study_file_{st.session_state.get(_TURN, 0)}",
                max_upload_size=MAX_FILE_MB,
                on_change=_open,
            )


def tell() -> None:
    """Say what became of the last study that was opened."""
    problem, said = st.session_state.get(_PROBLEM, ""), st.session_state.pop(_SAID, "")
    if problem:
        say.error("{problem}", problem=problem, icon=":material/error:")
    if said:
        say.success("{said}", said=said, icon=":material/folder_open:")


def _save() -> None:
    title = st.text_input("Title", key="study_title", max_chars=200)
    authors = st.text_input("Authors", key="study_authors", max_chars=400, placeholder="A, B, …")
    note = st.text_area("Note", key="study_note", max_chars=5000, height=80)
    licence = st.text_input(
        "Licence", key="study_licence", max_chars=200, placeholder="CC BY 4.0, or an address"
    )
    contain = st.toggle(
        "With the micrographs themselves",
        True,
        key="study_contain",
        help="Lossless. Without them the study holds their digests, and asks for the files again.",
    )
    words = {
        "title": title.strip(),
        "authors": [each.strip() for each in authors.split(",") if each.strip()],
        "note": note.strip(),
        "license": licence.strip(),
    }
    show.download(
        "Save",
        _writer(words, contain),
        f"{file_stem(title, ascii_only=True) if title.strip() else 'study'}.micrographia.zip",
        "application/zip",
        "study_download",
        primary=True,
    )
    st.caption(
        "An RO-Crate: it opens here, with `python -m core study run`, as a notebook, and its "
        "pictures in ImageJ."
    )


def _writer(words: dict[str, Any], contain: bool) -> Callable[[], bytes]:
    """Return what writes the study; it knows all by then, since it runs outside of the page."""
    loaded = workspace.every()
    run = batch.run.latest()
    result = run.result if run is not None else None
    options: dict[str, Any] = {
        "contain": contain,
        "result": result,
        "samples": {each.name: grouping.sample_of(each) for each in loaded},
        "notes": {each.sha256: _notes(each) for each in loaded},
        "settings": address.stated(),
        **words,
    }
    said = rooms.for_recipe()

    def write() -> bytes:
        from core.reporting.recipe import Recipe
        from core.reporting.study import study_bytes

        default = Recipe()
        stated = {
            name: replace(getattr(default, name), **value) if isinstance(value, dict) else value
            for name, value in said.items()
        }
        if result is None:
            options["recipe"] = Recipe(**stated)
        return study_bytes(loaded, **options)

    return write


def _notes(micrograph: Micrograph) -> dict[str, Any]:
    """Return what a hand did to a micrograph, as JSON holds it."""
    shapes = [shape.to_dict() for shape in viewer.kept.shapes(micrograph)]
    corners = [list(corner) for corner in region.drawn().get(micrograph.sha256, ())]
    edits = [edit.to_dict() for edit in edits_by_hand.of(micrograph.sha256).done]
    return {"shapes": shapes, "region": corners, "edits": edits}


def _open() -> None:
    """Take a study over; called before the page is drawn, so that settings can be set."""
    turn = st.session_state.get(_TURN, 0)
    file = st.session_state.get(f"study_file_{turn}")
    if file is None:
        return
    st.session_state[_TURN] = turn + 1
    st.session_state[_PROBLEM] = ""
    try:
        st.session_state[_SAID] = _take_over(file.getvalue())
    except Exception as error:
        st.session_state[_PROBLEM] = sentence(error)


def _take_over(data: bytes) -> str:
    """Load a study's micrographs and set what it states; return what to say of it."""
    from core.reporting.study import open_study

    study = open_study(data)
    loaded = {each.sha256 for each in workspace.every()}
    added, problems, lacking = [], [], []
    held, _ = address.take_over(dict(study.settings))  # first: a rule may name the samples
    for member in study.members:
        sha256 = member.sha256
        if sha256 not in loaded and not member.file:
            lacking.append(member.name)
        elif sha256 not in loaded:
            try:
                sha256 = workspace.add_opened(foreign(study.micrograph(member)))
                added.append(sha256)
            except UserError as error:
                problems.append(str(error))
                continue
        _say_of(sha256, member.sample, member.notes)
    if added:
        workspace.select(added[0])
    unsaved.mark_saved()
    counts = f"{_count(len(added), 'micrograph')} and {_count(held, 'setting')}"
    said = f"{study.title or 'The study'}: {counts} are open."
    try:
        if _show_results(study):
            said += " Its results are on Batch Report."
    except UserError as error:
        problems.append(str(error))
    if lacking:
        more = f" and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
        named = ", ".join(lacking[:_NAMED])
        said += (
            f" It does not hold {named}{more}: load these files, and what it says of them holds."
        )
    return " ".join([said, *problems[:_NAMED]])


def _show_results(study: Study) -> bool:
    """Put the results that a study holds on Batch Report; False where it holds none."""
    from core.reporting.report import About
    from core.reporting.study import restore_result

    about = About(study.title, study.authors, study.date, study.note)
    return batch.run.take_over(lambda out: restore_result(study, out), study.recipe, about)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def foreign(micrograph: Micrograph) -> Micrograph:
    """Return a micrograph of a study under a digest that no file has.

    Results are shared by digest among all visitors: what a study states may be the digest of
    another's file.
    """
    from core.reporting.study import ORIGINAL

    told = json.dumps(micrograph.metadata, sort_keys=True, default=str)
    parts = ("study", micrograph.sha256, digest_pixels(micrograph.pixels), told)
    digest = hashlib.sha256("|".join(parts).encode(errors="replace")).hexdigest()
    metadata = {**micrograph.metadata, ORIGINAL: micrograph.sha256}
    return replace(micrograph, sha256=digest, metadata=metadata)


def _say_of(sha256: str, sample: str, notes: Any) -> None:
    """Set sample, shapes and region of a micrograph, also of one that is still to be loaded."""
    loaded = next((each for each in workspace.every() if each.sha256 == sha256), None)
    if sample and not (loaded and grouping.sample_of(loaded) == sample):
        grouping.state({sha256: sample})
    shapes = notes.get("shapes")
    if isinstance(shapes, list):
        viewer.kept.put_by_digest(sha256, read_shapes(shapes))
    if edits := notes.get("edits"):
        edits_by_hand.take(sha256, edits)
    corners = region.corners_from(notes.get("region"))
    if corners:
        region.drawn()[sha256] = corners

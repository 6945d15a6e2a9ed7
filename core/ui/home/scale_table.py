"""Pixel sizes of many: read all, watch them being read, type or paste a table, take it back."""

from __future__ import annotations

import streamlit as st

from core.errors import UserError
from core.imaging.scale import parse_size, parse_sizes, words
from core.micrograph import Micrograph, PixelSize
from core.ui import cache
from core.ui.parts import say
from core.ui.shell import readings, user_errors, workspace

_EVERY_S = 1.5
_TURN = "home_scales_turn"  # a table that was applied begins anew
_LIST_PX = 390  # height of the table, at most


def draw() -> None:
    """Draw one line about what has no scale, what is being read, and the table of all."""
    missing, undoable = readings.unscaled(), workspace.undoable()
    if not missing and not undoable:
        return
    waiting = readings.look()
    if waiting:
        _watch(waiting)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        if missing and not waiting:
            say.caption(
                "{missing} of {total} without a pixel size.",
                missing=len(missing),
                total=len(workspace.every()),
            )
        _read_all(missing)
        if undoable:
            st.button(
                say.line(
                    "Undo pixel sizes ({count})" if undoable > 1 else "Undo pixel size",
                    count=undoable,
                ),
                key="home_scales_undo",
                icon=":material/undo:",
                help="Take back the pixel size that was given last.",
                on_click=workspace.undo_pixel_sizes,
            )
    problem = cache.reading_problem()
    if problem and missing:
        say.caption("{problem}", problem=problem)
    if len(workspace.every()) > 1:
        _table()


def _read_all(missing: list[Micrograph]) -> None:
    """Offer to read what was not read yet."""
    unread = [each for each in missing if readings.outcome(each) is None]
    asked = [each for each in unread if readings.is_waiting(each)]
    if cache.reading_problem() or len(unread) == len(asked):
        return
    st.button(
        say.line("Read the scales of all ({count})", count=len(unread)),
        key="home_scales_read",
        icon=":material/document_scanner:",
        help="Reads what is written beside the scale bars, one picture after the other, while you "
        "go on.",
        on_click=readings.want,
        args=([each.sha256 for each in unread],),
    )


@st.fragment(run_every=_EVERY_S)
def _watch(before: int) -> None:
    """Say how many are still to be read; draw the page anew whenever one was."""
    now = readings.look()
    if now != before:
        st.rerun()
    say.caption(":material/hourglass_top: Reading scales: {now} to go. Go on meanwhile.", now=now)


def _table() -> None:
    """Offer all pixel sizes in a table, and a box to paste them into."""
    with st.expander("Pixel sizes of all", icon=":material/table:", key="home_scales"):
        turn = st.session_state.setdefault(_TURN, 0)
        micrographs = workspace.every()
        labels = workspace.short_names(micrographs)
        rows = [_row(each, labels[each.sha256]) for each in micrographs]
        edited = st.data_editor(
            rows,
            key=f"home_scales_table_{turn}",
            height=min(_LIST_PX, 36 * (len(rows) + 1) + 3),
            hide_index=True,
            disabled=["micrograph", "frame (px)", "bar (px)", "from"],
            column_config={
                "pixel size": st.column_config.TextColumn(
                    help="Such as 2.5 nm or 0.5 µm; nm where no unit is written."
                )
            },
        )
        pasted = st.text_area(
            "Or paste a table",
            placeholder="a.png\t2.5 nm\nb.png\t0.5 µm",
            key=f"home_scales_paste_{turn}",
            help="A name and a pixel size in each line, or a pixel size for each in the order "
            "of the table.",
        )
        if st.button("Set these", key="home_scales_set", icon=":material/check:"):
            with user_errors():
                _take(micrographs, rows, edited, pasted)


def _row(micrograph: Micrograph, label: str) -> dict[str, str | int | None]:
    found = readings.outcome(micrograph)
    bar = found.reading.bar if found and found.reading else None
    size, (height, width) = micrograph.pixel_size, micrograph.shape
    if size is not None:
        source = words.given_later(micrograph) or "the file"
    else:
        source = f"{found.reading.text} is written" if found and found.reading else ""
    return {
        "micrograph": label,
        "frame (px)": f"{width} × {height}",
        "pixel size": str(size) if size else "",
        "from": source,
        "bar (px)": bar.right - bar.left if bar else None,
    }


def _take(
    micrographs: list[Micrograph],
    rows: list[dict[str, str | int | None]],
    edited: list[dict[str, str | int | None]],
    pasted: str,
) -> None:
    """Give what was changed in the table and what was pasted; one step for undo."""
    sizes: dict[str, PixelSize | None] = {}
    for micrograph, before, after in zip(micrographs, rows, edited, strict=True):
        typed = str(after["pixel size"] or "").strip()
        if typed != before["pixel size"]:
            sizes[micrograph.sha256] = _typed(typed, micrograph.name)
    names = [micrograph.name for micrograph in micrographs]
    for place, size in parse_sizes(pasted, names).items():
        sizes[micrographs[place].sha256] = size
    if not sizes:
        st.caption("Nothing was changed: type into the column, or paste a table.")
        return
    workspace.set_pixel_sizes(sizes)
    st.session_state[_TURN] += 1
    st.rerun()


def _typed(text: str, name: str) -> PixelSize | None:
    size = parse_size(text)
    if text and size is None:
        raise UserError(f"{name}: {text!r} is no pixel size; type one such as 2.5 nm or 0.5 µm.")
    return size

"""A hand that mends outlines: what a click or a line means, undo and redo."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from core.errors import UserError
from core.measuring.by_hand import Shape
from core.measuring.segmentation import Edit, History, Segmentation, deepest
from core.micrograph import Micrograph
from core.ui.parts import say, viewer
from core.ui.segment import picking
from core.ui.shell import edits_by_hand

PAINT, SELECT, DELETE, MERGE = "paint", "select", "delete", "merge"
CUT, ADD, GROW, REDRAW = "cut", "add", "grow", "redraw"
_MODE, _SEEN = "segment_hand_mode", "segment_shapes_seen"
_BRUSH = "segment_hand_has_brush"  # at the last run
_FIRST, _SAID = "segment_merge_first", "segment_hand_said"
_MODES = {
    PAINT: "Paint",
    SELECT: "Select",
    DELETE: "Delete",
    MERGE: "Merge",
    CUT: "Cut",
    ADD: "Add",
    GROW: "Grow",
    REDRAW: "Redraw",
}
_HOW = {
    PAINT: "Choose a phase beside the brush and paint a little of it; the eraser takes away.",
    SELECT: "Click an object to see its numbers, and to change it alone.",
    DELETE: "Click what is no object.",
    MERGE: "Click one object, then the one that belongs to it.",
    CUT: "Draw a line all through an object: press at one side, let go at the other.",
    ADD: "Draw around an object that was missed.",
    GROW: "Click into an object that was missed: it grows to the nearest edge.",
    REDRAW: "Draw around an object anew: it takes the outline drawn around its middle.",
}
_DRAWN = {CUT: ("ruler",), ADD: ("lasso", "polygon"), REDRAW: ("lasso", "polygon")}
_TOOL = {PAINT: "brush", CUT: "ruler", ADD: "lasso", REDRAW: "lasso"}
_UNFIT = "segment_hand_unfit"  # micrograph and edits, how many do not fit, and why the last not
_MOST_CORNERS = 1_500  # of a lasso; more lie closer than a pixel

Find = Callable[[], Segmentation]


def history(micrograph: Micrograph) -> History:
    """Return the edits of a micrograph."""
    return edits_by_hand.of(micrograph.sha256)


def add(micrograph: Micrograph, edit: Edit) -> None:
    """Make one more edit."""
    edits_by_hand.add(micrograph.sha256, edit)


def ask_mode(*, with_brush: bool) -> str:
    """Draw what the hand does, and how; return it."""
    modes = [mode for mode in _MODES if with_brush or mode != PAINT]
    start = PAINT if with_brush else SELECT
    if st.session_state.get(_MODE) not in modes or st.session_state.get(_BRUSH) != with_brush:
        st.session_state[_MODE] = start
    st.session_state[_BRUSH] = with_brush
    mode: str | None = st.segmented_control(
        "By hand",
        modes,
        required=True,
        format_func=_MODES.__getitem__,
        key=_MODE,
        persist_state="session",
        label_visibility="collapsed",
        on_change=lambda: st.session_state.pop(_FIRST, None),
    )
    return mode or start


def tool(mode: str) -> str:
    """Return the tool of the viewer that a way of the hand takes up."""
    return _TOOL.get(mode, "move")


def tools(mode: str) -> tuple[str, ...]:
    """Return the tools that the viewer offers."""
    if mode == PAINT:
        return viewer.PAINTING[:2]
    return viewer.MEASURING if mode == SELECT else _DRAWN.get(mode, ())


def draw_line(micrograph: Micrograph, mode: str, unfit: str = "") -> None:
    """Draw how it is done, or what went wrong, and undo and redo beside it."""
    now = history(micrograph)
    said = st.session_state.pop(_SAID, "") or say.plain(unfit)
    if mode == MERGE and st.session_state.get(_FIRST):
        said = said or "Now click the object that belongs to it."
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        say.caption("{said}", said=say.Line(said or _HOW[mode]))
        for name, icon, possible, step in (
            ("Undo", "undo", now.done, _undo),
            ("Redo", "redo", now.undone, _redo),
        ):
            st.button(
                "",
                icon=f":material/{icon}:",
                key=f"segment_{name.lower()}",
                help=say.line("{name} the last change by hand", name=name),
                type="tertiary",
                disabled=not possible,
                on_click=step,
                args=(micrograph,),
            )
        with st.popover("All objects", icon=":material/checklist:"):
            _draw_all(micrograph)


def notice(micrograph: Micrograph, found: Segmentation) -> str:
    """Return why the change that was made last does not fit; empty where it does."""
    now = micrograph.sha256, len(history(micrograph).done)
    unfit = len(found.not_applied)
    then, before, words = st.session_state.get(_UNFIT, (now, unfit, ""))
    if then != now:
        is_new = then[0] == now[0] and now[1] > then[1] and unfit > before
        words = found.not_applied[-1] if is_new else ""
    st.session_state[_UNFIT] = now, unfit, words
    return str(words)


def _draw_all(micrograph: Micrograph) -> None:
    """Draw changes to all objects together."""
    amount = st.number_input("Smooth outlines by (σ, px)", 0.5, 20.0, 2.0, 0.5, key="segment_sm_px")
    st.button("Smooth all outlines", on_click=add, args=(micrograph, Edit("smooth", amount=amount)))
    st.button("Fill all holes", on_click=add, args=(micrograph, Edit("fill")))
    st.button("Delete cut objects", on_click=add, args=(micrograph, Edit("drop_border")))
    st.divider()
    low = st.number_input("Smallest (px across)", 0.0, 1e6, 0.0, 1.0, key="segment_least_px")
    high = st.number_input(
        "Largest (px across)", 0.0, 1e6, 0.0, 1.0, key="segment_most_px", help="0 sets no limit."
    )
    circular = st.slider("Circularity from", 0.0, 1.0, 0.0, 0.05, key="segment_circularity")
    limits = [
        ("equivalent_diameter_px", low or None, high or None),
        ("circularity", circular or None, None),
    ]
    wanted = tuple(each for each in limits if each[1:] != (None, None))
    st.button(
        "Keep only these",
        disabled=not wanted,
        key="segment_keep",
        on_click=_keep,
        args=(micrograph, wanted),
    )


def _keep(
    micrograph: Micrograph, wanted: tuple[tuple[str, float | None, float | None], ...]
) -> None:
    add(micrograph, Edit("keep", limits=wanted))


def _undo(micrograph: Micrograph) -> None:
    edits_by_hand.put(micrograph.sha256, history(micrograph).undo())


def _redo(micrograph: Micrograph) -> None:
    edits_by_hand.put(micrograph.sha256, history(micrograph).redo())


def start_over(micrograph: Micrograph) -> None:
    """Undo all edits; they can be done again one by one."""
    while history(micrograph).done:
        _undo(micrograph)


def click(micrograph: Micrograph, mode: str, at: viewer.Click, find: Find) -> None:
    """Do what a click means."""
    if mode == GROW:
        far = max(micrograph.shape) / 4
        add(micrograph, Edit("grow", corners=((at.row, at.column),), amount=max(8.0, far)))
        return
    found = find()
    number = int(found.labels[at.row, at.column])
    if mode == DELETE and number:
        change(micrograph, "delete", found, number)
    elif mode == MERGE and number:
        _merge(micrograph, found, number)
    elif mode not in (DELETE, MERGE):
        picking.OBJECTS.click(number)


def _merge(micrograph: Micrograph, found: Segmentation, number: int) -> None:
    place, area = deepest(found.labels, number)
    first = st.session_state.get(_FIRST)
    if first is None:
        st.session_state[_FIRST] = place, area
        picking.OBJECTS.click(number)
        return
    if int(found.labels[round(first[0][0]), round(first[0][1])]) == number:
        st.session_state[_SAID] = "That is the same object. Click another that belongs to it."
        return
    del st.session_state[_FIRST]
    add(micrograph, Edit("merge", (first[0], place), area_px=(first[1], area)))


def change(micrograph: Micrograph, kind: str, found: Segmentation, *numbers: int) -> None:
    """Make an edit of one kind on some objects."""
    amount = 2.0 if kind == "smooth" else 0.0
    meant = [deepest(found.labels, number) for number in numbers]
    if kind == "merge":
        places, areas = zip(*meant, strict=True)
        add(micrograph, Edit(kind, places, area_px=areas))
        return
    for place, area in meant:
        add(micrograph, Edit(kind, (place,), amount=amount, area_px=(area,)))


def remember_shapes(micrograph: Micrograph) -> None:
    """Note which shapes are drawn before the hand draws another."""
    st.session_state[_SEEN] = {shape.number for shape in viewer.kept.shapes(micrograph)}


def take(micrograph: Micrograph, mode: str, shapes: Sequence[Shape], find: Find) -> bool:
    """Make an edit of a line or lasso that was just drawn; return whether there was one."""
    seen = st.session_state.get(_SEEN, set())
    new = [s for s in shapes if s.kind in _DRAWN.get(mode, ()) and s.number not in seen]
    if not new:
        return False
    for shape in new:
        try:
            add(micrograph, _edit_of(shape, mode, find))
        except UserError as error:
            st.session_state[_SAID] = say.plain(str(error))
    numbers = {shape.number for shape in new}
    viewer.kept.put(micrograph, tuple(s for s in shapes if s.number not in numbers))
    return True


def _edit_of(shape: Shape, mode: str, find: Find) -> Edit:
    step = max(1, -(-len(shape.points) // _MOST_CORNERS))
    corners = tuple((round(row, 1), round(col, 1)) for row, col in shape.points[::step])
    if mode == CUT:
        return Edit("cut", corners=corners)
    if mode == ADD:
        return Edit("add", corners=corners)
    labels = find().labels
    row, col = (sum(axis) / len(corners) for axis in zip(*corners, strict=True))
    inside = 0 <= row < labels.shape[0] and 0 <= col < labels.shape[1]
    number = int(labels[int(row), int(col)]) if inside else 0
    if not number:
        raise UserError("No object lies in the middle of what was drawn. Draw around one.")
    place, area = deepest(labels, number)
    return Edit("redraw", (place,), corners, area_px=(area,))

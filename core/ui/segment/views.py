"""The Segment page's picture: phases, outlines, doubt, and the hand that mends them."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.errors import UserError
from core.measuring.by_hand import Shape
from core.measuring.segmentation import OBJECTS, Segmentation
from core.micrograph import Micrograph
from core.ui import cache
from core.ui.parts import say, show, tables, viewer
from core.ui.segment import hand, picking, strokes
from core.ui.segment.settings import Asked
from core.ui.shell import segmenting

_MARK_PX = 0.028  # radius of “paint here next”, of the frame's shorter side
_WAITS = {
    cache.STROKES: "Paint a few strokes of each phase with the brush: the rest of the picture "
    "follows at once.",
    cache.FILE: "Give a label image, a mask or ROIs in the sidebar.",
}


def find(micrograph: Micrograph, asked: Asked) -> cache.Segmented | None:
    """Return what was found; where something is missing for that, say what, and return None."""
    choice = asked.choice
    waits = (choice.way == cache.STROKES and not choice.strokes) or (
        choice.way == cache.FILE and not choice.file
    )
    if waits:
        say.info("{words}", words=say.Line(_WAITS[choice.way]), icon=":material/brush:")
        return None
    try:
        with st.spinner("Segmenting …"):
            return cache.segmented(micrograph, choice, asked.given)
    except UserError as error:
        if choice.way != cache.STROKES:
            raise
        say.info("{error}", error=str(error), icon=":material/brush:")
        return None


def ask_phase(found: cache.Segmented, at_first: int) -> int:
    """Draw which phase is measured, where there are several; return its number."""
    phases = found.found.phases
    if found.found.kind == OBJECTS or len(phases) < 2 or found.found.origin.way == cache.CHAIN:
        return 1
    names = [phase.name for phase in phases]
    key = segmenting.PHASE
    if st.session_state.get(key) not in names:
        st.session_state[key] = names[(at_first or 1) - 1]
    chosen: str | None = st.segmented_control(
        "Measured phase", names, required=True, key=key, persist_state="session"
    )
    return 1 + names.index(chosen if chosen in names else names[0])


def draw(
    micrograph: Micrograph, asked: Asked, found: cache.Segmented | None, meant: cache.Objects
) -> None:
    """Draw what the hand does, the picture, and the object that is chosen."""
    mode = hand.ask_mode(with_brush=asked.choice.way == cache.STROKES)
    unfit = ""
    if found is not None:
        unfit = hand.notice(micrograph, cache.objects(micrograph, meant, asked.given))
    hand.draw_line(micrograph, mode, unfit)
    hand.remember_shapes(micrograph)
    strokes.remember(micrograph)
    layers: list[viewer.Layer] = []
    marked: tuple[int, ...] = ()
    table = pd.DataFrame()
    if found is not None:
        table = cache.object_table(micrograph, meant, asked.given)
        marked = picking.OBJECTS.labels(table, repr(meant))
        layers = _layers(micrograph, asked, found, meant, marked, with_outlines=mode != hand.PAINT)

    def look() -> Segmentation:
        return cache.objects(micrograph, meant, asked.given)

    def click(at: viewer.Click) -> None:
        if found is not None:
            hand.click(micrograph, mode, at, look)

    def shapes(drawn: tuple[Shape, ...]) -> bool:
        taken = found is not None and hand.take(micrograph, mode, drawn, look)
        return taken or strokes.have_changed(micrograph, drawn)

    viewer.show_micrograph(
        micrograph,
        asked.choice.exclude,
        key="segment_viewer",
        layers=layers,
        tools=hand.tools(mode),
        tool=hand.tool(mode),
        phases=asked.choice.names if mode == hand.PAINT else (),
        clickable=mode not in (hand.PAINT, hand.CUT, hand.ADD, hand.REDRAW),
        look_at=marked[0] if marked else None,
        alt=f"objects of {micrograph.name}",
        on_click=click,
        on_shapes=shapes,
    )
    if found is not None:
        _draw_chosen(micrograph, meant, asked, table, marked)
        if asked.choice.way == cache.STROKES:
            strokes.draw_advice(micrograph, asked.choice, asked.given, asked.choice.names)


def _layers(
    micrograph: Micrograph,
    asked: Asked,
    found: cache.Segmented,
    meant: cache.Objects,
    marked: tuple[int, ...],
    *,
    with_outlines: bool,
) -> list[viewer.Layer]:
    """Return phases, doubt and outlines; while a person paints, phases alone are clearer."""
    made = found.found
    name = f"{micrograph.key} {asked.choice!r}"
    layers: list[viewer.Layer] = []
    if made.kind != OBJECTS:
        layers.append(
            viewer.Raster(
                "Phases",
                f"phases {name}",
                cache.phase_values(made),
                viewer.class_colours([phase.colour for phase in made.phases], first=1),
                opacity=0.35,
                shown=asked.choice.way == cache.STROKES or len(made.phases) > 2,
                names={n: phase.name for n, phase in enumerate(made.phases, 1)},
            )
        )
    if found.doubt is not None:
        layers.append(_doubt(found.doubt, name))
    if with_outlines:
        layers.append(
            viewer.Outlines(
                "Outlines",
                f"objects {micrograph.key} {meant!r}",
                cache.object_outlines(micrograph, meant, asked.given),
                colour="#ff5ad1",
                selected=marked,
            )
        )
    if found.next_places:
        layers.append(_next(micrograph, found.next_places))
    return layers


def _doubt(values: NDArray[np.uint8], name: str) -> viewer.Raster:
    table = np.zeros((256, 4), np.uint8)
    table[:, :3] = (255, 235, 59)
    table[:, 3] = np.linspace(0, 235, 256)
    return viewer.Raster(
        "Doubt",
        f"doubt {name}",
        values,
        table,
        smooth=True,
        shown=False,
        reads="doubt ",
        step=100 / 255,
        unit=" %",
    )


def _next(micrograph: Micrograph, places: Sequence[tuple[int, int]]) -> viewer.Outlines:
    """Return rings around the places where a stroke would help most."""
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    ring = np.c_[np.sin(angles), np.cos(angles)] * max(6.0, _MARK_PX * min(micrograph.shape))
    return viewer.Outlines(
        "Paint here next",
        f"next {micrograph.shape} {places}",
        [(n, np.asarray(place) + ring) for n, place in enumerate(places, 1)],
        colour="#ffd43b",
    )


def _draw_chosen(
    micrograph: Micrograph,
    meant: cache.Objects,
    asked: Asked,
    table: pd.DataFrame,
    marked: tuple[int, ...],
) -> None:
    """Say what was measured of the chosen object, and offer to change it alone."""
    if not marked:
        return
    found = cache.objects(micrograph, meant, asked.given)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        say.markdown("{words}", words=_describe(table, marked), width="stretch")
        actions = [("Delete", "delete", "delete"), ("Fill holes", "fill", "format_color_fill")]
        actions.append(("Smooth", "smooth", "water"))
        if len(marked) > 1:
            actions = [("Delete", "delete", "delete"), ("Merge", "merge", "join_inner")]
        for label, kind, icon in actions:
            st.button(
                label,
                key=f"segment_do_{kind}",
                icon=f":material/{icon}:",
                type="tertiary",
                on_click=hand.change,
                args=(micrograph, kind, found, *marked),
            )


def _describe(table: pd.DataFrame, marked: tuple[int, ...]) -> say.Line:
    if len(marked) > 1:
        return say.line("**{count} objects** are marked.", count=len(marked))
    row = table[table["label"] == marked[0]].iloc[0]
    wanted = ("equivalent_diameter", "area", "circularity", "feret_max")
    told = [
        say.line("{name} {value:.4g}", name=tables.heading(name), value=row[name])
        for name in map(str, table.columns)
        if name.startswith(wanted) and not isnan(row[name])
    ]
    return say.line("**Object {n}** · {told}", n=marked[0], told=say.joined(told, " · "))


def draw_table(micrograph: Micrograph, meant: cache.Objects, given: cache.Given) -> None:
    """Draw the table of objects, whose chosen rows are marked in the picture."""
    table = cache.object_table(micrograph, meant, given)
    labels = picking.OBJECTS.clicked(table)
    with st.expander(
        say.line("Every object in a table ({count})", count=len(table)),
        icon=":material/table_rows:",
        expanded=bool(labels),
    ):
        show.table(
            tables.regions(table),
            picking.OBJECTS.table_key(),
            height=260,
            on_select="rerun",
            selection_mode="multi-row",
            selection_default={"selection": {"rows": tables.rows_of(table, labels)}},
        )

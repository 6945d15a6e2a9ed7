"""What a hand measured on a micrograph: names, lengths, angles and areas, and their statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from core.measuring.by_hand import PAINT, Shape, measure_shapes, summarise
from core.micrograph import Micrograph
from core.reporting.batch import csv_bytes
from core.ui import cache
from core.ui.parts import say, show
from core.ui.parts.viewer import kept

_UNITS = {"deg": "°", "nm2": "nm²", "px2": "px²"}


def draw(micrograph: Micrograph, shapes: Sequence[Shape], key: str) -> None:
    """Draw the list of what is measured on a micrograph; nothing while there is none."""
    drawn = [shape for shape in shapes if shape.kind not in PAINT]
    if not drawn:
        return
    table = measure_shapes(drawn, micrograph.pixel_size)
    with st.expander(
        say.line("Measured by hand ({count})", count=len(drawn)), key=f"{key}_by_hand"
    ):
        _names(micrograph, drawn, table, key)
        _statistics(table, key)
        stem = show.file_stem(micrograph)
        with st.container(horizontal=True):
            show.download(
                "By hand (CSV)",
                lambda: csv_bytes(table),
                f"{stem}_by_hand.csv",
                "text/csv",
                f"{key}_by_hand_csv",
            )
            show.download(
                "Picture with it (PNG)",
                lambda: _picture(micrograph, drawn),
                f"{stem}_by_hand.png",
                "image/png",
                f"{key}_by_hand_png",
            )
            show.download(
                "ROIs for ImageJ (ZIP)",
                lambda: _rois(drawn),
                f"{stem}_by_hand_rois.zip",
                "application/zip",
                f"{key}_by_hand_rois",
            )
            st.button(
                "Remove all",
                icon=":material/delete:",
                key=f"{key}_by_hand_clear",
                help="Undo in the picture brings them back.",
                on_click=_clear,
                args=(micrograph,),
            )


def _statistics(table: pd.DataFrame, key: str) -> None:
    """Draw number, mean and standard deviation, and beside them how the values spread."""
    found = summarise(table)
    if not len(found) or found["n"].max() < 2:
        return
    from core.reporting import figures

    numbers, charts = st.columns([2, 3], gap="medium")
    with numbers:
        show.table(found, f"{key}_by_hand_mean")
    with charts:
        for name in found.loc[found["n"] > 1, "measure"]:
            measure, _, unit = name.partition("_")
            counted = (table["kind"] != "ruler") | (measure != "angle")
            figure = figures.hand_histogram(
                table.loc[counted, name].dropna().to_numpy(float),
                measure,
                _UNITS.get(unit, unit),
                dark=show.is_dark(),
            )
            show.chart(figure, f"{key}_by_hand_{measure}", f"how each {measure} measured spreads")


def _picture(micrograph: Micrograph, drawn: Sequence[Shape]) -> bytes:
    """Return every pixel of the frame with what was drawn on it."""
    from core.imaging.display import to_display
    from core.reporting.paper import Panel, on_frame, png_of

    panel = Panel(
        to_display(micrograph),
        micrograph.pixel_size,
        shapes=drawn,
        written=cache.written_boxes(micrograph),
    )
    return png_of(on_frame(panel))


def _rois(drawn: Sequence[Shape]) -> bytes:
    from core.measuring.exchange import hand_rois_zip

    return hand_rois_zip(drawn)


def _names(micrograph: Micrograph, drawn: list[Shape], table: pd.DataFrame, key: str) -> None:
    """Draw the table, whose names can be changed."""
    shown = table.drop(columns=["row_px", "column_px"]).dropna(axis="columns", how="all")
    editor = f"{key}_names_{micrograph.sha256[:8]}_{kept.turn(micrograph)}_{len(drawn)}"
    edited = st.data_editor(
        shown,
        hide_index=True,
        disabled=[column for column in shown.columns if column != "name"],
        column_config=show.formats(shown),
        key=editor,
    )
    names = [str(name or "")[:80] for name in edited["name"]]
    if names == [shape.name for shape in drawn]:
        return
    new = {
        shape.number: replace(shape, name=name) for shape, name in zip(drawn, names, strict=True)
    }
    kept.put(micrograph, tuple(new.get(each.number, each) for each in kept.shapes(micrograph)))
    st.rerun(scope="fragment")


def _clear(micrograph: Micrograph) -> None:
    kept.put(micrograph, tuple(shape for shape in kept.shapes(micrograph) if shape.kind in PAINT))

"""The dialog of a figure: how it looks, and the files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.errors import UserError
from core.measuring.by_hand import Shape
from core.micrograph import Micrograph
from core.reporting.paper import (
    DPIS,
    FONTS,
    THEMES,
    WIDTHS_MM,
    Panel,
    Sheet,
    pdf_bytes,
    plate,
    png_of,
    svg_bytes,
)
from core.ui.parts import say, show
from core.ui.parts.paper import copying, cropping, kept
from core.ui.parts.viewer.layers import Layer
from core.ui.parts.viewer.seen import Seen

_WIDTHS = dict(zip(WIDTHS_MM, ("one column", "one and a half", "two columns"), strict=True))


@dataclass(frozen=True, slots=True)
class Shown:
    """A viewer as it was when a figure was asked for."""

    micrograph: Micrograph
    seen: Seen
    layers: Sequence[Layer]
    after: Micrograph | NDArray[np.uint8] | None
    shapes: Sequence[Shape]


def draw(shown: Shown) -> None:
    """Open the dialog."""
    _dialog(shown)


@st.dialog("Figure for a paper", width="large", icon=":material/image:")
def _dialog(shown: Shown) -> None:
    waiting = kept.panels()
    picture, settings = st.columns([3, 2], gap="medium")
    with settings:
        _style()
        both = shown.seen.compares and st.checkbox(
            "Both sides, as two panels", value=shown.seen.mode == "side", key="paper_both"
        )
        by_hand = bool(shown.shapes) and st.checkbox(
            "With what was drawn by hand", value=True, key="paper_by_hand"
        )
        own = cropping.panels_of(
            shown.micrograph,
            shown.seen,
            shown.layers,
            shown.after,
            shown.shapes,
            both=both,
            by_hand=by_hand,
        )
        panels = [*waiting, *own]
        columns = _columns(len(panels))
    try:
        sheet = plate(panels, kept.style(), columns=columns)
        # The screen, and what is pasted, need no more; the file is made when it is asked for.
        png = png_of(plate(panels, replace(kept.style(), dpi=DPIS[0]), columns=columns))
    except UserError as error:  # a dialog stands outside of its page's border
        picture.error(say.line("{error}", error=error), icon=":material/error:")
        return
    with picture:
        _preview(sheet, png, shown.micrograph.name)
        _files(sheet, png, show.file_stem(shown.micrograph))
    _several(own, len(waiting))


def _style() -> None:
    """Draw what is chosen once, for charts too."""
    now = kept.style()
    width = st.selectbox(
        "Width",
        WIDTHS_MM,
        index=WIDTHS_MM.index(now.width_mm) if now.width_mm in WIDTHS_MM else 0,
        format_func=lambda mm: f"{mm:g} mm · {_WIDTHS[mm]}",
        key="paper_width",
    )
    one, other = st.columns(2)
    dpi = one.selectbox("Resolution (dpi)", DPIS, index=DPIS.index(now.dpi), key="paper_dpi")
    fonts, themes = list(FONTS), list(THEMES)
    theme = other.selectbox("Paper", themes, index=themes.index(now.theme), key="paper_theme")
    font = one.selectbox(
        "Font",
        fonts,
        index=fonts.index(now.font),
        key="paper_font",
        help="Vera Sans travels inside the PDF; every reader has the other two.",
    )
    text = other.number_input("Letters (pt)", 4.0, 24.0, now.text_pt, 0.5, "%.1f", key="paper_text")
    line = one.number_input("Lines (pt)", 0.25, 6.0, now.line_pt, 0.25, "%.2f", key="paper_line")
    kept.change(
        width_mm=float(width),
        dpi=int(dpi),
        theme=theme,
        font=font,
        text_pt=float(text),
        line_pt=float(line),
    )
    say.caption("Kept for all figures and charts of this session.")


def _columns(count: int) -> int:
    if count < 2:
        return 1
    most = min(count, 4)
    chosen = st.number_input("Panels side by side", 1, most, min(count, 2), key="paper_columns")
    return int(chosen)


def _preview(sheet: Sheet, png: bytes, name: str) -> None:
    with st.container(border=True):
        st.image(png, width="stretch", alt=f"figure of {name}")
    say.caption(
        "{width} × {height} mm · {across} × {down} px at {dpi} dpi",
        width=f"{sheet.width_mm:.0f}",
        height=f"{sheet.height_mm:.0f}",
        across=sheet.width_px,
        down=sheet.height_px,
        dpi=sheet.dpi,
    )


def _files(sheet: Sheet, png: bytes, stem: str) -> None:
    with st.container(horizontal=True):
        show.download(
            "PNG",
            lambda: png if sheet.dpi == DPIS[0] else png_of(sheet),
            f"{stem}_figure.png",
            "image/png",
            "paper_png",
        )
        show.download(
            "SVG", lambda: svg_bytes(sheet), f"{stem}_figure.svg", "image/svg+xml", "paper_svg"
        )
        show.download(
            "PDF", lambda: pdf_bytes(sheet), f"{stem}_figure.pdf", "application/pdf", "paper_pdf"
        )
        copying.draw(png, "paper_copy")


def _several(own: Sequence[Panel], waiting: int) -> None:
    """Draw what puts several views into one figure."""
    with st.container(horizontal=True):
        if st.button(
            "Keep, and add another view",
            icon=":material/add_photo_alternate:",
            key="paper_keep",
            help="What is seen here becomes a panel. Show something else, here, on another page or "
            "of another micrograph, and press the figure button again: it is added as the next.",
        ):
            if kept.keep(own):
                st.rerun()
            say.warning("No room for more panels: save this figure, or begin anew.")
        if waiting and st.button(
            say.line("Begin anew ({count} kept)", count=waiting),
            icon=":material/delete:",
            key="paper_forget",
        ):
            kept.forget()
            st.rerun(scope="fragment")

"""The region of interest: a box or a lasso drawn on the picture, or a box typed in px."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.measuring.selection import Region
from core.micrograph import Micrograph
from core.reporting import figures
from core.ui import cache
from core.ui.parts import say, show, tables
from core.ui.shell import region

_TIMES_CLEARED = "cluster_region_cleared"
_FEWEST_CORNERS = 3  # of a lasso


def ask(micrograph: Micrograph) -> Region | None:
    """Draw the choice; return the region that holds, or None for the whole frame."""
    way = st.segmented_control(
        "Region of interest",
        (region.WHOLE, region.BOX, region.LASSO, region.TYPED),
        default=region.WHOLE,
        key=region.WAY,
        persist_state="session",
        help="Only pixels inside count. Box and lasso are drawn on the picture above the results; "
        "a typed box is given in px. It belongs to this micrograph: a batch measures whole frames.",
    )
    if way == region.TYPED:
        return _typed(micrograph)
    if way in (region.BOX, region.LASSO):
        _take_drawn(micrograph)
        corners = region.drawn().get(micrograph.sha256)
        return Region(corners) if corners else None
    return None


def draw(micrograph: Micrograph) -> None:
    """Draw the picture on which a region can be drawn, when a person chose to."""
    way = st.session_state.get(region.WAY)
    if way not in (region.BOX, region.LASSO):
        return
    corners = region.drawn().get(micrograph.sha256, ())
    outline = list(corners)
    if len(outline) == 2:
        (top, left), (bottom, right) = outline
        outline = [(top, left), (top, right), (bottom, right), (bottom, left)]
    picture = tables.data_url(cache.micrograph_png(micrograph), "image/png")
    figure = figures.region_picker(
        picture, micrograph.shape, outline, lasso=way == region.LASSO, dark=show.is_dark()
    )
    st.plotly_chart(
        figure,
        height=figure.layout.height,
        theme=None,
        config={"displayModeBar": False, "responsive": True},
        key=_chart_key(micrograph),
        on_select="rerun",
        selection_mode=("box", "lasso"),
        alt="The micrograph, on which a region can be drawn",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        if corners:
            st.button(
                "Use the whole frame", icon=":material/undo:", on_click=_clear, args=(micrograph,)
            )
        else:
            what = "a box" if way == region.BOX else "around what you want"
            say.caption(
                "Draw {what} with the pointer; until then the whole frame counts.", what=what
            )


def _typed(micrograph: Micrograph) -> Region:
    """Draw four numbers; both corners belong to the box."""
    height, width = micrograph.shape
    bounds = {
        "top": ("Top row", 0, height - 1, 0),
        "left": ("Left column", 0, width - 1, 0),
        "bottom": ("Bottom row", 0, height - 1, height - 1),
        "right": ("Right column", 0, width - 1, width - 1),
    }
    first, last = st.columns(2)
    top, left, bottom, right = (
        column.number_input(
            *bounds[side], key=region.side_key(side, micrograph), persist_state="session"
        )
        for side, column in zip(region.SIDES, (first, first, last, last), strict=True)
    )
    return Region(((top, left), (bottom, right)))


def _take_drawn(micrograph: Micrograph) -> None:
    """Keep what was drawn last: the chart forgets it with its page."""
    said = st.session_state.get(_chart_key(micrograph)) or {}
    corners = corners_of(said.get("selection", {}))
    if corners:
        region.drawn()[micrograph.sha256] = corners


def corners_of(selection: Mapping[str, Any]) -> tuple[tuple[float, float], ...]:
    """Return the (row, column) corners of the last box or lasso that plotly tells of.

    A slip of the pointer, which encloses nothing, is no lasso: two corners would mean a box.
    """
    lassos = [lasso for lasso in selection.get("lasso", ()) if len(lasso["x"]) >= _FEWEST_CORNERS]
    drawn: Sequence[Mapping[str, Any]] = [*selection.get("box", ()), *lassos]
    if not drawn:
        return ()
    columns, rows = drawn[-1]["x"], drawn[-1]["y"]
    step = max(1, -(-len(columns) // region.MOST_CORNERS))
    return tuple(
        (round(float(row), 1), round(float(column), 1))
        for row, column in zip(rows[::step], columns[::step], strict=True)
    )


def _clear(micrograph: Micrograph) -> None:
    region.drawn().pop(micrograph.sha256, None)
    st.session_state[_TIMES_CLEARED] = st.session_state.get(_TIMES_CLEARED, 0) + 1


def _chart_key(micrograph: Micrograph) -> str:
    """A cleared chart starts anew: plotly would draw its old selection again."""
    way, cleared = st.session_state.get(region.WAY), st.session_state.get(_TIMES_CLEARED, 0)
    return f"cluster_region_{micrograph.sha256}_{way}_{cleared}"

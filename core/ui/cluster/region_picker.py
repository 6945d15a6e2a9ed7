"""The region of interest: a box or a lasso drawn on the picture, or a box typed in px."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.measuring.by_hand import Shape
from core.measuring.selection import Region
from core.micrograph import Micrograph
from core.reporting import figures
from core.ui.parts import say, viewer
from core.ui.shell import region

_KINDS = {region.BOX: ("rectangle",), region.LASSO: ("lasso", "polygon")}


def ask(micrograph: Micrograph) -> Region | None:
    """Draw the choice; return the region that holds, or None for the whole frame."""
    way = st.segmented_control(
        "Pixels that count",
        (region.WHOLE, region.BOX, region.LASSO, region.TYPED),
        default=region.WHOLE,
        required=True,
        key=region.WAY,
        persist_state="session",
        help="Only pixels inside count. Box and lasso are drawn on the picture with its tools; "
        "a typed box is given in px. It belongs to this micrograph: a batch measures whole frames.",
    )
    if way == region.TYPED:
        return _typed(micrograph)
    if way in (region.BOX, region.LASSO):
        corners = region.drawn().get(micrograph.sha256)
        return Region(corners) if corners else None
    return None


def layers(found: Region | None, micrograph: Micrograph) -> list[viewer.Layer]:
    """Return the outline of the region that holds, to be drawn on the micrograph."""
    if found is None:
        return []
    corners = list(found.corners)
    if found.is_box:
        (top, left), (bottom, right) = corners
        corners = [(top, left), (top, right), (bottom, right), (bottom, left)]
    outline = np.array(corners, np.float32)
    name = f"region {corners} {micrograph.shape}"
    return [
        viewer.Outlines(
            "Region of interest", name, [(1, outline)], colour=figures.ORANGE, numbered=False
        )
    ]


def draw(micrograph: Micrograph) -> None:
    """Say how to draw a region when a person chose to, and offer to give it up."""
    way = st.session_state.get(region.WAY)
    if way not in (region.BOX, region.LASSO):
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if region.drawn().get(micrograph.sha256):
            st.button(
                "Use the whole frame", icon=":material/undo:", on_click=_clear, args=(micrograph,)
            )
        else:
            what = "the box tool" if way == region.BOX else "the lasso or the polygon tool"
            say.caption(
                "Draw with {what} above the picture; until then the whole frame counts.", what=what
            )


def take(micrograph: Micrograph, shapes: Sequence[Shape]) -> bool:
    """Keep the shape drawn last as the region, where a person chose to draw one.

    Returns whether the region is another than before.
    """
    corners = corners_of(shapes, st.session_state.get(region.WAY))
    if not corners or region.drawn().get(micrograph.sha256) == corners:
        return False
    region.drawn()[micrograph.sha256] = corners
    return True


def corners_of(shapes: Sequence[Shape], way: str | None) -> tuple[tuple[float, float], ...]:
    """Return the (row, column) corners of the box or lasso drawn last; none where there is none."""
    fit = [shape for shape in shapes if shape.kind in _KINDS.get(way or "", ())]
    if not fit:
        return ()
    points = fit[-1].points
    step = max(1, -(-len(points) // region.MOST_CORNERS))
    return tuple((round(row, 1), round(column, 1)) for row, column in points[::step])


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


def _clear(micrograph: Micrograph) -> None:
    """Give the region up, and the shapes that would make it again."""
    region.drawn().pop(micrograph.sha256, None)
    fit = _KINDS.get(st.session_state.get(region.WAY, ""), ())
    shapes = viewer.kept.shapes(micrograph)
    viewer.kept.put(micrograph, tuple(shape for shape in shapes if shape.kind not in fit))

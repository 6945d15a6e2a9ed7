"""What pages put into the viewer alike: the hatch over what is left out, a comparison, a list."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from core.measuring.by_hand import Shape
from core.micrograph import Micrograph
from core.ui import cache
from core.ui.parts import show
from core.ui.parts.compare import slider
from core.ui.parts.viewer import by_hand, kept
from core.ui.parts.viewer.layers import Layer, Raster
from core.ui.parts.viewer.microscope import (
    DIVIDE,
    MEASURING,
    SIDE,
    Click,
    Coloured,
    ViewerState,
    viewer,
)
from core.ui.parts.viewer.seen import LayerState, Seen, Window

_VEIL, _STRIPE = (30, 36, 40, 140), (240, 148, 90, 190)  # red, green, blue, opacity


def left_out(micrograph: Micrograph, exclude: bool, *, shown: bool = False) -> list[Raster]:
    """Return the layer that hatches what takes no part in results; none where all takes part."""
    if not cache.excluded_share(micrograph, exclude):
        return []
    colours = np.zeros((256, 4), np.uint8)
    colours[1], colours[2] = _VEIL, _STRIPE
    return [
        Raster(
            "Left out",
            f"left out {micrograph.key}",
            cache.left_out_stripes(micrograph),
            colours,
            shown=shown,
            names={1: "left out", 2: "left out"},
        )
    ]


@st.fragment
def show_micrograph(
    micrograph: Micrograph,
    exclude: bool,
    *,
    key: str,
    layers: Sequence[Layer] = (),
    after: Micrograph | Coloured | None = None,
    labels: tuple[str, str] | None = None,
    pngs: Callable[[], tuple[bytes, bytes]] | None = None,
    clickable: bool = False,
    look_at: int | None = None,
    mode: str = DIVIDE,
    tools: Sequence[str] = MEASURING,
    tool: str = "",
    phases: Sequence[str] = (),
    hatched: bool = False,
    alt: str = "",
    on_click: Callable[[Click], None] | None = None,
    on_shapes: Callable[[tuple[Shape, ...]], bool] | None = None,
) -> None:
    """Show a micrograph with its caption, and below it what a hand measured.

    A fragment: what is drawn makes nothing else of the page run, unless `on_shapes`, which gets
    the shapes, returns True. A click on the picture does, after `on_click`. With `pngs`, left and
    right, the other slider takes the viewer's place where a person chose it. With `hatched` what
    is left out is hatched at first.
    """
    caption = show.caption(micrograph, exclude)
    if pngs and labels and st.session_state.get(slider.CHOICE_KEY) == slider.JUXTAPOSE:
        slider.slider(*pngs(), labels=labels, key=f"{key}_slider", alt=alt, caption=caption)
        return
    asks = f"{key}_asks_page"  # whether what was drawn concerns the whole page

    def heed(shapes: tuple[Shape, ...]) -> None:
        concerns = on_shapes is not None and on_shapes(shapes)
        st.session_state[asks] = concerns or kept.is_awaited(micrograph)

    every_layer = [*left_out(micrograph, exclude, shown=hatched), *layers]
    state: ViewerState = viewer(
        micrograph,
        key=key,
        layers=every_layer,
        after=after,
        labels=labels,
        mode=mode,
        tools=tools,
        tool=tool,
        phases=phases,
        clickable=clickable,
        look_at=look_at,
        keep_clear=cache.written_boxes(micrograph),
        alt=alt or micrograph.name,
        caption=caption,
        on_click=on_click,
        on_shapes=heed,
    )
    if state.figure is not None:
        _open_figure(micrograph, state, every_layer, after)
    if tools:
        by_hand.draw(micrograph, state.shapes, key)
    if st.session_state.pop(asks, False) or (clickable and state.clicked is not None):
        st.rerun()


def open_figure(micrograph: Micrograph, layers: Sequence[Layer]) -> None:
    """Open the dialog of a figure of the whole frame under its layers, compared side by side."""
    height, width = micrograph.shape
    low, high = cache.window(micrograph)
    seen = Seen(
        slice(0, height),
        slice(0, width),
        SIDE,
        {"base": Window(low, high, 1.0)},
        {each.name: LayerState(each.shown, getattr(each, "opacity", 1.0)) for each in layers},
    )
    _open_figure(micrograph, ViewerState(kept.shapes(micrograph), figure=seen), layers, None)


def _open_figure(
    micrograph: Micrograph,
    state: ViewerState,
    layers: Sequence[Layer],
    after: Micrograph | Coloured | None,
) -> None:
    """Open the dialog of a figure of what is seen; who needs none loads nothing of it."""
    from core.ui.parts.paper import dialog

    if state.figure is None:
        return
    other = after.picture if isinstance(after, Coloured) else after
    dialog.draw(dialog.Shown(micrograph, state.figure, layers, other, state.shapes))

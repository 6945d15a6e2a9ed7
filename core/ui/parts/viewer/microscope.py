"""The viewer: a micrograph as a microscope's own screen shows it, and a hand that measures on it.

    state = viewer(
        micrograph,
        key="explain_viewer",
        layers=[heat_map],                     # `Raster` and `Outlines`, over the picture
        labels=("Original", "Grad-CAM"),       # compare: left without the layers, right with them
        after=None,                            # or another picture for the right side
        tools=MEASURING,                       # or PAINTING, or any of `KINDS`, or ()
        phases=("matrix", "carbide"),          # what the brush can paint: 1, 2, …
        clickable=True,
    )
    state.shapes                               # tuple of `Shape`, in the micrograph's (row, column)
    state.clicked                              # Click(row, column, region) of this run, or None
    state.figure                               # Seen: a figure of the view is asked for, or None
    paint(state.shapes, micrograph.shape)      # (H, W) int: 0 not painted, else the phase
    Region(shape.points).mask(micrograph.shape)  # of a rectangle, polygon or lasso

Zooming, moving, grey levels on the screen and layers run nothing on the server. A shape is reported
when it is finished, once: the page runs again, or, where the viewer is called inside of a fragment,
that alone. Shapes are kept with the micrograph, so that every page shows them; a page changes them
with `kept.put`. The browser fetches the tiles that it shows of a pyramid in the pixels' own depth,
by HTTP ranges of one file of Streamlit's media store: nothing large travels in a message, and
nothing comes from elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.imaging.display import Pyramid
from core.measuring.by_hand import KINDS, Shape
from core.micrograph import Micrograph
from core.ui import cache
from core.ui.parts.viewer import kept, media
from core.ui.parts.viewer.layers import Layer, Outlines, Raster, pack_outlines
from core.ui.parts.viewer.seen import Seen, read_seen

MEASURING = ("ruler", "angle", "rectangle", "ellipse", "polygon", "lasso", "point")
PAINTING = ("brush", "eraser", "lasso", "polygon")
DIVIDE, ONE, SIDE, BLINK = "divide", "one", "side", "blink"
_BYTES = "application/octet-stream"
DIVIDE_SHARE = 0.15  # what matters is on the right side

Box = tuple[int, int, int, int]

_HERE = Path(__file__).parent
_mount = st.components.v2.component(
    "micrographia_microscope",
    html=(_HERE / "microscope.html").read_text(encoding="utf-8"),
    css=(_HERE / "microscope.css").read_text(encoding="utf-8"),
    js="\n".join(part.read_text(encoding="utf-8") for part in sorted((_HERE / "js").glob("*.js"))),
)


@dataclass(frozen=True, slots=True)
class Coloured:
    """A picture in colours beside the micrograph, of its size; `key` names what it depends on."""

    key: str
    picture: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Click:
    """Where a person clicked, in px, and the number of the region there, 0 for none."""

    row: int
    column: int
    region: int


@dataclass(frozen=True, slots=True)
class ViewerState:
    """What a person drew, and what was clicked or asked for to make the page run this time."""

    shapes: tuple[Shape, ...]
    clicked: Click | None = None
    figure: Seen | None = None


def viewer(
    micrograph: Micrograph,
    *,
    key: str,
    layers: Sequence[Layer] = (),
    after: Micrograph | Coloured | None = None,
    labels: tuple[str, str] | None = None,
    mode: str = DIVIDE,
    tools: Sequence[str] = MEASURING,
    tool: str = "",
    phases: Sequence[str] = (),
    clickable: bool = False,
    look_at: int | None = None,
    keep_clear: Sequence[Box] = (),
    alt: str = "",
    caption: str = "",
    on_click: Callable[[Click], None] | None = None,
    on_shapes: Callable[[tuple[Shape, ...]], None] | None = None,
) -> ViewerState:
    """Show a micrograph, and return what a hand did on it.

    Parameters
    ----------
    micrograph : Micrograph
    key : str
        Names this viewer; how it compares and which layers it shows is kept under it in the
        browser, zoom and grey levels with the micrograph, across reruns and changes of page.
    layers : sequence of Raster or Outlines
        From the lowest to the topmost; of the micrograph's size.
    after : Micrograph or Coloured, optional
        What lies on the right side of a comparison instead of the micrograph itself.
    labels : (str, str), optional
        What the left and the right side are called; with them the viewer compares.
    mode : str
        How it compares at first: DIVIDE, ONE, SIDE or BLINK.
    tools : sequence of str
        Kinds of shape that can be drawn.
    tool : str
        The one that the hand takes up when the page says another than before; "move" is none.
    phases : sequence of str
        What a brush can paint.
    clickable : bool
        Whether a click that hits no shape makes the page run.
    look_at : int, optional
        Number of the region that is brought into view when it changes.
    keep_clear : sequence of (top, left, bottom, right)
        Boxes in px that the scale bar does not cover, as the instrument wrote there.
    alt, caption : str
    on_click, on_shapes : callable, optional
        Called before the page runs again.

    Raises
    ------
    ValueError
        If a layer or `after` differs from the micrograph in size, or a tool is unknown.
    """
    _check(micrograph, layers, after, tools)

    def report_shapes() -> None:
        said = st.session_state.get(key) or {}
        if kept.take(micrograph, said.get("shapes")) and on_shapes is not None:
            on_shapes(kept.shapes(micrograph))

    def report_click() -> None:
        clicked = _click((st.session_state.get(key) or {}).get("clicked"), micrograph)
        if clicked is not None and on_click is not None:
            on_click(clicked)

    data = {
        "key": key,
        "of": micrograph.sha256,
        "name": micrograph.name,
        "alt": alt,
        "caption": caption,
        "height": micrograph.shape[0],
        "width": micrograph.shape[1],
        "nmPerPx": micrograph.pixel_size.to("nm") if micrograph.pixel_size else None,
        "base": _grey(micrograph, f"{key}/base"),
        "after": _after(after, f"{key}/after"),
        "labels": list(labels) if labels else None,
        "mode": mode,
        "divide": DIVIDE_SHARE,
        "layers": [_layer(layer, f"{key}/{layer.name}") for layer in layers],
        "tools": list(tools),
        "tool": tool,
        "classes": [{"number": n, "name": name} for n, name in enumerate(phases or ("1",), 1)],
        "clickable": clickable,
        "lookAt": look_at,
        "avoid": [list(box) for box in keep_clear],
        "shapes": [kept.to_viewer(shape) for shape in kept.shapes(micrograph)],
        "turn": kept.turn(micrograph),
        "hint": _hint(tools, clickable),
    }
    result = _mount(
        key=key,
        data=data,
        on_shapes_change=report_shapes,
        on_clicked_change=report_click,
        on_figure_change=lambda: None,
    )
    return ViewerState(
        kept.shapes(micrograph),
        _click(result.clicked, micrograph),
        read_seen(result.figure, micrograph),
    )


def _check(
    micrograph: Micrograph,
    layers: Sequence[Layer],
    after: Micrograph | Coloured | None,
    tools: Sequence[str],
) -> None:
    for layer in layers:
        if isinstance(layer, Raster) and layer.values.shape != micrograph.shape:
            raise ValueError(f"layer {layer.values.shape} on a frame of {micrograph.shape}")
    if after is not None:
        shape = after.shape if isinstance(after, Micrograph) else after.picture.shape[:2]
        if shape != micrograph.shape:
            raise ValueError(f"a picture of {shape} beside one of {micrograph.shape}")
    unknown = set(tools) - KINDS.keys()
    if unknown:
        raise ValueError(f"tools must be some of {tuple(KINDS)}, not {sorted(unknown)}")


def _hint(tools: Sequence[str], clickable: bool) -> str:
    hint = "Scroll or pinch to zoom, drag to move, double-click for all of it"
    if clickable:
        hint += "; click to choose"
    return hint + ("; draw with the tools above." if tools else ".")


def _grey(micrograph: Micrograph, place: str) -> dict[str, Any]:
    facts = cache.grey_facts(micrograph)
    return {
        **_tiles(cache.pyramid(micrograph), f"grey {micrograph.key}", place),
        "window": facts.window,
        "range": facts.range,
        "histogram": facts.histogram,
    }


def _after(after: Micrograph | Coloured | None, place: str) -> dict[str, Any] | None:
    if after is None:
        return None
    if isinstance(after, Micrograph):
        return _grey(after, place)
    tiles = _tiles(cache.picture_pyramid(after.key, after.picture), f"rgb {after.key}", place)
    return {**tiles, "window": (0, 255), "range": (0, 255), "histogram": ()}


def _layer(layer: Layer, place: str) -> dict[str, Any]:
    if isinstance(layer, Outlines):
        return {
            "kind": "outlines",
            "name": layer.name,
            "url": media.address(
                pack_outlines(layer), _BYTES, f"outlines {layer.key}", f"viewer {place}"
            ),
            "colour": layer.colour,
            "numbered": layer.numbered,
            "selected": list(layer.selected),
            "shown": layer.shown,
        }
    found = cache.layer_pyramid(layer.key, layer.values, layer.smooth)
    return {
        "kind": "raster",
        "name": layer.name,
        **_tiles(found, f"layer {layer.key}", place),
        "colours": np.ascontiguousarray(layer.colours).view("<u4").ravel().tolist(),
        "smooth": layer.smooth,
        "opacity": layer.opacity,
        "shown": layer.shown,
        "reads": layer.reads or ("name" if layer.names else ""),
        "step": layer.step,
        "unit": layer.unit,
        "names": {str(value): name for value, name in layer.names.items()} or None,
    }


def _tiles(found: Pyramid, name: str, place: str) -> dict[str, Any]:
    return {
        "url": media.address(found.data, _BYTES, name, f"viewer {place}"),
        "shapes": found.shapes,
        "offsets": found.offsets,
        "dtype": found.dtype,
        "deflated": found.deflated,
    }


def _click(said: Any, micrograph: Micrograph) -> Click | None:
    """Return what a browser reports as clicked on this micrograph; None for anything else."""
    if not isinstance(said, dict) or said.get("of") != micrograph.sha256:
        return None
    values = [said.get("x"), said.get("y"), said.get("number")]
    if not all(isinstance(v, int | float) and math.isfinite(v) for v in values):
        return None
    column, row, region = (math.floor(float(v)) for v in values if v is not None)
    height, width = micrograph.shape
    if not (0 <= row < height and 0 <= column < width and region >= 0):
        return None
    return Click(row, column, region)

"""The pixel size in the sidebar: what the file says, or what a person sets instead."""

from __future__ import annotations

import streamlit as st

from core.imaging.scale import ScaleBar, specimen_field, words
from core.micrograph import Micrograph, PixelSize
from core.ui import cache
from core.ui.parts import on_primary, say, viewer
from core.ui.shell import workspace

_UNITS = ("nm", "µm", "mm")
_TYPED, _FROM_BAR, _DRAWN = "Type it", "Scale bar", "Drawn length"


def draw(micrograph: Micrograph) -> None:
    """Draw the pixel size, the field of view and the two ways to set the scale by hand."""
    size = micrograph.pixel_size
    given = words.given_later(micrograph)
    title = f"Pixel size: {size or 'unknown'}{f' ({given})' if given else ''}"
    sha256 = micrograph.sha256
    with st.sidebar.expander(
        say.line("{title}", title=title),
        icon=":material/straighten:",
        key=f"sidebar_calibration_{sha256}",
    ):
        _say_where_from(micrograph)
        way = st.segmented_control(
            "Set by hand",
            (_TYPED, _FROM_BAR, _DRAWN),
            default=_TYPED,
            required=True,
            key=f"sidebar_way_{sha256}",
            persist_state="session",
        )
        viewer.kept.await_shapes(micrograph, way == _DRAWN)
        if way == _TYPED:
            _type_it(micrograph)
        elif way == _FROM_BAR:
            _measure_bar(micrograph)
        elif way == _DRAWN:
            _take_length(micrograph)
        if given:
            own = workspace.own_pixel_size(micrograph)
            st.button(
                say.line("Back to the file's own: {own}" if own else "Back to unknown", own=own),
                key=f"sidebar_undo_{sha256}",
                icon=":material/undo:",
                on_click=_set,
                args=(sha256, None),
            )


def _say_where_from(micrograph: Micrograph) -> None:
    """Write who states the scale, or the sentence why there is none, and the field of view."""
    stated = str(micrograph.metadata.get("calibration", ""))
    if micrograph.pixel_size is None:
        reason = stated.removeprefix("no pixel size: ")
        stated = f"{reason[0].upper()}{reason[1:]}." if reason else _NONE_STATED
        say.caption("{stated}", stated=stated)
        return
    wide, high = specimen_field(cache.overlays(micrograph), micrograph.pixel_size)
    source = f"From {stated} · " if stated and not words.given_later(micrograph) else ""
    say.caption("{source}field {wide} × {high}", source=source, wide=wide, high=high)


_NONE_STATED = "The file states no pixel size: lengths and areas are in pixels."


def _type_it(micrograph: Micrograph) -> None:
    key = _typed_key(micrograph.sha256)
    size = micrograph.pixel_size
    st.number_input(
        "Pixel size by hand (nm/px)",
        min_value=0.0001,
        max_value=1e6,
        value=size.to("nm") if size and words.is_set_by_hand(micrograph) else None,
        step=0.1,
        format="%.6g",
        placeholder=f"{size.to('nm'):.6g}" if size else "unknown",
        key=key,
        help="Clear the field to go back to what the file says.",
        on_change=_take_typed,
        args=(micrograph.sha256,),
    )


def _take_typed(sha256: str) -> None:
    typed = st.session_state[_typed_key(sha256)]
    workspace.set_pixel_size(sha256, PixelSize(typed, "nm") if typed else None)


def _measure_bar(micrograph: Micrograph) -> None:
    """Ask for the length and the two ends of a scale bar, and show where these ends lie."""
    sha256 = micrograph.sha256
    found = cache.scale_bar(micrograph)
    height, width = micrograph.shape
    start = found or ScaleBar(int(0.9 * height), int(0.1 * width), int(0.3 * width))
    number, unit = st.columns([3, 2])
    length = number.number_input(
        "Length", 0.0, 1e6, None, format="%.6g", placeholder="e.g. 200", key=f"bar_length_{sha256}"
    )
    chosen = unit.selectbox("Unit", _UNITS, key=f"bar_unit_{sha256}")
    left_box, right_box, row_box = st.columns(3)
    left = left_box.number_input("x1 (px)", 0, width, start.left, key=f"bar_left_{sha256}")
    right = right_box.number_input("x2 (px)", 0, width, start.right, key=f"bar_right_{sha256}")
    row = row_box.number_input("row", 0, height - 1, start.row, key=f"bar_row_{sha256}")
    ends = cache.bar_ends_png(micrograph, ScaleBar(row, left, right))
    st.image(ends, width="stretch", alt="The picture around both ends of the scale bar")
    st.caption(
        "Found in the picture: check that both lines touch its ends."
        if found
        else "No scale bar was found: move x1, x2 and row until both lines touch its ends."
    )
    ready = bool(length) and left != right
    st.button(
        on_primary("Set pixel size", enabled=ready),
        key=f"bar_set_{sha256}",
        type="primary",
        disabled=not ready,
        help=None if ready else "Type the length that stands beside the bar first.",
        on_click=_take_bar,
        args=(sha256, length, chosen, abs(right - left)),
    )


def _take_length(micrograph: Micrograph) -> None:
    """Ask how long a length is that was drawn in the picture."""
    drawn = [shape for shape in viewer.kept.shapes(micrograph) if shape.kind == "ruler"]
    if not drawn:
        st.caption("Draw a length along the scale bar first, with the ruler above the picture.")
        return
    sha256 = micrograph.sha256
    number, unit = st.columns([3, 2])
    length = number.number_input(
        say.line("{name}, {px:.1f} px, is", name=drawn[-1].name, px=drawn[-1].length_px),
        0.0,
        1e6,
        None,
        format="%.6g",
        placeholder="e.g. 200",
        key=f"drawn_length_{sha256}",
    )
    chosen = unit.selectbox("Unit", _UNITS, key=f"drawn_unit_{sha256}")
    st.button(
        on_primary("Set pixel size", enabled=bool(length)),
        key=f"drawn_set_{sha256}",
        type="primary",
        disabled=not length,
        help=None if length else "Type how long it is first.",
        on_click=_take_bar,
        args=(sha256, length, chosen, drawn[-1].length_px),
    )


def _take_bar(sha256: str, length: float, unit: str, bar_px: float) -> None:
    _set(sha256, words.pixel_size_from_bar(length, unit, bar_px))


def _set(sha256: str, size: PixelSize | None) -> None:
    workspace.set_pixel_size(sha256, size)
    st.session_state[_typed_key(sha256)] = size.to("nm") if size else None


def _typed_key(sha256: str) -> str:
    return f"sidebar_scale_{sha256}"

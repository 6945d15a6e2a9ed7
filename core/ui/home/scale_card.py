"""What a card offers where the pixel size is unknown: what was found, to be confirmed or mended."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.imaging.scale import ScaleBar, ScaleReading, words
from core.micrograph import Micrograph, PixelSize
from core.ui import cache
from core.ui.parts import on_primary, say, viewer
from core.ui.shell import readings, scopes, workspace

UNITS = ("nm", "µm", "mm", "Å")


@dataclass(frozen=True, slots=True)
class _Proposal:
    """A bar and the length beside it, each where it was found."""

    bar: ScaleBar | None
    length: float | None
    unit: str
    words: say.Line


def draw(micrograph: Micrograph) -> None:
    """Draw what is known of a missing scale, and how to give it."""
    stated = words.stated_sizes(micrograph)
    if stated:
        _offer_stated(micrograph, stated)
    elif readings.is_waiting(micrograph):
        st.caption("No scale. Looking whether the picture states one …")
    else:
        _offer_bar(micrograph)


def _offer_stated(micrograph: Micrograph, stated: list[tuple[str, PixelSize]]) -> None:
    """Offer each size of a file that contradicts itself; a person chooses."""
    st.caption("No scale: the file contradicts itself. Use")
    with st.container(horizontal=True, gap="xxsmall"):
        for place, (who, size) in enumerate(stated):
            st.button(
                say.line("{size}", size=str(size)),
                key=f"home_stated_{place}_{micrograph.sha256}",
                help=say.line("Stated by {who}", who=who),
                on_click=workspace.set_pixel_size,
                args=(micrograph.sha256, size),
            )
    for who, size in stated:
        say.caption("{size}: {who}", size=str(size), who=who)


def _offer_bar(micrograph: Micrograph) -> None:
    found = readings.outcome(micrograph)
    reading = found.reading if found else None
    if found and found.problem:
        say.caption("No scale. {problem}", problem=found.problem)
    if reading and reading.bar is None and reading.pixel_size is not None:
        _offer_field(micrograph, reading, reading.pixel_size)
        return
    proposal = _propose(micrograph, reading)
    if not (found and found.problem):
        say.caption("{words}", words=proposal.words)
    if proposal.bar is not None:
        _confirm(micrograph, proposal)
    with st.container(horizontal=True, gap="xxsmall"):
        _move_ends(micrograph, proposal)
        _read_it(micrograph, tried=found is not None and found.reading is not None)


def _propose(micrograph: Micrograph, reading: ScaleReading | None) -> _Proposal:
    """Return what was read, else the bar that was found without its length."""
    if reading is not None:
        text = say.line("No scale. “{text}” is written; give its bar's ends.", text=reading.text)
        if reading.bar is not None:
            text = say.line("No scale. Bar of {px} px found:", px=_length_px(reading.bar))
        return _Proposal(reading.bar, reading.value, reading.unit, text)
    lettered = any(cache.info_bars(micrograph)) or cache.holds_lettering(micrograph)
    bar = cache.scale_bar(micrograph) if lettered else None
    if bar is None:
        return _Proposal(None, None, "nm", say.line("No scale, and no scale bar was found."))
    text = say.line("No scale. Bar of {px} px found:", px=_length_px(bar))
    return _Proposal(bar, None, "nm", text)


def _offer_field(micrograph: Micrograph, reading: ScaleReading, size: PixelSize) -> None:
    """Offer the scale by the width of the field, where no bar could check it."""
    say.caption(
        "No scale. “{text}” is written as the width of the field: {size}. No bar checks it.",
        text=reading.text,
        size=str(size),
    )
    chosen = scopes.pick(micrograph, "home_field")
    st.button(
        on_primary("Use it"),
        key=f"home_field_use_{micrograph.sha256}",
        type="primary",
        on_click=_use_size,
        args=(micrograph, size, chosen),
    )


def _confirm(micrograph: Micrograph, proposal: _Proposal) -> None:
    """Show both ends enlarged, the length beside them, and one button."""
    sha256, bar = micrograph.sha256, _bar(micrograph, proposal)
    st.image(
        cache.bar_ends_png(micrograph, bar),
        width="stretch",
        alt="The picture around both ends of the scale bar",
    )
    number, unit = st.columns([3, 2], gap="xsmall")
    length = number.number_input(
        "Length of the bar",
        0.0,
        1e6,
        proposal.length,
        format="%.6g",
        placeholder="its length",
        key=f"home_length_{sha256}",
        label_visibility="collapsed",
    )
    unit.selectbox(
        "Its unit",
        UNITS,
        UNITS.index(proposal.unit) if proposal.unit in UNITS else 0,
        key=f"home_unit_{sha256}",
        label_visibility="collapsed",
    )
    scope = scopes.pick(micrograph, "home_bar")
    ready = bool(length) and bar.left != bar.right
    written = f"{length:g} {st.session_state[f'home_unit_{sha256}']}" if length else ""
    label = f"Use {written} = {_length_px(bar)} px" if ready else "Use it"
    st.button(
        on_primary(label, enabled=ready),
        key=f"home_use_{sha256}",
        type="primary",
        disabled=not ready,
        width="stretch",
        help=None if ready else "Type the length that stands beside the bar first.",
        on_click=_use_bar,
        args=(micrograph, bar, scope),
    )


def _move_ends(micrograph: Micrograph, proposal: _Proposal) -> None:
    """Draw the places of the ends; they hold for the picture and the button above."""
    height, width = micrograph.shape
    bar = proposal.bar or ScaleBar(int(0.9 * height), int(0.1 * width), int(0.3 * width))
    with st.popover("Move the ends" if proposal.bar else "Give a bar", icon=":material/width:"):
        st.button(
            "Drag them in the picture",
            key=f"home_drag_{micrograph.sha256}",
            icon=":material/straighten:",
            on_click=_lay_ruler,
            args=(micrograph, _bar(micrograph, _Proposal(bar, None, "nm", proposal.words))),
            help="Lays a ruler along the bar in the picture: its ends can be dragged.",
        )
        left, right, row = st.columns(3, gap="xsmall")
        left.number_input("x1 (px)", 0, width, bar.left, key=_key(micrograph, "left"))
        right.number_input("x2 (px)", 0, width, bar.right, key=_key(micrograph, "right"))
        row.number_input("row", 0, height - 1, bar.row, key=_key(micrograph, "row"))
        if proposal.bar is None:
            _confirm(micrograph, _Proposal(bar, proposal.length, proposal.unit, proposal.words))
        else:
            st.caption("Until both lines on the card touch the bar's ends.")


def _bar(micrograph: Micrograph, proposal: _Proposal) -> ScaleBar:
    """Return the bar as it was moved, else as it was found."""
    dragged = viewer.kept.bar_ends(micrograph)
    if dragged is not None:
        return _inside(micrograph, ScaleBar(*dragged))
    found = proposal.bar or ScaleBar(0, 0, 0)
    row, left, right = (
        st.session_state.get(_key(micrograph, name), getattr(found, name))
        for name in ("row", "left", "right")
    )
    return ScaleBar(row, left, right)


def _lay_ruler(micrograph: Micrograph, bar: ScaleBar) -> None:
    workspace.select(micrograph.sha256)
    viewer.kept.lay_bar(micrograph, (bar.row, bar.left, bar.right))


def _inside(micrograph: Micrograph, bar: ScaleBar) -> ScaleBar:
    """Return a bar whose ends were dragged, within the frame."""
    height, width = micrograph.shape
    row, left, right = (
        min(max(0, value), most)
        for value, most in ((bar.row, height - 1), (bar.left, width), (bar.right, width))
    )
    return ScaleBar(row, left, right)


def _read_it(micrograph: Micrograph, *, tried: bool) -> None:
    """Offer to read a picture that was left out, since many are loaded or no letters were found."""
    if tried or cache.reading_problem() or readings.is_wanted(micrograph):
        return
    st.button(
        "Read it",
        key=f"home_read_{micrograph.sha256}",
        icon=":material/document_scanner:",
        help="Read the length that is written in the picture.",
        on_click=readings.want,
        args=([micrograph.sha256],),
    )


def _use_bar(micrograph: Micrograph, bar: ScaleBar, scope: str) -> None:
    length = st.session_state.get(f"home_length_{micrograph.sha256}")
    unit = st.session_state.get(f"home_unit_{micrograph.sha256}", "nm")
    size = words.pixel_size_from_bar(length or 0, unit, abs(bar.right - bar.left))
    viewer.kept.lay_bar(micrograph, None)
    _use_size(micrograph, size, scope)
    workspace.leave_out_bar(micrograph.sha256, (bar.row, bar.left, bar.right))


def _use_size(micrograph: Micrograph, size: PixelSize, scope: str) -> None:
    workspace.set_pixel_sizes(dict.fromkeys(scopes.members(micrograph, scope), size))


def _length_px(bar: ScaleBar) -> int:
    return abs(bar.right - bar.left)


def _key(micrograph: Micrograph, what: str) -> str:
    return f"home_bar_{what}_{micrograph.sha256}"

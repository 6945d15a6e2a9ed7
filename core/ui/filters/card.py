"""One filter of the chain: its switch, its buttons, and a control for each of its settings."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.imaging.filtering import FILTERS, SAME, FilterSpec, Parameter
from core.micrograph import Micrograph
from core.ui.parts import say
from core.ui.shell import Link, filter_chain, workspace

_SLOW = "Slow: a part is shown first, the whole follows."


def draw(link: Link, place: int, total: int, micrograph: Micrograph) -> None:
    """Draw one filter of the chain: the last open, the others in a line that opens."""
    spec = FILTERS[link.filter]
    if place == total - 1:
        with st.container(border=True, gap="xxsmall"):
            _draw_switch(link, place, spec)
            _draw_buttons(link, place, total)
            if link.on:
                _draw_settings(link, spec, micrograph)
        return
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="xxsmall"):
        with st.container():
            _draw_switch(link, place, spec)
        with st.popover(
            "",
            icon=":material/tune:",
            type="tertiary",
            help="Set or move",
            key=f"filters_{link.number}_folded",
        ):
            _draw_buttons(link, place, total)
            if link.on:
                _draw_settings(link, spec, micrograph)


def _draw_switch(link: Link, place: int, spec: FilterSpec) -> None:
    link.on = st.toggle(
        say.line("**{place}. {title}**", place=place + 1, title=spec.title),
        link.on,
        key=f"filters_{link.number}_on",
        help=_help(spec),
    )


def _draw_buttons(link: Link, place: int, total: int) -> None:
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="xxsmall"):
        for name, icon, label, disabled, action, more in (
            ("up", "arrow_upward", "Move up", place == 0, filter_chain.move, (-1,)),
            ("down", "arrow_downward", "Move down", place == total - 1, filter_chain.move, (1,)),
            (
                "copy",
                "content_copy",
                "Duplicate",
                filter_chain.is_full(),
                filter_chain.duplicate,
                (),
            ),
            ("remove", "close", "Remove", False, filter_chain.remove, ()),
        ):
            st.button(
                "",
                icon=f":material/{icon}:",
                key=f"filters_{name}_{link.number}",
                help=label,
                type="tertiary",
                disabled=disabled,
                on_click=action,
                args=(link, *more),
            )


def _draw_settings(link: Link, spec: FilterSpec, micrograph: Micrograph) -> None:
    if link.step.is_slow:
        st.caption(_SLOW)
    if any(parameter.is_length for parameter in spec.parameters):
        _draw_unit(link, spec, micrograph)
    for parameter in spec.parameters:
        if parameter.is_length and parameter.name_nm in link.values:
            link.values[parameter.name_nm] = _length_nm(link, parameter, micrograph)
        else:
            link.values[parameter.name] = _control(link, parameter, micrograph)


def _draw_unit(link: Link, spec: FilterSpec, micrograph: Micrograph) -> None:
    """Offer lengths in nanometres where the pixel size is known, and change them over."""
    was_nm = any(name.endswith(("_nm", "_nm2")) for name in link.values)
    if micrograph.pixel_size is None and not was_nm:
        return
    in_nm = st.checkbox("Lengths in nm", was_nm, key=f"filters_{link.number}_nm")
    if in_nm == was_nm:
        return
    per_px = micrograph.pixel_size.to("nm") if micrograph.pixel_size else None
    values = {}
    for parameter in spec.parameters:
        if not parameter.is_length:
            values[parameter.name] = link.values[parameter.name]
        elif in_nm and per_px is not None:
            values[parameter.name_nm] = float(
                f"{link.values[parameter.name] * per_px**parameter.power:.6g}"
            )
        else:
            values[parameter.name] = _in_range(
                parameter, link.values[parameter.name_nm], micrograph
            )
    link.values = values


def _in_range(parameter: Parameter, length_nm: float, micrograph: Micrograph) -> Any:
    """Return a length in px, as near as the setting takes; its default without a pixel size."""
    if micrograph.pixel_size is None:
        return parameter.default
    per_px = micrograph.pixel_size.to("nm") ** parameter.power
    inside = min(max(length_nm, parameter.low * per_px), parameter.high * per_px)
    return parameter.in_pixels(inside, micrograph.pixel_size)


def _length_nm(link: Link, parameter: Parameter, micrograph: Micrograph) -> float:
    value = float(link.values[parameter.name_nm])
    nm_per_px = micrograph.pixel_size.to("nm") if micrograph.pixel_size else None
    per_px = None if nm_per_px is None else nm_per_px**parameter.power
    low, high = (0.0, 1e9) if per_px is None else (parameter.low * per_px, parameter.high * per_px)
    note = say.line(
        "" if per_px is None else " {here:.4g} {unit} here.",
        here=value / per_px if per_px else 0,
        unit=say.Line(parameter.unit),
    )
    given: float = st.number_input(
        say.line("{title} ({unit})", title=parameter.title, unit=parameter.unit_nm),
        min(low, value),
        max(high, value),
        value,
        max((per_px or 1.0) * _increment(parameter), 1e-6),
        format="%.4g",
        key=f"filters_{link.number}_{parameter.name_nm}",
        help=(parameter.help + note).strip() or None,
    )
    return given


def _help(spec: FilterSpec) -> say.Line:
    """Return what a filter does and where it comes from: words of the catalogue, our own."""
    result = "" if spec.result == SAME else f"\n\nThe result is a {spec.result}."
    parts = filter(None, (spec.help + result, spec.reference))
    return say.joined(map(say.Line, parts), "\n\n")


def _control(link: Link, parameter: Parameter, micrograph: Micrograph) -> Any:
    """Draw the widget that fits a parameter and return its value."""
    key = f"filters_{link.number}_{parameter.name}"
    label = f"{parameter.title} ({parameter.unit})" if parameter.unit else parameter.title
    value = link.values[parameter.name]
    if parameter.kind == "image":
        return _other(value, label, parameter.help, key, micrograph)
    if parameter.kind == "spots":
        return _spots(link, parameter, key)
    if parameter.kind == "choice":
        options = list(parameter.choices)
        return st.selectbox(label, options, options.index(value), key=key, help=parameter.help)
    kind = float if parameter.kind == "float" else int
    return st.number_input(
        label,
        kind(parameter.low),
        kind(parameter.high),
        kind(value),
        _increment(parameter),
        key=key,
        help=parameter.help or None,
    )


def _other(value: str, label: str, help_: str, key: str, micrograph: Micrograph) -> str:
    """Draw the choice of another loaded micrograph, and return its digest."""
    loaded = [each for each in workspace.every() if each.sha256 != micrograph.sha256]
    names = workspace.short_names(loaded)
    if value and value not in names:
        names[value] = f"not loaded ({value[:12]}…)"
    if not names:
        st.caption("It needs another micrograph: load one on Home.")
        return value
    options = list(names)
    chosen: str | None = st.selectbox(
        label,
        options,
        options.index(value) if value in options else None,
        format_func=names.__getitem__,
        placeholder="Choose a micrograph …",
        key=key,
        help=help_,
    )
    return chosen or ""


def _spots(link: Link, parameter: Parameter, key: str) -> tuple[Any, ...]:
    """Say how many spots were clicked, and offer to forget them."""
    spots: tuple[Any, ...] = link.values[parameter.name]
    with st.container(horizontal=True, vertical_alignment="center"):
        count = f"{len(spots)} spot{'' if len(spots) == 1 else 's'}"
        say.caption("{count}, set by clicks on the spectrum.", count=count, help=parameter.help)
        st.button(
            "Clear",
            key=key,
            type="tertiary",
            disabled=not spots,
            on_click=link.values.__setitem__,
            args=(parameter.name, ()),
        )
    return spots


def _increment(parameter: Parameter) -> float:
    """Return how far one press of a button goes: odd numbers stay odd."""
    if parameter.kind != "float":
        return 2 if parameter.kind == "odd" else 1
    span = parameter.high - parameter.low
    return 0.001 if span < 0.5 else 0.1 if span <= 20 else 0.5 if span <= 1000 else 1.0

"""The Filters page's pictures: before and after in the viewer, along a line, or as spectra."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.imaging.filtering import Point
from core.micrograph import Micrograph
from core.reporting.batch import csv_bytes
from core.ui import cache
from core.ui.filters.bench import Outcome
from core.ui.filters.settings import LINE, SLIDER, SPECTRUM, ZOOM
from core.ui.parts import linked, say, show, viewer
from core.ui.shell import filter_chain

_FULL_PX = 4_200_000  # up to here every pixel goes to the browser, to be zoomed into
_MIDDLE = 0.004  # cycles per px
_LINE, _WIDTH = "filters_line", "filters_line_width"


def is_wide(mode: str) -> bool:
    """Tell whether two pictures lie side by side, which takes the whole width."""
    return mode in (ZOOM, LINE)


def draw(outcome: Outcome, mode: str) -> None:
    """Draw the pictures in the way a person chose, with what belongs to it below."""
    if mode == SPECTRUM:
        _draw_spectrum(outcome)
    elif mode == LINE:
        _draw_line(outcome)
    else:
        _draw_viewer(outcome, viewer.DIVIDE if mode == SLIDER else viewer.SIDE)
    if outcome.shows_directions and mode != SPECTRUM:
        _draw_wheel()


def after_png(outcome: Outcome, full: bool = False) -> bytes:
    """Return the result as a picture; directions in colour."""
    if outcome.shows_directions:
        return cache.directions_png(outcome.result, outcome.original, full)
    return cache.micrograph_png(outcome.result, full)


def _draw_viewer(outcome: Outcome, mode: str) -> None:
    original = outcome.original
    viewer.show_micrograph(
        original,
        outcome.exclude,
        key=f"filters_{mode}",
        after=_after(outcome),
        labels=("Original", "Filtered"),
        mode=mode,
        pngs=lambda: (cache.micrograph_png(original), after_png(outcome)),
        alt=f"filters on {original.name}",
    )


def _after(outcome: Outcome) -> Micrograph | viewer.Coloured:
    """Return the result, directions in colour."""
    result, original = outcome.result, outcome.original
    if not outcome.shows_directions:
        return result
    return viewer.Coloured(
        f"directions {result.key} {original.key}", cache.directions_picture(result, original)
    )


def _draw_line(outcome: Outcome) -> None:
    """Draw both pictures with the line whose grey levels are compared."""
    original = outcome.original
    full = original.pixels.size <= _FULL_PX and min(original.shape) >= 200
    linked.show(
        [cache.micrograph_png(original, full), after_png(outcome, full)],
        labels=("Original", "Filtered"),
        key="filters_zoom",
        mode="line",
        line=_shares(original),
        alt=f"filters on {original.name}",
        caption=show.caption(original, outcome.exclude),
        on_line=lambda start, end: _set_line(original, start, end),
    )
    _draw_profile(outcome)


def _draw_profile(outcome: Outcome) -> None:
    """Draw the grey levels along the line, and its ends as numbers below."""
    height, width = outcome.original.shape
    values = _line(outcome.original)
    names = ("From row", "From column", "To row", "To column")
    above = st.container()
    *columns, last = st.columns(5)
    for number, (column, name) in enumerate(zip(columns, names, strict=True)):
        most = (height, width)[number % 2] - 1
        key = f"filters_line_{number}"
        st.session_state[key] = min(round(values[number]), most)
        column.number_input(
            say.line("{name} (px)", name=name),
            0,
            most,
            key=key,
            on_change=_line_from_numbers,
            args=(height, width),
        )
    across = last.number_input("Averaged over (px)", 1, 99, key=_WIDTH, persist_state="session")
    start, end = (values[0], values[1]), (values[2], values[3])
    figure = cache.profile_figure(
        outcome.original, outcome.result, start, end, across, show.is_dark()
    )
    with above:
        show.chart(figure, "filters_profile", "Grey levels along the line, before and after")
    _line_facts(outcome, start, end, across)


def _line_facts(outcome: Outcome, start: Point, end: Point, across: int) -> None:
    """Draw length, direction and ends of the line, and its grey levels as a file."""
    before, after = (
        cache.profile(each, start, end, across) for each in (outcome.original, outcome.result)
    )
    distances, unit = before.distance()
    scale = distances[-1] / before.distance_px[-1] if before.distance_px[-1] else 1.0
    ends = before.ends_nm()
    where = ""
    if ends is not None:
        (row, col), (to_row, to_col) = ends
        where = f" From ({row:.4g}, {col:.4g}) to ({to_row:.4g}, {to_col:.4g}) nm (row, column)."
    say.markdown(
        "Length **{length:.4g} {unit}** · {angle:.1f}° (0° points right, 90° up).{where}",
        length=before.length_px * scale,
        unit=unit,
        angle=before.angle_deg,
        where=say.Line(where),
    )
    table = before.to_frame().rename(columns={"grey": "grey_before"})
    show.download(
        "Line (CSV)",
        csv_bytes(table.assign(grey_after=pd.Series(after.values))),
        f"{show.file_stem(outcome.original)}_line.csv",
        "text/csv",
        "filters_line_csv",
    )


def _line_from_numbers(height: int, width: int) -> None:
    values = tuple(float(st.session_state[f"filters_line_{number}"]) for number in range(4))
    st.session_state[_LINE] = ((height, width), values)


def _line(micrograph: Micrograph) -> tuple[float, ...]:
    """Return the line of this micrograph's size, (row, column) of both ends; at first across."""
    kept = st.session_state.get(_LINE)
    height, width = micrograph.shape
    if kept is not None and kept[0] == micrograph.shape:
        return tuple(kept[1])
    return (height // 2, width // 4, height // 2, 3 * width // 4)


def _set_line(micrograph: Micrograph, start: linked.Point, end: linked.Point) -> None:
    height, width = micrograph.shape
    ends = [(down * height - 0.5, right * width - 0.5) for right, down in (start, end)]
    values = tuple(max(0.0, value) for point in ends for value in point)
    st.session_state[_LINE] = (micrograph.shape, values)


def _shares(micrograph: Micrograph) -> list[linked.Point]:
    height, width = micrograph.shape
    row, col, to_row, to_col = _line(micrograph)
    return [
        ((col + 0.5) / width, (row + 0.5) / height),
        ((to_col + 0.5) / width, (to_row + 0.5) / height),
    ]


def _draw_spectrum(outcome: Outcome) -> None:
    """Draw the power spectrum, where clicks set a notch, and the power at each period."""
    which = st.segmented_control(
        "Spectrum of",
        ("Original", "Filtered"),
        default="Original",
        required=True,
        key="filters_spectrum_of",
        persist_state="session",
    )
    original, exclude = outcome.original, outcome.exclude
    shown = original if which == "Original" else outcome.result
    spots = [
        (sign * right + 0.5, sign * down + 0.5)
        for step in outcome.steps
        if step.filter == "notch"
        for down, right in step.parameters["spots"]
        for sign in (1, -1)
    ]
    linked.show(
        [cache.spectrum_png(shown, original, exclude)],
        labels=(f"Spectrum: {which.lower()}",),
        key="filters_spectrum",
        mode="spots",
        spots=spots,
        alt=f"power spectrum of {original.name}",
        caption="Zero frequency in the middle; the edges are periods of two pixels. "
        "Circles: what the notch takes out.",
        lattice=_lattice(original),
        on_spot=lambda point: _toggle(shown, original, exclude, point),
    )
    _spacings(shown, original, exclude)


def _lattice(original: Micrograph) -> linked.Lattice:
    """Return what turns a place in the spectrum into a spacing."""
    size, shape = original.pixel_size, (original.shape[0], original.shape[1])
    if size is None:
        return linked.Lattice(shape, 1.0, "px")
    return linked.Lattice(shape, size.to(size.length_unit), size.length_unit)


def _spacings(shown: Micrograph, original: Micrograph, exclude: bool) -> None:
    """Say at which spacings and directions the spectrum has its strongest peaks."""
    size, lines = original.pixel_size, []
    for spacing_px, angle in cache.spacings(shown, original, exclude):
        unit = "px" if size is None else size.length_unit
        value = spacing_px if size is None else spacing_px * size.to(unit)
        lines.append(
            say.line("**d = {d:.4g} {unit}**, {angle:.1f}°", d=value, unit=unit, angle=angle)
        )
    if lines:
        say.markdown("Strongest peaks: {peaks}.", peaks=say.joined(lines, " · "))
        st.caption(
            "d is the distance of the planes, the angle that of their normal (0° points right, "
            "90° up). In a picture without a lattice the strongest peaks are noise or shape."
        )


def draw_beside(outcome: Outcome, mode: str) -> None:
    """Draw what belongs beside the pictures: for a spectrum the power at each period."""
    if mode != SPECTRUM:
        return
    st.markdown("**Power at each period**")
    figure = cache.radial_figure(
        outcome.original, outcome.result, outcome.original, outcome.exclude, show.is_dark()
    )
    show.chart(figure, "filters_radial", "Mean power at each period, before and after")


def _toggle(shown: Micrograph, original: Micrograph, exclude: bool, point: linked.Point) -> None:
    """Take the clicked frequency out, or put it back; the mean grey level always stays."""
    right, down = (share - 0.5 for share in point)
    if max(abs(right), abs(down)) < _MIDDLE:
        return
    found = cache.snapped(shown, original, exclude, (down, right))
    filter_chain.toggle_spot(*found)


def _draw_wheel() -> None:
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="small"):
        st.image(
            cache.direction_wheel_png(),
            width=72,
            output_format="PNG",
            alt="Colour wheel of directions: red along the rows, cyan along the columns",
        )
        st.caption(
            "A colour is a direction of lines: the one in which it lies on the wheel, red along "
            "the rows, cyan along the columns. Pale where neighbouring directions disagree.",
            width="stretch",
        )

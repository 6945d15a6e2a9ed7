"""Further measurements of a target, those that are chosen: widths, grains, gaps, correlation."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan

import numpy as np
import pandas as pd
import streamlit as st

from core.measuring.regions import Intercepts
from core.measuring.statistics import Interval
from core.micrograph import Micrograph
from core.reporting import figures
from core.reporting.batch import csv_bytes
from core.ui import cache
from core.ui.cache import Target
from core.ui.parts import measuring, say, show, tables

_FEW = 0.05  # p below which a departure from chance is said
_PRECISIONS = (0.2, 0.1, 0.05, 0.02)


def draw(micrograph: Micrograph, target: Target, prefix: str) -> None:
    """Draw the choice of further measurements, and what they give.

    Parameters
    ----------
    micrograph : Micrograph
    target : Target
        What is measured.
    prefix : str
        Begins the keys.
    """
    kinds = measuring.MEASURES.draw()
    drawers: dict[str, Callable[[], pd.DataFrame]] = {
        "widths": lambda: _widths(micrograph, target, prefix, others=False),
        "between": lambda: _widths(micrograph, target, prefix, others=True),
        "grains": lambda: _grains(micrograph, target, boundaries=False),
        "boundaries": lambda: _grains(micrograph, target, boundaries=True),
        "gaps": lambda: _gaps(micrograph, target, prefix),
        "correlation": lambda: _correlation(micrograph, target, prefix),
    }
    for kind in kinds:
        if len(kinds) > 1:
            say.markdown("**{title}**", title=measuring.MEASURES.options[kind].capitalize())
        table = drawers[kind]()
        file, key = f"{show.file_stem(micrograph)}_{kind}.csv", f"{prefix}_more_{kind}_csv"
        show.download("These numbers (CSV)", csv_bytes(table), file, "text/csv", key)


def _metrics(values: dict[str, str]) -> None:
    with st.container(horizontal=True):
        for name, value in values.items():
            say.metric(name, value, width="content")


def _length(value: float, unit: str) -> str:
    return "–" if isnan(value) else f"{value:.4g} {unit}"


def _widths(micrograph: Micrograph, target: Target, prefix: str, *, others: bool) -> pd.DataFrame:
    found = cache.target_widths(micrograph, target, others)
    part = f"{prefix}_between" if others else prefix
    row = found.to_frame()
    if not found.widths.size:
        st.caption(
            "No piece is long enough beside crossings, ends and the frame to measure a width."
        )
        return row
    values, unit = row.iloc[0], found.unit
    _metrics(
        {
            "Median width": _length(values[f"width_d50_{unit}"], unit),
            "D10 to D90": f"{values[f'width_d10_{unit}']:.4g} to "
            f"{_length(values[f'width_d90_{unit}'], unit)}",
            "Mean thickness": _length(values[f"thickness_mean_{unit}"], unit),
            "Order": f"{found.order:.2f}",
            "Main direction": f"{found.main_direction_deg:.0f}°",
        }
    )
    left, right = st.columns([3, 2], gap="medium")
    with left:
        show.chart(
            figures.widths(found, dark=show.is_dark()),
            f"{part}_widths",
            "Histogram of widths along the middle",
        )
    with right:
        show.chart(
            figures.rose(found, dark=show.is_dark()),
            f"{part}_rose",
            "Share of the axis by direction",
        )
    say.caption(
        "{what}: widths at {points} points of the medial axis, away from crossings, ends and what "
        "the frame hides. Thickness is the largest disc that holds a pixel, averaged over the "
        "area. Order is 1 for parallel pieces, 0 for no direction; directions count from the "
        "rows, counter-clockwise.",
        what=say.Line("What lies between" if others else "What is measured"),
        points=tables.thousands(found.widths.size),
    )
    return pd.concat([row, found.rose()], axis=1)


def _grains(micrograph: Micrograph, target: Target, *, boundaries: bool) -> pd.DataFrame:
    lines, circles, count = cache.target_intercepts(micrograph, target, boundaries)
    unit, size = lines.unit, lines.g_number
    shown = {
        "Mean intercept": _length(lines.mean.estimate, unit),
        "95 %": _range(lines.mean, unit),
        "Grain size number G": "–" if isnan(size.estimate) else f"{size.estimate:.2f}",
        "Along rows / down columns": "–" if isnan(lines.anisotropy) else f"{lines.anisotropy:.2f}",
    }
    if not boundaries:
        shown["Mean free path"] = _length(lines.free_path.estimate, unit)
    _metrics(shown)
    say.caption(
        "{count} {what}; lines through every pixel in four directions (Heyn, ASTM E112), limits "
        "from drawing tiles of the field again. Abrams’ circles give {circles}{limits}.{no_scale}",
        count=tables.thousands(count),
        what=say.Line("grains between what is measured" if boundaries else "objects as grains"),
        circles=_length(circles.mean.estimate, unit),
        limits=say.Line("" if isnan(circles.mean.low) else f" ({_range(circles.mean, unit)})"),
        no_scale=say.Line("" if micrograph.pixel_size else " G needs a pixel size."),
    )
    return pd.concat([_named(lines, "lines"), _named(circles, "circles")], ignore_index=True)


def _named(found: Intercepts, by: str) -> pd.DataFrame:
    table = found.to_frame()
    table.insert(0, "by", by)
    return table


def _range(value: Interval, unit: str) -> str:
    if isnan(value.low):
        return "–"
    return f"{value.low:.4g} to {value.high:.4g} {unit}"


def _gaps(micrograph: Micrograph, target: Target, prefix: str) -> pd.DataFrame:
    gaps, chance, pairs = cache.target_gaps(micrograph, target)
    unit = gaps.unit
    scale = micrograph.pixel_size.to(unit) if micrograph.pixel_size else 1.0
    _metrics(
        {
            "Median gap": _length(gaps.median, unit),
            "Nearest neighbours, by chance": "–" if isnan(chance.index) else f"{chance.index:.2f}",
            "p of chance": "–" if isnan(chance.p) else f"{chance.p:.2g}",
        }
    )
    if pairs.distances.size:
        show.chart(
            figures.pair_correlation(pairs, scale, unit, dark=show.is_dark()),
            f"{prefix}_pairs",
            "Pair correlation of centres with the band of chance",
        )
    say.caption(
        "Gaps are from edge to edge of the nearest object; {hidden} of {all} could have a nearer "
        "one outside. {verdict} The grey band holds 95 % of as many points scattered at random "
        "(p {p} over all distances); objects cannot overlap, so that g starts below 1.",
        hidden=int(np.count_nonzero(~gaps.is_sure)),
        all=gaps.gaps.size,
        verdict=say.Line(_verdict(chance.index, chance.p)),
        p=say.Line("unknown" if isnan(pairs.p) else f"= {pairs.p:.2f}"),
    )
    table = pd.DataFrame({f"gap_{unit}": gaps.gaps, "is_sure": gaps.is_sure})
    curve = pairs.to_frame(unit)
    curve[f"distance_{unit}"] *= scale
    return pd.concat([table, curve], axis=1)


def _verdict(index: float, p: float) -> str:
    """Return in words what Clark and Evans' index says (Donnelly's correction)."""
    if isnan(index):
        return "Neighbours need at least two objects."
    if p >= _FEW:
        return "Nearest centres are as far apart as by chance (Clark and Evans)."
    how = "keep apart" if index > 1 else "cluster"
    return f"Centres {how} more than by chance (Clark and Evans)."


def _correlation(micrograph: Micrograph, target: Target, prefix: str) -> pd.DataFrame:
    found = cache.target_correlation(micrograph, target)
    unit = found.unit
    _metrics(
        {
            "Correlation length": _length(found.length, unit),
            "One independent area": _length(float(np.sqrt(max(found.integral_range, 0))), unit)
            + " square",
        }
    )
    left, right = st.columns([3, 2], gap="medium")
    with left:
        show.chart(
            figures.two_point(found, dark=show.is_dark()),
            f"{prefix}_correlation",
            "Correlation of two points by their distance",
        )
    with right:
        needed = {
            "precision": [f"± {100 * p:g} %" for p in _PRECISIONS],
            f"side of a field ({unit})": [np.sqrt(found.area_needed(p)) for p in _PRECISIONS],
            "or such fields": [
                "–" if (n := found.fields_needed(p)) is None else tables.thousands(n)
                for p in _PRECISIONS
            ],
        }
        show.table(pd.DataFrame(needed), f"{prefix}_precision")
    st.caption(
        "How alike two points are by their distance: 1 at the same place, 0 for strangers; the dot "
        "is the correlation length, at 1/e. Precision is the half width of a 95 % interval as a "
        "part of the area fraction, from one square field or from several like this, by "
        "Lantuéjoul’s integral range. Structure nearly as large as the field is underrated."
    )
    return found.to_frame()

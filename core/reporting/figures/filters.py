"""Figures of the Filters page: grey levels along a line, and power at each period."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from core.imaging.filtering import LineProfile, RadialPower
from core.micrograph import PixelSize
from core.reporting.figures.style import BLUE, GREY, styled

_MOST_POINTS = 2000


def line_profiles(
    before: LineProfile,
    after: LineProfile,
    *,
    same_depth: bool = True,
    dark: bool = False,
) -> go.Figure:
    """Return the grey levels along one line before and after; depths that differ get two axes."""
    figure = go.Figure()
    for profile, name, color, axis in (
        (before, "before", GREY, "y"),
        (after, "after", BLUE, "y" if same_depth else "y2"),
    ):
        distance, unit = profile.distance()
        step = max(1, -(-distance.size // _MOST_POINTS))
        figure.add_scatter(
            x=distance[::step],
            y=profile.values[::step],
            name=name,
            mode="lines",
            line={"color": color, "width": 1.6},
            yaxis=axis,
            hovertemplate=f"{name}, %{{x:.4g}} {unit}: %{{y:.5g}}<extra></extra>",
        )
    figure.update_xaxes(title=f"distance ({before.distance()[1]})")
    figure.update_layout(yaxis={"title": "grey level"}, showlegend=True)
    styled(figure, dark, height=260)
    figure.update_yaxes(exponentformat="none", separatethousands=True)
    if not same_depth:
        second = {"title": "after", "overlaying": "y", "side": "right", "showgrid": False}
        figure.update_layout(yaxis={"title": "before"}, yaxis2=second)
        figure.update_layout(margin={"r": 56})
    return figure


def radial_powers(
    before: RadialPower,
    after: RadialPower,
    pixel_size: PixelSize | None,
    *,
    dark: bool = False,
) -> go.Figure:
    """Return the mean power at each period, the longest on the left, on logarithmic axes."""
    unit = pixel_size.length_unit if pixel_size else "px"
    per_px = pixel_size.to(unit) if pixel_size else 1.0
    figure = go.Figure()
    for power, name, color in ((before, "before", GREY), (after, "after", BLUE)):
        kept = power.power > 0
        figure.add_scatter(
            x=per_px / power.frequency[kept],
            y=power.power[kept],
            name=name,
            mode="lines",
            line={"color": color, "width": 1.6},
            hovertemplate=f"{name}, period %{{x:.4g}} {unit}: %{{y:.3g}}<extra></extra>",
        )
    lowest = min(power.frequency.min(initial=0.25) for power in (before, after))
    longest = float(per_px / lowest)
    figure.update_xaxes(
        title=f"period ({unit})",
        type="log",
        range=[np.log10(longest), np.log10(2 * per_px)],
    )
    figure.update_yaxes(title="power (grey level²)", type="log", exponentformat="power", nticks=5)
    styled(figure, dark, height=260)
    ticks = _round_periods(2 * per_px, longest)
    figure.update_xaxes(tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])
    return figure


def _round_periods(shortest: float, longest: float) -> list[float]:
    """Return round numbers between two periods: 1, 2 and 5, or powers of ten over a wide range."""
    digits = (1, 2, 5) if longest / shortest < 60 else (1,)
    powers = range(int(np.floor(np.log10(shortest))), int(np.ceil(np.log10(longest))) + 1)
    places = [digit * 10.0**power for power in powers for digit in digits]
    return [place for place in places if shortest <= place <= longest]

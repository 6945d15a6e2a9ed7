"""Sizes of regions: histogram, cumulative curve and log-normal fit in one figure."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from core.measuring.regions import LimitEffect, SizeDistribution
from core.reporting.figures.style import BLUE, GREY, ORANGE, ink, styled, tick_powers

MOST_STEPS = 500  # of a cumulative curve: more cannot be told apart on a screen
_CURVE = 200


def size_distribution(
    found: SizeDistribution, *, near: float = 0.0, dark: bool = False
) -> go.Figure:
    """Return counts in bins of one ratio with the cumulative curve and the log-normal fit.

    Both axes of sizes are one logarithmic axis in the unit of the sizes; the cumulative share of
    regions in per cent is on the right, with D10, D50 and D90 marked. Bars that begin below `near`
    are hatched: what they hold depends on the smallest region that counts.
    """
    figure = go.Figure()
    if found.sizes.size:
        _add_bars(figure, found, near)
        _add_cumulative(figure, found)
        _add_fit(figure, found, dark)
        _add_percentiles(figure, found, dark)
    figure.update_layout(
        yaxis2={
            "title": "cumulative (%)",
            "overlaying": "y",
            "side": "right",
            "range": [0, 102],
            "tickvals": [0, 25, 50, 75, 100],
            "showgrid": False,
        },
        bargap=0,
    )
    figure.update_xaxes(title=f"equivalent diameter ({found.unit}), logarithmic", type="log")
    figure.update_layout(yaxis={"title": "objects", "rangemode": "tozero"})
    figure = styled(figure, dark, height=320)
    figure.update_layout(margin_r=56)
    _tick(figure, found)
    return figure


def _add_bars(figure: go.Figure, found: SizeDistribution, near: float) -> None:
    bins = found.histogram()
    low, high = bins.iloc[:, 0].to_numpy(float), bins.iloc[:, 1].to_numpy(float)
    # On a logarithmic axis plotly centres a bar on x and takes its width in units of x.
    figure.add_bar(
        x=(low + high) / 2,
        width=high - low,
        y=bins["regions"],
        name="objects",
        marker={
            "color": BLUE,
            "line": {"color": "rgba(255,255,255,0.55)", "width": 1},
            "pattern": {"shape": ["/" if start < near else "" for start in low], "size": 6},
        },
        opacity=0.6,
        customdata=np.stack([low, high], axis=1),
        hovertemplate="%{customdata[0]:.4g} to %{customdata[1]:.4g} "
        f"{found.unit}: %{{y}} objects<extra></extra>",
    )


def _add_cumulative(figure: go.Figure, found: SizeDistribution) -> None:
    count = found.sizes.size
    kept = np.unique(np.linspace(0, count - 1, min(count, MOST_STEPS)).astype(int))
    figure.add_scatter(
        x=found.sizes[kept],
        y=100 * found.cumulative()[kept],
        yaxis="y2",
        mode="lines",
        line={"color": ORANGE, "width": 2, "shape": "hv"},
        name="cumulative",
        hovertemplate=f"%{{y:.1f}} % up to %{{x:.4g}} {found.unit}<extra></extra>",
    )


def _add_fit(figure: go.Figure, found: SizeDistribution, dark: bool) -> None:
    if found.fit is None:
        return
    sizes = np.geomspace(found.sizes[0], found.sizes[-1], _CURVE)
    figure.add_scatter(
        x=sizes,
        y=100 * found.fit.cumulative(sizes),
        yaxis="y2",
        mode="lines",
        line={"color": ink(dark), "width": 1.5, "dash": "dot"},
        name="log-normal",
        hovertemplate=f"log-normal: %{{y:.1f}} % up to %{{x:.4g}} {found.unit}<extra></extra>",
    )


def _add_percentiles(figure: go.Figure, found: SizeDistribution, dark: bool) -> None:
    figure.add_scatter(
        x=[found.d10, found.d50, found.d90],
        y=[10, 50, 90],
        yaxis="y2",
        mode="markers+text",
        text=["D10", "D50", "D90"],
        textposition=["bottom right", "bottom right", "top left"],  # the last one is at the edge
        textfont={"size": 12, "color": ink(dark)},
        marker={"color": ORANGE, "size": 8, "line": {"color": GREY, "width": 1}},
        showlegend=False,
        hovertemplate=f"%{{text}} %{{x:.4g}} {found.unit}<extra></extra>",
    )


def limit_curve(effect: LimitEffect, unit: str, *, dark: bool = False) -> go.Figure:
    """Return D10 and D50 against the smallest region that counts, all lengths in one unit."""
    curve = effect.curve
    figure = go.Figure()
    for name, color in (("d50", ORANGE), ("d10", BLUE)):
        figure.add_scatter(
            x=curve[f"limit_{unit}"],
            y=curve[f"{name}_{unit}"],
            customdata=curve["regions"],
            mode="lines+markers",
            line={"color": color, "width": 2},
            name=name.upper(),
            hovertemplate=f"{name.upper()} %{{y:.4g}} {unit} of %{{customdata}} objects from "
            f"%{{x:.4g}} {unit}<extra></extra>",
        )
    figure.update_xaxes(title=f"smallest object counted ({unit} across)")
    figure.update_yaxes(title=f"diameter ({unit})", rangemode="tozero")
    return styled(figure, dark, height=220)


def _tick(figure: go.Figure, found: SizeDistribution) -> None:
    """Write sizes as people do: few, round and within the figure."""
    if not found.sizes.size:
        figure.update_xaxes(type="linear", range=[0, 1])
        return
    tick_powers(figure, found.sizes[0] / 1.15, found.sizes[-1] * 1.15)

"""Widths, directions, pairs of points and correlation of one cluster."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from core.measuring.regions import PairCorrelation, Widths
from core.measuring.statistics import TwoPoint
from core.reporting.figures.style import BLUE, GREY, ORANGE, ink, styled

HEIGHT = 300
_MOST_BINS = 40


def widths(found: Widths, *, dark: bool = False) -> go.Figure:
    """Return a histogram of widths along the medial axis, with their median."""
    figure = go.Figure()
    if found.widths.size:
        low, high = np.quantile(found.widths, [0.005, 0.995])
        bins = int(np.clip(np.sqrt(found.widths.size), 8, _MOST_BINS))
        counts, edges = np.histogram(found.widths, bins, (low * 0.95, max(high, low) * 1.05))
        figure.add_bar(
            x=(edges[1:] + edges[:-1]) / 2,
            width=np.diff(edges),
            y=100 * counts / found.widths.size,
            marker={"color": BLUE, "line": {"color": "rgba(255,255,255,0.55)", "width": 1}},
            opacity=0.7,
            hovertemplate=f"%{{x:.4g}} {found.unit}: %{{y:.1f}} % of the axis<extra></extra>",
        )
        figure.add_vline(float(np.median(found.widths)), line={"color": ORANGE, "width": 2})
    figure.update_layout(bargap=0, showlegend=False)
    figure.update_xaxes(title=f"width ({found.unit})")
    figure.update_yaxes(title="share of the axis (%)", rangemode="tozero")
    return styled(figure, dark, HEIGHT)


def rose(found: Widths, *, dark: bool = False) -> go.Figure:
    """Return which share of the axis lies in each direction, as a rose over the full turn."""
    table = found.rose()
    middles = (table["from_deg"] + table["to_deg"]).to_numpy(float) / 2
    figure = go.Figure(
        go.Barpolar(
            theta=np.concatenate([middles, middles + 180]) % 360,
            r=np.tile(table["share_pct"].to_numpy(float), 2),
            width=10,
            marker={"color": BLUE, "line": {"color": "rgba(255,255,255,0.55)", "width": 1}},
            opacity=0.7,
            hovertemplate="%{theta}°: %{r:.1f} %<extra></extra>",
        )
    )
    grid = "rgba(255,255,255,0.2)" if dark else "rgba(31,39,51,0.15)"
    figure = styled(figure, dark, HEIGHT)
    return figure.update_layout(
        polar={
            "bgcolor": "rgba(0,0,0,0)",
            "angularaxis": {"gridcolor": grid, "linecolor": grid, "dtick": 45},
            "radialaxis": {
                "gridcolor": grid,
                "linecolor": grid,
                "nticks": 4,
                "angle": 22.5,
                "tickangle": 22.5,
                "ticksuffix": " %",
            },
        },
        margin={"l": 40, "r": 40, "t": 24, "b": 24},
    )


def pair_correlation(
    found: PairCorrelation, scale: float = 1.0, unit: str = "px", *, dark: bool = False
) -> go.Figure:
    """Return g(r) over the band that points at random give; `scale` is a pixel in the unit."""
    distances = found.distances * scale
    figure = go.Figure()
    figure.add_scatter(x=distances, y=found.low, mode="lines", line_width=0, hoverinfo="skip")
    figure.data[0].showlegend = False
    figure.add_scatter(
        x=distances,
        y=found.high,
        mode="lines",
        line_width=0,
        fill="tonexty",
        fillcolor="rgba(138,148,163,0.35)",
        name="at random (95 %)",
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=distances,
        y=found.values,
        mode="lines",
        line={"color": BLUE, "width": 2},
        name="g(r)",
        hovertemplate=f"%{{x:.4g}} {unit}: %{{y:.3g}} times chance<extra></extra>",
    )
    figure.add_hline(1, line={"color": ink(dark), "width": 1, "dash": "dot"})
    figure.update_xaxes(title=f"distance of centres ({unit})", rangemode="tozero")
    figure.update_yaxes(title="pairs, by chance", rangemode="tozero")
    return styled(figure, dark, HEIGHT)


def two_point(found: TwoPoint, *, dark: bool = False) -> go.Figure:
    """Return the correlation against distance, with the correlation length marked."""
    figure = go.Figure()
    figure.add_scatter(
        x=found.distances,
        y=found.correlation,
        mode="lines",
        line={"color": BLUE, "width": 2},
        showlegend=False,
        hovertemplate=f"%{{x:.4g}} {found.unit}: %{{y:.3f}}<extra></extra>",
    )
    figure.add_hline(0, line={"color": GREY, "width": 1, "dash": "dot"})
    if np.isfinite(found.length):
        figure.add_scatter(
            x=[found.length],
            y=[np.exp(-1)],
            mode="markers",
            marker={"color": ORANGE, "size": 10},
            showlegend=False,
            hovertemplate=f"correlation length %{{x:.4g}} {found.unit}<extra></extra>",
        )
        shown = min(float(found.distances[-1]), 12 * found.length)
        figure.update_xaxes(range=[0, shown])
    figure.update_xaxes(title=f"distance ({found.unit})")
    figure.update_yaxes(title="correlation")
    return styled(figure, dark, HEIGHT)

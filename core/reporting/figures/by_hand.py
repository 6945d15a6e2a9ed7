"""What a hand measured, as a histogram."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.reporting.figures.style import BLUE, ORANGE, styled

_MOST_BINS = 30


def hand_histogram(
    values: NDArray[np.float64], measure: str, unit: str, *, dark: bool = False
) -> go.Figure:
    """Return counts of what was measured by hand, with mean and standard deviation marked.

    Parameters
    ----------
    values : ndarray of shape (n,), n >= 2, finite
    measure : str
        What the axis says, such as "length".
    unit : str
    dark : bool

    Bins are as wide as Freedman and Diaconis (1981) advise, no more than 30.
    """
    edges = np.histogram_bin_edges(values, "fd")
    if len(edges) - 1 > _MOST_BINS:
        edges = np.linspace(values.min(), values.max(), _MOST_BINS + 1)
    counts, edges = np.histogram(values, edges)
    figure = go.Figure(
        go.Bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=counts,
            width=np.diff(edges),
            marker={"color": BLUE, "line": {"color": "rgba(255,255,255,0.55)", "width": 1}},
            opacity=0.75,
            customdata=np.stack([edges[:-1], edges[1:]], axis=1),
            hovertemplate=f"%{{customdata[0]:.4g}} to %{{customdata[1]:.4g}} {unit}: %{{y}}"
            "<extra></extra>",
        )
    )
    mean, sd = float(values.mean()), float(values.std(ddof=1))
    figure.add_scatter(
        x=[mean],
        y=[counts.max() * 1.06],
        mode="markers",
        marker={"color": ORANGE, "size": 9, "symbol": "diamond"},
        error_x={"type": "constant", "value": sd, "color": ORANGE, "thickness": 2},
        hovertemplate=f"mean %{{x:.4g}} ± {sd:.3g} {unit}<extra></extra>",
    )
    figure.update_xaxes(title=f"{measure} ({unit})", showgrid=False)
    figure.update_yaxes(title="count", rangemode="tozero", tickformat="d")
    return styled(figure.update_layout(showlegend=False), dark, height=220)

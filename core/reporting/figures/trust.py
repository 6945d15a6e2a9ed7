"""Figures of the trust card: what removing pixels does, what random weights leave, who agrees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.reporting.figures.style import BLUE, GREY, ORANGE, styled

_COLORS = (BLUE, ORANGE, GREY, "#2f9e6e")
_DASHES = ("solid", "dash", "dot", "dashdot")


def removal_curves(
    shares: NDArray[np.float64],
    curves: Mapping[str, NDArray[np.float64]],
    title: str,
    *,
    dark: bool = False,
) -> go.Figure:
    """Return a class's probability against the share of pixels, one line per map.

    Parameters
    ----------
    shares : ndarray of shape (S,), 0–1
    curves : mapping of name to ndarray of shape (S,), 0–1
    title : str
        Of the horizontal axis, without its unit.
    """
    figure = go.Figure()
    for (name, curve), color, dash in zip(curves.items(), _COLORS, _DASHES, strict=False):
        figure.add_scatter(
            x=100 * shares,
            y=curve,
            name=name,
            mode="lines+markers",
            line={"color": color, "dash": dash, "width": 2},
            marker={"size": 5},
            hovertemplate=f"{name}, %{{x:.0f}} %: %{{y:.2f}}<extra></extra>",
        )
    styled(figure, dark, height=280)
    figure.update_xaxes(title=f"{title} (%)", range=[0, 100])
    figure.update_yaxes(title="probability", range=[0, 1.02])
    return figure


def cascade(
    depths: Sequence[str], similar: NDArray[np.float64], *, dark: bool = False
) -> go.Figure:
    """Return how alike the map stays while weights are randomised from the head to the input."""
    figure = go.Figure()
    figure.add_scatter(
        x=list(depths),
        y=similar.mean(axis=0),
        mode="lines+markers",
        line={"color": BLUE, "width": 2},
        error_y={"type": "data", "array": similar.std(axis=0), "visible": len(similar) > 1},
        hovertemplate="random up to %{x}: %{y:.2f}<extra></extra>",
    )
    styled(figure, dark, height=280)
    figure.update_xaxes(title="weights random from the head up to …")
    figure.update_yaxes(title="rank correlation", range=[-1, 1.05])
    return figure


def agreement(
    titles: Sequence[str], spearman: NDArray[np.float64], *, dark: bool = False
) -> go.Figure:
    """Return the rank correlation between the maps of several methods as a heat map."""
    words: Any = [["" if v != v else f"{v:.2f}" for v in row] for row in spearman]
    figure = go.Figure(
        go.Heatmap(
            z=spearman,
            x=list(titles),
            y=list(titles),
            text=words,
            texttemplate="%{text}",
            colorscale="RdBu",
            reversescale=True,
            zmid=0,
            zmin=-1,
            zmax=1,
            colorbar={"title": {"text": "rank<br>correlation"}, "thickness": 12},
            hovertemplate="%{y} and %{x}: %{text}<extra></extra>",
        )
    )
    styled(figure, dark, height=440)
    figure.update_layout(margin={"l": 130, "b": 120})
    figure.update_xaxes(tickangle=-45, showgrid=False)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure

"""What a training learnt: its curve, and where its classes are seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.reporting.figures.style import BLUE, GREY, styled


def learning_curve(
    curve: Sequence[Mapping[str, float]], chance: float, *, dark: bool = False
) -> go.Figure:
    """Return the held-out balanced accuracy in percent against pictures of a class.

    Parameters
    ----------
    curve : sequence of mapping
        With `per_class` and `balanced_accuracy` (0–1).
    chance : float
        Drawn as a dashed line, 0–1.
    """
    figure = go.Figure(
        go.Scatter(
            x=[entry["per_class"] for entry in curve],
            y=[100 * entry["balanced_accuracy"] for entry in curve],
            mode="lines+markers",
            line_color=BLUE,
            marker_size=9,
            hovertemplate="%{x:.3g} pictures of a class: %{y:.0f} %<extra></extra>",
        )
    )
    figure.add_hline(100 * chance, line_dash="dash", line_color=GREY, annotation_text="chance")
    figure.update_xaxes(title="pictures of a class learnt from", rangemode="tozero")
    figure.update_yaxes(title="balanced accuracy (%)", range=[0, 104])
    return styled(figure, dark, height=280)


def mean_map(heat: NDArray[Any], *, dark: bool = False) -> go.Figure:
    """Return where in the frame the evidence of a class lies on average, (h, w) in [0, 1]."""
    figure = go.Figure(
        go.Heatmap(
            z=np.round(np.asarray(heat, float), 3),
            zmin=0,
            colorscale=[[0, "rgb(12,12,20)"], [0.5, "rgb(190,60,80)"], [1, "rgb(252,255,164)"]],
            showscale=False,
            hovertemplate="%{z:.2f}<extra></extra>",
        )
    )
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, autorange="reversed")
    return styled(figure, dark, height=200)

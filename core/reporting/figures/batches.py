"""A batch as figures: areas with intervals, sizes per class, and agreement with labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.reporting.batch import Bin, GroupSummary
from core.reporting.figures.style import (
    BLUE,
    GREY,
    ink,
    interval_points,
    plain,
    styled,
    tick_powers,
    title,
)

_COLORS = ("#2f7fb8", "#d9730d", "#5b5ea6", "#8a7a12", "#a23b72", "#3a9d78", "#8a94a3")


def area_intervals(
    groups: Sequence[GroupSummary],
    display_names: Mapping[str, str] | None = None,
    *,
    fields: Mapping[str, NDArray[np.float64]] | None = None,
    dark: bool = False,
) -> go.Figure:
    """Return each group's mean area fraction in percent with its 95 % interval over fields.

    `fields` holds the areas of the fields themselves by group: one dot each.
    """
    areas = [group.area_percent for group in groups]
    low = [max(a.low, 0.0) if a.n > 1 else a.estimate for a in areas]
    high = [min(a.high, 100.0) if a.n > 1 else a.estimate for a in areas]
    figure = go.Figure(
        interval_points(
            [plain(title(group.name, display_names)) for group in groups],
            [a.estimate for a in areas],
            low,
            high,
            [a.n for a in areas],
            "%{y}: %{x:.1f} % (%{customdata[0]:.1f} to %{customdata[1]:.1f} %), "
            "%{customdata[2]} fields<extra></extra>",
        )
    )
    for name, values in (fields or {}).items():
        figure.add_scatter(
            x=values,
            y=[plain(title(name, display_names))] * len(values),
            mode="markers",
            marker={"color": BLUE, "size": 8, "opacity": 0.4},
            hovertemplate="%{x:.1f} %<extra></extra>",
            showlegend=False,
        )
    known = [float(np.nanmax(v)) for v in (fields or {}).values() if np.isfinite(v).any()]
    top = max([*high, *known, 1.0])
    figure.update_layout(showlegend=False)  # the axis names the groups
    figure.update_xaxes(title="area fraction (%)", range=[0, min(1.1 * top, 102)])
    figure.update_yaxes(autorange="reversed", automargin=True, showgrid=False)
    return styled(figure, dark, height=72 + 36 * max(len(groups), 2))


def size_distributions(
    sizes: Mapping[str, NDArray[np.float64]],
    unit: str,
    display_names: Mapping[str, str] | None = None,
    *,
    dark: bool = False,
) -> go.Figure:
    """Return one histogram of equivalent diameters per class, as shares of its regions.

    Bins have one ratio, and the axis is logarithmic: sizes spread over powers of ten.
    """
    figure = go.Figure()
    if sizes:
        together = np.concatenate(list(sizes.values()))
        count = int(np.clip(np.sqrt(together.size), 8, 30))
        edges = np.geomspace(together.min() / 1.02, together.max() * 1.02, count + 1)
        for index, (name, values) in enumerate(sizes.items()):
            heights, _ = np.histogram(values, bins=edges)
            figure.add_scatter(
                x=np.sqrt(edges[:-1] * edges[1:]),
                y=100 * heights / heights.sum(),
                mode="lines",
                line={"shape": "hvh", "color": _COLORS[index % len(_COLORS)]},
                name=plain(title(name, display_names)),
                hovertemplate=f"%{{x:.4g}} {unit}: %{{y:.1f}} %",
            )
    figure.update_xaxes(title=f"equivalent diameter ({unit}), logarithmic", type="log")
    if sizes:
        tick_powers(figure, edges[0], edges[-1])
    figure.update_yaxes(title="share of regions (%)", rangemode="tozero")
    return styled(figure, dark, height=260)


def confusion(
    matrix: NDArray[Any],
    classes: Sequence[str],
    display_names: Mapping[str, str] | None = None,
    *,
    dark: bool = False,
) -> go.Figure:
    """Return a confusion matrix of counts (K, K): labels down, predictions across."""
    names = [plain(title(name, display_names)) for name in classes]
    totals = np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    figure = go.Figure(
        go.Heatmap(
            z=(100 * matrix / totals).tolist(),
            x=names,
            y=names,
            text=matrix.tolist(),
            texttemplate="%{text}",
            # On a dark page Plotly takes a cell that is nearly clear for a bright one.
            textfont={"color": ink(dark)} if dark else None,
            colorscale=[[0, "rgba(47,127,184,0.06)"], [1, BLUE]],
            zmin=0,
            zmax=100,
            showscale=False,
            hovertemplate="label %{y}, predicted %{x}: %{text}<extra></extra>",
        )
    )
    figure.update_xaxes(title="predicted", showgrid=False)
    figure.update_yaxes(title="label", autorange="reversed", automargin=True, showgrid=False)
    return styled(figure, dark, height=120 + 40 * len(names))


def reliability(bins: Sequence[Bin], *, dark: bool = False) -> go.Figure:
    """Return how often the network is right against how sure it is, with 95 % intervals."""
    right = [100 * b.accuracy.estimate for b in bins]
    figure = go.Figure(
        go.Scatter(
            x=[0, 100],
            y=[0, 100],
            mode="lines",
            line={"dash": "dash", "color": GREY},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    figure.add_scatter(
        x=[100 * b.confidence for b in bins],
        y=right,
        mode="markers",
        marker={"color": BLUE, "size": 10, "line": {"color": ink(dark), "width": 1}},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [100 * b.accuracy.high - r for b, r in zip(bins, right, strict=True)],
            "arrayminus": [r - 100 * b.accuracy.low for b, r in zip(bins, right, strict=True)],
            "color": BLUE,
        },
        customdata=[b.accuracy.n for b in bins],
        hovertemplate="%{x:.0f} % sure, %{y:.0f} % right, %{customdata} fields<extra></extra>",
        showlegend=False,
    )
    figure.update_xaxes(title="probability (%)", range=[0, 103])
    figure.update_yaxes(title="right (%)", range=[-3, 103])
    return styled(figure, dark, height=320)

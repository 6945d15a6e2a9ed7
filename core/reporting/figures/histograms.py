"""Histograms of native grey levels; they only count pixels for the eye."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from core.imaging.display import cluster_colors, write_level
from core.measuring.clustering import Clustering
from core.micrograph import Micrograph
from core.reporting.figures.style import BLUE, GREY, ink, styled

MOST_BINS = 256
_LINE = 0.1  # of the height of a figure: one line of small letters


def histogram(
    before: Micrograph,
    after: Micrograph | None = None,
    thresholds: Sequence[float] | NDArray[np.float64] = (),
    *,
    exclude: NDArray[np.bool_] | None = None,
    labels: tuple[str, str] = ("before", "after"),
    dark: bool = False,
) -> go.Figure:
    """Return the histogram of native grey levels, before and (if given) after filtering.

    Parameters
    ----------
    before, after : Micrograph
        Of the same bit depth they share one axis; otherwise each has its own.
    thresholds : sequence of float
        Native grey levels of `before`, drawn as vertical lines.
    exclude : ndarray of shape (H, W), bool, optional
        Pixels that are not counted.
    labels : tuple of two str
        What the two are called in the legend.
    dark : bool
        Colours for a dark page.
    """
    shown = [before] if after is None else [before, after]
    values = [_levels(micrograph, exclude) for micrograph in shown]
    shared = after is None or before.pixels.dtype == after.pixels.dtype
    groups = [np.concatenate(values)] if shared else values
    edges = [_bin_edges(group) for group in groups]
    figure = make_subplots(rows=len(edges), cols=1, vertical_spacing=0.24)
    for index, micrograph in enumerate(shown):
        row = 1 if shared else index + 1
        bars = _histogram_trace(values[index], edges[row - 1], labels[index], (GREY, BLUE)[index])
        figure.add_trace(bars, row=row, col=1)
        is_grey = shared or micrograph.pixels.dtype.kind != "f"  # a texture is no grey level
        title = f"{'grey level' if is_grey else 'value'} ({micrograph.depth})"
        figure.update_xaxes(title=title, row=row, col=1)
    _draw_thresholds(figure, thresholds, dark)
    figure.update_layout(barmode="overlay", bargap=0, showlegend=after is not None)
    figure.update_yaxes(title="pixels (%)", rangemode="tozero")
    return styled(figure, dark, height=260 if shared else 460)


def cluster_histogram(
    micrograph: Micrograph, clustering: Clustering, *, dark: bool = False
) -> go.Figure:
    """Return the histogram of native grey levels, coloured by cluster, with its thresholds."""
    included = (clustering.labels >= 0) & np.isfinite(micrograph.pixels)
    edges = _bin_edges(micrograph.pixels[included])
    total = max(int(included.sum()), 1)
    figure = make_subplots(rows=1, cols=1)
    for number, color in enumerate(cluster_colors(clustering.k)):
        values = micrograph.pixels[included & (clustering.labels == number)]
        bars = _histogram_trace(values, edges, f"cluster {number}", color, total)
        figure.add_trace(bars.update(opacity=1), row=1, col=1)
    figure.add_trace(_outline(micrograph.pixels[included], edges), row=1, col=1)
    _draw_thresholds(figure, clustering.thresholds, dark)
    figure.update_layout(barmode="stack", bargap=0, showlegend=True)
    figure.update_xaxes(title=f"grey level ({micrograph.depth})")
    figure.update_yaxes(title="pixels (%)", rangemode="tozero")
    return styled(figure, dark, height=280)


def _levels(micrograph: Micrograph, exclude: NDArray[np.bool_] | None) -> NDArray[Any]:
    counted = np.isfinite(micrograph.pixels)
    if exclude is not None:
        counted &= ~exclude
    values: NDArray[Any] = micrograph.pixels[counted]
    return values


def _bin_edges(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return at most 257 edges; integer levels are never split between two bins."""
    if values.size == 0:
        return np.array([0.0, 1.0])
    low, high = float(values.min()), float(values.max())
    if np.issubdtype(values.dtype, np.integer):
        step = float(np.ceil((high - low + 1) / MOST_BINS))
        return np.arange(low - 0.5, high + step, step)
    if high <= low:
        return np.array([low - 0.5, low + 0.5])
    return np.linspace(low, high, MOST_BINS + 1)


def _counts(values: NDArray[Any], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Count values between edges, which lie evenly; integers are first counted by level."""
    if values.dtype in (np.uint8, np.uint16):
        levels = np.bincount(values)
        return np.histogram(np.arange(levels.size), edges, weights=levels)[0].astype(np.float64)
    counts, _ = np.histogram(values, edges.size - 1, (edges[0], edges[-1]))
    return counts.astype(np.float64)


def _histogram_trace(
    values: NDArray[Any],
    edges: NDArray[np.float64],
    name: str,
    color: str,
    total: int | None = None,
) -> go.Bar:
    percents = 100 * _counts(values, edges) / max(total or values.size, 1)
    shown = [
        f"{low + 0.5:g}" if high - low == 1 else f"{low:.5g} to {high:.5g}"
        for low, high in pairwise(edges)
    ]
    return go.Bar(
        x=(edges[:-1] + edges[1:]) / 2,
        y=percents,
        width=np.diff(edges),
        name=name,
        marker={"color": color, "line": {"width": 0}},
        opacity=0.75,
        customdata=shown,
        hovertemplate=f"{name}, grey level %{{customdata}}: %{{y:.3f}} % of pixels<extra></extra>",
    )


def _outline(values: NDArray[Any], edges: NDArray[np.float64]) -> go.Scatter:
    """Return a thin line around the histogram: the darkest cluster is dark on a dark page too."""
    percents = 100 * _counts(values, edges) / max(values.size, 1)
    return go.Scatter(
        x=(edges[:-1] + edges[1:]) / 2,
        y=percents,
        mode="lines",
        line={"color": GREY, "width": 1, "shape": "hvh"},
        hoverinfo="skip",
        showlegend=False,
    )


def _draw_thresholds(
    figure: go.Figure, thresholds: Sequence[float] | NDArray[np.float64], dark: bool
) -> None:
    """Draw all at once: `add_vline` looks through the whole figure for each of them.

    Their numbers stand on three lines in turn, so that near ones can be read.
    """
    places = [float(threshold) for threshold in thresholds]
    line = {"color": ink(dark), "width": 1.2, "dash": "dash"}
    upright = {"type": "line", "xref": "x", "yref": "y domain", "y0": 0, "y1": 1, "line": line}
    beside: dict[str, Any] = {"xref": "x", "yref": "y domain", "xanchor": "left", "yanchor": "top"}
    written: dict[str, Any] = {"showarrow": False, "font": {"size": 11}}
    figure.update_layout(
        shapes=[{**upright, "x0": place, "x1": place} for place in places],
        annotations=[
            {
                **beside,
                **written,
                "x": place,
                "y": 1 - _LINE * (turn % 3),
                "text": write_level(place),
            }
            for turn, place in enumerate(sorted(places))
        ],
    )

"""Results as plotly figures: transparent, legible on light and dark, safe for colour blindness.

Nothing here computes a number that belongs in a table; the histograms only count pixels for the
eye. Every figure carries axis titles with units, and looks as meant with `theme=None`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from core.imaging.display import cluster_colors
from core.measuring.clustering import Clustering
from core.micrograph import Micrograph

MOST_BINS = 256
BLUE, ORANGE, GREY = "#2f7fb8", "#d9730d", "#8a94a3"


class HasProbabilities(Protocol):
    """What `probabilities` needs from a Classification, so that no torch is imported here."""

    @property
    def label(self) -> str:
        """Id of the predicted class."""

    @property
    def probabilities(self) -> Mapping[str, float]:
        """Class id to probability."""


def probabilities(
    classification: HasProbabilities,
    display_names: Mapping[str, str] | None = None,
    *,
    dark: bool = False,
) -> go.Figure:
    """Return horizontal bars of class probabilities in percent, the predicted class first."""
    ranked = sorted(classification.probabilities.items(), key=lambda item: -item[1])
    ranked.sort(key=lambda item: item[0] != classification.label)
    percents = [100 * probability for _, probability in ranked]
    colors = [BLUE, ORANGE, *[GREY] * len(ranked)][: len(ranked)]
    figure = go.Figure(
        go.Bar(
            x=percents,
            y=[_plain(_title(name, display_names)) for name, _ in ranked],
            orientation="h",
            marker_color=colors,
            text=[_percent(value) for value in percents],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.2f} %<extra></extra>",
        )
    )
    figure.update_xaxes(title="probability (%)", range=[0, 112], tickvals=[0, 25, 50, 75, 100])
    figure.update_yaxes(autorange="reversed", automargin=True, showgrid=False)
    return _styled(figure, dark, height=72 + 36 * len(ranked))


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
    return _styled(figure, dark, height=260 if shared else 460)


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
    return _styled(figure, dark, height=280)


def fractions(clustering: Clustering, *, dark: bool = False) -> go.Figure:
    """Return bars of the area fraction of every cluster in percent, dark to bright."""
    percents = [100 * float(fraction) for fraction in clustering.fractions]
    figure = go.Figure(
        go.Bar(
            x=[f"cluster {number}" for number in range(clustering.k)],
            y=percents,
            marker_color=cluster_colors(clustering.k),
            marker_line={"color": GREY, "width": 1},
            text=[_percent(value) for value in percents],
            textposition="outside",
            cliponaxis=False,
            customdata=[float(center) for center in clustering.centers],
            hovertemplate="%{x}: %{y:.2f} % of the area, centre at grey level "
            "%{customdata:.4g}<extra></extra>",
        )
    )
    figure.update_xaxes(title="cluster, dark to bright", showgrid=False)
    figure.update_yaxes(title="area fraction (%)", range=[0, 1.15 * max(percents, default=1)])
    return _styled(figure, dark, height=280)


def class_distribution(
    rows: pd.DataFrame, display_names: Mapping[str, str] | None = None, *, dark: bool = False
) -> go.Figure:
    """Return bars of how many micrographs of a batch fell into each class.

    Parameters
    ----------
    rows : DataFrame
        Rows of a batch; only those with status "ok" are counted. Classes that the model knows
        and nothing fell into are shown with zero.
    display_names : mapping, optional
        Class id to its name for people.
    dark : bool
        Colours for a dark page.
    """
    counts = class_counts(rows)
    figure = go.Figure(
        go.Bar(
            x=counts.to_list(),
            y=[_plain(_title(str(name), display_names)) for name in counts.index],
            orientation="h",
            marker_color=BLUE,
            text=counts.to_list(),
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x} micrographs<extra></extra>",
        )
    )
    top = int(counts.max()) if len(counts) else 1
    figure.update_xaxes(title="micrographs", range=[0, 1.12 * max(top, 1)], tickformat="d")
    figure.update_xaxes(dtick=max(1, top // 6))
    figure.update_yaxes(autorange="reversed", automargin=True, showgrid=False)
    return _styled(figure, dark, height=72 + 36 * max(len(counts), 1))


def class_counts(rows: pd.DataFrame) -> pd.Series[int]:
    """Return the number of micrographs per class id of the rows that succeeded."""
    known = [str(name)[2:] for name in rows.columns if str(name).startswith("p_")]
    found = rows.loc[rows["status"] == "ok", "label"].value_counts(sort=False)
    known += sorted(set(found.index) - set(known))
    counts: pd.Series[int] = found.reindex(known, fill_value=0).astype(int)
    return counts


def region_sizes(regions: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """Return the histogram of equivalent diameters, in the unit that the column name states.

    Raises
    ------
    ValueError
        If the table has no column of equivalent diameters.
    """
    column, unit = _diameter_column(regions)
    values = regions[column].dropna().to_numpy(dtype=np.float64)
    count = int(np.clip(np.ceil(np.sqrt(max(values.size, 1))), 8, 40))
    heights, edges = np.histogram(values, bins=count) if values.size else ([0], [0.0, 1.0])
    edges = np.asarray(edges, dtype=np.float64)
    figure = go.Figure(
        go.Bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=heights,
            width=np.diff(edges),
            marker={"color": BLUE, "line": {"color": "rgba(255,255,255,0.55)", "width": 1}},
            customdata=np.stack([edges[:-1], edges[1:]], axis=1),
            hovertemplate="%{customdata[0]:.4g} to %{customdata[1]:.4g} "
            f"{unit}: %{{y}} regions<extra></extra>",
        )
    )
    figure.update_xaxes(title=f"equivalent diameter ({unit})", rangemode="tozero")
    figure.update_yaxes(title="regions", rangemode="tozero")
    return _styled(figure, dark, height=260)


def _diameter_column(regions: pd.DataFrame) -> tuple[str, str]:
    prefix = "equivalent_diameter_"
    for unit in ("nm", "µm", "px"):
        column = prefix + unit
        if column in regions.columns and (unit == "px" or regions[column].notna().any()):
            return column, unit
    present = [str(column) for column in regions.columns if str(column).startswith(prefix)]
    if not present:
        raise ValueError(f"the table needs an equivalent diameter, got {list(regions.columns)}")
    return present[0], present[0].removeprefix(prefix)


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


def _histogram_trace(
    values: NDArray[Any],
    edges: NDArray[np.float64],
    name: str,
    color: str,
    total: int | None = None,
) -> go.Bar:
    percents = 100 * np.histogram(values, bins=edges)[0] / max(total or values.size, 1)
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
    percents = 100 * np.histogram(values, bins=edges)[0] / max(values.size, 1)
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
    for threshold in thresholds:
        figure.add_vline(
            x=float(threshold),
            line={"color": _ink(dark), "width": 1.2, "dash": "dash"},
            annotation={"text": level(float(threshold)), "font": {"size": 11}},
            annotation_position="top right",
            row=1,
            col=1,
        )


def _ink(dark: bool) -> str:
    return "#e6e9ef" if dark else "#1f2733"


def _styled(figure: go.Figure, dark: bool, height: int) -> go.Figure:
    grid = "rgba(255,255,255,0.14)" if dark else "rgba(31,39,51,0.12)"
    figure.update_layout(
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": _ink(dark), "size": 13, "family": "Source Sans, sans-serif"},
        margin={"l": 56, "r": 20, "t": 34, "b": 48},
        height=height,
        separators=". ",
        legend={
            "orientation": "h",
            "traceorder": "normal",
            "x": 1,
            "xanchor": "right",
            "y": 1.02,
            "yanchor": "bottom",
        },
        hoverlabel={"align": "left"},
    )
    axis = {"gridcolor": grid, "linecolor": grid, "zeroline": False, "ticks": ""}
    figure.update_xaxes(axis, exponentformat="none", separatethousands=True)
    figure.update_yaxes(axis)
    return figure


def _title(name: str, display_names: Mapping[str, str] | None) -> str:
    return (display_names or {}).get(name, name.replace("_", " "))


def _plain(text: str) -> str:
    """Return text that plotly shows as it is: its labels otherwise read a few HTML tags."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def level(value: float) -> str:
    """Return a grey level as people write it: one digit after the point, no powers of ten."""
    return f"{value:.1f}" if 100 <= abs(value) < 1e6 else f"{value:.4g}"


def _percent(value: float) -> str:
    return "< 0.1 %" if 0 < value < 0.1 else f"{value:.1f} %"

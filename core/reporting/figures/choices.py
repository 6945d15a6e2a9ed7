"""What helps to choose a clustering: measures for each k, bands of fractions, the region drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.imaging.display import cluster_colors
from core.reporting.figures.style import BLUE, GREY, ORANGE, ink, styled

_MEASURES = {  # column: heading, and the vote that belongs to it
    "explained_pct": ("scatter explained (%)", "elbow"),
    "silhouette": ("silhouette", "silhouette"),
    "calinski_harabasz": ("Calinski–Harabasz", "calinski_harabasz"),
    "gap": ("gap statistic", "gap"),
}


def choice_of_k(table: pd.DataFrame, votes: dict[str, int], *, dark: bool = False) -> go.Figure:
    """Return each measure against the number of clusters; the number that it favours is marked.

    Parameters
    ----------
    table, votes
        Of a `core.measuring.clustering.ChoiceOfK`.
    dark : bool
        Colours for a dark page.
    """
    headings = [heading for heading, _ in _MEASURES.values()]
    figure = make_subplots(
        rows=2, cols=2, subplot_titles=headings, vertical_spacing=0.3, horizontal_spacing=0.14
    )
    for place, (column, (heading, vote)) in enumerate(_MEASURES.items()):
        row, col = place // 2 + 1, place % 2 + 1
        shown = table[["k", column]].dropna()
        error = table.loc[shown.index, "gap_error"] if column == "gap" else None
        figure.add_scatter(
            x=shown["k"],
            y=shown[column],
            error_y=None if error is None else {"array": error, "color": GREY, "thickness": 1},
            mode="lines+markers",
            line={"color": BLUE, "width": 1.6},
            marker={"size": 5},
            hovertemplate=f"%{{x}} clusters: {heading} %{{y:.4~g}}<extra></extra>",
            row=row,
            col=col,
        )
        favoured = shown[shown["k"] == votes.get(vote)]
        figure.add_scatter(
            x=favoured["k"],
            y=favoured[column],
            mode="markers",
            marker={"size": 12, "color": "rgba(0,0,0,0)", "line": {"color": ORANGE, "width": 2.5}},
            hoverinfo="skip",
            row=row,
            col=col,
        )
        figure.update_xaxes(title="clusters", dtick=1, row=row, col=col)
    figure.update_annotations(font_size=13, font_color=ink(dark))
    styled(figure, dark, height=460)
    figure.update_yaxes(nticks=5)
    return figure.update_layout(showlegend=False)


def fraction_bands(bands: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """Return the fraction of each cluster in per cent with the band that drawn tiles give."""
    middle = bands["fraction_pct"].to_numpy(np.float64)
    up = np.maximum(bands["high_pct"] - middle, 0)
    down = np.maximum(middle - bands["low_pct"], 0)
    figure = go.Figure(
        go.Bar(
            x=[f"cluster {number}" for number in bands["cluster"]],
            y=middle,
            marker={"color": cluster_colors(len(bands)), "line": {"color": GREY, "width": 1}},
            error_y={"array": up, "arrayminus": down, "color": ORANGE, "thickness": 2, "width": 6},
            customdata=bands[["low_pct", "high_pct"]],
            hovertemplate="%{x}: %{y:.2f} %, %{customdata[0]:.2f} to %{customdata[1]:.2f} % over "
            "drawn tiles<extra></extra>",
        )
    )
    styled(figure, dark, height=320)
    figure.update_xaxes(title="cluster, dark to bright", showgrid=False)
    return figure.update_yaxes(title="area fraction (%)", rangemode="tozero")

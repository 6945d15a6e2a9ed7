"""Clusters and the sizes of their regions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.imaging.display import cluster_colors
from core.measuring.clustering import Clustering
from core.reporting.figures.style import BLUE, GREY, percent, styled


def fractions(clustering: Clustering, *, dark: bool = False) -> go.Figure:
    """Return bars of the area fraction of every cluster in percent, dark to bright."""
    percents = [100 * float(fraction) for fraction in clustering.fractions]
    figure = go.Figure(
        go.Bar(
            x=[f"cluster {number}" for number in range(clustering.k)],
            y=percents,
            marker_color=cluster_colors(clustering.k),
            marker_line={"color": GREY, "width": 1},
            text=[percent(value) for value in percents],
            textposition="outside",
            cliponaxis=False,
            customdata=[float(center) for center in clustering.centers],
            hovertemplate="%{x}: %{y:.2f} % of the area, centre at grey level "
            "%{customdata:.4g}<extra></extra>",
        )
    )
    figure.update_xaxes(title="cluster, dark to bright", showgrid=False)
    figure.update_yaxes(title="area fraction (%)", range=[0, 1.15 * max(percents, default=1)])
    return styled(figure, dark, height=280)


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
    return styled(figure, dark, height=260)


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

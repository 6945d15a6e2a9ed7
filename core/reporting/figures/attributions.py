"""Which phase drove the decision: area beside evidence, cluster by cluster."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.imaging.display import cluster_colors
from core.measuring.attribution import tone
from core.reporting.figures.style import GREY, ink, plain, styled


def attribution(
    table: pd.DataFrame, phases: Mapping[str, str] = MappingProxyType({}), *, dark: bool = False
) -> go.Figure:
    """Return each cluster's share of the area (grey) beside that of the evidence (its colour).

    Where the table of `attribution_table` has them, the evidence carries its interval, and a third,
    hatched bar spans the evidence that the same map brings here when it is laid elsewhere.
    `phases` are names and colours, where the rows are not clusters from dark to bright.
    """
    count = len(table)
    what = "phase" if phases else "cluster"
    names = [plain(name) for name in phases] or [
        f"{n} ({tone(int(n), count)})" for n in table["cluster"]
    ]
    colours = list(phases.values()) or cluster_colors(count)
    figure = go.Figure()
    figure.add_bar(
        x=names,
        y=100 * table["area_share"],
        name="area",
        offsetgroup="area",
        marker={"color": GREY, "opacity": 0.55},
        hovertemplate=f"{what} %{{x}}: %{{y:.1f}} % of the area<extra></extra>",
    )
    figure.add_bar(
        x=names,
        y=100 * table["evidence_share"],
        name="evidence",
        offsetgroup="evidence",
        marker={"color": colours, "line": {"color": ink(dark), "width": 1}},
        error_y=_limits(table, ink(dark)),
        customdata=table[["lift"]].to_numpy(float),
        hovertemplate=f"{what} %{{x}}: %{{y:.1f}} % of the evidence, "
        "lift %{customdata[0]:.2f}<extra></extra>",
    )
    _add_chance(figure, table, names)
    figure.update_layout(barmode="group", bargap=0.35, bargroupgap=0.08)
    figure.update_xaxes(title=what, showgrid=False)
    figure.update_yaxes(title="share (%)", rangemode="tozero")
    return styled(figure, dark, height=320)


def _limits(table: pd.DataFrame, color: str) -> dict[str, Any] | None:
    if "evidence_low" not in table or table["evidence_low"].isna().all():
        return None
    share = table["evidence_share"]
    return {
        "type": "data",
        "symmetric": False,
        "array": 100 * (table["evidence_high"] - share),
        "arrayminus": 100 * (share - table["evidence_low"]),
        "color": color,
        "thickness": 1.5,
        "width": 4,
    }


def _add_chance(figure: go.Figure, table: pd.DataFrame, names: list[str]) -> None:
    """Add a third bar: the range of evidence that chance would put on each cluster."""
    if "chance_low" not in table or table["chance_low"].isna().all():
        return
    area = 100 * table["area_share"]
    low, high = area * table["chance_low"], area * table["chance_high"]
    figure.add_bar(
        x=names,
        y=high - low,
        base=low,
        name="by chance (95 %)",
        offsetgroup="chance",
        marker={"color": GREY, "opacity": 0.35, "pattern": {"shape": "/", "size": 5}},
        customdata=np.column_stack([low, high]),
        hovertemplate="%{x}: %{customdata[0]:.1f} to %{customdata[1]:.1f} % by chance"
        "<extra></extra>",
    )

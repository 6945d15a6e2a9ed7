"""A region chosen in the picture or in the table: it is marked in both, and told in a line."""

from __future__ import annotations

from math import isnan

import pandas as pd

from core.ui.parts import say, tables, viewer

REGIONS = tables.Picked(
    "cluster_regions", "cluster_region_chosen", "cluster_region_turn", "cluster_region_of"
)


def click(at: viewer.Click) -> None:
    """Choose the region that was clicked, or none."""
    REGIONS.click(at.region)


def draw_chosen(measured: pd.DataFrame, labels: tuple[int, ...]) -> None:
    """Say in a line what was measured of the region that is chosen."""
    if not labels:
        say.caption("{count} outlined regions. Click one to see its numbers.", count=len(measured))
        return
    if len(labels) > 1:
        say.caption("{count} regions are marked.", count=len(labels))
        return
    row = measured[measured["label"] == labels[0]].iloc[0]
    told = [
        say.line("{name} {value:.4g}", name=tables.heading(name), value=row[name])
        for name in measured.columns
        if name.startswith(("equivalent_diameter", "area", "circularity", "feret_max"))
        and not isnan(row[name])
    ]
    say.markdown("**Region {label}** · {told}", label=labels[0], told=say.joined(told, " · "))

"""Images as points in a plane."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from core.measuring.embedding import Projection
from core.reporting.figures.style import BLUE, GREY, ORANGE, ink, plain, styled

# Safe for colour blindness together with the marks, which differ as well (Okabe & Ito).
_COLORS = (BLUE, ORANGE, "#009e73", "#cc79a7", "#56b4e9", "#b8a000", "#8a5a44", GREY)
_MARKS = ("circle", "square", "diamond", "triangle-up", "cross", "star", "x", "pentagon")


def image_map(
    projection: Projection,
    names: Sequence[str],
    kinds: Sequence[str],
    chosen: int | None = None,
    *,
    dark: bool = False,
) -> go.Figure:
    """Return one point per image, coloured and marked by kind; the chosen one is ringed.

    `customdata` holds the number of each image, for events. The axes of t-SNE mean nothing and
    carry no numbers.
    """
    figure = go.Figure()
    order = {kind: place for place, kind in enumerate(kind_colors(kinds))}
    for kind, place in order.items():
        members = [i for i, own in enumerate(kinds) if own == kind]
        figure.add_scatter(
            x=projection.points[members, 0],
            y=projection.points[members, 1],
            mode="markers",
            name=plain(kind),
            marker={
                "color": _COLORS[place % len(_COLORS)],
                "symbol": _MARKS[place % len(_MARKS)],
                "size": 12,
                "line": {"color": ink(dark), "width": 0.8},
            },
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 1}},
            customdata=[[number] for number in members],
            text=[plain(names[i]) for i in members],
            hovertemplate="%{text}<extra></extra>",
        )
    if chosen is not None:
        figure.add_scatter(
            x=[projection.points[chosen, 0]],
            y=[projection.points[chosen, 1]],
            mode="markers",
            marker={"symbol": "circle-open", "size": 24, "color": ink(dark), "line": {"width": 2}},
            hoverinfo="skip",
            showlegend=False,
        )
    _axes(figure, projection)
    figure = styled(figure, dark, height=460)
    figure.update_layout(showlegend=len(order) > 1 or any(order))
    return figure


def kind_colors(kinds: Sequence[str]) -> dict[str, str]:
    """Return the kinds in their order, each with the colour that maps give it."""
    return {
        kind: _COLORS[place % len(_COLORS)]
        for place, kind in enumerate(sorted(set(kinds), key=_natural))
    }


def _natural(kind: str) -> tuple[tuple[int, str], ...]:
    """Return what kinds are sorted by: "group 2" is before "group 10"."""
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in kind.split(" "))


def axis_titles(projection: Projection) -> tuple[str, str]:
    """Return what the vertical and the horizontal axis of a map show."""
    if projection.method == "tsne":
        return "t-SNE 2", "t-SNE 1 (neighbours stay neighbours)"
    first, second = (100 * share for share in projection.explained)
    across = f"principal component 1 ({first:.0f} % of the scatter)"
    return f"principal component 2 ({second:.0f} %)", across


def _axes(figure: go.Figure, projection: Projection) -> None:
    up, across = axis_titles(projection)
    numbers = projection.method != "tsne"
    figure.update_xaxes(title=across, showticklabels=numbers)
    figure.update_yaxes(title=up, showticklabels=numbers)

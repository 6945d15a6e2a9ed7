"""One look for every figure, and numbers as people write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import plotly.graph_objects as go

BLUE, ORANGE, GREY = "#2f7fb8", "#d9730d", "#8a94a3"
NO_CLASS = "no class"
FONT = "Source Sans, sans-serif"  # the one that Streamlit carries with it


def ink(dark: bool) -> str:
    """Return the colour of lines and words."""
    return "#e6e9ef" if dark else "#1f2733"


def styled(figure: go.Figure, dark: bool, height: int) -> go.Figure:
    """Return the figure in the house's look: transparent, legible on light and dark."""
    return figure.update_layout(template=_look(dark), height=height)


def look(dark: bool) -> dict[str, Any]:
    """Return the house's look as plain values: plotly's template, and the ink."""
    return {"template": _look(dark).to_plotly_json(), "ink": ink(dark)}


@lru_cache(maxsize=2)
def _look(dark: bool) -> go.layout.Template:
    """Return what figures have in common; set one by one, it would take ten times as long."""
    grid = "rgba(255,255,255,0.14)" if dark else "rgba(31,39,51,0.12)"
    axis = {
        "gridcolor": grid,
        "linecolor": grid,
        "zeroline": False,
        "ticks": "",
        "title": {"font": {"size": 13}},
    }
    return go.layout.Template(
        layout={
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"color": ink(dark), "size": 13, "family": FONT},
            "margin": {"l": 56, "r": 20, "t": 34, "b": 48},
            "separators": ". ",
            "legend": {
                "orientation": "h",
                "traceorder": "normal",
                "x": 1,
                "xanchor": "right",
                "y": 1.02,
                "yanchor": "bottom",
            },
            "hoverlabel": {"align": "left"},
            "dragmode": False,
            "xaxis": {**axis, "exponentformat": "none", "separatethousands": True},
            "yaxis": axis,
        }
    )


def interval_points(
    names: Sequence[str],
    values: Sequence[float],
    lows: Sequence[float],
    highs: Sequence[float],
    counts: Sequence[int],
    hovertemplate: str,
) -> go.Scatter:
    """Return a point with its interval per name, one below the other.

    The template finds an interval's ends as `customdata[0]` and `[1]`, and the count as `[2]`.
    """
    return go.Scatter(
        x=values,
        y=names,
        mode="markers",
        marker={"color": BLUE, "size": 10},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [high - value for high, value in zip(highs, values, strict=True)],
            "arrayminus": [value - low for value, low in zip(values, lows, strict=True)],
            "color": BLUE,
        },
        customdata=[list(each) for each in zip(lows, highs, counts, strict=True)],
        hovertemplate=hovertemplate,
        showlegend=False,
    )


def tick_powers(figure: go.Figure, low: float, high: float) -> None:
    """Write a logarithmic axis of sizes as people do: few, round and within the figure."""
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    steps = (1, 2, 5) if high / low > 6 else (1, 1.5, 2, 3, 4, 5, 6, 8)
    ticks = [step * 10.0**d for d in decades for step in steps if low <= step * 10.0**d <= high]
    figure.update_xaxes(
        range=[np.log10(low), np.log10(high)], tickvals=ticks, ticktext=[f"{t:g}" for t in ticks]
    )


def title(name: str, display_names: Mapping[str, str] | None) -> str:
    """Return a class's words for people."""
    return (display_names or {}).get(name, name.replace("_", " ")) or NO_CLASS


def plain(text: str) -> str:
    """Return text that plotly shows as it is: its labels otherwise read a few HTML tags."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def percent(value: float) -> str:
    """Return a percentage in words: a trace is not nothing."""
    return "< 0.1 %" if 0 < value < 0.1 else f"{value:.1f} %"

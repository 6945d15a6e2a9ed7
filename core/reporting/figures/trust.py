"""Figures of the trust card: curves, a network that forgets, methods beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.reporting.figures.style import BLUE, GREY, ORANGE, ink, plain, styled

if TYPE_CHECKING:
    from core.learning.trust.agreement import Agreement
    from core.learning.trust.randomisation import Cascade
    from core.learning.trust.response import Response
    from core.learning.trust.trials import Trials

_BAND = "rgba(138,148,163,0.25)"
_DIVERGING = ((0.0, ORANGE), (0.5, "#f4f4f2"), (1.0, BLUE))


def removal_curves(trials: Trials, fill: str, *, dark: bool = False) -> go.Figure:
    """Return deletion and insertion of one map beside those of the Sobel map and random maps.

    Parameters
    ----------
    trials : Trials
    fill : str
        What stands in removed places: "mean" or "blur".
    dark : bool
        Colours for a dark page.
    """
    figure = make_subplots(1, 2, shared_yaxes=True, horizontal_spacing=0.1)
    percent = 100 * trials.own.shares
    for column, kind in enumerate(("deletion", "insertion"), 1):
        chance = np.array([_curve(response, kind, fill) for response in trials.random])
        _add_band(figure, percent, chance, column)
        lines = (
            ("random, mean", chance.mean(axis=0), GREY, "dot"),
            ("Sobel", _curve(trials.sobel, kind, fill), ORANGE, "dash"),
            ("this map", _curve(trials.own, kind, fill), BLUE, "solid"),
        )
        for name, values, color, dash in lines:
            figure.add_scatter(
                x=percent,
                y=values,
                name=name,
                legendgroup=name,
                showlegend=column == 1,
                mode="lines+markers",
                line={"color": color, "dash": dash, "width": 2},
                marker={"size": 5},
                hovertemplate=f"{name}: %{{y:.3f}} at %{{x:.0f}} %<extra></extra>",
                row=1,
                col=column,
            )
    styled(figure, dark, height=320)
    figure.update_xaxes(title="hottest share removed (%)", range=[0, 100], row=1, col=1)
    figure.update_xaxes(title="hottest share kept (%)", range=[0, 100], row=1, col=2)
    figure.update_yaxes(title="probability", range=[-0.03, 1.03], row=1, col=1)
    figure.update_yaxes(range=[-0.03, 1.03], row=1, col=2)
    return figure


def _curve(response: Response, kind: str, fill: str) -> np.ndarray:
    curves: dict[str, np.ndarray] = getattr(response, kind)
    return curves[fill]


def _add_band(figure: go.Figure, x: np.ndarray, chance: np.ndarray, column: int) -> None:
    """Shade the range of all random maps."""
    figure.add_scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([chance.max(axis=0), chance.min(axis=0)[::-1]]),
        mode="lines",
        fill="toself",
        fillcolor=_BAND,
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
        row=1,
        col=column,
    )


def forgetting(cascade: Cascade, still_similar: float, *, dark: bool = False) -> go.Figure:
    """Return how similar the map stays while more and more of the network is made random.

    Parameters
    ----------
    cascade : Cascade
    still_similar : float
        Rank correlation above which a map has not noticed; drawn as a line.
    dark : bool
        Colours for a dark page.
    """
    names = ["trained", *cascade.depths]
    mean = np.concatenate([[1.0], cascade.mean])
    above = np.concatenate([[0.0], cascade.spearman.max(axis=0) - cascade.mean])
    below = np.concatenate([[0.0], cascade.mean - cascade.spearman.min(axis=0)])
    figure = go.Figure(
        go.Scatter(
            x=[plain(name) for name in names],
            y=mean,
            mode="lines+markers",
            line={"color": BLUE, "width": 2},
            marker={"size": 7},
            error_y={"array": above, "arrayminus": below, "color": BLUE, "thickness": 1},
            hovertemplate="random down to %{x}: %{y:.2f}<extra></extra>",
        )
    )
    figure.add_hline(y=still_similar, line={"color": GREY, "dash": "dot", "width": 1})
    styled(figure, dark, height=320)
    figure.update_layout(showlegend=False)
    figure.update_xaxes(title="made random, from the head down to", type="category")
    figure.update_yaxes(title="rank correlation", range=[-1.05, 1.05])
    return figure


def agreement(
    found: Agreement, titles: Mapping[str, str], method: str, *, dark: bool = False
) -> go.Figure:
    """Return the rank correlation between the maps of all methods, the one in question in bold.

    Parameters
    ----------
    found : Agreement
    titles : mapping
        Method id to its name for people.
    method : str
        The one in question.
    dark : bool
        Colours for a dark page.
    """
    names = [plain(titles[name].removesuffix(" (baseline)")) for name in found.methods]
    place = found.methods.index(method)
    names[place] = f"<b>{names[place]}</b>"
    figure = go.Figure(
        go.Heatmap(
            z=found.spearman,
            x=names,
            y=names,
            zmin=-1,
            zmax=1,
            colorscale=_DIVERGING,
            xgap=1,
            ygap=1,
            text=np.where(np.isfinite(found.spearman), np.round(found.spearman, 1), np.nan),
            texttemplate="%{text:.1f}",
            textfont={"size": 10},
            colorbar={"title": {"text": "rank correlation", "side": "right"}, "thickness": 10},
            hovertemplate="%{y} and %{x}: %{z:.2f}<extra></extra>",
        )
    )
    styled(figure, dark, height=150 + 26 * len(names))
    figure.update_layout(margin={"l": 20, "b": 20})
    figure.update_xaxes(tickangle=-45, automargin=True, showgrid=False)
    figure.update_yaxes(autorange="reversed", automargin=True, showgrid=False)
    return figure


def method_survey(
    frame: pd.DataFrame, titles: Mapping[str, str], *, dark: bool = False
) -> go.Figure:
    """Return bars of the mean gain per method over a set, with 95 % intervals.

    Parameters
    ----------
    frame : DataFrame
        From `Survey.to_frame`.
    titles : mapping
        Method id to its name for people.
    dark : bool
        Colours for a dark page.
    """
    shown = frame.dropna(subset=["gain"])
    baselines = shown["method"].isin(("random", "sobel"))
    figure = go.Figure(
        go.Bar(
            x=shown["gain"],
            y=[plain(titles[name]) for name in shown["method"]],
            orientation="h",
            marker_color=np.where(baselines, GREY, BLUE),
            error_x={
                "array": (shown["gain_high"] - shown["gain"]).fillna(0),
                "color": ink(dark),
                "thickness": 1,
            },
            hovertemplate="%{y}: %{x:.3f}<extra></extra>",
        )
    )
    styled(figure, dark, height=90 + 30 * len(shown))
    figure.update_xaxes(title="insertion less deletion, mean and 95 % interval", zeroline=True)
    figure.update_yaxes(autorange="reversed", automargin=True, showgrid=False)
    return figure

"""Classes: what a network answers for one micrograph, and over a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import pandas as pd
import plotly.graph_objects as go

from core.imaging.display import class_colors
from core.reporting.batch import NAMED, words_of
from core.reporting.figures.style import (
    BLUE,
    GREY,
    interval_points,
    percent,
    plain,
    styled,
    title,
)

_PALE = 0.4  # of a class below the threshold
_NUMBER_WIDTH = 22  # percent of the axis that a number takes in a narrow window


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
    threshold: float | None = None,
) -> go.Figure:
    """Return horizontal bars of class probabilities in percent, the predicted class first.

    Each class has its colour of `class_colors`, the one that it has in a map of tiles. With a
    threshold (0–1), for classes that are answered one by one, a line stands there and the bars of
    those below it are pale.
    """
    colors_by_class = dict(
        zip(
            classification.probabilities,
            class_colors(len(classification.probabilities)),
            strict=True,
        )
    )
    ranked = sorted(classification.probabilities.items(), key=lambda item: -item[1])
    ranked.sort(key=lambda item: item[0] != classification.label)
    percents = [100 * probability for _, probability in ranked]
    colors = [colors_by_class[name] for name, _ in ranked]
    figure = go.Figure(
        go.Bar(
            x=percents,
            y=[plain(title(name, display_names)) for name, _ in ranked],
            orientation="h",
            marker_color=colors,
            marker_opacity=[_strength(value, threshold) for value in percents],
            text=[percent(value) for value in percents],
            textposition=["none" if _meets(v, threshold) else "outside" for v in percents],
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.2f} %<extra></extra>",
        )
    )
    if threshold is not None:
        figure.add_vline(100 * threshold, line_dash="dash", line_width=1.5, line_color=GREY)
        for (name, _), value in zip(ranked, percents, strict=True):
            if _meets(value, threshold):  # its number stands behind the line, not under it
                figure.add_annotation(
                    x=100 * threshold,
                    y=plain(title(name, display_names)),
                    text=percent(value),
                    xanchor="left",
                    xshift=3,
                    showarrow=False,
                )
    figure.update_xaxes(title="probability (%)", range=[0, 112], tickvals=[0, 25, 50, 75, 100])
    figure.update_yaxes(autorange="reversed", automargin=True, showgrid=False)
    return styled(figure, dark, height=72 + 36 * len(ranked))


def _meets(value: float, threshold: float | None) -> bool:
    """Tell whether the number behind a bar would lie on the line of the threshold."""
    return threshold is not None and 0 <= 100 * threshold - value < _NUMBER_WIDTH


def _strength(value: float, threshold: float | None) -> float:
    return 1.0 if threshold is None or value > 100 * threshold else _PALE


def recalls(
    found: Mapping[str, Mapping[str, Any]],
    display_names: Mapping[str, str] | None = None,
    *,
    dark: bool = False,
) -> go.Figure:
    """Return the recall of every class in percent with its 95 % interval.

    Parameters
    ----------
    found : mapping
        Class id to `recall`, `interval_95` (low, high), each 0–1, and `pictures`.
    """
    values = [100 * entry["recall"] for entry in found.values()]
    lows, highs = (
        [100 * entry["interval_95"][side] for entry in found.values()] for side in (0, 1)
    )
    figure = go.Figure(
        interval_points(
            [plain(title(name, display_names)) for name in found],
            values,
            lows,
            highs,
            [entry["pictures"] for entry in found.values()],
            "%{y}: %{x:.0f} % (%{customdata[0]:.0f} to %{customdata[1]:.0f} %) of "
            "%{customdata[2]} pictures<extra></extra>",
        )
    )
    figure.update_xaxes(title="recall (%)", range=[0, 103])
    figure.update_yaxes(autorange="reversed", automargin=True, showgrid=False)
    return styled(figure, dark, height=120 + 40 * len(values))


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
            y=[plain(title(str(name), display_names)) for name in counts.index],
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
    return styled(figure, dark, height=72 + 36 * max(len(counts), 1))


def class_counts(rows: pd.DataFrame) -> pd.Series[int]:
    """Return the number of micrographs per class id of the rows that succeeded."""
    known = [str(name)[2:] for name in rows.columns if str(name).startswith("p_")]
    ok = rows[rows["status"] == "ok"]
    labels = ok["label"]
    if NAMED in ok:  # several may be true of one frame, or none
        labels = ok[NAMED].map(words_of).explode().dropna()
    found = labels[labels != ""].value_counts(sort=False)
    known += sorted(set(found.index) - set(known))
    counts: pd.Series[int] = found.reindex(known, fill_value=0).astype(int)
    return counts

"""How wrong quantities are read: a point and its limits for each, around nothing wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.reporting.figures.style import BLUE, ORANGE, ink, interval_points, styled

_LEAST, _MOST = 5.0, 100.0  # per cent to both sides
_ROW_PX, _AROUND_PX = 30, 74


def mistakes(
    names: Sequence[str],
    errors: Sequence[float],
    lows: Sequence[float],
    highs: Sequence[float],
    *,
    dark: bool = False,
) -> go.Figure:
    """Return measured against true by quantity with limits, in per cent of the true value.

    Orange where the limits leave out zero. Quantities whose limits are not known are left out; what
    lies beyond 100 % is cut off.
    """
    rows = np.array([errors, lows, highs], np.float64)
    known: NDArray[np.bool_] = np.asarray(np.isfinite(rows).all(axis=0), np.bool_)
    rows = rows[:, known]
    kept = [name for name, is_known in zip(names, known, strict=True) if is_known]
    figure = go.Figure()
    template = "%{y}: %{x:+.2g} % (%{customdata[0]:+.2g} to %{customdata[1]:+.2g} %)<extra></extra>"
    sided: NDArray[np.bool_] = (rows[1] > 0) | (rows[2] < 0)
    for colour, those in ((BLUE, ~sided), (ORANGE, sided)):
        values, low, high = (each[those].tolist() for each in rows)
        some = [name for name, is_one in zip(kept, those, strict=True) if is_one]
        points = interval_points(some, values, low, high, [0] * len(some), template)
        figure.add_trace(points.update(marker_color=colour, error_x_color=colour))
    figure.add_vline(0, line={"color": ink(dark), "width": 1})
    widest = float(np.abs(rows[1:]).max()) if kept else _LEAST
    edge = float(np.clip(1.08 * widest, _LEAST, _MOST))
    figure.update_xaxes(title="measured against true (%)", range=[-edge, edge])
    figure.update_yaxes(categoryorder="array", categoryarray=kept[::-1], showgrid=False)
    figure = styled(figure, dark, height=_AROUND_PX + _ROW_PX * max(len(kept), 1))
    return figure.update_layout(margin={"t": 12, "l": 104})

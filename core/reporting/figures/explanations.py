"""Figures of the Explain page: the evidence under the pointer, and how its values spread."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.imaging.display import color_table, thumbnail
from core.micrograph import Micrograph
from core.reporting.figures.style import BLUE, GREY, styled

MOST_PX = 448  # values across: more only make the page slow
_STEPS = 32  # of a colour scale; between them plotly draws straight lines
_MOST_OPACITY = 0.85
_MICROMETRES_FROM_NM = 2000  # longer side of a frame whose axes are in µm


def evidence_map(
    micrograph: Micrograph,
    heatmap: NDArray[np.float32],
    *,
    colormap: str = "inferno",
    dark: bool = False,
) -> go.Figure:
    """Return the evidence over the micrograph; the pointer shows place, evidence and grey level.

    Parameters
    ----------
    micrograph : Micrograph
    heatmap : ndarray of shape (H, W), float32, 0–1
    colormap : str
        One of `core.imaging.display.display.COLORMAPS`.
    dark : bool
        Colours for a dark page.
    """
    unit, per_px = _axis_unit(micrograph)
    shown = thumbnail(micrograph, MOST_PX)
    rows, cols = shown.shape
    down, across = (side / n for side, n in zip(micrograph.shape, shown.shape, strict=True))
    y = (np.arange(rows) + 0.5) * down * per_px
    x = (np.arange(cols) + 0.5) * across * per_px
    heat = cv2.resize(heatmap, (cols, rows), interpolation=cv2.INTER_AREA)
    grey = _grey_levels(micrograph, (rows, cols))
    figure = go.Figure()
    figure.add_heatmap(
        z=shown, x=x, y=y, colorscale="gray", zmin=0, zmax=255, showscale=False, hoverinfo="skip"
    )
    figure.add_heatmap(
        z=np.round(100 * heat, 1),
        x=x,
        y=y,
        customdata=grey,
        colorscale=color_scale(colormap),
        zmin=0,
        zmax=100,
        colorbar={
            "title": {"text": "evidence (% of the strongest)", "side": "top"},
            "orientation": "h",
            "thickness": 10,
            "y": 1.02,
            "yanchor": "bottom",
        },
        hovertemplate=(
            f"right %{{x:.4~g}} {unit}, down %{{y:.4~g}} {unit}<br>"
            "evidence %{z:.1f} % of the strongest<br>grey level %{customdata:.5~g}<extra></extra>"
        ),
    )
    styled(figure, dark, height=int(np.clip(120 + 560 * rows / cols, 260, 700)))
    figure.update_layout(margin={"t": 64})
    figure.update_xaxes(title=f"right ({unit})", showgrid=False, constrain="domain")
    figure.update_yaxes(
        title=f"down ({unit})",
        showgrid=False,
        autorange="reversed",
        scaleanchor="x",
        constrain="domain",
    )
    return figure


def color_scale(colormap: str) -> list[list[float | str]]:
    """Return a colour map for plotly that is clear at zero and the more opaque the higher.

    Colours are given as `rgba()`: Streamlit takes `#000001` to `#0000ff` in a figure for marks of
    its own and puts other colours in their place; the first of inferno and magma is such a one.
    """
    rows = color_table(colormap)[np.linspace(0, 255, _STEPS + 1).round().astype(int)].tolist()
    shares = [step / _STEPS for step in range(_STEPS + 1)]
    return [
        [share, f"rgba({red},{green},{blue},{_MOST_OPACITY * share:.3f})"]
        for share, (red, green, blue) in zip(shares, rows, strict=True)
    ]


def _axis_unit(micrograph: Micrograph) -> tuple[str, float]:
    """Return the unit of a frame's axes, and how much of it a pixel is."""
    size = micrograph.pixel_size
    if size is None:
        return "px", 1.0
    longest_nm = max(micrograph.shape) * size.to("nm")
    unit = "µm" if longest_nm >= _MICROMETRES_FROM_NM else "nm"
    return unit, size.to(unit)


def evidence_histogram(raw: NDArray[np.float32], *, dark: bool = False) -> go.Figure:
    """Return how many cells of the signed map (h, w) have which value; below 0 speaks against."""
    values = raw[np.isfinite(raw)].astype(np.float64)
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    if low == high:
        high = low + 1.0
    # Zero is an edge, so that no bar mixes what speaks for the class with what speaks against it.
    width = (high - low) / 48
    edges = np.arange(np.floor(low / width), np.ceil(high / width) + 1) * width
    counts, _ = np.histogram(values, edges)
    middles = (edges[:-1] + edges[1:]) / 2
    figure = go.Figure()
    for name, side, color in (("against", middles < 0, GREY), ("for", middles > 0, BLUE)):
        figure.add_bar(
            x=middles[side],
            y=100 * counts[side] / values.size,
            width=width,
            name=f"speaks {name} the class",
            marker={"color": color, "line": {"width": 0}},
            hovertemplate="%{x:.3~g}: %{y:.1f} % of the cells<extra></extra>",
        )
    styled(figure, dark, height=300)
    figure.update_layout(bargap=0, barmode="overlay")
    figure.update_xaxes(title="value of the signed map", range=[edges[0], edges[-1]])
    figure.update_yaxes(title="share of cells (%)")
    return figure


def _grey_levels(micrograph: Micrograph, shape: tuple[int, int]) -> NDArray[Any]:
    """Return native grey levels at the middles of the shown pixels."""
    rows, cols = (
        ((np.arange(n) + 0.5) * side / n).astype(int)
        for n, side in zip(shape, micrograph.shape, strict=True)
    )
    return np.asarray(micrograph.pixels[np.ix_(rows, cols)])

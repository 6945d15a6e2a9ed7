"""Small drawings of a report as SVG: plain shapes in the colours of its style sheet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.reporting.truth import Bin
from core.reporting.wording import escape

WIDTH, HEIGHT = 260, 120
LEFT, BOTTOM, TOP = 8, 22, 8
MOST_BINS = 24


def bin_edges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return edges of equal bins from 0 to the largest value, whose width is a round number.

    Parameters
    ----------
    values : ndarray of shape (N,), float64
        Positive; at least one.
    """
    top = float(values.max())
    wanted = min(MOST_BINS, max(6, int(np.ceil(np.sqrt(values.size)))))
    step = top / wanted
    power = 10.0 ** np.floor(np.log10(step))
    width = next(float(m * power) for m in (1, 2, 2.5, 5, 10) if m * power >= step * 0.999)
    return np.asarray(width * np.arange(int(np.ceil(top / width * (1 + 1e-9))) + 1), np.float64)


def histogram(values: NDArray[np.float64], edges: NDArray[np.float64], unit: str, alt: str) -> str:
    """Return a histogram of sizes as SVG, with its axis in the unit."""
    counts, _ = np.histogram(values, bins=edges)
    across, up = WIDTH - 2 * LEFT, HEIGHT - TOP - BOTTOM
    step = across / len(counts)
    bars = "".join(
        f'<rect class="bar" x="{LEFT + i * step + 0.5:.2f}" '
        f'y="{TOP + up * (1 - n / counts.max()):.2f}"'
        f' width="{max(step - 1, 0.5):.2f}" height="{up * n / counts.max():.2f}">'
        f"<title>{edges[i]:.4g} to {edges[i + 1]:.4g} {unit}: {n}</title></rect>"
        for i, n in enumerate(counts)
        if n
    )
    base = TOP + up
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(alt)}">{bars}'
        f'<line class="axis" x1="{LEFT}" x2="{WIDTH - LEFT}" y1="{base}" y2="{base}"/>'
        f'<text x="{LEFT}" y="{HEIGHT - 7}">0</text>'
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 7}" text-anchor="middle">diameter ({unit})</text>'
        f'<text x="{WIDTH - LEFT}" y="{HEIGHT - 7}" text-anchor="end">{edges[-1]:.4g}</text></svg>'
    )


def reliability(bins: tuple[Bin, ...], alt: str) -> str:
    """Return a reliability diagram as SVG: how often right against how sure, in percent."""
    side, left, bottom = 220, 46, 40
    total = side + left + 10

    def x(value: float) -> float:
        return left + side * value

    def y(value: float) -> float:
        return 10 + side * (1 - value)

    dots = "".join(
        f'<line class="whisk" x1="{x(b.confidence):.1f}" x2="{x(b.confidence):.1f}" '
        f'y1="{y(b.accuracy.low):.1f}" y2="{y(b.accuracy.high):.1f}"/>'
        f'<circle class="bar" cx="{x(b.confidence):.1f}" cy="{y(b.accuracy.estimate):.1f}" r="4">'
        f"<title>{b.accuracy.n} micrographs: {100 * b.confidence:.0f} % sure, "
        f"{100 * b.accuracy.estimate:.0f} % right</title></circle>"
        for b in bins
    )
    ticks = "".join(
        f'<text x="{x(v):.0f}" y="{y(0) + 14:.0f}" text-anchor="middle">{100 * v:.0f}</text>'
        f'<text x="{left - 6}" y="{y(v) + 4:.0f}" text-anchor="end">{100 * v:.0f}</text>'
        for v in (0.0, 0.5, 1.0)
    )
    return (
        f'<svg class="reliability" viewBox="0 0 {total} {side + bottom + 10}" role="img" '
        f'aria-label="{escape(alt)}"><line class="axis" x1="{x(0)}" x2="{x(1)}" y1="{y(0)}" '
        f'y2="{y(0)}"/><line class="axis" x1="{x(0)}" x2="{x(0)}" y1="{y(0)}" y2="{y(1)}"/>'
        f'<line class="ideal" x1="{x(0)}" y1="{y(0)}" x2="{x(1)}" y2="{y(1)}"/>{ticks}{dots}'
        f'<text x="{x(0.5)}" y="{y(0) + 32:.0f}" text-anchor="middle">probability (%)</text>'
        f'<text transform="translate(12 {y(0.5):.0f}) rotate(-90)" text-anchor="middle">'
        "right (%)</text></svg>"
    )

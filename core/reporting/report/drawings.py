"""Small drawings of a report as SVG: plain shapes in the colours of its style sheet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.reporting.batch import Bin
from core.reporting.escaping import escape
from core.reporting.report.wording import plain_number

WIDTH, HEIGHT = 260, 120
LEFT, BOTTOM, TOP = 8, 22, 8
MOST_BINS = 24


def bin_edges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return edges of bins of equal ratio: sizes of regions spread over powers of ten.

    Parameters
    ----------
    values : ndarray of shape (N,), float64
        Positive; at least one.
    """
    low, high = float(values.min()), float(values.max())
    low, high = low / 1.02, high * 1.02  # one size alone needs room, too
    count = int(np.clip(np.ceil(np.sqrt(values.size)), 6, MOST_BINS))
    return np.asarray(np.geomspace(low, high, count + 1), np.float64)


def histogram(values: NDArray[np.float64], edges: NDArray[np.float64], unit: str, alt: str) -> str:
    """Return a histogram of sizes as SVG; its bins have one ratio, so the axis is logarithmic."""
    counts, _ = np.histogram(values, bins=edges)
    across, up = WIDTH - 2 * LEFT, HEIGHT - TOP - BOTTOM
    step = across / len(counts)
    heights = up * counts / max(int(counts.max()), 1)
    bars = "".join(
        f'<rect class="bar" x="{LEFT + i * step + 0.5:.2f}" y="{TOP + up - height:.2f}" '
        f'width="{max(step - 1, 0.5):.2f}" height="{height:.2f}">'
        f"<title>{plain_number(edges[i], 3)} to {plain_number(edges[i + 1], 3)} {unit}: "
        f"{counts[i]}</title></rect>"
        for i, height in enumerate(heights)
        if counts[i]
    )
    base = TOP + up
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(alt)}">{bars}'
        f'<line class="axis" x1="{LEFT}" x2="{WIDTH - LEFT}" y1="{base}" y2="{base}"/>'
        f'<text x="{LEFT}" y="{HEIGHT - 7}">{plain_number(edges[0], 3)}</text>'
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 7}" text-anchor="middle">'
        f"diameter ({unit}), logarithmic</text>"
        f'<text x="{WIDTH - LEFT}" y="{HEIGHT - 7}" text-anchor="end">'
        f"{plain_number(edges[-1], 3)}</text></svg>"
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

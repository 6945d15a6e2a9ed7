"""Largest circles in regions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.imaging.distances import distance_inside
from core.measuring.regions.runs import Floats, Integers, Labels, Runs

_PIXELS_AT_ONCE = 1 << 21  # each takes 20 bytes here


def inscribed_diameters(labels: Labels, runs: Runs) -> Floats:
    """Return the diameter of the largest circle that lies in each region, in px.

    The edge runs straight between the middles of outer pixel edges, as hulls' does, and distances
    to these are taken from middles, edges and corners of pixels: bars come out exact, and discs up
    to 1.5 px too small, since a circle touches the deepest dents of the pixels.

    Parameters
    ----------
    labels : ndarray of shape (H, W), int32
        1 to `runs.count`, 0 elsewhere; labels may touch, and end at the frame's edge.
    runs : Runs
        Of these labels.

    References
    ----------
    Felzenszwalb, Huttenlocher (2012), Distance transforms of sampled functions, Theory of Computing
    8:415, doi:10.4086/toc.2012.v008a019.
    """
    found = np.zeros(runs.count)
    if not runs.count:
        return found
    starts = np.searchsorted(runs.owner, np.arange(runs.count))
    top = np.minimum.reduceat(runs.row, starts)
    bottom = np.maximum.reduceat(runs.row, starts) + 1
    for group in _groups(top, bottom, max(64, _PIXELS_AT_ONCE // labels.shape[1])):
        rows = slice(int(top[group].min()), int(bottom[group].max()))
        found[group] = _largest(labels[rows], runs.count)[group]
    return found


def _groups(top: Integers, bottom: Integers, rows: int) -> list[Integers]:
    """Return regions that begin in the same band of rows; those higher than a band together."""
    band = np.where(bottom - top > rows, -1, top // rows)
    order = np.argsort(band, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(band[order])) + 1)


def _largest(labels: Labels, count: int) -> Floats:
    """Return twice the largest distance to a label's edge; too small where rows cut labels."""
    distance = distance_inside(_doubled(labels))
    best = np.maximum(distance[1::2, 1::2], distance[1::2, 2::2])
    np.maximum(best, distance[2::2, 1::2], out=best)
    np.maximum(best, distance[2::2, 2::2], out=best)
    largest = np.zeros(count + 1, np.float32)
    np.maximum.at(largest, labels.ravel(), best.ravel())
    return largest[1:].astype(np.float64)  # doubled and half of a diameter


def _doubled(labels: Labels) -> NDArray[np.uint8]:
    """Return (2H + 1, 2W + 1): which middles, edges and corners of pixels lie within one label.

    So does a corner of which one pixel of four is missing.
    """
    framed = np.pad(labels, 1)
    inner = np.zeros((2 * labels.shape[0] + 1, 2 * labels.shape[1] + 1), np.uint8)
    inner[1::2, 1::2] = labels > 0
    inner[1::2, ::2] = (framed[1:-1, :-1] == framed[1:-1, 1:]) & (framed[1:-1, 1:] > 0)
    inner[::2, 1::2] = (framed[:-1, 1:-1] == framed[1:, 1:-1]) & (framed[1:, 1:-1] > 0)
    level = (framed[:, :-1] == framed[:, 1:]) & (framed[:, 1:] > 0)
    upright = framed[:-1] == framed[1:]
    inner[::2, ::2] = (level[:-1] | level[1:]) & (upright[:, :-1] | upright[:, 1:])
    return inner

"""Where the scale bar of a picture starts and ends, for a person to check and correct."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.imaging.annotations import find_bars
from core.imaging.info_bar import ruler_in
from core.imaging.overlays import AS_FOUND, search_levels, specimen_rows
from core.micrograph import Micrograph

_SEARCH_PX = 4_000_000
_MIN_SIDE_PX = 48


@dataclass(frozen=True, slots=True)
class ScaleBar:
    """A horizontal scale bar.

    Attributes
    ----------
    row : int
        Through its middle.
    left, right : int
        Its ends in px; `right` lies just outside, so that the difference is its length.
    """

    row: int
    left: int
    right: int


def find_scale_bar(micrograph: Micrograph) -> ScaleBar | None:
    """Return the longest scale bar painted over the specimen, else the one in an info bar.

    Parameters
    ----------
    micrograph : Micrograph
        Of any depth. Above four megapixels the ends are exact to a few pixels.

    Returns
    -------
    ScaleBar or None
        None when none is found. How long it is in nm stands beside it and is not read here.
    """
    levels = search_levels(micrograph.pixels)
    if min(levels.shape) < _MIN_SIDE_PX:
        return None
    inner = specimen_rows(levels, AS_FOUND)
    for rows in (slice(inner.stop, len(levels)), slice(0, inner.start)):
        ruler = ruler_in(levels[rows]) if rows.start < rows.stop else None
        if ruler is not None:
            row, left, right = ruler
            return ScaleBar(rows.start + row, left, right)
    return _over_specimen(levels[inner], inner.start)


def _over_specimen(levels: np.ndarray, first_row: int) -> ScaleBar | None:
    every = int(np.ceil(np.sqrt(levels.size / _SEARCH_PX)))
    searched = np.ascontiguousarray(levels[::every, ::every])
    bars = find_bars(searched) if min(searched.shape) >= _MIN_SIDE_PX else np.zeros((0, 4))
    if not len(bars):
        return None
    left, top, right, bottom = (int(v) * every for v in bars[np.argmax(bars[:, 2] - bars[:, 0])])
    return ScaleBar(first_row + (top + bottom) // 2, left, right)

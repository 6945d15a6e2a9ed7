"""What is not specimen: info bars, burned-in scale bars, panel letters and labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.overlays.annotations import find_annotations
from core.imaging.overlays.info_bar import info_bar_rows
from core.imaging.overlays.marked import Bar, cover_bars, is_covered
from core.micrograph import OVERLAY_CHOICE, Micrograph

_SEARCH_PX = 4_000_000  # larger pictures are searched for lettering on every n-th pixel,
_REDUCED_PX = 2_000_000  # so that at most this many are left
_STRAY_PX, _STRAY_SHARE = 12, 2e-5  # hot or dead pixels that a frame may have
_MIN_SIDE_PX = 48  # lettering on anything smaller could not be read
_LEAST_SPAN, _MOST_SPAN = 1e-30, 1e30  # of grey levels that single floats stretch


@dataclass(frozen=True, slots=True)
class OverlayChoice:
    """What a person corrected in what was found.

    Parameters
    ----------
    top_rows, bottom_rows : int or None
        Height of the info bar along that edge, in px; None for what is found, 0 for no bar.
    lettering : bool
        False leaves scale bars, letters and labels in the picture with the specimen.
    enabled : bool
        False counts the whole frame as specimen.
    bars : tuple of (row, left, right)
        Scale bars in px that were read or pointed at, where the search missed them.

    Raises
    ------
    ValueError
        If a height is negative.
    """

    top_rows: int | None = None
    bottom_rows: int | None = None
    lettering: bool = True
    enabled: bool = True
    bars: tuple[Bar, ...] = ()

    def __post_init__(self) -> None:
        for rows in (self.top_rows, self.bottom_rows):
            if rows is not None and rows < 0:
                raise ValueError(f"an info bar's height must not be negative, got {rows}")


AS_FOUND = OverlayChoice()


def with_overlay_choice(micrograph: Micrograph, choice: OverlayChoice) -> Micrograph:
    """Return the micrograph with a correction that `find_overlays` follows from now on."""
    metadata = {key: value for key, value in micrograph.metadata.items() if key != OVERLAY_CHOICE}
    if choice != AS_FOUND:
        metadata[OVERLAY_CHOICE] = asdict(choice)
    return replace(micrograph, metadata=metadata)


def leave_out_bar(micrograph: Micrograph, bar: Bar) -> Micrograph:
    """Return the micrograph with a scale bar left out; the same where it is left out already.

    Parameters
    ----------
    micrograph : Micrograph
    bar : (int, int, int)
        Row, left and right end in px.
    """
    choice = overlay_choice(micrograph)
    as_found = find_overlays(micrograph, replace(AS_FOUND, bars=choice.bars))
    if is_covered(as_found, bar):
        return micrograph
    return with_overlay_choice(micrograph, replace(choice, bars=(*choice.bars, bar)))


def overlay_choice(micrograph: Micrograph) -> OverlayChoice:
    """Return the correction that a micrograph carries; `AS_FOUND` when there is none."""
    kept: Any = micrograph.metadata.get(OVERLAY_CHOICE)
    return OverlayChoice(**kept) if isinstance(kept, Mapping) else AS_FOUND


def find_overlays(micrograph: Micrograph, choice: OverlayChoice | None = None) -> NDArray[np.bool_]:
    """Return where the picture shows something else than the specimen.

    Info bars are sought along the bottom and the top edge, then scale bars, letters and labels in
    what is left. The search keeps to what was painted by a program: flat, crisp, at an extreme
    grey level. When in doubt a pixel counts as specimen.

    Parameters
    ----------
    micrograph : Micrograph
        Of any depth and size.
    choice : OverlayChoice or None
        A person's correction; None for the one that the micrograph carries.

    Returns
    -------
    ndarray of shape (H, W), bool
        True where not specimen. Lettering is covered with a margin for its soft edges. Never all
        of the frame: bars that would meet leave at least one row.
    """
    choice = overlay_choice(micrograph) if choice is None else choice
    overlays = np.zeros(micrograph.shape, bool)
    if not choice.enabled:
        return overlays
    levels = search_levels(micrograph.pixels)
    inner = specimen_rows(levels, choice)
    overlays[: inner.start] = True
    overlays[inner.stop :] = True
    if choice.lettering:
        overlays[inner] |= _annotations(levels[inner])
        overlays |= cover_bars(levels, choice.bars)
    return overlays


def find_info_bars(micrograph: Micrograph) -> tuple[int, int]:
    """Return the heights in px of the info bars found along the top and the bottom edge."""
    rows = specimen_rows(search_levels(micrograph.pixels), AS_FOUND)
    return rows.start, micrograph.shape[0] - rows.stop


def specimen_rows(levels: NDArray[np.uint8], choice: OverlayChoice) -> slice:
    """Return the rows of (H, W) between the info bars, found or set by a person; at least one."""
    height = levels.shape[0]
    top, bottom = choice.top_rows, choice.bottom_rows
    searched = min(levels.shape) >= _MIN_SIDE_PX
    if bottom is None:
        bottom = info_bar_rows(levels[::-1]) if searched else 0
    if top is None:
        top = info_bar_rows(levels) if searched else 0
    top = min(top, height - 1)
    return slice(top, height - min(bottom, height - 1 - top))


def search_levels(pixels: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Return (H, W) in eight bits between the extremes: to find paint, and nothing is measured.

    The extremes leave out as many pixels as a camera may have hot or dead ones: paint is more.
    """
    if pixels.dtype == np.uint8:
        return _stretch_levels(np.asarray(pixels, np.uint8))
    values = pixels.astype(np.float32)
    finite = np.isfinite(values)
    if not finite.all():
        values = np.where(finite, values, np.min(values, where=finite, initial=np.inf))
        values = np.nan_to_num(values)
    low, high = _extremes(values)
    if high == low:
        return np.zeros(values.shape, np.uint8)
    if not _LEAST_SPAN < float(high) - float(low) < _MOST_SPAN:  # float32 would over- or underflow
        values, low, high = values.astype(np.float64), float(low), float(high)
    scale = 255 / (high - low)
    return np.asarray(np.clip((values - low) * scale + 0.5, 0, 255), np.float32).astype(np.uint8)


def _stray_pixels(size: int) -> int:
    """Return how many pixels at either extreme are nobody's paint."""
    return min(max(_STRAY_PX, round(_STRAY_SHARE * size)), size // 100)


def _extremes(values: NDArray[np.float32]) -> tuple[float, float]:
    """Return the extremes without stray pixels; the outright ones where nothing else differs."""
    flat = values.ravel()
    stray = _stray_pixels(flat.size)
    kept = np.partition(flat, (stray, flat.size - 1 - stray))
    low, high = float(kept[stray]), float(kept[flat.size - 1 - stray])
    return (low, high) if high > low else (float(flat.min()), float(flat.max()))


def _stretch_levels(levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Stretch eight bits to their extremes by a table."""
    below = np.cumsum(np.bincount(levels.ravel(), minlength=256))
    stray = _stray_pixels(levels.size)
    low = int(np.searchsorted(below, stray, side="right"))
    high = int(np.searchsorted(below, levels.size - stray))
    if high <= low:
        low, high = int(levels.min()), int(levels.max())
    table = np.clip((np.arange(256) - low) * (255 / max(1, high - low)) + 0.5, 0, 255)
    return np.asarray(cv2.LUT(levels, table.astype(np.uint8)), np.uint8)


def _annotations(levels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Search at full size, or on every n-th pixel of a large picture."""
    height, width = levels.shape
    if min(height, width) < _MIN_SIDE_PX:
        return np.zeros(levels.shape, bool)
    if levels.size <= _SEARCH_PX:
        return find_annotations(levels)
    stride = int(np.ceil(np.sqrt(levels.size / _REDUCED_PX)))
    found = find_annotations(np.ascontiguousarray(levels[::stride, ::stride]))
    full = cv2.resize(found.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(full, bool)

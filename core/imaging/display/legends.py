"""What is drawn around a heat map: a colour bar, a contour, the frame of what was seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.display.heat_maps import blend_heatmap
from core.imaging.display.pictures import Picture

_STRIP_SHARE = 0.09
_LINE_SHARE = 1 / 500


def add_color_bar(
    picture: Picture, labels: tuple[str, str], opacity: float = 0.5, colormap: str = "inferno"
) -> Picture:
    """Return the picture over a white strip with the colours from no heat to the most.

    Parameters
    ----------
    picture : ndarray of shape (H, W, 3), uint8
    labels : tuple of two str
        What stands at the left and right end of the bar; left out where they do not fit.
    opacity, colormap
        Of the heat map, as for `blend_heatmap`; the bar shows it over middle grey.

    Returns
    -------
    ndarray of shape (H + h, W, 3), uint8
    """
    height, width = picture.shape[:2]
    strip = np.full((max(12, round(_STRIP_SHARE * min(height, width))), width, 3), 255, np.uint8)
    tall = strip.shape[0]
    text_px = max(9, round(0.42 * tall))
    sides = [_text_size(label, text_px, width) for label in labels]
    pad = tall // 3
    left, right = (side + 2 * pad for side in sides)
    if left + right > 0.75 * width:
        left = right = min(pad, (width - 1) // 2)
        labels = ("", "")
    heat = np.tile(np.linspace(0, 1, width - left - right), (max(1, tall // 3), 1))
    bar = blend_heatmap(np.full(heat.shape, 128, np.uint8), heat, opacity, colormap)
    top = (tall - bar.shape[0]) // 2
    strip[top : top + bar.shape[0], left : left + bar.shape[1]] = bar
    for label, start in zip(labels, (pad, width - right + pad), strict=True):
        if label:
            place = (start, top + bar.shape[0])
            cv2.putText(strip, label, place, (20, 20, 20), cv2.FontFace("sans"), text_px, 500)
    return np.vstack([picture, strip])


def draw_contour(picture: Picture, heatmap: NDArray[np.floating], level: float) -> Picture:
    """Return the picture with a line, white on black, around where the heat reaches a level.

    Parameters
    ----------
    picture : ndarray of shape (H, W, 3), uint8
    heatmap : ndarray of shape (H, W), float in [0, 1]
    level : float
        Between 0 and 1.
    """
    hot = (heatmap >= level).astype(np.uint8)
    lines, _ = cv2.findContours(hot, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return _double_line(picture, lines)


def contour_lines(heatmap: NDArray[np.floating], level: float) -> list[NDArray[np.float32]]:
    """Return the closed lines around where the heat reaches a level, through pixel centres.

    Parameters
    ----------
    heatmap : ndarray of shape (H, W), float in [0, 1]
    level : float
        Between 0 and 1.

    Returns
    -------
    list of ndarray of shape (n, 2), float32
        (row, column) in px; straight pieces are given by their ends.
    """
    hot = (heatmap >= level).astype(np.uint8)
    lines, _ = cv2.findContours(hot, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    return [line[:, 0, ::-1].astype(np.float32) for line in lines]


def outline_box(picture: Picture, box: tuple[int, int, int, int]) -> Picture:
    """Return the picture, darkened outside a box (top, left, bottom, right) in its own pixels."""
    top, left, bottom, right = box
    outside = np.ones(picture.shape[:2], bool)
    outside[top:bottom, left:right] = False
    darkened = picture.copy()
    darkened[outside] = darkened[outside] // 2
    corners = np.array([[left, top], [right - 1, top], [right - 1, bottom - 1], [left, bottom - 1]])
    return _double_line(darkened, [corners[:, None].astype(np.int32)])


def _double_line(picture: Picture, lines: Sequence[Any]) -> Picture:
    drawn = picture.copy()
    thin = max(1, round(_LINE_SHARE * max(picture.shape[:2])))
    cv2.drawContours(drawn, lines, -1, (0, 0, 0), 3 * thin)
    cv2.drawContours(drawn, lines, -1, (255, 255, 255), thin)
    return drawn


def _text_size(label: str, text_px: int, width: int) -> int:
    box = cv2.getTextSize((width, text_px), label, (0, 0), cv2.FontFace("sans"), text_px, 500)
    return int(box[2])

"""What a viewer shows as panels of a figure: the crop, grey levels and layers as seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.measuring.by_hand import PAINT, Shape, paint
from core.micrograph import Micrograph
from core.reporting.paper import Lines, Panel, Tint
from core.ui import cache
from core.ui.parts.viewer.layers import Layer, Outlines, Raster, class_colours
from core.ui.parts.viewer.seen import Seen, Window

# As the viewer paints them.
_PAINTED = ("#e8590c", "#1c7ed6", "#2f9e44", "#ae3ec9", "#f2c200", "#0ca6a6", "#f06595", "#868e96")
_PAINT_OPACITY = 0.55
_LEVELS = 65536


def panels_of(
    micrograph: Micrograph,
    seen: Seen,
    layers: Sequence[Layer],
    after: Micrograph | NDArray[np.uint8] | None,
    shapes: Sequence[Shape],
    *,
    both: bool,
    by_hand: bool = True,
) -> list[Panel]:
    """Return the panels of what is seen: the right side, or with `both` left and right."""
    drawn = [_moved(shape, seen) for shape in shapes] if by_hand else []
    right = _panel(micrograph, seen, after, "after" if after is not None else "base")
    right = replace(
        right,
        tints=[*_tints(seen, layers), *_strokes(micrograph, seen, shapes if by_hand else ())],
        lines=_lines(seen, layers),
        shapes=drawn,
    )
    if not both:
        return [right]
    return [replace(_panel(micrograph, seen, None, "base"), shapes=drawn), right]


def _panel(
    micrograph: Micrograph,
    seen: Seen,
    after: Micrograph | NDArray[np.uint8] | None,
    which: str,
) -> Panel:
    pixels = after.pixels if isinstance(after, Micrograph) else after
    whole = micrograph.pixels if pixels is None else pixels
    crop = whole[seen.rows, seen.columns]
    picture = crop if crop.ndim == 3 else on_screen(crop, seen.windows.get(which))
    top, left = seen.rows.start, seen.columns.start
    boxes = [
        (box[0] - top, box[1] - left, box[2] - top, box[3] - left)
        for box in cache.written_boxes(micrograph)
    ]
    return Panel(
        np.ascontiguousarray(picture),
        micrograph.pixel_size,
        written=boxes,
        name=micrograph.name,
    )


def on_screen(pixels: NDArray[Any], window: Window | None) -> NDArray[np.uint8]:
    """Return grey levels as the viewer paints them.

    Parameters
    ----------
    pixels : ndarray of shape (H, W), uint8, uint16 or float32
        What is not finite is black.
    window : Window, optional
        From the darkest to the brightest level without it.
    """
    if window is None:
        finite = pixels[np.isfinite(pixels)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        window = Window(low, high, 1.0)
    if pixels.dtype.kind == "u":
        levels = np.arange(256 if pixels.dtype == np.uint8 else _LEVELS)
        return np.asarray(_shade(levels, window)[pixels], np.uint8)
    return _shade(np.nan_to_num(pixels, nan=window.black, posinf=np.inf, neginf=-np.inf), window)


def _shade(levels: NDArray[Any], window: Window) -> NDArray[np.uint8]:
    share = (levels - np.float64(window.black)) / ((window.white - window.black) or 1.0)
    share = np.clip(share, 0, 1)
    return np.asarray(np.rint(255 * share ** (1 / window.gamma)), np.uint8)


def _tints(seen: Seen, layers: Sequence[Layer]) -> list[Tint]:
    found = []
    for layer in layers:
        state = seen.layers.get(layer.name)
        if not isinstance(layer, Raster) or state is None or not state.shown:
            continue
        most = f"{255 * layer.step:.3g} {layer.unit}".strip()
        ends = (f"0 {layer.unit}".strip(), most) if layer.smooth and layer.reads else ("", "")
        found.append(
            Tint(
                layer.name,
                np.ascontiguousarray(layer.values[seen.rows, seen.columns]),
                layer.colours,
                state.opacity,
                layer.smooth,
                ends,
                dict(layer.names),
            )
        )
    return found


def _strokes(micrograph: Micrograph, seen: Seen, shapes: Sequence[Shape]) -> list[Tint]:
    if not any(shape.kind in PAINT for shape in shapes):
        return []
    painted = paint(shapes, micrograph.shape)[seen.rows, seen.columns]
    colours = class_colours([_PAINTED[n % len(_PAINTED)] for n in range(255)], first=1)
    return [Tint("Painted", painted.astype(np.uint8), colours, _PAINT_OPACITY)]


def _lines(seen: Seen, layers: Sequence[Layer]) -> list[Lines]:
    corner = np.array([seen.rows.start, seen.columns.start])
    found = []
    for layer in layers:
        state = seen.layers.get(layer.name)
        if isinstance(layer, Outlines) and state is not None and state.shown:
            polygons = [
                (number if layer.numbered else 0, np.asarray(polygon, float) - corner)
                for number, polygon in layer.polygons
            ]
            found.append(Lines(layer.name, polygons, layer.colour))
    return found


def _moved(shape: Shape, seen: Seen) -> Shape:
    top, left = seen.rows.start, seen.columns.start
    return replace(shape, points=tuple((row - top, col - left) for row, col in shape.points))

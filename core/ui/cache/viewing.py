"""Pyramids of tiles for the viewer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.imaging.display import Pyramid, build_layer, build_pyramid
from core.micrograph import Micrograph
from core.ui.cache.shared import BY_KEY, overlays, window

_LARGE_PX = 20_000_000
_BINS = 128
_SEEN_PX = 250_000  # of a histogram two hundred pixels wide
_MOST_BOXES = 12
_COARSE_PX = 256  # longer side of the mask whose boxes tell where the instrument wrote


@dataclass(frozen=True, slots=True)
class GreyFacts:
    """What the viewer's histogram needs: window and range in grey levels, counts in equal bins."""

    window: tuple[float, float]
    range: tuple[float, float]
    histogram: tuple[int, ...]


def pyramid(micrograph: Micrograph) -> Pyramid:
    """Return the tiles of a micrograph; few large ones are kept."""
    of = _large_pyramid if micrograph.pixels.size > _LARGE_PX else _pyramid
    return of(micrograph)


# `cache_resource`, not `cache_data`: a pyramid is bytes, which nobody can change, and copying tens
# of megabytes at every run would take longer than all else that a viewer does.
@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs=BY_KEY)
def _pyramid(micrograph: Micrograph) -> Pyramid:
    return build_pyramid(micrograph.pixels)


@st.cache_resource(max_entries=2, show_spinner="Preparing the picture …", hash_funcs=BY_KEY)
def _large_pyramid(micrograph: Micrograph) -> Pyramid:
    return build_pyramid(micrograph.pixels)


@st.cache_resource(max_entries=16, show_spinner=False)
def picture_pyramid(key: str, _picture: NDArray[np.uint8]) -> Pyramid:
    """Return the tiles of a picture in colours; `key` names all that it depends on."""
    return build_pyramid(_picture)


@st.cache_resource(max_entries=16, show_spinner=False)
def layer_pyramid(key: str, _values: NDArray[np.uint8], smooth: bool) -> Pyramid:
    """Return the tiles of a layer; `key` names all that it depends on."""
    return build_layer(_values, smooth=smooth)


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs=BY_KEY)
def grey_facts(micrograph: Micrograph) -> GreyFacts:
    """Return the display window, the range of grey levels and how they spread."""
    pixels = micrograph.pixels
    step = max(1, round((pixels.size / _SEEN_PX) ** 0.5))
    seen = pixels[::step, ::step]
    seen = seen[np.isfinite(seen)] if pixels.dtype.kind == "f" else seen.ravel()
    if seen.size == 0:
        return GreyFacts((0.0, 1.0), (0.0, 1.0), (0,) * _BINS)
    if pixels.dtype.kind == "u":
        least, most = 0.0, float(pixels.max())
    else:
        least, most = float(np.nanmin(seen)), float(np.nanmax(seen))
    most = most if most > least else least + 1
    counts, _ = np.histogram(seen, _BINS, (least, most))
    black, white = window(micrograph)
    return GreyFacts((float(black), float(white)), (least, most), tuple(map(int, counts)))


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs=BY_KEY)
def written_boxes(micrograph: Micrograph) -> tuple[tuple[int, int, int, int], ...]:
    """Return boxes (top, left, bottom, right) in px around what is not specimen, largest first."""
    from scipy import ndimage

    mask = overlays(micrograph)
    step = max(1, -(-max(mask.shape) // _COARSE_PX))
    rows, cols = (-(-side // step) for side in mask.shape)
    padded = np.zeros((rows * step, cols * step), bool)
    padded[: mask.shape[0], : mask.shape[1]] = mask
    coarse = padded.reshape(rows, step, cols, step).any(axis=(1, 3))
    boxes = [
        (down.start * step, right.start * step, down.stop * step, right.stop * step)
        for down, right in ndimage.find_objects(ndimage.label(coarse)[0])
    ]
    boxes.sort(key=lambda box: (box[0] - box[2]) * (box[3] - box[1]))
    return tuple(boxes[:_MOST_BOXES])


@st.cache_data(max_size="48MB", show_spinner=False, hash_funcs=BY_KEY)
def left_out_stripes(micrograph: Micrograph) -> NDArray[np.uint8]:
    """Return what is not specimen as slanting stripes of 1 and 2, and 0 for specimen."""
    mask = overlays(micrograph)
    period = max(6, round(max(mask.shape) / 85))
    rows, cols = np.ogrid[: mask.shape[0], : mask.shape[1]]
    stripes = ((rows + cols) % period < period // 2).astype(np.uint8)
    return np.asarray((stripes + 1) * mask, np.uint8)

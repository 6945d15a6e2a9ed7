"""What several pages need of a micrograph: masks, pictures, files; and the models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.imaging import display
from core.imaging.display import saving
from core.imaging.filtering import saturated_share
from core.imaging.overlays import (
    AS_FOUND,
    clear_place,
    find_info_bars,
    find_overlays,
    with_overlay_choice,
)
from core.imaging.scale import bar as scale_bars
from core.learning.models import list_models
from core.micrograph import Micrograph

if TYPE_CHECKING:
    from core.learning.models import Classifier

SCREEN_PX = 1400  # longer side of a picture on a page
_SMALL_PX = 480  # longer side up to which a picture is enlarged by whole pixels
COLORMAPS = display.COLORMAPS

BY_PIXELS: Any = {Micrograph: lambda micrograph: micrograph.key}
BY_KEY = BY_PIXELS
Mask = NDArray[np.bool_]


def model(name: str) -> Classifier:
    """Return the model of this name, installed or added; every session shares it.

    What one visitor adds never pushes out the models that all others work with.
    """
    return _installed(name) if name in list_models() else _added(name)


@st.cache_resource(max_entries=2, show_spinner="Loading the model …")
def _installed(name: str) -> Classifier:
    from core.learning.models import load_model

    return load_model(name)


@st.cache_resource(max_entries=2, show_spinner="Loading the model …")
def _added(name: str) -> Classifier:
    from core.learning.models import load_model

    return load_model(name)


def model_names() -> list[str]:
    """Return the names of the installed models."""
    return list_models()


def method_titles() -> dict[str, str]:
    """Return the explanation methods, id to title."""
    from core.learning.explaining import EVERY_METHOD

    return {name: method.title for name, method in EVERY_METHOD.items()}


@st.cache_data(max_size="64MB", show_spinner="Looking for the info bar …", hash_funcs=BY_KEY)
def overlays(micrograph: Micrograph) -> Mask:
    """Return where the micrograph shows something else than specimen."""
    return find_overlays(micrograph)


@st.cache_data(max_entries=512, show_spinner=False, hash_funcs=BY_PIXELS)
def info_bars(micrograph: Micrograph) -> tuple[int, int]:
    """Return the heights in px of the info bars found at the top and at the bottom."""
    return find_info_bars(micrograph)


@st.cache_data(max_entries=512, show_spinner=False, hash_funcs=BY_PIXELS)
def holds_lettering(micrograph: Micrograph) -> bool:
    """Tell whether letters or a scale bar were found outside the info bars."""
    top, bottom = info_bars(micrograph)
    inner = overlays(with_overlay_choice(micrograph, AS_FOUND))
    return bool(inner[top : micrograph.shape[0] - bottom].any())


@st.cache_data(max_entries=512, show_spinner=False, hash_funcs=BY_KEY)
def saturated(micrograph: Micrograph) -> float:
    """Return which share of the specimen's pixels is saturated."""
    return saturated_share(micrograph, overlays(micrograph))


@st.cache_data(max_entries=512, show_spinner=False, hash_funcs=BY_PIXELS)
def window(micrograph: Micrograph) -> tuple[float, float]:
    """Return the grey levels shown as black and as white."""
    return display.display_window(micrograph)


@st.cache_data(max_entries=512, show_spinner=False, hash_funcs=BY_KEY)
def is_blank(micrograph: Micrograph, exclude: bool) -> bool:
    """Tell whether all pixels that take part have one grey level: there is nothing to see."""
    mask = excluded(micrograph, exclude)
    pixels = micrograph.pixels if mask is None else micrograph.pixels[~mask]
    seen = pixels[np.isfinite(pixels)]
    return seen.size == 0 or bool(seen.min() == seen.max())


@st.cache_data(max_entries=128, show_spinner="Looking for a scale bar …", hash_funcs=BY_PIXELS)
def scale_bar(micrograph: Micrograph) -> scale_bars.ScaleBar | None:
    """Return the scale bar found in the picture."""
    return scale_bars.find_scale_bar(micrograph)


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs=BY_PIXELS)
def bar_ends_png(micrograph: Micrograph, bar: scale_bars.ScaleBar) -> bytes:
    """Return the picture around both ends of a scale bar."""
    return display.png_bytes(scale_bars.draw_ends(micrograph, bar))


def excluded(micrograph: Micrograph, exclude: bool) -> Mask | None:
    """Return the mask of what is left out; None when the person leaves out nothing."""
    return overlays(micrograph) if exclude else None


def excluded_share(micrograph: Micrograph, exclude: bool) -> float:
    """Return which part of the frame is left out, between 0 and 1."""
    return float(overlays(micrograph).mean()) if exclude else 0.0


@st.cache_data(max_size="32MB", show_spinner=False, hash_funcs=BY_PIXELS)
def thumbnail_png(micrograph: Micrograph, size_px: int = 320) -> bytes:
    """Return a small picture of the micrograph."""
    return display.png_bytes(display.thumbnail(micrograph, size_px))


@st.cache_data(max_size="96MB", show_spinner="Drawing …", hash_funcs=BY_PIXELS)
def micrograph_png(micrograph: Micrograph, full: bool = False) -> bytes:
    """Return the micrograph in eight bits, with a scale bar where the scale is known.

    All pictures of one micrograph have one size: that of the screen, or with `full` every pixel.
    """
    return encode(picture(micrograph, full), micrograph)


@st.cache_data(max_size="96MB", show_spinner=False, hash_funcs=BY_PIXELS)
def tiff(micrograph: Micrograph) -> bytes:
    """Return the micrograph as a TIFF of its own depth."""
    return saving.save_tiff_bytes(micrograph)


@st.cache_data(max_size="96MB", show_spinner=False, hash_funcs=BY_PIXELS)
def png(micrograph: Micrograph) -> bytes:
    """Return the micrograph as a PNG with every pixel."""
    return saving.save_png_bytes(micrograph)


def picture(micrograph: Micrograph, full: bool) -> display.Picture:
    """Return the micrograph in eight bits, a few pixels across as squares.

    A browser would blur a tiny picture up, and a scale bar drawn at its size would cover it.
    """
    if full:
        return display.to_display(micrograph)
    shown = display.thumbnail(micrograph, SCREEN_PX)
    times = -(-_SMALL_PX // max(shown.shape))
    return shown.repeat(times, axis=0).repeat(times, axis=1)


def encode(shown: display.Picture, micrograph: Micrograph) -> bytes:
    """Return a picture as PNG, with a scale bar where the scale is known."""
    return display.png_bytes(with_scale_bar(shown, micrograph))


def with_scale_bar(shown: display.Picture, micrograph: Micrograph) -> display.Picture:
    """Return a picture of a micrograph with a scale bar that covers no letters and no other bar."""
    size = micrograph.pixel_size
    painted = overlays(with_overlay_choice(micrograph, AS_FOUND)) if size else None
    place = None if painted is None else clear_place(painted, shown.shape)
    return display.draw_scale_bar(shown, size, micrograph.shape[1], place)

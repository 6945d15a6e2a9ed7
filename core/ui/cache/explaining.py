"""Why it answers so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.imaging import display, saving
from core.micrograph import Micrograph
from core.ui.cache.shared import BY_KEY, encode, excluded, model, picture

if TYPE_CHECKING:
    from core.learning.explanation import Explanation


@st.cache_data(max_size="128MB", show_spinner="Explaining …", hash_funcs=BY_KEY)
def explanation(
    micrograph: Micrograph, model_name: str, method: str, target: str | None, exclude: bool
) -> Explanation:
    """Return where the model finds evidence for a class."""
    from core.learning.explanation import explain

    mask = excluded(micrograph, exclude)
    return explain(model(model_name), micrograph, method, target, exclude=mask)


@st.cache_data(max_size="96MB", show_spinner="Drawing …", hash_funcs=BY_KEY)
def heatmap_png(
    micrograph: Micrograph,
    model_name: str,
    method: str,
    target: str | None,
    exclude: bool,
    opacity: float,
    colormap: str,
    full: bool = False,
) -> bytes:
    """Return the micrograph under its heat map."""
    from core.learning.explanation import to_frame

    shown = picture(micrograph, full)
    raw = explanation(micrograph, model_name, method, target, exclude).raw
    heat = to_frame(raw, shown.shape)
    return encode(display.blend_heatmap(shown, heat, opacity, colormap), micrograph)


@st.cache_data(max_entries=64, show_spinner=False)
def heat_legend_png(opacity: float, colormap: str) -> bytes:
    """Return how evidence from none (left) to the strongest (right) looks over middle grey."""
    heat = np.tile(np.linspace(0, 1, 256), (14, 1))
    grey = np.full(heat.shape, 128, np.uint8)
    return display.png_bytes(display.blend_heatmap(grey, heat, opacity, colormap))


def raw_map_npy(found: Explanation) -> bytes:
    """Return the signed map at the layer's own resolution as a NumPy file."""
    return saving.save_npy_bytes(found.raw)

"""Every cached call of the app, each a thin wrapper around one function of the core.

A micrograph is keyed by its digest, scale and name, and where masks matter by what a person
corrected in them: Streamlit would hash a large array from a sample of it. What is kept is bounded
in bytes. Everything that needs torch is imported inside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from core.imaging import display, hatching, saving
from core.imaging import scale_bar as scale_bars
from core.imaging.exposure import saturated_share
from core.imaging.filters import Pipeline
from core.imaging.overlays import (
    AS_FOUND,
    find_info_bars,
    find_overlays,
    overlay_choice,
    with_overlay_choice,
)
from core.measuring.clustering import Clustering, cluster_gray
from core.measuring.regions import measure_regions
from core.micrograph import Micrograph
from core.reporting import figures

if TYPE_CHECKING:
    from core.learning.checkpoints import Classifier
    from core.learning.classification import Classification
    from core.learning.explanation import Explanation

SCREEN_PX = 1400  # longer side of a picture on a page
_SMALL_PX = 480  # longer side up to which a picture is enlarged by whole pixels
COLORMAPS = display.COLORMAPS

_BY_PIXELS: Any = {Micrograph: lambda micrograph: micrograph.key}
_BY_KEY: Any = {Micrograph: lambda micrograph: f"{micrograph.key}|{overlay_choice(micrograph)}"}
Mask = NDArray[np.bool_]


@st.cache_resource(max_entries=2, show_spinner="Loading the model …")
def model(name: str) -> Classifier:
    """Return the installed model of this name; every session shares it."""
    from core.learning.checkpoints import load_model

    return load_model(name)


def model_names() -> list[str]:
    """Return the names of the installed models."""
    from core.learning.checkpoints import list_models

    return list_models()


def method_titles() -> dict[str, str]:
    """Return the explanation methods, id to title."""
    from core.learning.explanation import METHODS

    return {name: method.title for name, method in METHODS.items()}


@st.cache_data(max_size="64MB", show_spinner="Looking for the info bar …", hash_funcs=_BY_KEY)
def overlays(micrograph: Micrograph) -> Mask:
    """Return where the micrograph shows something else than specimen."""
    return find_overlays(micrograph)


@st.cache_data(max_entries=512, show_spinner=False, hash_funcs=_BY_PIXELS)
def info_bars(micrograph: Micrograph) -> tuple[int, int]:
    """Return the heights in px of the info bars found at the top and at the bottom."""
    return find_info_bars(micrograph)


@st.cache_data(max_entries=512, show_spinner=False, hash_funcs=_BY_PIXELS)
def holds_lettering(micrograph: Micrograph) -> bool:
    """Tell whether letters or a scale bar were found outside the info bars."""
    top, bottom = info_bars(micrograph)
    inner = overlays(with_overlay_choice(micrograph, AS_FOUND))
    return bool(inner[top : micrograph.shape[0] - bottom].any())


@st.cache_data(max_entries=512, show_spinner=False, hash_funcs=_BY_KEY)
def saturated(micrograph: Micrograph) -> float:
    """Return which share of the specimen's pixels is saturated."""
    return saturated_share(micrograph, overlays(micrograph))


@st.cache_data(max_entries=512, show_spinner=False, hash_funcs=_BY_PIXELS)
def window(micrograph: Micrograph) -> tuple[float, float]:
    """Return the grey levels shown as black and as white."""
    return display.display_window(micrograph)


@st.cache_data(max_entries=512, show_spinner=False, hash_funcs=_BY_KEY)
def is_blank(micrograph: Micrograph, exclude: bool) -> bool:
    """Tell whether all pixels that take part have one grey level: there is nothing to see."""
    mask = excluded(micrograph, exclude)
    pixels = micrograph.pixels if mask is None else micrograph.pixels[~mask]
    seen = pixels[np.isfinite(pixels)]
    return seen.size == 0 or bool(seen.min() == seen.max())


@st.cache_data(max_entries=128, show_spinner="Looking for a scale bar …", hash_funcs=_BY_PIXELS)
def scale_bar(micrograph: Micrograph) -> scale_bars.ScaleBar | None:
    """Return the scale bar found in the picture."""
    return scale_bars.find_scale_bar(micrograph)


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs=_BY_PIXELS)
def bar_ends_png(micrograph: Micrograph, bar: scale_bars.ScaleBar) -> bytes:
    """Return the picture around both ends of a scale bar."""
    return display.png_bytes(scale_bars.draw_ends(micrograph, bar))


def excluded(micrograph: Micrograph, exclude: bool) -> Mask | None:
    """Return the mask of what is left out; None when the person leaves out nothing."""
    return overlays(micrograph) if exclude else None


def excluded_share(micrograph: Micrograph, exclude: bool) -> float:
    """Return which part of the frame is left out, between 0 and 1."""
    return float(overlays(micrograph).mean()) if exclude else 0.0


@st.cache_data(max_size="16MB", show_spinner="Classifying …", hash_funcs=_BY_KEY)
def classification(micrograph: Micrograph, model_name: str, exclude: bool) -> Classification:
    """Return the model's answer for one micrograph."""
    from core.learning.classification import classify

    masks = [excluded(micrograph, exclude)]
    return classify(model(model_name), [micrograph], excludes=masks)[0]


@st.cache_data(max_size="128MB", show_spinner="Explaining …", hash_funcs=_BY_KEY)
def explanation(
    micrograph: Micrograph, model_name: str, method: str, target: str | None, exclude: bool
) -> Explanation:
    """Return where the model finds evidence for a class."""
    from core.learning.explanation import explain

    mask = excluded(micrograph, exclude)
    return explain(model(model_name), micrograph, method, target, exclude=mask)


@st.cache_data(max_size="128MB", show_spinner="Filtering …", hash_funcs=_BY_KEY)
def filtered(
    micrograph: Micrograph, pipeline_json: str, exclude: bool
) -> tuple[Micrograph, Micrograph, float | None]:
    """Return the micrograph after a chain of filters, and where its first Otsu step cut.

    The second micrograph is the one that this threshold belongs to: what entered the Otsu step.
    Without such a step it is the micrograph itself, and the threshold is None.
    """
    pipeline = Pipeline.from_json(pipeline_json)
    entering = micrograph
    result, cut = micrograph, None
    for stage in pipeline.stages(micrograph, exclude=excluded(micrograph, exclude)):
        if cut is None and stage.threshold is not None:
            entering, cut = result, stage.threshold
        result = stage.micrograph
    return result, entering, cut


@st.cache_data(max_size="128MB", show_spinner="Clustering …", hash_funcs=_BY_KEY)
def clustering(micrograph: Micrograph, k: int, exclude: bool) -> Clustering:
    """Return the grey-level clusters of one micrograph."""
    return cluster_gray(micrograph, k, exclude=excluded(micrograph, exclude))


@st.cache_data(max_size="32MB", show_spinner="Measuring regions …", hash_funcs=_BY_KEY)
def regions(
    micrograph: Micrograph, k: int, exclude: bool, target: int, min_area_px: int
) -> pd.DataFrame:
    """Return one row per region of a cluster, with its size and shape."""
    mask = clustering(micrograph, k, exclude).labels == target
    return measure_regions(mask, micrograph.pixel_size, micrograph, min_area_px=min_area_px)


@st.cache_data(max_size="32MB", show_spinner=False, hash_funcs=_BY_PIXELS)
def thumbnail_png(micrograph: Micrograph, size_px: int = 320) -> bytes:
    """Return a small picture of the micrograph."""
    return display.png_bytes(display.thumbnail(micrograph, size_px))


@st.cache_data(max_size="96MB", show_spinner="Drawing …", hash_funcs=_BY_PIXELS)
def micrograph_png(micrograph: Micrograph, full: bool = False) -> bytes:
    """Return the micrograph in eight bits, with a scale bar where the scale is known.

    All pictures of one micrograph have one size: that of the screen, or with `full` every pixel.
    """
    return _encode(_picture(micrograph, full), micrograph)


@st.cache_data(max_size="96MB", show_spinner="Drawing …", hash_funcs=_BY_KEY)
def hatched_png(micrograph: Micrograph) -> bytes:
    """Return the micrograph with a hatch over what is left out, at the size of the screen.

    No scale bar is drawn: it would hide the edge of the info bar, which is to be judged here.
    """
    picture = _picture(micrograph, full=False)
    return display.png_bytes(hatching.hatch(picture, overlays(micrograph)))


@st.cache_data(max_size="96MB", show_spinner="Drawing …", hash_funcs=_BY_KEY)
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

    picture = _picture(micrograph, full)
    raw = explanation(micrograph, model_name, method, target, exclude).raw
    heat = to_frame(raw, picture.shape)
    return _encode(display.blend_heatmap(picture, heat, opacity, colormap), micrograph)


@st.cache_data(max_size="96MB", show_spinner="Drawing …", hash_funcs=_BY_KEY)
def clusters_png(micrograph: Micrograph, k: int, exclude: bool) -> bytes:
    """Return the cluster map in the colours of the legend; what is left out is hatched.

    Larger than the screen, it shows every n-th pixel: a mean of two colours is a third one, and
    may be that of another cluster.
    """
    labels = clustering(micrograph, k, exclude).labels
    height, width = _picture(micrograph, full=False).shape
    rows = np.arange(height) * labels.shape[0] // height
    cols = np.arange(width) * labels.shape[1] // width
    return _encode(display.color_labels(labels[np.ix_(rows, cols)], k), micrograph)


@st.cache_data(max_size="8MB", show_spinner=False, hash_funcs=_BY_KEY)
def filter_histogram(
    micrograph: Micrograph, pipeline_json: str, exclude: bool, dark: bool
) -> go.Figure:
    """Return the grey levels before and after a chain of filters, with Otsu's threshold."""
    result, entering, cut = filtered(micrograph, pipeline_json, exclude)
    cuts = () if cut is None else (cut,)
    mask = excluded(micrograph, exclude)
    return figures.histogram(entering, result, cuts, exclude=mask, dark=dark)


@st.cache_data(max_size="8MB", show_spinner=False, hash_funcs=_BY_KEY)
def cluster_histogram(micrograph: Micrograph, k: int, exclude: bool, dark: bool) -> go.Figure:
    """Return the grey levels in the colours of their clusters, with the thresholds."""
    return figures.cluster_histogram(micrograph, clustering(micrograph, k, exclude), dark=dark)


@st.cache_data(max_entries=64, show_spinner=False)
def heat_legend_png(opacity: float, colormap: str) -> bytes:
    """Return how evidence from none (left) to the strongest (right) looks over middle grey."""
    heat = np.tile(np.linspace(0, 1, 256), (14, 1))
    grey = np.full(heat.shape, 128, np.uint8)
    return display.png_bytes(display.blend_heatmap(grey, heat, opacity, colormap))


def mask_png(micrograph: Micrograph, k: int, exclude: bool, target: int) -> bytes:
    """Return the target cluster in white on black, every pixel of it."""
    mask = clustering(micrograph, k, exclude).labels == target
    return display.png_bytes(mask.astype(np.uint8) * np.uint8(255))


def raw_map_npy(found: Explanation) -> bytes:
    """Return the signed map at the layer's own resolution as a NumPy file."""
    return saving.save_npy_bytes(found.raw)


@st.cache_data(max_size="96MB", show_spinner=False, hash_funcs=_BY_PIXELS)
def tiff(micrograph: Micrograph) -> bytes:
    """Return the micrograph as a TIFF of its own depth."""
    return saving.save_tiff_bytes(micrograph)


@st.cache_data(max_size="96MB", show_spinner=False, hash_funcs=_BY_PIXELS)
def png(micrograph: Micrograph) -> bytes:
    """Return the micrograph as a PNG with every pixel."""
    return saving.save_png_bytes(micrograph)


def _picture(micrograph: Micrograph, full: bool) -> display.Picture:
    """Return the micrograph in eight bits, a few pixels across as squares.

    A browser would blur a tiny picture up, and a scale bar drawn at its size would cover it.
    """
    if full:
        return display.to_display(micrograph)
    picture = display.thumbnail(micrograph, SCREEN_PX)
    times = -(-_SMALL_PX // max(picture.shape))
    return picture.repeat(times, axis=0).repeat(times, axis=1)


def _encode(picture: display.Picture, micrograph: Micrograph) -> bytes:
    width = micrograph.shape[1]
    return display.png_bytes(display.draw_scale_bar(picture, micrograph.pixel_size, width))

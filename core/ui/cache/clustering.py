"""Clusters, their regions and their maps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.imaging import display
from core.measuring.clustering import Clustering, cluster_gray
from core.measuring.regions import measure_regions
from core.micrograph import Micrograph
from core.reporting import figures
from core.ui.cache.shared import BY_KEY, encode, excluded, picture


@st.cache_data(max_size="128MB", show_spinner="Clustering …", hash_funcs=BY_KEY)
def clustering(micrograph: Micrograph, k: int, exclude: bool) -> Clustering:
    """Return the grey-level clusters of one micrograph."""
    return cluster_gray(micrograph, k, exclude=excluded(micrograph, exclude))


@st.cache_data(max_size="32MB", show_spinner="Measuring regions …", hash_funcs=BY_KEY)
def regions(
    micrograph: Micrograph,
    k: int,
    exclude: bool,
    target: int,
    min_area_px: int,
    split: bool = False,
) -> pd.DataFrame:
    """Return one row per region of a cluster, with its size and shape."""
    mask = clustering(micrograph, k, exclude).labels == target
    return measure_regions(
        mask, micrograph.pixel_size, micrograph, min_area_px=min_area_px, split=split
    )


@st.cache_data(max_size="96MB", show_spinner="Drawing …", hash_funcs=BY_KEY)
def clusters_png(micrograph: Micrograph, k: int, exclude: bool) -> bytes:
    """Return the cluster map in the colours of the legend; what is left out is hatched.

    Larger than the screen, it shows every n-th pixel: a mean of two colours is a third one, and
    may be that of another cluster.
    """
    labels = clustering(micrograph, k, exclude).labels
    height, width = picture(micrograph, full=False).shape
    rows = np.arange(height) * labels.shape[0] // height
    cols = np.arange(width) * labels.shape[1] // width
    return encode(display.color_labels(labels[np.ix_(rows, cols)], k), micrograph)


@st.cache_data(max_size="8MB", show_spinner=False, hash_funcs=BY_KEY)
def cluster_histogram(micrograph: Micrograph, k: int, exclude: bool, dark: bool) -> go.Figure:
    """Return the grey levels in the colours of their clusters, with the thresholds."""
    return figures.cluster_histogram(micrograph, clustering(micrograph, k, exclude), dark=dark)


def mask_png(micrograph: Micrograph, k: int, exclude: bool, target: int) -> bytes:
    """Return the target cluster in white on black, every pixel of it."""
    mask = clustering(micrograph, k, exclude).labels == target
    return display.png_bytes(mask.astype(np.uint8) * np.uint8(255))

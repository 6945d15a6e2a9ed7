"""Chains of filters and what they change."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from core.imaging.filters import Pipeline
from core.micrograph import Micrograph
from core.reporting import figures
from core.ui.cache.shared import BY_KEY, excluded


@st.cache_data(max_size="128MB", show_spinner="Filtering …", hash_funcs=BY_KEY)
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


@st.cache_data(max_size="8MB", show_spinner=False, hash_funcs=BY_KEY)
def filter_histogram(
    micrograph: Micrograph, pipeline_json: str, exclude: bool, dark: bool
) -> go.Figure:
    """Return the grey levels before and after a chain of filters, with Otsu's threshold."""
    result, entering, cut = filtered(micrograph, pipeline_json, exclude)
    cuts = () if cut is None else (cut,)
    mask = excluded(micrograph, exclude)
    return figures.histogram(entering, result, cuts, exclude=mask, dark=dark)

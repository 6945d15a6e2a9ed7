"""Attribution and images as points.

What a person chose to get a mask or clusters goes into the key as text (`settings`); the arrays
themselves stay out of it, since Streamlit would hash a large one from a sample.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.imaging import display
from core.imaging.display import saving
from core.measuring.attribution import HasLabels, attribution_table
from core.measuring.embedding import (
    Grouping,
    Projection,
    group_images,
    project_pca,
    project_tsne,
    texture_statistics,
)
from core.measuring.exchange import region_files
from core.measuring.regions import label_regions
from core.micrograph import Micrograph
from core.ui.cache.clustering import RegionChoice
from core.ui.cache.explaining import Question, explanation
from core.ui.cache.shared import BY_KEY, BY_PIXELS, Mask, excluded, model

_DESCRIBED_PX = 256  # longer side at which a texture is described
_CARD_PX = 160


@st.cache_data(max_entries=256, show_spinner="Sharing out the evidence …", hash_funcs=BY_KEY)
def attribution(
    micrograph: Micrograph, question: Question, settings: str, _clusters: HasLabels | Mask
) -> pd.DataFrame:
    """Return which share of an explanation falls in each cluster, with intervals."""
    return attribution_table(explanation(micrograph, question), _clusters)


@st.cache_data(max_entries=4096, show_spinner=False, hash_funcs=BY_KEY)
def embedding(micrograph: Micrograph, model_name: str, exclude: bool) -> NDArray[np.float32]:
    """Return what a network makes of one micrograph, shape (C,)."""
    from core.learning.classifying import embed

    found = embed(model(model_name), [micrograph], excludes=[excluded(micrograph, exclude)])
    return np.asarray(found[0])


@st.cache_data(max_entries=4096, show_spinner=False, hash_funcs=BY_KEY)
def texture_row(micrograph: Micrograph, exclude: bool) -> NDArray[np.float64]:
    """Return numbers that describe a micrograph without a network."""
    mask = excluded(micrograph, exclude)
    pixels = micrograph.pixels
    if mask is not None and mask.any() and not mask.all():
        pixels = np.where(mask, np.nanmean(pixels[~mask]), pixels).astype(pixels.dtype)
    plain = micrograph.with_pixels(pixels, "overlays filled")
    return texture_statistics(display.thumbnail(plain, _DESCRIBED_PX))


@st.cache_data(max_entries=64, show_spinner="Laying out the map …")
def projection(settings: str, method: str, _rows: NDArray[Any]) -> Projection:
    """Return a plane with one point per image; `settings` names what the rows are of."""
    return project_tsne(_rows) if method == "tsne" else project_pca(_rows)


@st.cache_data(max_entries=64, show_spinner=False)
def image_groups(settings: str, k: int, _rows: NDArray[Any]) -> Grouping:
    """Return groups of images with a typical member each."""
    return group_images(_rows, k)


@st.cache_data(max_entries=1024, show_spinner=False, hash_funcs=BY_PIXELS)
def card_jpeg(micrograph: Micrograph) -> bytes:
    """Return a picture of a few kilobytes, for many at once."""
    return display.jpeg_bytes(display.thumbnail(micrograph, _CARD_PX))


def files_of_regions(
    micrograph: Micrograph,
    mask: Mask,
    included: Mask,
    found_by: RegionChoice,
    regions: pd.DataFrame,
    phase: str,
) -> dict[str, Callable[[], bytes]]:
    """Return what makes the regions of a mask as files of other programs, see `region_files`."""

    def number() -> NDArray[np.int32]:
        return label_regions(mask, included=included, **found_by.labelling)

    return region_files(micrograph, number, regions, phase)


def clusters_palette_png(labels: NDArray[np.integer], k: int) -> bytes:
    """Return clusters as an indexed PNG at full size: colours for people, numbers for programs."""
    return saving.save_palette_bytes(labels, k)

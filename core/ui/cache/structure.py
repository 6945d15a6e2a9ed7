"""What is measured of a cluster besides its regions: widths, grains, gaps, correlation."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.measuring.regions import (
    ClarkEvans,
    Gaps,
    Intercepts,
    PairCorrelation,
    Widths,
    abrams_intercepts,
    centres_against_chance,
    edge_gaps,
    grains_between,
    heyn_intercepts,
    label_regions,
    measure_widths,
    pair_correlation,
)
from core.measuring.statistics import TwoPoint, two_point
from core.micrograph import Micrograph
from core.ui.cache.clustering import ClusterChoice, RegionChoice, clusters, regions
from core.ui.cache.shared import BY_KEY, Mask


@st.cache_data(max_size="128MB", show_spinner="Measuring widths …", hash_funcs=BY_KEY)
def target_widths(
    micrograph: Micrograph, choice: ClusterChoice, target: int, others: bool
) -> Widths:
    """Return the widths of a cluster, or of all that lies between it."""
    mask, included = _masks(micrograph, choice, target)
    wanted = included & ~mask if others else mask
    return measure_widths(wanted, micrograph.pixel_size, included=included)


@st.cache_data(max_entries=128, show_spinner="Laying lines …", hash_funcs=BY_KEY)
def target_intercepts(
    micrograph: Micrograph,
    choice: ClusterChoice,
    target: int,
    found_by: RegionChoice,
    boundaries: bool,
) -> tuple[Intercepts, Intercepts, int]:
    """Return intercepts by Heyn's lines and Abrams' circles, and the number of grains.

    The cluster is the grains, or the boundaries between them.
    """
    mask, included = _masks(micrograph, choice, target)
    if boundaries:
        grains = grains_between(mask, included=included)
    else:
        grains = _numbered(mask, included, found_by)
    size = micrograph.pixel_size
    lines = heyn_intercepts(grains, size, included=included)
    return lines, abrams_intercepts(grains, size, included=included), int(grains.max(initial=0))


@st.cache_data(max_entries=128, show_spinner="Measuring gaps …", hash_funcs=BY_KEY)
def target_gaps(
    micrograph: Micrograph, choice: ClusterChoice, target: int, found_by: RegionChoice
) -> tuple[Gaps, ClarkEvans, PairCorrelation]:
    """Return gaps between regions, and their centres against chance."""
    mask, included = _masks(micrograph, choice, target)
    gaps = edge_gaps(_numbered(mask, included, found_by), micrograph.pixel_size, included=included)
    table = regions(micrograph, choice, target, found_by.with_cut_ones)
    points = table[["centroid_row_px", "centroid_col_px"]].to_numpy(np.float64)
    shape = (mask.shape[0], mask.shape[1])
    pairs = pair_correlation(points, shape, included=included)
    return gaps, centres_against_chance(table, shape, included), pairs


@st.cache_data(max_entries=256, show_spinner="Comparing points …", hash_funcs=BY_KEY)
def target_correlation(micrograph: Micrograph, choice: ClusterChoice, target: int) -> TwoPoint:
    """Return how far the structure of a cluster reaches."""
    mask, included = _masks(micrograph, choice, target)
    return two_point(mask, micrograph.pixel_size, included=included)


def _masks(micrograph: Micrograph, choice: ClusterChoice, target: int) -> tuple[Mask, Mask]:
    labels = clusters(micrograph, choice).labels
    return labels == target, labels >= 0


def _numbered(mask: Mask, included: Mask, found_by: RegionChoice) -> NDArray[np.int32]:
    return label_regions(mask, included=included, **found_by.labelling)

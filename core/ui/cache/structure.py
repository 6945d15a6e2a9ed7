"""What is measured of a target besides sizes: widths, grains, gaps, correlation.

A target is a cluster, a phase, or the objects that a hand has mended: a place and its pieces.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
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
from core.measuring.statistics import Interval, TwoPoint, area_fraction, count_points, two_point
from core.micrograph import Micrograph
from core.ui.cache.clustering import ClusterChoice, RegionChoice, clusters, regions
from core.ui.cache.segmenting import Objects, object_table, objects
from core.ui.cache.shared import BY_KEY, Mask
from core.ui.cache.ways import Given


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What is measured as a whole, however it was found.

    Attributes
    ----------
    of, pieces_of : str
        All choices that made the place, and its pieces: the keys under which results are kept.
    place : callable
        Returns where it lies and where anything counts, each (H, W) bool.
    pieces : callable
        Returns its numbered pieces, (H, W) int32.
    table : callable
        Returns one row per piece, those that are cut among them.
    """

    of: str
    pieces_of: str
    place: Callable[[], tuple[Mask, Mask]]
    pieces: Callable[[], NDArray[np.int32]]
    table: Callable[[], pd.DataFrame]


_BY_PLACE = {**BY_KEY, Target: lambda target: target.of}
_BY_PIECES = {**BY_KEY, Target: lambda target: target.pieces_of}


def object_target(micrograph: Micrograph, asked: Objects, given: Given) -> Target:
    """Return the objects of Segment, with all that a hand changed, as a target."""
    with_cut_ones = replace(asked, found_by=asked.found_by.with_cut_ones)

    def place() -> tuple[Mask, Mask]:
        found = objects(micrograph, asked, given)
        return found.mask(1), found.included

    return Target(
        repr(asked),
        repr(asked),
        place,
        lambda: objects(micrograph, asked, given).labels,
        lambda: object_table(micrograph, with_cut_ones, given),
    )


def cluster_target(
    micrograph: Micrograph, choice: ClusterChoice, number: int, found_by: RegionChoice
) -> Target:
    """Return a cluster as a target."""

    def place() -> tuple[Mask, Mask]:
        labels = clusters(micrograph, choice).labels
        return labels == number, labels >= 0

    def pieces() -> NDArray[np.int32]:
        mask, included = place()
        return label_regions(mask, included=included, **found_by.labelling)

    return Target(
        f"{choice!r}|{number}",
        f"{choice!r}|{number}|{found_by!r}",
        place,
        pieces,
        lambda: regions(micrograph, choice, number, found_by.with_cut_ones),
    )


@st.cache_data(max_entries=512, show_spinner="Drawing tiles …", hash_funcs=_BY_PLACE)
def target_shares(micrograph: Micrograph, target: Target) -> tuple[Interval, Interval]:
    """Return a target's share of a field with its interval from tiles, and from a grid."""
    mask, included = target.place()
    return area_fraction(mask, included), count_points(mask, included)


@st.cache_data(max_size="128MB", show_spinner="Measuring widths …", hash_funcs=_BY_PLACE)
def target_widths(micrograph: Micrograph, target: Target, others: bool) -> Widths:
    """Return the widths of a target, or of all that lies between it."""
    mask, included = target.place()
    wanted = included & ~mask if others else mask
    return measure_widths(wanted, micrograph.pixel_size, included=included)


@st.cache_data(max_entries=128, show_spinner="Laying lines …", hash_funcs=_BY_PIECES)
def target_intercepts(
    micrograph: Micrograph, target: Target, boundaries: bool
) -> tuple[Intercepts, Intercepts, int]:
    """Return intercepts by Heyn's lines and Abrams' circles, and the number of grains.

    The target is the grains, or the boundaries between them.
    """
    mask, included = target.place()
    grains = grains_between(mask, included=included) if boundaries else target.pieces()
    size = micrograph.pixel_size
    lines = heyn_intercepts(grains, size, included=included)
    return lines, abrams_intercepts(grains, size, included=included), int(grains.max(initial=0))


@st.cache_data(max_entries=128, show_spinner="Measuring gaps …", hash_funcs=_BY_PIECES)
def target_gaps(micrograph: Micrograph, target: Target) -> tuple[Gaps, ClarkEvans, PairCorrelation]:
    """Return gaps between pieces, and their centres against chance."""
    mask, included = target.place()
    gaps = edge_gaps(target.pieces(), micrograph.pixel_size, included=included)
    table = target.table()
    points = table[["centroid_row_px", "centroid_col_px"]].to_numpy(np.float64)
    shape = (mask.shape[0], mask.shape[1])
    pairs = pair_correlation(points, shape, included=included)
    return gaps, centres_against_chance(table, shape, included), pairs


@st.cache_data(max_entries=256, show_spinner="Comparing points …", hash_funcs=_BY_PLACE)
def target_correlation(micrograph: Micrograph, target: Target) -> TwoPoint:
    """Return how far the structure of a target reaches."""
    mask, included = target.place()
    return two_point(mask, micrograph.pixel_size, included=included)

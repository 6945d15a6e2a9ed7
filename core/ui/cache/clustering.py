"""Clusters, their regions and their maps, and what helps to choose their number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from core.imaging import display
from core.imaging.display import saving
from core.measuring.clustering import (
    AUTO,
    GREY,
    GREYS,
    K_MEANS,
    NONE,
    ChoiceOfK,
    Clustering,
    FeatureClustering,
    FeatureSet,
    NoiseFound,
    Smoothing,
    choose_k_features,
    choose_k_gray,
    find_noise,
    fraction_bands,
    group_pixels,
    small_feature_maps,
    smooth_labels,
)
from core.measuring.defaults import NECK_DEPTH_PX, suggest_target
from core.measuring.regions import filter_regions, label_regions, measure_labels, trace_regions
from core.measuring.selection import Region, leave_out
from core.micrograph import Micrograph
from core.reporting import figures
from core.reporting.decisions import RegionLimits
from core.ui.cache.shared import BY_KEY, encode, excluded, picture

FEATURES = "features"
_FEATURE_SET, _AS_FOUND = FeatureSet(), Smoothing()
_NO_LIMITS = RegionLimits()
_TILE_PX = 420  # longer side of a small picture of a map
_TARGET_OPACITY = 0.6


@dataclass(frozen=True, slots=True)
class RegionChoice:
    """What makes a region of a cluster, and whether those that are cut are left out."""

    smallest_px: int = 10
    split: bool = False
    fill_holes: bool = False
    connectivity: int = 8
    whole: bool = False
    limits: RegionLimits = _NO_LIMITS
    neck_depth_px: float = NECK_DEPTH_PX

    @property
    def all_sizes(self) -> RegionChoice:
        """The same, whatever regions are like and whether they are cut."""
        return replace(self, whole=False, limits=_NO_LIMITS)

    @property
    def with_cut_ones(self) -> RegionChoice:
        """The same, with regions that are cut."""
        return replace(self, whole=False)

    @property
    def labelling(self) -> dict[str, Any]:
        """The parameters of `label_regions`."""
        return {
            "min_area_px": self.smallest_px,
            "split": self.split,
            "fill_holes": self.fill_holes,
            "connectivity": self.connectivity,
            "neck_depth_px": self.neck_depth_px,
        }


@dataclass(frozen=True, slots=True)
class ClusterChoice:
    """All that decides how a micrograph is divided into clusters."""

    k: int = 3
    exclude: bool = True
    mode: str = GREY
    region: Region | None = None
    features: FeatureSet = _FEATURE_SET
    method: str = K_MEANS
    seed: int = 0
    smoothing: Smoothing = _AS_FOUND

    @property
    def group_by(self) -> str:
        """How `group_pixels` is to group: by grey, or by features with a method."""
        return self.method if self.mode == FEATURES else GREY

    @property
    def unsmoothed(self) -> ClusterChoice:
        """The same without smoothing."""
        return replace(self, smoothing=_AS_FOUND)


@st.cache_data(max_size="256MB", show_spinner=False, hash_funcs=BY_KEY)
def clusters(
    micrograph: Micrograph,
    choice: ClusterChoice,
    _tell: Callable[[float, str], None] | None = None,
) -> Clustering:
    """Return the clusters of one micrograph; what is told on the way is not kept."""
    mask = excluded(micrograph, choice.exclude)
    return find_clusters(
        micrograph, choice, mask, _tell, lambda plain: clusters(micrograph, plain, _tell)
    )


def find_clusters(
    micrograph: Micrograph,
    choice: ClusterChoice,
    exclude: NDArray[np.bool_] | None,
    tell: Callable[[float, str], None] | None = None,
    unsmoothed: Callable[[ClusterChoice], Clustering] | None = None,
) -> Clustering:
    """Return clusters that are not kept; where those before smoothing are kept, they are asked."""
    if choice.smoothing.kind not in (NONE, GREYS):
        find = unsmoothed or (lambda plain: find_clusters(micrograph, plain, exclude, tell))
        return smooth_labels(find(choice.unsmoothed), micrograph.pixels, choice.smoothing)
    return group_pixels(
        micrograph,
        choice.k,
        choice.group_by,
        exclude=exclude,
        region=choice.region,
        features=choice.features,
        seed=choice.seed,
        on_progress=tell,
        smoothing=choice.smoothing,
    )


@st.cache_data(max_entries=512, show_spinner=False, hash_funcs=BY_KEY)
def noise(micrograph: Micrograph, choice: ClusterChoice) -> NoiseFound:
    """Return how noisy the greys are that a choice groups."""
    return find_noise(micrograph.pixels, choice.k, _left_out(micrograph, choice))


def settled(micrograph: Micrograph, choice: ClusterChoice) -> ClusterChoice:
    """Return the choice with the smoothing that "auto" stands for in this micrograph."""
    if choice.smoothing.kind != AUTO:
        return choice
    sigma_px = noise(micrograph, choice.unsmoothed).sigma_px if choice.mode == GREY else 0.0
    decided = Smoothing(GREYS, sigma_px=sigma_px) if sigma_px else _AS_FOUND
    return replace(choice, smoothing=decided)


@st.cache_data(max_entries=512, show_spinner=False, hash_funcs=BY_KEY)
def standing_out(micrograph: Micrograph, choice: ClusterChoice) -> int:
    """Return the number of the cluster that stands out."""
    found = clusters(micrograph, choice)
    return suggest_target(found.labels, found.k, found.centers)


def _left_out(micrograph: Micrograph, choice: ClusterChoice) -> NDArray[np.bool_] | None:
    return leave_out(micrograph.shape, excluded(micrograph, choice.exclude), choice.region)


def cluster_fractions(micrograph: Micrograph, choice: ClusterChoice) -> tuple[float, ...]:
    """Return the area fractions of a micrograph's clusters, dark to bright."""
    return tuple(map(float, clusters(micrograph, choice).fractions))


@st.cache_data(max_size="32MB", show_spinner="Measuring regions …", hash_funcs=BY_KEY)
def regions(
    micrograph: Micrograph,
    choice: ClusterChoice,
    target: int,
    found_by: RegionChoice,
) -> pd.DataFrame:
    """Return one row per region of a cluster, with its size and shape."""
    included = clusters(micrograph, choice).labels >= 0
    numbers = _numbered(micrograph, choice, target, found_by.all_sizes)
    frame = measure_labels(numbers, micrograph.pixel_size, micrograph, included=included)
    size = micrograph.pixel_size
    limits = found_by.limits.columns(unit_of(frame), size.to("nm") if size else None)
    frame = filter_regions(frame, **limits)
    return frame[~frame["touches_border"]].reset_index(drop=True) if found_by.whole else frame


def unit_of(regions: pd.DataFrame) -> str:
    """Return the unit of lengths in a table of regions."""
    start = "equivalent_diameter_"
    return next(str(name) for name in regions if str(name).startswith(start)).removeprefix(start)


@st.cache_data(max_size="96MB", show_spinner="Finding regions …", hash_funcs=BY_KEY)
def _numbered(
    micrograph: Micrograph, choice: ClusterChoice, target: int, found_by: RegionChoice
) -> NDArray[np.int32]:
    labels = clusters(micrograph, choice).labels
    return label_regions(labels == target, included=labels >= 0, **found_by.labelling)


@st.cache_data(max_size="48MB", show_spinner="Drawing outlines …", hash_funcs=BY_KEY)
def region_outlines(
    micrograph: Micrograph, choice: ClusterChoice, target: int, found_by: RegionChoice
) -> list[tuple[int, NDArray[np.float32]]]:
    """Return the outlines of the regions that `regions` has a row for, by their labels."""
    numbers = _numbered(micrograph, choice, target, found_by.all_sizes)
    return trace_regions(numbers, regions(micrograph, choice, target, found_by)["label"])


def cluster_values(
    micrograph: Micrograph, choice: ClusterChoice, only: int | None = None
) -> NDArray[np.uint8]:
    """Return the number of the cluster of each pixel, 255 where there is none or another."""
    labels = clusters(micrograph, choice).labels
    shown = labels >= 0 if only is None else labels == only
    return np.where(shown, labels, 255).astype(np.uint8)


@st.cache_data(max_entries=512, show_spinner="Counting regions …", hash_funcs=BY_KEY)
def region_counts(
    micrograph: Micrograph, choice: ClusterChoice, found_by: RegionChoice
) -> tuple[int, ...]:
    """Return how many regions each cluster has, cut ones among them."""
    found = clusters(micrograph, choice)
    if found_by.limits != _NO_LIMITS:
        every = (regions(micrograph, choice, n, found_by.with_cut_ones) for n in range(found.k))
        return tuple(len(table) for table in every)
    included = found.labels >= 0
    masks = (found.labels == number for number in range(found.k))
    return tuple(
        int(label_regions(mask, included=included, **found_by.labelling).max()) for mask in masks
    )


@st.cache_data(max_size="96MB", show_spinner="Drawing …", hash_funcs=BY_KEY)
def clusters_png(micrograph: Micrograph, choice: ClusterChoice) -> bytes:
    """Return the cluster map in the colours of the legend; what is left out is hatched.

    Larger than the screen, it shows every n-th pixel: a mean of two colours is a third one, and
    may be that of another cluster.
    """
    found = clusters(micrograph, choice)
    shown = _at_screen_size(found.labels, micrograph)
    return encode(display.color_labels(shown, found.k), micrograph)


@st.cache_data(max_size="96MB", show_spinner="Drawing …", hash_funcs=BY_KEY)
def target_png(micrograph: Micrograph, choice: ClusterChoice, target: int) -> bytes:
    """Return the micrograph with the target cluster in orange over it."""
    shown = picture(micrograph, full=False)
    inside = _at_screen_size(clusters(micrograph, choice).labels, micrograph) == target
    coloured = np.repeat(shown[..., None], 3, axis=2)
    orange = np.frombuffer(bytes.fromhex(figures.ORANGE.removeprefix("#")), np.uint8)
    blend = coloured[inside] * (1 - _TARGET_OPACITY) + orange * _TARGET_OPACITY
    coloured[inside] = np.rint(blend).astype(np.uint8)
    return encode(coloured, micrograph)


def _at_screen_size(labels: NDArray[np.int16], micrograph: Micrograph) -> NDArray[np.int16]:
    height, width = picture(micrograph, full=False).shape
    rows = np.arange(height) * labels.shape[0] // height
    cols = np.arange(width) * labels.shape[1] // width
    return labels[np.ix_(rows, cols)]


@st.cache_data(max_size="8MB", show_spinner=False, hash_funcs=BY_KEY)
def cluster_histogram(micrograph: Micrograph, choice: ClusterChoice, dark: bool) -> go.Figure:
    """Return the grey levels in the colours of their clusters, with thresholds where it has any."""
    return figures.cluster_histogram(micrograph, clusters(micrograph, choice), dark=dark)


@st.cache_data(max_entries=256, show_spinner="Trying numbers of clusters …", hash_funcs=BY_KEY)
def choice_of_k(micrograph: Micrograph, choice: ClusterChoice) -> ChoiceOfK:
    """Return what speaks for each number of clusters."""
    mask = excluded(micrograph, choice.exclude)
    if choice.mode == GREY:
        return choose_k_gray(
            micrograph, exclude=leave_out(micrograph.shape, mask, choice.region), seed=choice.seed
        )
    return choose_k_features(
        micrograph,
        exclude=mask,
        region=None if choice.region is None else choice.region.mask(micrograph.shape),
        features=choice.features,
        seed=choice.seed,
    )


@st.cache_data(max_entries=256, show_spinner="Drawing tiles again …", hash_funcs=BY_KEY)
def bands(micrograph: Micrograph, choice: ClusterChoice) -> pd.DataFrame:
    """Return how far fractions move over drawn tiles, of clusters before they are smoothed."""
    found = clusters(micrograph, choice.unsmoothed)
    return fraction_bands(micrograph, found, exclude=excluded(micrograph, choice.exclude))


@st.cache_data(max_size="48MB", show_spinner="Drawing features …", hash_funcs=BY_KEY)
def feature_pngs(micrograph: Micrograph, features: FeatureSet, exclude: bool) -> dict[str, bytes]:
    """Return a small picture of every map of a set of features."""
    mask = excluded(micrograph, exclude)
    maps = small_feature_maps(micrograph.pixels, features, exclude=mask, longest_px=2 * _TILE_PX)
    return {name: _small_png(values) for name, values in maps.items()}


@st.cache_data(max_size="48MB", show_spinner="Drawing …", hash_funcs=BY_KEY)
def soft_pngs(micrograph: Micrograph, choice: ClusterChoice) -> list[bytes]:
    """Return a picture per cluster of how much of each pixel belongs to it; none of k-means."""
    found = clusters(micrograph, choice.unsmoothed)
    if not isinstance(found, FeatureClustering) or found.memberships is None:
        return []
    return [
        display.png_bytes(np.rint(share.astype(np.float32) * 255).astype(np.uint8), _TILE_PX)
        for share in found.memberships
    ]


def _small_png(values: NDArray[np.float32]) -> bytes:
    return display.png_bytes(display.thumbnail(Micrograph("map", values), _TILE_PX))


def mask_png(micrograph: Micrograph, choice: ClusterChoice, target: int) -> bytes:
    """Return the target cluster in white on black, every pixel of it."""
    return saving.save_mask_bytes(clusters(micrograph, choice).labels == target)

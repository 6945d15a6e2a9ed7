"""What a person chooses on the Cluster page: how pixels are grouped, and what is measured."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.errors import UserError
from core.measuring.clustering import GREY, K_MEANS, METHODS, MIXTURE, FeatureSet, Smoothing
from core.micrograph import Micrograph
from core.ui import cache
from core.ui.cluster import region_picker
from core.ui.shell import exclude_overlays, smallest_region_px, target_cluster

FEATURES, IMAGES = cache.FEATURES, "images"
K_KEY = "cluster_k"
_LAST = "cluster_last_choice"
MOST_CLUSTERS = 12
MODES = {GREY: "Grey level", FEATURES: "Features", IMAGES: "Micrographs"}
FAMILIES = {
    "intensity": "grey",
    "smoothed": "smoothed grey",
    "gradient": "gradient",
    "laplacian": "Laplacian",
    "structure": "structure tensor",
    "texture": "texture",
    "position": "position",
}
SCALES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
SMOOTHINGS = {"none": "None", "majority": "Neighbours vote", "superpixels": "Superpixels"}
_GROUPINGS = {K_MEANS: "k-means", MIXTURE: "Gaussian mixture"}


@dataclass(frozen=True, slots=True)
class Measured:
    """Which cluster is measured, and what counts as a region of it."""

    target: int
    smallest_px: int
    split: bool


def mode() -> str:
    """Draw what is grouped: pixels by grey level or by features, or whole images."""
    chosen = st.segmented_control(
        "What is grouped",
        MODES,
        default=GREY,
        format_func=MODES.__getitem__,
        key="cluster_mode",
        persist_state="session",
        help="Grey level: pixels by their own grey, exactly and at once. Features: pixels by what "
        "they and their surroundings are like. Micrographs: the loaded "
        "ones as points, alike ones close together.",
    )
    return chosen or GREY


def ask(micrograph: Micrograph, chosen: str) -> tuple[cache.ClusterChoice, Measured]:
    """Draw the controls of pixel clustering in the sidebar."""
    with st.sidebar:
        k = st.slider("Clusters", 2, MOST_CLUSTERS, 3, key=K_KEY, persist_state="session")
        features, method, seed = FeatureSet(), K_MEANS, 0
        if chosen == FEATURES:
            features, method, seed = _features()
        smoothing = _smoothing()
        measured = Measured(target_cluster(k, "cluster_target"), smallest_region_px(), _split())
        region = region_picker.ask(micrograph)
        exclude = exclude_overlays()
    choice = cache.ClusterChoice(k, exclude, chosen, region, features, method, seed, smoothing)
    st.session_state[_LAST] = choice
    return choice, measured


def last() -> cache.ClusterChoice:
    """Return what was chosen last, for other pages."""
    found: cache.ClusterChoice = st.session_state.get(_LAST, cache.ClusterChoice())
    return found


def _features() -> tuple[FeatureSet, str, int]:
    """Draw which features describe a pixel, and how pixels are grouped by them."""
    default = FeatureSet()
    families = st.pills(
        "Features",
        FAMILIES,
        selection_mode="multi",
        default=default.chosen,
        format_func=FAMILIES.__getitem__,
        key="cluster_families",
        persist_state="session",
        help="Each is standardised: all count alike. Position makes clusters keep together.",
    )
    method: str = st.selectbox(
        "Grouping",
        METHODS,
        format_func=_GROUPINGS.__getitem__,
        key="cluster_method",
        persist_state="session",
        help="A mixture allows clusters of any spread and gives soft maps: how much of each pixel "
        "belongs to each cluster.",
    )
    with st.expander("More about features"):
        scales, window, seed = _surroundings(default)
    if not families:
        raise UserError("No feature is chosen. Choose at least one in the sidebar.")
    chosen = {name: name in families for name in FAMILIES}
    return FeatureSet(**chosen, scales_px=scales, window_px=window), method, seed


def _surroundings(default: FeatureSet) -> tuple[tuple[float, ...], int, int]:
    """Draw how far around a pixel its features look, and the seed of the grouping."""
    scales = st.pills(
        "Scales (px)",
        SCALES,
        selection_mode="multi",
        default=default.scales_px,
        format_func=lambda scale: f"{scale:g}",
        key="cluster_scales",
        persist_state="session",
        help="Standard deviations of the smoothing before grey, gradient, Laplacian and "
        "structure tensor are taken.",
    )
    window = st.slider(
        "Texture window (px)",
        3,
        31,
        default.window_px,
        2,
        key="cluster_window",
        persist_state="session",
    )
    seed = st.number_input(
        "Seed",
        0,
        9999,
        0,
        key="cluster_seed",
        persist_state="session",
        help="The same seed gives the same clusters to the last digit.",
    )
    return tuple(sorted(scales)) or default.scales_px, window, int(seed)


def _smoothing() -> Smoothing:
    """Draw whether neighbouring pixels have a say, and how far."""
    kind: str = st.selectbox(
        "Smoothing of the clusters",
        SMOOTHINGS,
        format_func=SMOOTHINGS.__getitem__,
        key="cluster_smoothing",
        persist_state="session",
        help="Neighbours vote: each pixel takes the commonest cluster around it. Superpixels: "
        "patches of like grey stay whole. What it does to the fractions is shown.",
    )
    default = Smoothing()
    radius, side = default.radius_px, default.side_px
    if kind == "majority":
        radius = st.slider(
            "Radius (px)", 1, 10, radius, key="cluster_radius", persist_state="session"
        )
    if kind == "superpixels":
        side = st.slider(
            "Superpixels (px)", 4, 60, side, key="cluster_side", persist_state="session"
        )
    return Smoothing(kind, radius, side)


def _split() -> bool:
    return st.toggle(
        "Split touching regions",
        key="cluster_split",
        persist_state="session",
        help="Cuts regions at necks narrower than 0.8 of the narrower part (watershed).",
    )

"""What a person chooses on the Cluster page: how pixels are grouped, and what is measured."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.errors import UserError
from core.measuring.clustering import (
    GREY,
    GREYS,
    K_MEANS,
    MIXTURE,
    FeatureSet,
    Smoothing,
)
from core.measuring.defaults import area_of, smallest_region
from core.micrograph import Micrograph
from core.ui import cache
from core.ui.cluster import region_picker
from core.ui.parts import (
    MOST_CLUSTERS,
    Choice,
    Setting,
    Several,
    Switch,
    Whole,
    gather,
    measuring,
    targets,
)
from core.ui.shell import EXCLUDE, SMALLEST, SMALLEST_NM, region, smallest_by

FEATURES, IMAGES = cache.FEATURES, "images"
ALL, ONE = "All clusters", "Target cluster"
_PIXELS = "cluster_pixels_by"  # how pixels were grouped when they last were
_FEATURE_SET = FeatureSet()
_FAMILIES = {
    "intensity": "grey",
    "smoothed": "smoothed grey",
    "gradient": "gradient",
    "laplacian": "Laplacian",
    "structure": "structure tensor",
    "texture": "texture",
    "position": "position",
}


def _pixels_by() -> str:
    """Return how pixels are grouped, or were before whole micrographs were."""
    chosen: str = MODE.value()
    if chosen == IMAGES:
        return str(st.session_state.get(_PIXELS, GREY))
    return chosen


def _by_features() -> bool:
    return _pixels_by() == FEATURES


MODE = Choice(
    name="group",
    key="cluster_mode",
    label="What is grouped",
    help="Grey level: pixels by their own grey, exactly and at once. Features: pixels by what "
    "they and their surroundings are like. Micrographs: the loaded "
    "ones as points, alike ones close together.",
    default=GREY,
    options={GREY: "Grey level", FEATURES: "Features", IMAGES: "Micrographs"},
    in_row=True,
    recipe="clustering",
    to_recipe=lambda _: "features" if _by_features() else GREY,
)
CLUSTERS = Whole(
    name="k",
    key="cluster_k",
    label="Clusters",
    default=3,
    low=2,
    high=MOST_CLUSTERS,
    recipe="clusters",
)
FAMILIES = Several(
    name="features",
    key="cluster_families",
    label="Features",
    help="Each is standardised: all count alike. Position makes clusters keep together.",
    default=list(_FEATURE_SET.chosen),
    options=_FAMILIES,
    counts=_by_features,
    recipe="features",
    to_recipe=lambda chosen: {name: name in chosen for name in _FAMILIES if chosen},
)
GROUPING = Choice(
    name="grouping",
    key="cluster_method",
    label="Grouping",
    help="A mixture allows clusters of any spread and gives soft maps: how much of each pixel "
    "belongs to each cluster.",
    default=K_MEANS,
    options={K_MEANS: "k-means", MIXTURE: "Gaussian mixture"},
    counts=_by_features,
    recipe="clustering",
    to_recipe=lambda method: "mixture" if method == MIXTURE else "features",
)
SCALES = Several(
    name="scales",
    key="cluster_scales",
    label="Scales (px)",
    help="Standard deviations of the smoothing before grey, gradient, Laplacian and "
    "structure tensor are taken.",
    default=list(_FEATURE_SET.scales_px),
    options={scale: f"{scale:g}" for scale in (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)},
    counts=_by_features,
    recipe="features.scales_px",
    to_recipe=lambda chosen: tuple(sorted(chosen)) or _FEATURE_SET.scales_px,
)
WINDOW = Whole(
    name="window",
    key="cluster_window",
    label="Texture window (px)",
    default=_FEATURE_SET.window_px,
    low=3,
    high=31,
    step=2,
    counts=_by_features,
    recipe="features.window_px",
)
SEED = Whole(
    name="seed",
    key="cluster_seed",
    label="Seed",
    help="The same seed gives the same clusters to the last digit.",
    default=0,
    low=0,
    high=9999,
    in_box=True,
    counts=_by_features,
    recipe="cluster_seed",
)
WHOLE = Switch(
    name="whole",
    key="cluster_whole",
    label="Leave out cut regions",
    help="Regions that the frame, the info bar, letters or the region of interest cut are larger "
    "than what shows of them. They count as area either way.",
    recipe="drop_border_regions",
)
SHOWN = Choice(
    name="shown",
    key="cluster_shown",
    label="Show",
    default=ALL,
    options={what: what for what in (ALL, ONE)},
    in_row=True,
    required=True,
    is_labelled=False,
)
TARGETS = targets("target", "cluster_target")
SETTINGS: tuple[Setting, ...] = (
    MODE,
    CLUSTERS,
    FAMILIES,
    GROUPING,
    SCALES,
    WINDOW,
    SEED,
    WHOLE,
    SHOWN,
    *TARGETS.values(),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """Which cluster is measured, and what counts as a region of it."""

    target: int
    regions: cache.RegionChoice


def mode() -> str:
    """Draw what is grouped: pixels by grey level or by features, or whole images."""
    chosen: str = MODE.draw() or GREY
    if chosen != IMAGES:
        st.session_state[_PIXELS] = chosen
    return chosen


def ask(micrograph: Micrograph, chosen: str) -> tuple[cache.ClusterChoice, Measured]:
    """Draw the controls of pixel clustering in the sidebar."""
    with st.sidebar:
        k = CLUSTERS.draw()
        if chosen == FEATURES:
            _draw_features()
        target = TARGETS[k].draw()
        _draw_regions(micrograph)
        with st.expander("Region of interest", icon=":material/crop_free:"):
            found = region_picker.ask(micrograph)
        exclude = EXCLUDE.draw()
    region.hold(found)
    said = gather((*SETTINGS, *measuring.SETTINGS))
    wished = cache.ClusterChoice(
        k,
        exclude,
        chosen,
        found,
        FeatureSet(**said.get("features", {})),
        GROUPING.value(),
        SEED.value(),
        Smoothing(**said["smoothing"]),
    )
    choice = cache.settled(micrograph, wished)
    averaged = choice.smoothing.sigma_px if choice != wished and _averages(choice) else 0.0
    regions = cache.RegionChoice(
        _smallest_px(micrograph, averaged),
        measuring.SPLIT.value(),
        measuring.FILL.value(),
        8 if measuring.CORNERS.value() else 4,
        WHOLE.value(),
        measuring.limits_of(said.get("region_limits", {})),
        measuring.NECK.value(),
    )
    return choice, Measured(target, regions)


def _averages(choice: cache.ClusterChoice) -> bool:
    return choice.smoothing.kind == GREYS


def _smallest_px(micrograph: Micrograph, averaged_px: float) -> int:
    """Return the area of the smallest region: as it is stated, or what noise and pixels ask for."""
    nm = SMALLEST_NM.value()
    if nm and micrograph.pixel_size is not None:
        return area_of(nm / micrograph.pixel_size.to("nm"))
    if smallest_by() == "stated":
        return int(SMALLEST.value())
    return smallest_region(averaged_px, SMALLEST.value())


def _draw_regions(micrograph: Micrograph) -> None:
    """Draw how clusters hang together, and what is a region and is measured."""
    has_scale = micrograph.pixel_size is not None
    with st.expander("Smoothing, regions", icon=":material/tune:"):
        measuring.draw_smoothing()
        SMALLEST.draw()
        if has_scale:
            SMALLEST_NM.draw()
        for setting in (
            measuring.SPLIT,
            measuring.NECK,
            measuring.FILL,
            measuring.CORNERS,
            WHOLE,
        ):
            setting.draw()
        measuring.draw_limits((measuring.LARGEST_NM if has_scale else measuring.LARGEST,))


def _draw_features() -> None:
    """Draw which features describe a pixel, and how pixels are grouped by them."""
    families = FAMILIES.draw()
    GROUPING.draw()
    with st.expander("More about features"):
        for setting in (SCALES, WINDOW, SEED):
            setting.draw()
    if not families:
        raise UserError("No feature is chosen. Choose at least one in the sidebar.")

"""What a person chooses on the Cluster page: how pixels are grouped, and what is measured."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.errors import UserError
from core.measuring.clustering import (
    AUTO,
    GREY,
    GREYS,
    K_MEANS,
    MIXTURE,
    NONE,
    FeatureSet,
    Smoothing,
)
from core.measuring.defaults import NECK_DEPTH_PX, area_of, smallest_region
from core.micrograph import Micrograph
from core.reporting.decisions import RegionLimits
from core.reporting.recipe import MOST_NECK_DEPTH_PX
from core.ui import cache
from core.ui.cluster import region_picker
from core.ui.parts import (
    MOST_CLUSTERS,
    Amount,
    Choice,
    Setting,
    Several,
    Switch,
    Whole,
    gather,
    targets,
)
from core.ui.shell import EXCLUDE, SMALLEST, SMALLEST_NM, region, smallest_by

FEATURES, IMAGES = cache.FEATURES, "images"
ALL, ONE = "All clusters", "Target cluster"
_PIXELS = "cluster_pixels_by"  # how pixels were grouped when they last were
_FEATURE_SET, _SMOOTHING = FeatureSet(), Smoothing()
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
SMOOTHING = Choice(
    name="smoothing",
    key="cluster_smoothing",
    label="Smoothing of the clusters",
    help="Automatic: greys are averaged before they are grouped, as far as noise asks for it. "
    "Neighbours vote: each pixel takes the commonest cluster around it. Superpixels: "
    "patches of like grey stay whole. What it does to the fractions is shown.",
    default=AUTO,
    options={
        AUTO: "Automatic",
        NONE: "As found",
        GREYS: "Averaged greys",
        "majority": "Neighbours vote",
        "superpixels": "Superpixels",
    },
    recipe="smoothing.kind",
)
RADIUS = Whole(
    name="radius",
    key="cluster_radius",
    label="Radius (px)",
    default=_SMOOTHING.radius_px,
    low=1,
    high=10,
    counts=lambda: SMOOTHING.value() == "majority",
    recipe="smoothing.radius_px",
)
SIDE = Whole(
    name="side",
    key="cluster_side",
    label="Superpixels (px)",
    default=_SMOOTHING.side_px,
    low=4,
    high=60,
    counts=lambda: SMOOTHING.value() == "superpixels",
    recipe="smoothing.side_px",
)
SIGMA = Choice(
    name="sigma",
    key="cluster_sigma",
    label="Averaged over (σ, px)",
    default=_SMOOTHING.sigma_px,
    options={sigma: f"{sigma:g}" for sigma in (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)},
    counts=lambda: SMOOTHING.value() == GREYS,
    recipe="smoothing.sigma_px",
)
SPLIT = Switch(
    name="split",
    key="cluster_split",
    label="Split touching regions",
    help="Cuts regions at necks narrower than 0.8 of the narrower part (watershed), if the parts "
    "are solid, as touching particles are.",
    recipe="split_regions",
)
NECK = Amount(
    name="neck",
    key="cluster_neck_depth",
    label="Least depth of a neck (px)",
    help="By how much the narrower part is wider than the neck, on each side. More keeps rough "
    "outlines whole; 0 cuts at every neck.",
    default=NECK_DEPTH_PX,
    low=0.0,
    high=MOST_NECK_DEPTH_PX,
    step=0.5,
    counts=lambda: bool(SPLIT.value()),
    recipe="neck_depth_px",
)
FILL = Switch(
    name="fill-holes",
    key="cluster_fill_holes",
    label="Fill holes",
    help="Holes become part of the regions around them.",
    recipe="fill_holes",
)
CORNERS = Switch(
    name="corners",
    key="cluster_corners",
    label="Corners connect",
    help="Pixels that meet at a corner belong to one region. Off, grains whose boundaries are one "
    "pixel wide stay apart.",
    default=True,
    recipe="connectivity",
    to_recipe=lambda corners: 8 if corners else 4,
)
WHOLE = Switch(
    name="whole",
    key="cluster_whole",
    label="Leave out cut regions",
    help="Regions that the frame, the info bar, letters or the region of interest cut are larger "
    "than what shows of them. They count as area either way.",
    recipe="drop_border_regions",
)
LARGEST = Amount(
    name="largest",
    key="cluster_largest",
    label="Largest region (px across)",
    help="Regions with a larger equivalent diameter are not measured; they count as area. "
    "0 sets no limit.",
    default=0.0,
    low=0.0,
    high=1_000_000.0,
    recipe="region_limits.diameter_px",
    to_recipe=lambda px: max(px, 1.0) if px else None,
)
LARGEST_NM = Amount(
    name="largest-nm",
    key="cluster_largest_nm",
    label="Largest region (nm across)",
    help="Regions with a larger equivalent diameter are not measured; they count as area. "
    "0 sets no limit.",
    default=0.0,
    low=0.0,
    high=9_999_999.0,
    recipe="region_limits.diameter_nm",
    to_recipe=lambda nm: nm or None,
)
ROUNDEST = Amount(
    name="circularity-to",
    key="cluster_circularity_to",
    label="Circularity to",
    default=1.0,
    low=0.0,
    high=1.0,
    step=0.05,
    recipe="region_limits.most_circularity",
)
ROUND = Amount(
    name="circularity",
    key="cluster_circularity",
    label="Circularity from",
    help="1 is a circle.",
    default=0.0,
    low=0.0,
    high=1.0,
    step=0.05,
    recipe="region_limits.least_circularity",
)
LONG = Amount(
    name="aspect",
    key="cluster_aspect",
    label="Aspect ratio from",
    help="1 is as long as wide.",
    default=1.0,
    low=1.0,
    high=1000.0,
    step=0.1,
    recipe="region_limits.least_aspect_ratio",
)
LONGEST = Amount(
    name="aspect-to",
    key="cluster_aspect_to",
    label="Aspect ratio to",
    help="0 sets no limit.",
    default=0.0,
    low=0.0,
    high=1000.0,
    step=0.1,
    recipe="region_limits.most_aspect_ratio",
    to_recipe=lambda ratio: max(ratio, 1.0) if ratio else None,
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
MORE = Choice(
    name="more",
    key="cluster_more",
    label="Measure as well",
    default="none",
    options={
        "none": "nothing more",
        "widths": "widths and directions",
        "between": "widths of what lies between",
        "grains": "grain size, regions as grains",
        "boundaries": "grain size, cluster as boundaries",
        "gaps": "gaps and neighbours",
        "correlation": "correlation and precision",
    },
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
    SMOOTHING,
    RADIUS,
    SIDE,
    SIGMA,
    SPLIT,
    NECK,
    FILL,
    CORNERS,
    WHOLE,
    LARGEST,
    LARGEST_NM,
    ROUND,
    ROUNDEST,
    LONG,
    LONGEST,
    SHOWN,
    MORE,
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
        for setting in (SMOOTHING, SIGMA, RADIUS, SIDE):
            setting.draw()
        target = TARGETS[k].draw()
        _draw_regions(micrograph)
        found = region_picker.ask(micrograph)
        exclude = EXCLUDE.draw()
    region.hold(found)
    said = gather(SETTINGS)
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
        SPLIT.value(),
        FILL.value(),
        8 if CORNERS.value() else 4,
        WHOLE.value(),
        _limits(said.get("region_limits", {})),
        NECK.value(),
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


def _limits(said: dict[str, float | None]) -> RegionLimits:
    """Return the limits of size and shape.

    Raises
    ------
    UserError
        If one begins above its end.
    """
    try:
        return RegionLimits(**said)  # type: ignore[arg-type]
    except ValueError as error:
        raise UserError(
            f"No region can be measured: {error}. Change it under “More about regions”."
        ) from error


def _draw_regions(micrograph: Micrograph) -> None:
    """Draw what makes a region of the target cluster, and which regions are measured."""
    has_scale = micrograph.pixel_size is not None
    SMALLEST.draw()
    if has_scale:
        SMALLEST_NM.draw()
    SPLIT.draw()
    with st.expander("More about regions"):
        for setting in (NECK, FILL, CORNERS, WHOLE):
            setting.draw()
        st.caption("Only regions within these limits are measured.")
        (LARGEST_NM if has_scale else LARGEST).draw()
        for pair in ((ROUND, ROUNDEST), (LONG, LONGEST)):
            for column, limit in zip(st.columns(2), pair, strict=True):
                with column:
                    limit.draw()


def _draw_features() -> None:
    """Draw which features describe a pixel, and how pixels are grouped by them."""
    families = FAMILIES.draw()
    GROUPING.draw()
    with st.expander("More about features"):
        for setting in (SCALES, WINDOW, SEED):
            setting.draw()
    if not families:
        raise UserError("No feature is chosen. Choose at least one in the sidebar.")

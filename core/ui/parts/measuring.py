"""What a region is and what is measured of it, as Cluster and Batch Report both ask."""

from __future__ import annotations

import streamlit as st

from core.errors import UserError
from core.measuring.clustering import AUTO, GREYS, NONE, Smoothing
from core.measuring.defaults import NECK_DEPTH_PX
from core.reporting.decisions import RegionLimits
from core.reporting.recipe import MEASURES as KINDS_OF_MEASURE
from core.reporting.recipe import MOST_NECK_DEPTH_PX
from core.ui.parts.setting import Amount, Choice, Setting, Several, Switch, Whole

_SMOOTHING = Smoothing()

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
MEASURES = Several(
    name="more",
    key="measure_more",
    label="Measure as well",
    help="Of the phase or the objects that are measured. Widths take a few seconds a micrograph.",
    default=[],
    options={
        "widths": "widths, directions",
        "between": "widths of what lies between",
        "grains": "grain size, regions as grains",
        "boundaries": "grain size, boundaries measured",
        "gaps": "gaps, neighbours",
        "correlation": "correlation, precision",
    },
    recipe="measures",
    to_recipe=lambda chosen: tuple(kind for kind in KINDS_OF_MEASURE if kind in chosen),
)
SIZES_BY = Choice(
    name="sizes-by",
    key="cluster_sizes_by",
    label="Percentiles by",
    help="By number every region counts alike. By area and by volume (of spheres of these "
    "diameters) large ones count more, as in sieving or laser diffraction.",
    default="number",
    options={"number": "Number", "area": "Area", "volume": "Volume"},
    in_row=True,
    required=True,
    recipe="sizes_by",
)
SETTINGS: tuple[Setting, ...] = (
    SMOOTHING,
    RADIUS,
    SIDE,
    SIGMA,
    SPLIT,
    NECK,
    FILL,
    CORNERS,
    LARGEST,
    LARGEST_NM,
    ROUND,
    ROUNDEST,
    LONG,
    LONGEST,
    MEASURES,
    SIZES_BY,
)


def draw_smoothing() -> None:
    """Draw how clusters are made to hang together."""
    for setting in (SMOOTHING, SIGMA, RADIUS, SIDE):
        setting.draw()


def draw_limits(largest: tuple[Amount, ...]) -> None:
    """Draw which regions are measured by size and shape; `largest` in the units that fit."""
    st.caption("Only regions within these limits are measured.")
    for limit in largest:
        limit.draw()
    for pair in ((ROUND, ROUNDEST), (LONG, LONGEST)):
        for column, limit in zip(st.columns(2), pair, strict=True):
            with column:
                limit.draw()


def limits_of(said: dict[str, float | None]) -> RegionLimits:
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
            f"No region can be measured: {error}. Change it under “Smoothing, regions”."
        ) from error

"""Every cached call of the app, each a thin wrapper around one function of the core.

A micrograph is keyed by its digest, scale and name, and where masks matter by what a person
corrected in them: Streamlit would hash a large array from a sample of it. What is kept is bounded
in bytes. Everything that needs torch is imported inside. One module per task; pages call them
from here.
"""

from core.ui.cache.classifying import (
    classification,
)
from core.ui.cache.clustering import (
    cluster_histogram,
    clustering,
    clusters_png,
    mask_png,
    regions,
)
from core.ui.cache.explaining import (
    explanation,
    heat_legend_png,
    heatmap_png,
    raw_map_npy,
)
from core.ui.cache.filtering import (
    StepFacts,
    direction_wheel_png,
    directions_png,
    filter_histogram,
    filter_preview,
    filtered,
    preview_share,
    profile_figure,
    quality,
    radial_figure,
    snapped,
    spectrum_png,
    step_facts,
    tiff_16,
)
from core.ui.cache.shared import (
    COLORMAPS,
    SCREEN_PX,
    bar_ends_png,
    excluded,
    excluded_share,
    hatched_png,
    holds_lettering,
    info_bars,
    is_blank,
    method_titles,
    micrograph_png,
    model,
    model_names,
    overlays,
    png,
    saturated,
    scale_bar,
    thumbnail_png,
    tiff,
    window,
)

__all__ = [
    "COLORMAPS",
    "SCREEN_PX",
    "StepFacts",
    "bar_ends_png",
    "classification",
    "cluster_histogram",
    "clustering",
    "clusters_png",
    "direction_wheel_png",
    "directions_png",
    "excluded",
    "excluded_share",
    "explanation",
    "filter_histogram",
    "filter_preview",
    "filtered",
    "hatched_png",
    "heat_legend_png",
    "heatmap_png",
    "holds_lettering",
    "info_bars",
    "is_blank",
    "mask_png",
    "method_titles",
    "micrograph_png",
    "model",
    "model_names",
    "overlays",
    "png",
    "preview_share",
    "profile_figure",
    "quality",
    "radial_figure",
    "raw_map_npy",
    "regions",
    "saturated",
    "scale_bar",
    "snapped",
    "spectrum_png",
    "step_facts",
    "thumbnail_png",
    "tiff",
    "tiff_16",
    "window",
]

"""Compare a micrograph before and after a chain of filters."""

import streamlit as st

from core.imaging.filters import Pipeline
from core.reporting import figures
from core.reporting.recipe import Recipe
from core.ui import cache, chain, compare, page, show

page.setup("Filters")
micrograph = page.require_micrograph()

with page.user_errors():
    with st.sidebar:
        steps = chain.edit()
        exclude = page.exclude_overlays()
    page.settings()

    chain_json = Pipeline(steps).to_json()
    result, _, cut = cache.filtered(micrograph, chain_json, exclude)
    stem = f"{show.file_stem(micrograph)}_filtered"

    pictures, facts = st.columns([7, 4], gap="large")
    with pictures:
        compare.slider(
            cache.micrograph_png(micrograph),
            cache.micrograph_png(result),
            labels=("Original", "Filtered"),
            key="filters_slider",
            alt=f"filters on {micrograph.name}",
            caption=show.caption(micrograph, exclude),
        )
    with facts:
        show.simulated_badge(micrograph)
        st.markdown("**Grey levels**")
        show.chart(
            cache.filter_histogram(micrograph, chain_json, exclude, show.is_dark()),
            "filters_histogram",
            "Histogram of grey levels before and after the filters",
        )
        if cut is not None:
            st.caption(
                f"Otsu's threshold: grey level {figures.level(cut)}. Before: what enters that step."
            )
        show.download(
            "For the screen (PNG, 8-bit)",
            lambda: cache.micrograph_png(result, full=True),
            f"{stem}.png",
            "image/png",
            "filters_png",
        )
        show.download(
            f"For measuring (TIFF, {result.depth})",
            lambda: cache.tiff(result),
            f"{stem}.tif",
            "image/tiff",
            "filters_tiff",
        )
        recipe = Recipe(filters=steps, exclude_overlays=exclude).to_json().encode()
        show.download("Recipe (JSON)", recipe, "recipe.json", "application/json", "filters_json")

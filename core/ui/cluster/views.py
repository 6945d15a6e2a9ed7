"""What the Cluster page shows of a clustering: picture, fractions, what smoothing did, help."""

from __future__ import annotations

import streamlit as st

from core.measuring.clustering import (
    GREY,
    MAX_CLUSTERS,
    MIN_CLUSTERS,
    Clustering,
    FeatureClustering,
    compare_fractions,
    moved_share,
)
from core.micrograph import Micrograph
from core.reporting import figures
from core.ui import cache
from core.ui.cache import ClusterChoice
from core.ui.cluster import settings
from core.ui.parts import say, show, slider, tables, working
from core.ui.shell import samples

_ACROSS = 4


def find(micrograph: Micrograph, choice: ClusterChoice) -> Clustering:
    """Return the clusters; long work shows how far it is."""
    if choice.mode == GREY:
        return cache.clusters(micrograph, choice)
    with working.progress_bar() as tell:
        return cache.clusters(micrograph, choice, tell)


def pictures(micrograph: Micrograph, choice: ClusterChoice, target: int) -> None:
    """Draw the micrograph beside its clusters, or beside the target cluster alone."""
    alone = settings.SHOWN.draw() == settings.ONE
    right = (
        cache.target_png(micrograph, choice, target)
        if alone
        else cache.clusters_png(micrograph, choice)
    )
    slider.slider(
        cache.micrograph_png(micrograph),
        right,
        labels=("Original", f"Cluster {target}" if alone else f"{choice.k} clusters"),
        key="cluster_slider",
        alt=f"clusters of {micrograph.name}",
        caption=show.caption(micrograph, choice.exclude),
    )


def facts(
    micrograph: Micrograph,
    choice: ClusterChoice,
    target: int,
    found_by: cache.RegionChoice,
    found: Clustering,
) -> None:
    """Draw share and area of the target, the table of all clusters and their grey levels."""
    samples.badge(micrograph)
    with st.container(horizontal=True):
        share = tables.percent(found.fractions[target])
        say.metric(f"Cluster {target}", share, width="content")
        area = tables.target_area(found, target, micrograph)
        say.metric("Area", area, width="content")
    say.caption("{found}", found=tables.used_share(found))
    counts = cache.region_counts(micrograph, choice, found_by)
    legend = tables.cluster_legend(found, micrograph, counts)
    st.dataframe(legend, hide_index=True, column_config=show.LEGEND_COLUMNS, key="cluster_legend")
    show.chart(
        cache.cluster_histogram(micrograph, choice, show.is_dark()),
        "cluster_histogram",
        "Histogram of grey levels in the colours of their clusters",
        legend=False,
    )
    _effect_of_smoothing(micrograph, choice, found)


def _effect_of_smoothing(micrograph: Micrograph, choice: ClusterChoice, found: Clustering) -> None:
    if choice == choice.unsmoothed:
        return
    before = cache.clusters(micrograph, choice.unsmoothed)
    table = compare_fractions(before, found)
    say.caption(
        "Smoothing moved {before} of the pixels to another cluster. Mean greys are those "
        "of the clusters as they were found.",
        before=tables.percent(moved_share(before, found)),
    )
    headings = {"before_pct": "before (%)", "after_pct": "after (%)", "change_points": "points"}
    show.table(table.rename(columns=headings), "cluster_effect")


def features(micrograph: Micrograph, choice: ClusterChoice, found: Clustering) -> None:
    """Draw, on demand, the maps that describe pixels, and how much of each is in each cluster."""
    if choice.mode != cache.FEATURES:
        return
    if st.toggle(
        "Show the features as pictures", key="cluster_features_shown", persist_state="session"
    ):
        _gallery(cache.feature_pngs(micrograph, choice.features, choice.exclude))
    soft = isinstance(found, FeatureClustering) and found.memberships is not None
    if soft and st.toggle("Show soft maps", key="cluster_soft_shown", persist_state="session"):
        maps = cache.soft_pngs(micrograph, choice)
        _gallery({f"cluster {number}": png for number, png in enumerate(maps)})
        st.caption("How much of each pixel belongs to the cluster: black nothing, white all of it.")


def _gallery(pictures_by_name: dict[str, bytes]) -> None:
    columns = st.columns(_ACROSS)
    for place, (name, png) in enumerate(pictures_by_name.items()):
        columns[place % _ACROSS].image(png, caption=name, width="stretch", alt=name)


def help_choosing(micrograph: Micrograph, choice: ClusterChoice) -> None:
    """Draw, on demand, what speaks for how many clusters, and how firm the fractions are."""
    st.subheader("How many clusters, and how firm?", anchor=False)
    if st.toggle("Compare numbers of clusters", key="cluster_help", persist_state="session"):
        found = cache.choice_of_k(micrograph, choice)
        words, plots = st.columns([2, 3], gap="medium")
        with words:
            say.markdown("**{describe}**", describe=found.describe())
            st.button(
                say.line("Use {suggested} clusters", suggested=found.suggested),
                key="cluster_use_k",
                disabled=found.suggested == choice.k,
                on_click=_use,
                args=(found.suggested,),
            )
            st.caption(
                "Circles mark what each measure favours. These numbers know nothing of the "
                "specimen: how many phases you know of counts for more."
            )
        with plots:
            show.chart(
                figures.choice_of_k(found.table, found.votes, dark=show.is_dark()),
                "cluster_choice",
                "Four measures against the number of clusters",
            )
    if st.toggle("Draw tiles of the frame again", key="cluster_bands", persist_state="session"):
        show.chart(
            figures.fraction_bands(cache.bands(micrograph, choice), dark=show.is_dark()),
            "cluster_bands_chart",
            "Area fraction of each cluster with its band",
        )
        st.caption(
            "Bands hold 95 % of what comes out when 8 × 8 tiles of the frame are drawn again and "
            "clustered anew (a mixture keeps its clusters): how far fractions may lie off those of "
            "a specimen that is like this frame all over. Structures larger than a tile, and "
            "differences between fields, come on top. Before smoothing."
        )


def _use(k: int) -> None:
    lowest, highest = max(settings.CLUSTERS.low, MIN_CLUSTERS), settings.CLUSTERS.high
    settings.CLUSTERS.put(min(max(k, lowest), MAX_CLUSTERS, highest))

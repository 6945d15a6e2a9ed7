"""What the Cluster page shows of a clustering: picture, fractions, what smoothing did, help."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.imaging.display import cluster_colors
from core.measuring.clustering import (
    GREY,
    GREYS,
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
from core.ui.cluster import picking, region_picker, settings
from core.ui.parts import say, show, tables, viewer, working
from core.ui.shell import samples

_ACROSS = 4


def find(micrograph: Micrograph, choice: ClusterChoice) -> Clustering:
    """Return the clusters; long work shows how far it is."""
    if choice.mode == GREY:
        return cache.clusters(micrograph, choice)
    with working.progress_bar() as tell:
        return cache.clusters(micrograph, choice, tell)


def pictures(
    micrograph: Micrograph, choice: ClusterChoice, target: int, found_by: cache.RegionChoice
) -> None:
    """Draw the micrograph under its clusters, or under the target alone, and its regions."""
    alone = settings.SHOWN.draw() == settings.ONE
    measured = cache.regions(micrograph, choice, target, found_by)
    chosen = picking.REGIONS.labels(measured, repr((choice, target, found_by)))
    viewer.show_micrograph(
        micrograph,
        choice.exclude,
        key="cluster_viewer",
        layers=[
            _clusters_layer(micrograph, choice, target, alone),
            *region_picker.layers(choice.region, micrograph),
            viewer.Outlines(
                f"Regions of cluster {target}",
                f"{micrograph.key} {choice!r} {target} {found_by!r}",
                cache.region_outlines(micrograph, choice, target, found_by),
                colour="#ff5ad1",
                selected=chosen,
            ),
        ],
        labels=("Original", f"Cluster {target}" if alone else f"{choice.k} clusters"),
        pngs=lambda: (
            cache.micrograph_png(micrograph),
            cache.target_png(micrograph, choice, target)
            if alone
            else cache.clusters_png(micrograph, choice),
        ),
        clickable=True,
        look_at=chosen[0] if chosen else None,
        alt=f"clusters of {micrograph.name}",
        on_click=picking.click,
        on_shapes=lambda shapes: region_picker.take(micrograph, shapes),
    )
    picking.draw_chosen(measured, chosen)


def table(shown: pd.DataFrame, measured: pd.DataFrame) -> None:
    """Draw the table of regions, whose chosen rows are marked in the picture."""
    labels = picking.REGIONS.clicked(measured)
    show.table(
        shown,
        picking.REGIONS.table_key(),
        height=250,
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": tables.rows_of(measured, labels)}},
    )


def _clusters_layer(
    micrograph: Micrograph, choice: ClusterChoice, target: int, alone: bool
) -> viewer.Raster:
    colours = cluster_colors(choice.k)
    if alone:
        colours = [figures.ORANGE] * choice.k
    only = target if alone else None
    return viewer.Raster(
        "Target" if alone else "Clusters",
        f"clusters {micrograph.key} {choice!r} {only}",
        cache.cluster_values(micrograph, choice, only),
        viewer.class_colours(colours),
        opacity=0.6 if alone else 0.7,
        names={number: f"cluster {number}" for number in range(choice.k)},
    )


def shares(micrograph: Micrograph, target: int, found: Clustering) -> None:
    """Draw share and area of the target."""
    samples.badge(micrograph)
    with st.container(horizontal=True):
        share = tables.percent(found.fractions[target])
        say.metric(f"Cluster {target}", share, width="content")
        area = tables.target_area(found, target, micrograph)
        say.metric("Area", area, width="content")
    say.caption("{found}", found=tables.used_share(found))


def facts(
    micrograph: Micrograph,
    choice: ClusterChoice,
    found_by: cache.RegionChoice,
    found: Clustering,
) -> None:
    """Draw the table of all clusters and their grey levels."""
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
    greys = (
        "" if choice.smoothing.kind == GREYS else " Mean greys are those of the clusters as found."
    )
    say.caption(
        "Smoothing moved {before} of the pixels to another cluster.{greys}",
        before=tables.percent(moved_share(before, found)),
        greys=say.Line(greys),
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
            "Bands hold 95 % of what comes out when 8 × 8 tiles of the frame (6 × 6 where "
            "structure is large) are drawn again and clustered anew (a mixture keeps its "
            "clusters): how far fractions may lie off those of a specimen that is like this frame "
            "all over. In simulated fields the share of the whole specimen was inside in 90 to 99 "
            "of 100 bands. Differences between fields come on top. Before smoothing."
        )


def _use(k: int) -> None:
    lowest, highest = max(settings.CLUSTERS.low, MIN_CLUSTERS), settings.CLUSTERS.high
    settings.CLUSTERS.put(min(max(k, lowest), MAX_CLUSTERS, highest))

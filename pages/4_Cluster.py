"""Split a micrograph into grey-level clusters and measure one of them."""

import streamlit as st

from core.ui import attribution, cache, compare, image_map, page, region_sizes, show, tables

page.setup("Cluster")
micrograph = page.require_micrograph()

with st.sidebar:
    k = st.slider("Clusters", 2, 12, 3, key="cluster_k", persist_state="session")
    target = page.target_cluster(k, "cluster_target")
    smallest_px = page.smallest_region_px()
    split = st.toggle(
        "Split touching regions",
        key="cluster_split",
        persist_state="session",
        help="Cuts regions at necks narrower than 0.8 of the narrower part (watershed).",
    )
    exclude = page.exclude_overlays()
page.settings()

with page.user_errors():
    clustering = cache.clustering(micrograph, k, exclude)
    stem = show.file_stem(micrograph)

    pictures, facts = st.columns([3, 2], gap="large")
    with pictures:
        compare.slider(
            cache.micrograph_png(micrograph),
            cache.clusters_png(micrograph, k, exclude),
            labels=("Original", f"{k} clusters"),
            key="cluster_slider",
            alt=f"grey-level clusters of {micrograph.name}",
            caption=show.caption(micrograph, exclude),
        )
    with facts:
        show.simulated_badge(micrograph)
        share, area = st.columns(2)
        share.metric(f"Cluster {target}", tables.percent(clustering.fractions[target]))
        area.metric("Area", tables.target_area(clustering, target, micrograph))
        st.caption(tables.used_share(clustering))
        legend = tables.cluster_legend(clustering, micrograph)
        st.dataframe(
            legend, hide_index=True, column_config=show.LEGEND_COLUMNS, key="cluster_legend"
        )
        show.chart(
            cache.cluster_histogram(micrograph, k, exclude, show.is_dark()),
            "cluster_histogram",
            "Histogram of grey levels with the thresholds between clusters",
            legend=False,
        )

    st.subheader(f"Regions of cluster {target}", anchor=False)
    regions = cache.regions(micrograph, k, exclude, target, smallest_px, split)
    st.caption(tables.regions_summary(regions))
    show.table(tables.regions(regions), "cluster_regions", height=250)
    with st.container(horizontal=True):
        csv = tables.regions_csv(regions, micrograph)
        show.download("Regions (CSV)", csv, f"{stem}_regions.csv", "text/csv", "cluster_csv")
        mask = cache.mask_png(micrograph, k, exclude, target)
        show.download("Mask (PNG)", mask, f"{stem}_mask.png", "image/png", "cluster_mask")
    settings = f"grey|{k}|{exclude}"
    region_sizes.draw(
        micrograph,
        clustering.labels,
        target,
        regions,
        settings,
        smallest_px=smallest_px,
        split=split,
        fraction_of=lambda field: cache.grey_fractions(field, k, exclude)[target],
    )
    attribution.draw(
        micrograph, prefix="cluster", exclude=exclude, clustering=clustering, settings=settings
    )
    st.subheader("The loaded micrographs as points", anchor=False)
    if st.toggle("Show which micrographs are alike", key="cluster_images"):
        image_map.draw("cluster", exclude=exclude)

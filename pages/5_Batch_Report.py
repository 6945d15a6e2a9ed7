"""Classify, explain, cluster and measure many micrographs; take the report home."""

import streamlit as st

from core.reporting import figures
from core.reporting.export import csv_bytes
from core.reporting.recipe import Recipe
from core.ui import batch_run, cache, chain, page, show, sidebar, tables, uploading, workspace

HERE, OTHERS = "What is loaded", "Other files"

page.setup("Batch report")
loaded, current = workspace.every(), workspace.current()
if current is not None:
    sidebar.draw(current)

with page.user_errors():
    with st.sidebar:
        model_name = page.model_picker()
        titles = cache.method_titles()
        method = st.selectbox("Explanation", titles, format_func=titles.get, key="batch_method")
        k = st.slider("Clusters", 2, 12, st.session_state.get("cluster_k", 3), key="batch_k")
        target = page.target_cluster(k, "batch_target")
        steps = chain.steps()
        filtered = bool(steps) and st.toggle(
            f"Apply the chain of {len(steps)} from Filters", key="batch_filters"
        )
        smallest_px = page.smallest_region_px()
        exclude = page.exclude_overlays()
    page.settings()

    origin = HERE
    if loaded:
        options = [f"{HERE} ({len(loaded)})", OTHERS]
        origin = st.segmented_control(
            "Micrographs", options, default=options[0], required=True, key="batch_origin"
        )
    sources = loaded
    if not loaded or origin == OTHERS:
        files = st.file_uploader(
            uploading.LABEL,
            uploading.FORMATS,
            accept_multiple_files=True,
            key="batch_files",
            help=uploading.HELP,
        )
        sources = [(file.name, file.getvalue()) for file in files]
    if not sources:
        st.write("Add micrographs above, or take simulated samples:")
        page.sample_picker("batch")
    elif st.button(
        page.run_label(sources), type="primary", icon=":material/play_arrow:", key="batch_run_now"
    ):
        filters = steps if filtered else ()
        recipe = Recipe(model_name, method, k, target, filters, exclude, smallest_px)
        batch_run.start(sources, recipe)

    run = batch_run.latest()
    if run is not None:
        result, stem = run.result, "micrographia_batch"
        done, failed = len(result.succeeded), len(result.failed)
        st.subheader(f"Results: {done} done, {failed} failed", anchor=False)
        with st.container(horizontal=True):
            html = run.report.read_bytes()
            show.download(
                "Report (HTML)", html, f"{stem}.html", "text/html", "batch_html", primary=True
            )
            csv = csv_bytes(result.rows)
            show.download("Table (CSV)", csv, f"{stem}.csv", "text/csv", "batch_csv")
            show.download("All (ZIP)", run.zip, f"{stem}.zip", "application/zip", "batch_zip")
        for row in result.failed.itertuples():
            st.warning(show.plain(f"{row.name}: {row.reason}"), icon=":material/warning:")
        names = result.model["display_names"]
        show.table(tables.batch(result.succeeded, names), "batch_table")
        st.subheader("Classes", anchor=False)
        show.chart(
            figures.class_distribution(result.rows, names, dark=show.is_dark()),
            "batch_classes",
            "How many micrographs fell into each class",
        )

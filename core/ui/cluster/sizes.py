"""How sure the area of a cluster is, its regions as files, and what other fields say."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.errors import UserError
from core.measuring.statistics import fields_needed, mean_interval, relative_accuracy
from core.micrograph import Micrograph
from core.reporting.batch import csv_bytes, find_part
from core.ui import cache
from core.ui.measured import describe_area, describe_density, describe_share
from core.ui.parts import say, show, tables
from core.ui.shell import workspace

_REGION_FILES = {
    "labels": ("Numbered regions (TIFF)", ".tif", "image/tiff"),
    "rois": ("ROIs for ImageJ (ZIP)", ".zip", "application/zip"),
    "geojson": ("Outlines for QuPath (GeoJSON)", ".geojson", "application/geo+json"),
    "coco": ("Annotations for training (COCO)", "_coco.json", "application/json"),
}
_SAMPLES = {"": "all are one sample", "name:1": "first part of the name"}


def draw(
    micrograph: Micrograph,
    labels: NDArray[np.integer],
    number: int,
    regions: pd.DataFrame,
    target: cache.Target,
    *,
    found_by: cache.RegionChoice,
    mask_png: bytes,
    fraction_of: Callable[[Micrograph], float],
    draw_table: Callable[[pd.DataFrame], None],
) -> None:
    """Draw the interval of the area fraction, number per area, files, and several fields.

    Parameters
    ----------
    micrograph : Micrograph
    labels : ndarray of shape (H, W), integers
        Clusters; -1 where excluded.
    number : int
        Of the cluster to speak of.
    regions : DataFrame
        Its regions, as `measure_regions` returns them.
    target : Target
        The same as what is measured as a whole.
    found_by : RegionChoice
        How the regions were found, for the file with their numbers.
    mask_png : bytes
        Offered beside the other files.
    fraction_of : callable
        Returns the cluster's area fraction in another micrograph by the same settings.
    draw_table : callable
        Draws the table of every region.
    """
    mask, included = target.place()
    tiles, points = cache.target_shares(micrograph, target)
    area_px = int(np.count_nonzero(included))
    size = micrograph.pixel_size
    share = describe_share(say.line("Cluster {number}", number=number), tiles)
    density = describe_density(target.table(), included, size)
    say.markdown("{share} {density}", share=share, density=density)
    with st.expander("How sure the area is", icon=":material/info:"):
        say.markdown("{covers}", covers=describe_area(number, tiles, points, area_px, size))
    phase = f"cluster {number}"
    files = cache.files_of_regions(micrograph, mask, included, found_by, regions, phase)
    _files(micrograph, labels, files, regions, mask_png)
    with st.expander(
        say.line("Every region in a table ({regions})", regions=len(regions)),
        icon=":material/table_rows:",
    ):
        draw_table(tables.regions(regions))
    _fields(fraction_of, number)


def _files(
    micrograph: Micrograph,
    labels: NDArray[np.integer],
    of_regions: dict[str, Callable[[], bytes]],
    regions: pd.DataFrame,
    mask_png: bytes,
) -> None:
    """Draw the downloads: table, mask, clusters in colours, numbered regions for ImageJ."""
    stem, clusters = show.file_stem(micrograph), int(labels.max()) + 1
    with st.container(horizontal=True):
        show.download(
            "Regions (CSV)",
            lambda: tables.regions_csv(regions, micrograph),
            f"{stem}_regions.csv",
            "text/csv",
            "cluster_csv",
        )
        show.download("Mask (PNG)", mask_png, f"{stem}_mask.png", "image/png", "cluster_mask")
        show.download(
            "All clusters (PNG)",
            lambda: cache.clusters_palette_png(labels, clusters),
            f"{stem}_clusters.png",
            "image/png",
            "cluster_palette_png",
        )
        with st.popover("For other programs", icon=":material/output:"):
            for kind, (label, ending, mime) in _REGION_FILES.items():
                name = f"{stem}_regions{ending}"
                show.download(label, of_regions[kind], name, mime, f"cluster_regions_{kind}")


def _fields(fraction_of: Callable[[Micrograph], float], target: int) -> None:
    """Draw the same cluster over all loaded fields, when a person asks for it."""
    every = workspace.every()
    if len(every) < 2:
        st.caption("Load more fields of the sample to see a mean with its interval over fields.")
        return
    if not st.toggle(
        say.line("Over all {every} loaded fields", every=len(every)),
        key="cluster_fields",
        persist_state="session",
    ):
        return
    table = measure_fields(every, fraction_of)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rule = st.selectbox(
            "Sample",
            _SAMPLES,
            format_func=_SAMPLES.__getitem__,
            key="cluster_fields_sample",
            persist_state="session",
        )
        wish = st.number_input(
            "Wished precision (± % of the mean)",
            1,
            100,
            10,
            key="cluster_fields_wish",
            persist_state="session",
        )
    table.insert(2, "sample", [find_part(rule, m, m.name) if rule else "all" for m in every])
    summary = summarise_fields(table, wish / 100)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        show.table(summary, "cluster_fields_summary")
        say.caption(
            "Mean area fraction of cluster {target} over fields with Student's 95 % "
            "interval. “Needed” is how many such fields would give the wished precision.",
            target=target,
        )
    with right:
        show.table(table, "cluster_fields_table", height=220)
        show.download(
            "Fields (CSV)", csv_bytes(table), "fields.csv", "text/csv", "cluster_fields_csv"
        )


def measure_fields(
    micrographs: list[Micrograph], fraction_of: Callable[[Micrograph], float]
) -> pd.DataFrame:
    """Return name and area fraction per field, and why where there is none."""
    rows = []
    with st.spinner("Measuring every field …"):
        for micrograph in micrographs:
            try:
                rows.append((100 * fraction_of(micrograph), micrograph.name, ""))
            except UserError as error:
                rows.append((float("nan"), micrograph.name, str(error)))
    table = pd.DataFrame(rows, columns=["area fraction (%)", "field", "problem"])
    return table if table["problem"].any() else table.drop(columns="problem")


def summarise_fields(table: pd.DataFrame, relative: float) -> pd.DataFrame:
    """Return mean, interval, precision and fields needed per sample."""
    rows = []
    for sample in dict.fromkeys(table["sample"]):
        values = table.loc[table["sample"] == sample, "area fraction (%)"].to_numpy(float)
        mean = mean_interval(values)
        needed = fields_needed(values, relative)
        rows.append(
            {
                "sample": sample,
                "fields": mean.n,
                "mean (%)": mean.estimate,
                "from (%)": max(mean.low, 0.0) if not isnan(mean.low) else mean.low,
                "to (%)": min(mean.high, 100.0) if not isnan(mean.high) else mean.high,
                "± of mean (%)": 100 * relative_accuracy(mean),
                "needed": "–" if needed is None else str(needed),
            }
        )
    return pd.DataFrame(rows)

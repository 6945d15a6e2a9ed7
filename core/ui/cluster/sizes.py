"""How large the regions of a cluster are, how sure its area is, and what other fields say."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.errors import UserError
from core.imaging.scale import area_unit
from core.measuring.defaults import diameter_of
from core.measuring.regions import (
    LimitEffect,
    SizeDistribution,
    WeightedSizes,
    limit_effect,
    moment_mean,
    number_per_area,
    size_distribution,
    weighted_sizes,
)
from core.measuring.statistics import (
    Interval,
    fields_needed,
    mean_interval,
    points_needed,
    relative_accuracy,
    why_no_interval,
)
from core.micrograph import Micrograph, PixelSize
from core.reporting import figures
from core.reporting.batch import csv_bytes, find_part
from core.ui import cache
from core.ui.parts import measuring, say, show, tables
from core.ui.shell import workspace

Mask = NDArray[np.bool_]
_VERDICTS, _NO_FIT = ((0.08, "fits well"), (0.15, "fits roughly")), "does not fit"  # below a gap
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
    target: int,
    regions: pd.DataFrame,
    settings: str,
    *,
    prefix: str = "cluster",
    found_by: cache.RegionChoice,
    every_region: pd.DataFrame,
    mask_png: bytes | None = None,
    fraction_of: Callable[[Micrograph], float] | None = None,
    draw_table: Callable[[pd.DataFrame], None],
) -> None:
    """Draw the interval of the area fraction, the size distribution, files, and several fields.

    Parameters
    ----------
    micrograph : Micrograph
    labels : ndarray of shape (H, W), integers
        Clusters; -1 where excluded.
    target : int
        The cluster to speak of.
    regions : DataFrame
        Its regions, as `measure_regions` returns them.
    settings : str
        All choices that made the labels: the key under which intervals are kept.
    prefix : str
        Begins the keys of the controls.
    found_by : RegionChoice
        How the regions were found, for the file with their numbers.
    every_region : DataFrame
        The same with those that are cut, of which half count as number per area.
    mask_png : bytes, optional
        Offered beside the other files.
    fraction_of : callable, optional
        Returns the target's area fraction in another micrograph by the same settings; without it
        several fields are not offered.
    draw_table : callable
        Draws the table of every region.
    """
    included = labels >= 0
    mask = labels == target
    tiles, points = cache.target_intervals(micrograph, f"{settings}|{target}", mask, included)
    area_px = int(np.count_nonzero(included))
    say.markdown(
        "{target}", target=describe_area(target, tiles, points, area_px, micrograph.pixel_size)
    )
    found = size_distribution(regions, make_up_for_cut=found_by.whole)
    effect = limit_effect(found, _limit(found_by, found.unit, micrograph.pixel_size))
    left, right = st.columns([3, 2], gap="medium")
    with left:
        show.chart(
            figures.size_distribution(
                found, near=1.25 * effect.limit if effect else 0.0, dark=show.is_dark()
            ),
            f"{prefix}_size_distribution",
            "Histogram of equivalent diameters with the cumulative curve and a log-normal fit",
        )
        _limit_words(effect, found, prefix)
    with right:
        by = measuring.SIZES_BY.draw() or "number"
        _numbers(weighted_sizes(regions, by, make_up_for_cut=found_by.whole), found)
        _means(regions, found_by.whole)
        _more(regions, _density(every_region, included, micrograph.pixel_size))
    _files(
        found,
        micrograph,
        labels,
        prefix,
        cache.files_of_regions(micrograph, mask, included, found_by, regions, f"cluster {target}"),
        regions,
        mask_png,
    )
    with st.expander(
        say.line("Every region in a table ({regions})", regions=len(regions)),
        icon=":material/table_rows:",
    ):
        draw_table(tables.regions(regions))
    if fraction_of is not None:
        _fields(fraction_of, target, prefix)


def describe_area(
    target: int, tiles: Interval, points: Interval, area_px: int, size: PixelSize | None
) -> say.Line:
    """Return sentences on how sure the area of a cluster is."""
    low, middle, high = (
        "" if isnan(share) else tables.write_area(round(share * area_px), size)
        for share in (tiles.low, tiles.estimate, tiles.high)
    )
    covers = say.line(
        "Cluster {target} covers **{share}** of what counts",
        target=target,
        share=tables.percent(tiles.estimate),
    )
    counted = say.line(
        "Counting {points} points of a grid instead gives {share} ({range} if structures are "
        "smaller than the steps of the grid; on one field, while ASTM E562 is over many){more}.",
        points=points.n,
        share=tables.percent(points.estimate),
        range=_range(points),
        more=_more_points(points),
    )
    if why := why_no_interval(tiles.n):
        return say.line(
            "{covers}, or {area}. {why} {counted}",
            covers=covers,
            area=middle,
            why=say.Line(why),
            counted=counted,
        )
    flat = "" if 0 < tiles.estimate < 1 else " if structures are no larger than a tile"
    return say.line(
        "{covers} (95 %: {range}{flat}), or {area} ({low} to {high}). The interval comes from "
        "drawing {tiles} tiles of this field again: it holds for other places of a uniform "
        "specimen. {counted}",
        flat=say.Line(flat),
        covers=covers,
        range=_range(tiles),
        area=middle,
        low=low,
        high=high,
        tiles=tiles.n,
        counted=counted,
    )


def _more_points(points: Interval) -> say.Line:
    """Return how many points would be enough, where there are any on the cluster."""
    if not 0 < points.estimate < 1:
        return say.line("")
    needed = points_needed(points.estimate, 0.1)
    return say.line("; ± 10 % of that takes {needed} points", needed=tables.thousands(needed))


def _range(value: Interval) -> str:
    return f"{100 * value.low:.1f} to {100 * value.high:.1f}\u00a0%"


def _limit(found_by: cache.RegionChoice, unit: str, size: PixelSize | None) -> float:
    """Return the diameter of the smallest region in the unit of the sizes."""
    across_px = diameter_of(found_by.smallest_px)
    return across_px if size is None or unit == "px" else across_px * size.to(unit)


def _limit_words(effect: LimitEffect | None, found: SizeDistribution, prefix: str) -> None:
    """Say whether percentiles depend on the smallest region, and draw how."""
    if effect is None:
        return
    moved = [
        name for name, moves in (("D10", effect.moves_d10), ("D50", effect.moves_d50)) if moves
    ]
    limit, unit = f"{effect.limit:.3g}", found.unit
    if not moved:
        say.caption(
            "{share} of the regions are at the limit of {limit} {unit} (hatched); D10 and D50 "
            "stay within a tenth when it is doubled.",
            share=tables.percent(effect.share),
            limit=limit,
            unit=unit,
        )
        return
    say.warning(
        "**The smallest sizes are your limit:** {share} of the regions are at {limit} {unit} "
        "(hatched), and {moved} {depend} on it: twice that limit would change more than a tenth.",
        share=tables.percent(effect.share),
        limit=limit,
        unit=unit,
        moved=" and ".join(moved),
        depend="depends" if len(moved) == 1 else "depend",
        icon=":material/straighten:",
    )
    if len(effect.curve) > 1:
        show.chart(
            figures.limit_curve(effect, found.unit, dark=show.is_dark()),
            f"{prefix}_limit_curve",
            "D10 and D50 against the smallest region that counts",
        )


def _numbers(sizes: WeightedSizes, found: SizeDistribution) -> None:
    """Draw percentiles, and the fit in words."""
    with st.container(horizontal=True):
        for name, value in (("D10", sizes.d10), ("D50", sizes.d50), ("D90", sizes.d90)):
            shown = "–" if isnan(value) else f"{value:.4g} {sizes.unit}"
            say.metric(name, shown, width="content")
    if sizes.by == "number":
        what = "of the regions have a smaller equivalent diameter"
    else:
        what = f"of the {sizes.by} of all regions is in smaller ones"
    cut = (
        ""
        if found.weights is None
        else (
            " Cut regions are left out, and each other counts for those of its size that are cut "
            "(Miles–Lantuéjoul)."
        )
    )
    say.caption(
        "By {by}: 10, 50 and 90 % {what}.{cut} {fit}",
        by=sizes.by,
        what=say.Line(what),
        cut=say.Line(cut),
        fit=say.Line(describe_fit(found)),
    )


def _means(regions: pd.DataFrame, make_up_for_cut: bool) -> None:
    """Draw Sauter's and De Brouckere's mean diameter."""
    if regions.empty:
        return
    sauter, brouckere = (
        moment_mean(regions, above, above - 1, make_up_for_cut=make_up_for_cut) for above in (3, 4)
    )
    say.caption(
        "D[3,2] = {sauter:.4g} {unit} (Sauter), D[4,3] = {brouckere:.4g} {unit} (De Brouckere).",
        sauter=sauter,
        brouckere=brouckere,
        unit=cache.unit_of(regions),
    )


def _more(regions: pd.DataFrame, density: say.Line) -> None:
    """Draw how many regions there are per area, and what their circularity is worth."""
    say.markdown("{density}", density=density)
    rounded = int(regions["outline_too_short"].sum()) if "outline_too_short" in regions else 0
    if rounded:
        noun = "region looks" if rounded == 1 else "regions look"
        say.caption(
            "{rounded} {noun} rounder than a circle, since few pixels make a short outline; "
            "circularity is set to 1 there.",
            rounded=rounded,
            noun=noun,
        )


def _files(
    found: SizeDistribution,
    micrograph: Micrograph,
    labels: NDArray[np.integer],
    prefix: str,
    of_regions: dict[str, Callable[[], bytes]],
    regions: pd.DataFrame,
    mask_png: bytes | None,
) -> None:
    """Draw the downloads: tables, mask, numbered regions for ImageJ, clusters in colours."""
    stem, clusters = show.file_stem(micrograph), int(labels.max()) + 1

    with st.container(horizontal=True):
        show.download(
            "Regions (CSV)",
            lambda: tables.regions_csv(regions, micrograph),
            f"{stem}_regions.csv",
            "text/csv",
            f"{prefix}_csv",
        )
        if mask_png:
            show.download("Mask (PNG)", mask_png, f"{stem}_mask.png", "image/png", f"{prefix}_mask")
        show.download(
            "Sizes (CSV)",
            lambda: csv_bytes(found.to_frame()),
            f"{stem}_sizes.csv",
            "text/csv",
            f"{prefix}_sizes_csv",
        )
        show.download(
            "Histogram (CSV)",
            lambda: csv_bytes(found.histogram()),
            f"{stem}_histogram.csv",
            "text/csv",
            f"{prefix}_histogram_csv",
        )
        show.download(
            "All clusters (PNG)",
            lambda: cache.clusters_palette_png(labels, clusters),
            f"{stem}_clusters.png",
            "image/png",
            f"{prefix}_palette_png",
        )
        with st.popover("For other programs", icon=":material/output:"):
            for kind, (label, ending, mime) in _REGION_FILES.items():
                name = f"{stem}_regions{ending}"
                show.download(label, of_regions[kind], name, mime, f"{prefix}_regions_{kind}")


def describe_fit(found: SizeDistribution) -> str:
    """Return a sentence on the log-normal fit, or why there is none."""
    if found.fit is None:
        return "A log-normal fit needs at least three different sizes."
    fit = found.fit
    verdict = next((words for most, words in _VERDICTS if fit.gap < most), _NO_FIT)
    return (
        f"A log-normal curve with median {fit.median:.4g} {found.unit} and geometric spread "
        f"{fit.spread:.3g} {verdict}: it is at most {100 * fit.gap:.0f} % off the counted one."
    )


def _density(regions: pd.DataFrame, included: Mask, size: PixelSize | None) -> say.Line:
    """Return a sentence on the number of regions per area."""
    area_px = int(np.count_nonzero(included))
    if size is None:
        area, unit = area_px / 1e6, "megapixel"
    else:
        length, nanometres = area_unit(area_px * size.to("nm") ** 2)
        area, unit = area_px * (size.to("nm") / nanometres) ** 2, f"{length}²"
    found = number_per_area(regions, area, included=included)
    is_plain = found == number_per_area(regions, area)
    half = int(regions["touches_border"].sum())
    halves = say.line(" The {half} on the border count half." if half else "", half=half)
    return say.line(
        "**{count} per {unit}** (95 %: {low} to {high}{few}).{halves}",
        few=say.Line(", if they are scattered at random" if is_plain else ""),
        count=_count(found.estimate),
        unit=unit,
        low=_count(found.low),
        high=_count(found.high),
        halves=halves,
    )


def _count(value: float) -> str:
    """Write a number of regions without powers of ten."""
    short = f"{value:.3g}"
    return short if value < 1000 else tables.thousands(float(short))


def _fields(fraction_of: Callable[[Micrograph], float], target: int, prefix: str) -> None:
    """Draw the same cluster over all loaded fields, when a person asks for it."""
    every = workspace.every()
    if len(every) < 2:
        st.caption("Load more fields of the sample to see a mean with its interval over fields.")
        return
    if not st.toggle(
        say.line("Over all {every} loaded fields", every=len(every)),
        key=f"{prefix}_fields",
        persist_state="session",
    ):
        return
    table = measure_fields(every, fraction_of)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rule = st.selectbox(
            "Sample",
            _SAMPLES,
            format_func=_SAMPLES.__getitem__,
            key=f"{prefix}_fields_sample",
            persist_state="session",
        )
        wish = st.number_input(
            "Wished precision (± % of the mean)",
            1,
            100,
            10,
            key=f"{prefix}_fields_wish",
            persist_state="session",
        )
    table.insert(2, "sample", [find_part(rule, m, m.name) if rule else "all" for m in every])
    summary = summarise_fields(table, wish / 100)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        show.table(summary, f"{prefix}_fields_summary")
        say.caption(
            "Mean area fraction of cluster {target} over fields with Student's 95 % "
            "interval. “Needed” is how many such fields would give the wished precision.",
            target=target,
        )
    with right:
        show.table(table, f"{prefix}_fields_table", height=220)
        show.download(
            "Fields (CSV)", csv_bytes(table), "fields.csv", "text/csv", f"{prefix}_fields_csv"
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

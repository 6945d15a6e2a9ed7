"""The one answer first: how many objects, how large, which share; then sizes, phases and files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isnan
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from core.imaging.filtering import Pipeline, Step
from core.measuring.regions import SizeDistribution, size_distribution
from core.measuring.segmentation import GROUND, OBJECTS, Segmentation, name_phases
from core.measuring.statistics import median_interval
from core.measuring.strokes import UNLIKE
from core.micrograph import Micrograph
from core.reporting.batch import csv_bytes
from core.reporting.mending import edits_of
from core.reporting.recipe import Recipe
from core.reporting.segmenting import SegmentBy, strokes_of
from core.ui import cache, measured
from core.ui.parts import attribution, measuring, say, show, tables
from core.ui.segment import hand, trial
from core.ui.segment.settings import Asked
from core.ui.shell import samples, segmenting, workspace

_FILES = {
    "labels": ("Numbered objects (TIFF)", ".tif", "image/tiff"),
    "rois": ("ROIs for ImageJ (ZIP)", ".zip", "application/zip"),
    "geojson": ("Outlines for QuPath (GeoJSON)", ".geojson", "application/geo+json"),
    "coco": ("Annotations for training (COCO)", "_coco.json", "application/json"),
}


def headline(micrograph: Micrograph, asked: Asked, meant: cache.Objects) -> None:
    """Draw the one answer in large type."""
    samples.badge(micrograph)
    found = cache.objects(micrograph, meant, asked.given)
    table = cache.object_table(micrograph, meant, asked.given)
    sizes = size_distribution(table, make_up_for_cut=meant.found_by.whole)
    say.markdown("### {words}", words=describe(len(table), sizes))
    share, _ = cache.target_shares(micrograph, cache.object_target(micrograph, meant, asked.given))
    who = say.line("“{name}”", name=found.phases[0].name)
    say.markdown("{words}", words=measured.describe_share(who, share))


def draw_sizes(
    micrograph: Micrograph, asked: Asked, notes: tuple[str, ...], meant: cache.Objects
) -> DeltaGenerator | None:
    """Draw how the answer came about, and the live histogram.

    Returns where it is told how wrong the answer is; None where that cannot be tried.
    """
    found = cache.objects(micrograph, meant, asked.given)
    table = cache.object_table(micrograph, meant, asked.given)
    place = trial.ask(asked)
    for note in notes:
        say.caption("{note}", note=note)
    _novelty(micrograph, asked)
    _changes(micrograph, found)
    measured.sizes.draw(table, micrograph.pixel_size, "segment", **_limits(asked, meant))
    return place


def _limits(asked: Asked, meant: cache.Objects) -> dict[str, Any]:
    """Return from which area on objects were measured, and whether cut ones were."""
    is_limited = asked.choice.way not in cache.AS_THEY_COME
    return {
        "smallest_px": meant.found_by.smallest_px if is_limited else 0,
        "make_up_for_cut": meant.found_by.whole,
    }


def describe(count: int, sizes: SizeDistribution) -> say.Line:
    """Return the answer: "104 objects, D50 = 312 nm (280–340)"."""
    counted = say.line("{count} object{s}", count=count, s="" if count == 1 else "s")
    middle = median_interval(sizes.sizes)
    if not count:
        return counted
    if isnan(middle.low):
        return say.line("{c}, D50 = {d:.3g} {unit}", c=counted, d=sizes.d50, unit=sizes.unit)
    return say.line(
        "{c}, D50 = {d:.3g} {unit} ({low:.3g}–{high:.3g})",
        c=counted,
        d=sizes.d50,
        unit=sizes.unit,
        low=middle.low,
        high=middle.high,
    )


def _novelty(micrograph: Micrograph, asked: Asked) -> None:
    """Say how unlike the painted micrographs this one is, where it is none of them."""
    painted = {each.key for each, _ in asked.given.strokes}
    if asked.choice.way != cache.STROKES or micrograph.key in painted:
        return
    share = cache.unlike_painted(micrograph, asked.choice, asked.given)
    if isnan(share):
        return
    percent = f"{100 * share:.0f} %"
    if share > UNLIKE:
        say.warning(
            "Unlike the painted micrographs: {percent} of its pixels are like none of theirs. Look "
            "at the map, and paint a stroke of each phase here too.",
            percent=percent,
            icon=":material/warning:",
        )
        return
    say.caption(
        "Like the painted micrographs: {percent} of its pixels are unlike theirs.", percent=percent
    )


def _changes(micrograph: Micrograph, found: Segmentation) -> None:
    """Say how many outlines a hand changed, and which edits no longer fit."""
    if said := found.describe_edits():
        say.caption(":material/edit: {said}", said=say.Line(said))
    if found.not_applied:
        with st.expander(
            say.line(
                "{count} of {every} edits did not fit here",
                count=len(found.not_applied),
                every=len(found.edits) + len(found.not_applied),
            ),
            icon=":material/warning:",
        ):
            for sentence in found.not_applied[:50]:
                say.caption("{sentence}", sentence=sentence)
    if found.edits or found.not_applied:
        st.button(
            "Back to what was found",
            icon=":material/restart_alt:",
            key="segment_start_over",
            type="tertiary",
            on_click=hand.start_over,
            args=(micrograph,),
            help="Takes every change by hand back; Redo makes them again.",
        )


def phases(micrograph: Micrograph, asked: Asked, found: cache.Segmented) -> None:
    """Draw each phase's share with its interval."""
    if found.found.kind == OBJECTS:
        return
    shares = cache.phase_fractions(micrograph, asked.choice, asked.given)
    rows = pd.DataFrame(
        {
            "colour": [tables.swatch(phase.colour) for phase in found.found.phases],
            "phase": [phase.name for phase in found.found.phases],
            "share (%)": [100 * share.estimate for share in shares],
            "from (%)": [100 * share.low for share in shares],
            "to (%)": [100 * share.high for share in shares],
        }
    )
    config = show.formats(rows) | {"colour": st.column_config.ImageColumn("", width=36)}
    st.dataframe(rows, hide_index=True, column_config=config, key="segment_phases")
    say.caption(
        "Share of each phase as found, before changes by hand, with 95 % limits from tiles of this "
        "field."
    )


def more(micrograph: Micrograph, asked: Asked, meant: cache.Objects) -> None:
    """Draw how sure area and sizes are, and the measurements that a person chooses."""
    target = cache.object_target(micrograph, meant, asked.given)
    table = cache.object_table(micrograph, meant, asked.given)
    with st.expander("How sure the area is, number per area, mean sizes", icon=":material/info:"):
        found = cache.objects(micrograph, meant, asked.given)
        tiles, points = cache.target_shares(micrograph, target)
        area_px = int(np.count_nonzero(found.included))
        size = micrograph.pixel_size
        covers = measured.describe_area(found.phases[0].name, tiles, points, area_px, size)
        say.markdown("{covers}", covers=covers)
        density = measured.describe_density(target.table(), found.included, size)
        say.markdown("{density}", density=density)
        measured.sizes.draw_more(table, size, "segment", **_limits(asked, meant))
    measured.structure.draw(micrograph, target, "segment")


def evidence(
    micrograph: Micrograph,
    asked: Asked,
    found: cache.Segmented,
    meant: cache.Objects,
    pick_model: Callable[[], str],
) -> None:
    """Draw, on demand, how much of a network's evidence falls in each phase, or in objects."""
    made = found.found
    if made.kind == OBJECTS:
        mended = cache.objects(micrograph, meant, asked.given)
        labels = np.where(mended.included, mended.labels == 0, -1).astype(np.int32)
        phases = name_phases([made.phases[0].name, GROUND])
    else:
        labels = np.where(made.included, made.labels - 1, -1).astype(np.int32)
        phases = made.phases
    attribution.draw(
        micrograph,
        pick_model,
        prefix="segment",
        exclude=asked.choice.exclude,
        clustering=_Labelled(labels, len(phases)),
        settings=f"segment|{meant!r}",
        phases={phase.name: phase.colour for phase in phases},
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Labelled:
    """Phases from 0 as clusters are given: labels (H, W), -1 where nothing counts, and how many."""

    labels: NDArray[np.int32]
    k: int


def downloads(micrograph: Micrograph, asked: Asked, meant: cache.Objects) -> None:
    """Draw the files to take home."""
    stem = show.file_stem(micrograph)
    table = cache.object_table(micrograph, meant, asked.given)
    sizes = size_distribution(table)
    with st.container(horizontal=True):
        show.download(
            "Objects (CSV)",
            tables.regions_csv(table, micrograph),
            f"{stem}_objects.csv",
            "text/csv",
            "segment_csv",
        )
        show.download(
            "Sizes (CSV)",
            lambda: csv_bytes(sizes.to_frame()),
            f"{stem}_sizes.csv",
            "text/csv",
            "segment_sizes_csv",
        )
        show.download(
            "Histogram (CSV)",
            lambda: csv_bytes(sizes.histogram()),
            f"{stem}_histogram.csv",
            "text/csv",
            "segment_histogram_csv",
        )
        recipe = _recipe(asked, meant)
        segmenting.offer_recipe(recipe)
        if recipe is not None:
            show.download(
                "Recipe for a batch (JSON)",
                lambda: recipe.to_json().encode(),
                "recipe.json",
                "application/json",
                "segment_recipe",
            )
        with st.popover("For other programs", icon=":material/output:"):
            made = cache.object_files(micrograph, meant, asked.given)
            for kind, (label, ending, mime) in _FILES.items():
                name = f"{stem}_objects{ending}"
                show.download(label, made[kind], name, mime, f"segment_{kind}")


def _recipe(asked: Asked, meant: cache.Objects) -> Recipe | None:
    """Return what finds the same phases in other micrographs; None where a recipe holds no such.

    Changes by hand on loaded micrographs are part of it, and count for those alone. Clusters have
    their recipe on their own page.
    """
    choice, found_by = asked.choice, meant.found_by
    steps: tuple[Step, ...] = ()
    if choice.way == cache.STROKES:
        strokes = ((m.sha256, strokes_of(shapes)) for m, shapes in asked.given.strokes)
        by = SegmentBy("strokes", choice.names, seed=choice.seed, strokes=tuple(strokes))
    elif choice.way == cache.CHAIN:
        steps = Pipeline.from_json(choice.chain).steps
        by = SegmentBy("threshold", (*choice.names, GROUND), dark=choice.dark)
    elif choice.way == cache.PARTICLES:
        by = SegmentBy("particles")
    else:
        return None
    edited = {each.sha256: hand.history(each).done for each in workspace.every()}
    return Recipe(
        filters=steps,
        segmentation=replace(by, edits=edits_of(edited)),
        target_cluster=meant.phase - 1,
        exclude_overlays=choice.exclude,
        smallest_region_px=found_by.smallest_px,
        smallest_region_by="stated",
        split_regions=found_by.split,
        neck_depth_px=found_by.neck_depth_px,
        fill_holes=found_by.fill_holes,
        drop_border_regions=found_by.whole,
        connectivity=8 if found_by.connectivity == 8 else 4,
        region_limits=found_by.limits,
        sizes_by=measuring.SIZES_BY.value(),
        measures=measuring.MEASURES.to_recipe(measuring.MEASURES.value()),
    )

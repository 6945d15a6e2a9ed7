"""Entries of a journal -> the tables of a batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from core.micrograph import Micrograph
from core.reporting.batch.analysis import list_columns, tabulate_regions
from core.reporting.batch.journal import Entry
from core.reporting.batch.rows.flags import find_flags
from core.reporting.batch.rows.label_table import find_key
from core.reporting.batch.rows.listing import NAMED, SIGNS, Listed
from core.reporting.batch.rows.measures import list_measures
from core.reporting.batch.rows.naming import match_class
from core.reporting.mending import CHANGED, REMOVED, UNFIT, list_mending_columns
from core.reporting.recipe import PICTURES, Recipe
from core.reporting.segmenting import PHASES_BY, list_phase_columns

HEAD = (
    "number",
    "name",
    "status",
    "reason",
    "warnings",
    "duplicate_of",
    "near_duplicate_of",
    "true_label",
)
FILE_COLUMNS = {
    "overlays": "overlay_file",
    "masks": "mask_file",
    "maps": "map_file",
    "labels": "labels_file",
    "rois": "rois_file",
    "geojson": "geojson_file",
    "coco": "coco_file",
}
WHOLE_NUMBERS = (
    "duplicate_of",
    "near_duplicate_of",
    "target_cluster",
    "target_area_px",
    "smallest_region_px",
    "regions",
    "width_px",
    "height_px",
    CHANGED,
    REMOVED,
    UNFIT,
)
TEXTS = (
    "sample",
    "stated_label",
    "label",
    "runner_up",
    "candidates",
    SIGNS,
    "smoothing",
    "sizes_by",
    "filters_picked",
    "pixel_size_source",
    "depth",
    "instrument",
    "sha256",
)


def slim(entry: Entry) -> Entry:
    """Return an entry without what would fill the memory when all of them are held."""
    return {**entry, "regions": None, "likeness": ""}


def row_of(entry: Entry, first: Entry | None = None) -> dict[str, Any]:
    """Return the row of one micrograph; a copy tells what its first did."""
    told = first or entry
    files = {FILE_COLUMNS[name.split("/")[0]]: name for name in told["files"]}
    row = {
        "number": entry["number"],
        "name": entry["name"],
        "status": "failed" if told["reason"] else "ok",
        "reason": told["reason"],
        "duplicate_of": entry["first"],
        **told["values"],
        **entry["values"],  # a copy has its own sample, label and source of the pixel size
        **files,
    }
    for name in ("candidates", NAMED):
        if name in row:
            row[name] = Listed(row[name])
    return row


def tabulate(
    entries: Iterable[Entry],
    alike: Mapping[int, int],
    labels: Mapping[str, str],
    classes: Mapping[str, str],
    recipe: Recipe,
) -> pd.DataFrame:
    """Return one row per entry, in their order.

    Parameters
    ----------
    entries : iterable of journal entries
    alike : mapping
        Number of a micrograph to the earlier one that shows the same field.
    labels : mapping
        Name of a micrograph to its true class, as a person wrote it.
    classes : mapping
        Id of a class to the words for people.
    recipe : Recipe
    """
    firsts: dict[int, Entry] = {}
    rows: list[dict[str, Any]] = []
    for entry in entries:
        if entry["first"] is None:
            firsts[entry["number"]] = slim(entry)
        row = row_of(entry, firsts.get(entry["first"]))
        row["near_duplicate_of"] = alike.get(entry["number"])
        key = find_key(labels, entry["name"]) if labels else None
        by_table = match_class(labels[key], classes) if key else ""
        row["true_label"] = by_table or match_class(row.get("stated_label", ""), classes)
        row["warnings"] = Listed(find_flags(row))
        rows.append(row)
    files = [FILE_COLUMNS[name] for name in PICTURES if name in recipe.pictures]
    told = list_phase_columns(recipe.segmentation)
    told += list_mending_columns(recipe.segmentation.edits)
    named = [NAMED] if any(NAMED in row for row in rows) else []
    more = [*named, *list_measures(recipe.measures), *told]
    columns = [*HEAD, *list_columns(list(classes), recipe.clusters), *more, *files]
    table = pd.DataFrame(rows, columns=columns, dtype=object)
    told = [name for name in told if name == PHASES_BY]
    texts = [*("name", "reason", "warnings", "true_label"), *TEXTS, *named, *told, *files]
    table[texts] = table[texts].fillna("")
    numbers = [c for c in columns if c not in (*texts, "status", "has_evidence")]
    # Failed rows have no numbers; nullable integers keep the others whole.
    kinds = {c: "Int64" if c in WHOLE_NUMBERS else "float64" for c in numbers}
    return table.astype(kinds | {"number": "int64"})


def pack_regions(regions: pd.DataFrame) -> dict[str, list[Any]]:
    """Return a table of regions as JSON holds it, with every digit."""
    return {str(name): regions[name].tolist() for name in regions.columns}


def regions_of(entry: Entry) -> pd.DataFrame:
    """Return the regions of one entry, with number and name of its micrograph."""
    frame = pd.DataFrame(entry["regions"])
    frame.insert(0, "number", entry["number"])
    frame.insert(1, "name", entry["name"].encode(errors="replace").decode())
    frame["pixel_size_source"] = entry["values"]["pixel_size_source"]
    return frame


def no_regions() -> pd.DataFrame:
    """Return an empty table of regions, with its columns."""
    nothing = Micrograph("", np.zeros((1, 1), np.uint8))
    empty = tabulate_regions(np.zeros((1, 1), np.bool_), nothing, Recipe())
    return pd.DataFrame(columns=["number", "name", *empty.columns, "pixel_size_source"])

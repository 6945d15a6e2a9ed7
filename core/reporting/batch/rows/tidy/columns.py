"""What each column of a batch's tables is called in ASCII, its unit, its digits and its meaning."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

_UNITS = {  # ending of a column to its unit and to how many digits the measurement carries
    "_µm2": ("µm²", "5 significant"),
    "_um2": ("µm²", "5 significant"),
    "_nm": ("nm", "5 significant"),
    "_px": ("px", "2 decimals"),
    "_percent": ("%", "2 decimals"),
    "_deg": ("°", "1 decimals"),
}
_WHOLE = "whole"
_AS_IS = "as they are"
_WORDS = {
    "number": "running number of the micrograph",
    "name": "file as it was given",
    "status": "ok or failed",
    "reason": "why it failed",
    "warnings": "what to look at first; see the report",
    "duplicate_of": "number of the file with the same content",
    "near_duplicate_of": "number of the micrograph of the same field",
    "true_label": "class that a person stated",
    "sample": "sample that the micrograph shows",
    "stated_label": "class as file or folder name it",
    "label": "class that the network answers; in tables of regions the region's number",
    "probability": "probability of that class, from 0 to 1",
    "runner_up": "second class",
    "runner_up_probability": "its probability, from 0 to 1",
    "candidates": "prediction set: the classes that cannot be ruled out",
    "classes_named": "classes above the threshold of a network that may name several or none",
    "signs_against": "what in the picture itself says that it is no micrograph",
    "novelty": "how unlike the training pictures it is",
    "has_evidence": "whether the heat map shows any evidence for the class",
    "class": "class of the network",
    "cluster": "cluster, from dark to bright",
    "percent": "share of the counted area",
    "evidence_percent": "share of the evidence that falls on it",
    "is_target": "whether it is the measured cluster",
    "target_cluster": "cluster that is measured",
    "target_percent": "share of the target in the counted area",
    "smoothing": "what was smoothed before clustering",
    "smallest_region_px": "area below which a region is not counted",
    "regions": "regions of the target",
    "sizes_by": "what D10, D50 and D90 weigh a region by",
    "filters_picked": "what automatic filters chose",
    "phases_by": "how phases were found where clusters are not meant",
    "unlike_painted_percent": "share of pixels unlike those of the micrographs that were painted",
    "outlines_changed_by_hand": "regions that a person made or changed",
    "outlines_removed_by_hand": "regions that a person took away",
    "edits_that_did_not_fit": "changes by hand that were left out, since no such region was found",
    "excluded_percent": "share left out: no specimen, such as a data bar",
    "pixel_size_nm": "edge of a pixel",
    "pixel_size_source": "who states the pixel size",
    "width_px": "columns of the frame",
    "height_px": "rows of the frame",
    "depth": "type of the stored grey levels",
    "instrument": "as the file names it",
    "sha256": "digest of the file",
    "circularity": "4π × area over perimeter², 1 for a disc",
    "outline_too_short": "whether the region is too small for a perimeter",
    "aspect_ratio": "longest over shortest axis of the ellipse of equal moments",
    "eccentricity": "of that ellipse",
    "orientation_deg": "of its long axis, counted from the rows",
    "solidity": "area over that of the convex hull",
    "convexity": "length of the convex hull over the perimeter",
    "holes": "number of holes",
    "mean_grey": "mean grey level inside",
    "touches_border": "whether the frame or an excluded part cuts it",
    "weight": "regions like it that it stands for, since the frame cuts larger ones more often",
}
_PARTS = {
    "area": "area",
    "target_area": "area of the target",
    "hole_area": "area of the holes",
    "equivalent_diameter": "diameter of the disc of equal area",
    "mean_diameter": "mean diameter of the disc of equal area",
    "median_diameter": "median diameter of the disc of equal area",
    "d10": "10 % of the weighed regions are smaller",
    "d50": "half of the weighed regions are smaller",
    "d90": "90 % of the weighed regions are smaller",
    "sauter_d32": "Sauter mean diameter D[3,2]",
    "de_brouckere_d43": "De Brouckere mean diameter D[4,3]",
    "perimeter": "length of the outline",
    "feret_max": "largest caliper diameter; up to 9 % too long for discs of 2 to 5 px radius",
    "feret_min": "smallest caliper diameter",
    "inscribed_diameter": "diameter of the largest circle inside",
    "circumscribed_diameter": "diameter of the smallest circle around",
    "nearest_neighbour": "distance to the nearest other centroid",
    "centroid_row": "row of the centroid, the top is 0",
    "centroid_col": "column of the centroid, the left is 0",
}
_EXACT = ("pixel_size_nm", "width_px", "height_px", "number", "label", "novelty")
_NUMBERED = re.compile(r"cluster_(\d+)_(evidence_)?percent")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of one file.

    Attributes
    ----------
    name, ascii, unit, digits, meaning : str
        `digits` is "whole", "as they are", "N decimals" or "N significant".
    """

    name: str
    ascii: str
    unit: str
    digits: str
    meaning: str


def ascii_names(names: Sequence[str]) -> list[str]:
    """Return names of letters, digits and underscores, all different: "area_µm2" → "area_um2"."""
    taken: list[str] = []
    for name in names:
        plain = unicodedata.normalize("NFKD", re.sub("[µμ]", "u", name))
        plain = re.sub(r"\W+", "_", plain.encode("ascii", "ignore").decode()).strip("_") or "column"
        count, free = 2, plain
        while free in taken:
            count, free = count + 1, f"{plain}_{count}"
        taken.append(free)
    return taken


def describe_columns(table: pd.DataFrame) -> list[Column]:
    """Return what is known of each column of a table, in its order."""
    names = [str(name) for name in table.columns]
    return [
        Column(name, plain, _unit(name), _digits(name, table[name]), _meaning(name))
        for name, plain in zip(names, ascii_names(names), strict=True)
    ]


def round_columns(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with ASCII headings, and numbers without digits that carry nothing."""
    columns = describe_columns(table)
    rounded = {column.ascii: _rounded(table[column.name], column.digits) for column in columns}
    return pd.DataFrame(rounded, index=table.index)


def dictionary(tables: Iterable[tuple[str, pd.DataFrame]]) -> pd.DataFrame:
    """Return one row per column of each file: file, column, ascii, unit, digits and meaning."""
    rows = [
        (file, column.name, column.ascii, column.unit, column.digits, column.meaning)
        for file, table in tables
        for column in describe_columns(table)
    ]
    return pd.DataFrame(rows, columns=["file", "column", "ascii", "unit", "digits", "meaning"])


def _unit(name: str) -> str:
    if name == "percent":
        return "%"
    unit = next((unit for end, (unit, _) in _UNITS.items() if name.endswith(end)), "")
    return "px²" if unit == "px" and ("area" in name or name == "smallest_region_px") else unit


def _digits(name: str, values: pd.Series) -> str:
    if not pd.api.types.is_float_dtype(values):
        is_whole = pd.api.types.is_integer_dtype(values)
        return _WHOLE if is_whole and not pd.api.types.is_bool_dtype(values) else _AS_IS
    if name in _EXACT:
        return _AS_IS
    if name == "percent":
        return "2 decimals"
    return next((kind for end, (_, kind) in _UNITS.items() if name.endswith(end)), "4 decimals")


def _meaning(name: str) -> str:
    if name in _WORDS:
        return _WORDS[name]
    if found := _NUMBERED.fullmatch(name):
        return f"{_WORDS[(found[2] or '') + 'percent']}: cluster {found[1]}"
    if name.startswith("p_"):
        return f"probability of the class {name[2:]}, from 0 to 1"
    if name.endswith("_file"):
        return "file in this folder"
    for end in _UNITS:
        if name.endswith(end):
            stem = name.removesuffix(end)
            return _PARTS.get(stem, stem.replace("_", " "))
    return name.replace("_", " ")


def _rounded(values: pd.Series, digits: str) -> pd.Series:
    count, _, kind = digits.partition(" ")
    if kind == "decimals":
        return values.round(int(count))
    if kind == "significant":
        return values.map(lambda v: float(f"{v:.{int(count)}g}") if np.isfinite(v) else v)
    return values

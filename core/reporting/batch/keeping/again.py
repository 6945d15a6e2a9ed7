"""A result that was written elsewhere, taken up again as if its batch had just ended here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from core.errors import UserError
from core.reporting.batch import export
from core.reporting.batch.journal import OURS, Entry, Journal
from core.reporting.batch.keeping.result import BatchResult, titles, written
from core.reporting.batch.rows import tabulation
from core.reporting.batch.rows.listing import words_of
from core.reporting.recipe import Recipe

_WHOLE = re.compile(r"-?[0-9]{1,18}")
_HEAD = frozenset(tabulation.HEAD)
_NEEDED = ("number", "name", "status", "sha256", "target_percent", "regions")
_NO_CELLS = "The results cannot be shown again: {}. Run the batch again."


def restore_batch(
    rows: pd.DataFrame,
    recipe: Recipe,
    model: Mapping[str, Any],
    out: Path,
    *,
    regions: pd.DataFrame | None = None,
    files: Mapping[str, bytes] | None = None,
    date: str = "",
) -> BatchResult:
    """Return rows as the result of a batch whose folder is `out`; nothing is computed again.

    Parameters
    ----------
    rows : DataFrame
        Of `BatchResult.rows`, with None or NaN where nothing is known; may be a stranger's.
    recipe : Recipe
    model : mapping
        What `BatchResult.model` said; what is missing or of another type is left out.
    out : Path
        A folder of this result alone.
    regions : DataFrame, optional
        Its regions as text, with the number of their micrograph.
    files : mapping, optional
        Pictures as they were named in the folder, to their bytes; other names are passed over.
    date : str

    Raises
    ------
    UserError
        If the rows are not those of a batch, or the folder cannot be written.
    """
    lacking = [name for name in _NEEDED if name not in rows.columns]
    if lacking or not len(rows):
        raise UserError(_NO_CELLS.format(f"there is no column {lacking[0]}" if lacking else "none"))
    folder = export.make_folder(out)
    held = {name: data for name, data in (files or {}).items() if OURS.fullmatch(name)}
    for name, data in held.items():
        with export.writing(folder):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(data)
    described = _model(model)
    try:
        entries = _entries(rows, regions, held)
        alike = _alike(rows)
        journal = Journal(folder)
        with export.writing(folder):
            journal.begin("restored")
            for entry in entries:
                journal.append([entry])
        table = tabulation.tabulate(journal.entries(), alike, {}, titles(described), recipe).assign(
            true_label=rows["true_label"].fillna("").astype(str).to_numpy(object)
        )
    except (ValueError, TypeError, KeyError, OverflowError, AttributeError) as error:
        raise UserError(_NO_CELLS.format(str(error)[:120])) from error
    times = {"started": date, "finished": date, "elapsed_s": 0.0, "resumed_behind": 0}
    kept = tuple(name for entry in entries for name in entry["files"])
    return written(BatchResult(table, recipe, folder, described, kept, len(table), times))


def _entries(
    rows: pd.DataFrame, regions: pd.DataFrame | None, held: Mapping[str, bytes]
) -> list[Entry]:
    """Return rows as the journal of a batch holds them."""
    by_number = _regions_by_number(regions)
    entries = []
    for row in rows.to_dict("records"):
        number = int(row["number"])
        first = None if pd.isna(row["duplicate_of"]) else int(row["duplicate_of"])
        values = {
            str(name): float("nan") if pd.isna(value) else value
            for name, value in row.items()
            if name not in _HEAD and not str(name).endswith("_file")
        }
        values["pixel_size_source"] = str(row.get("pixel_size_source") or "")
        values["candidates"] = list(words_of(values.get("candidates", "")))
        entries.append(
            {
                "number": number,
                "name": str(row["name"]),
                "stamp": "",
                "key": "",
                "reason": "" if row["status"] == "ok" else str(row["reason"] or "failed"),
                "first": first,
                "values": values if row["status"] == "ok" else {},
                "regions": by_number.get(number) if first is None else None,
                "files": [name for name in held if name.split("/")[1].startswith(f"{number:04d}_")],
                "previews": [],
                "likeness": "",
            }
        )
    return entries


def _regions_by_number(regions: pd.DataFrame | None) -> dict[int, dict[str, list[Any]]]:
    """Return the regions of each micrograph as columns; none where they are not a batch's."""
    known = tabulation.no_regions().columns
    wanted = [name for name in known if name not in ("number", "name", "pixel_size_source")]
    if regions is None or not {"number", *wanted} <= set(regions.columns):
        return {}
    found = regions[wanted].map(_cell)
    numbers = regions["number"].astype(int)
    return {
        int(number): tabulation.pack_regions(found[(numbers == number).to_numpy(bool)])
        for number in numbers.unique()
    }


def _cell(text: Any) -> bool | int | float:
    """Return what a cell of a table of numbers says; raises ValueError where it says none."""
    if not isinstance(text, str) or not text.strip():
        return float("nan")
    if text in ("True", "False"):
        return text == "True"
    return int(text) if _WHOLE.fullmatch(text) else float(text)


def _alike(rows: pd.DataFrame) -> dict[int, int]:
    """Return which micrograph shows the field of an earlier one."""
    near = pd.to_numeric(rows["near_duplicate_of"], errors="coerce")
    known = near.notna()
    return dict(zip(rows["number"][known].astype(int), near[known].astype(int), strict=True))


def _model(stated: Mapping[str, Any]) -> dict[str, Any]:
    """Return a description of a network of which every part has the type that reports expect."""
    texts = {name: str(stated.get(name, "")) for name in ("name", "sha256", "architecture")}
    titled = stated.get("display_names")
    explained = stated.get("explanation")
    explained = explained if isinstance(explained, Mapping) else {}
    return {
        **texts,
        "classes": [str(each) for each in _listed(stated.get("classes"))],
        "display_names": {str(k): str(v) for k, v in titled.items()}
        if isinstance(titled, Mapping)
        else {},
        "device": str(stated.get("device", "not known")),
        "sees_whole_frames": stated.get("sees_whole_frames") is True,
        "calibration": _numbers(stated.get("calibration")),
        "limits": [str(each) for each in _listed(stated.get("limits"))],
        "metrics": _numbers(stated.get("metrics")),
        "explanation": {name: str(explained.get(name, "")) for name in ("title", "reference")},
    }


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _numbers(value: Any) -> dict[str, Any]:
    """Return the numbers of a mapping, and its pairs of numbers."""
    if not isinstance(value, Mapping):
        return {}
    return {str(name): each for name, each in value.items() if _is_number(each) or _is_pair(each)}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))

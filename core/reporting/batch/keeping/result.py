"""What a finished batch is: rows, what is needed to report on them, and the folder it lies in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.reporting.batch import export
from core.reporting.batch.journal import FOLDER, PICTURE_FOLDERS, Journal
from core.reporting.batch.keeping.pictures import Preview
from core.reporting.batch.keeping.writer import PLATES, preview_files
from core.reporting.batch.rows import likeness, tabulation
from core.reporting.batch.rows.hand import HAND
from core.reporting.batch.rows.naming import match_class
from core.reporting.batch.rows.samples.twins import Trial, judge_samples
from core.reporting.batch.rows.tidy.spreadsheet import csv_bytes
from core.reporting.recipe import Recipe


@dataclass(frozen=True, slots=True, eq=False)
class BatchResult:
    """Rows and what is needed to report on them.

    Attributes
    ----------
    rows : DataFrame
        One row per source, in the order given: number, name, status ("ok" or "failed"), reason,
        warnings, duplicate_of, near_duplicate_of, true_label, then results with units in their
        names. The same files and recipe give the same rows.
    recipe : Recipe
        As given, with the digest of the weights that were used, and with what was decided for
        each sample where it left something to the pictures.
    out : Path
    model : dict
        name, sha256, architecture, classes, display_names, limits, calibration and device of the
        network, whether it sees whole frames, its record on held-out micrographs (`metrics`), and
        the title and reference of the explanation method.
    files : tuple of str
        What was written, relative to `out`.
    given : int
        How many sources there were; more than rows when the batch was cancelled.
    times : dict
        When it ran and for how long; kept out of the rows, which do not depend on it.
    by_hand : DataFrame
        What a person measured on the micrographs, as `list_by_hand` gives it; may be empty.
    twins : DataFrame
        How wrong the numbers of each sample are, as `judge_samples` gives it; empty where the
        recipe asks for no look-alikes.
    """

    rows: pd.DataFrame
    recipe: Recipe
    out: Path
    model: dict[str, Any]
    files: tuple[str, ...]
    given: int
    times: dict[str, Any]
    by_hand: pd.DataFrame = field(default_factory=pd.DataFrame)
    twins: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def succeeded(self) -> pd.DataFrame:
        """Rows with status "ok"."""
        return self.rows[self.rows["status"] == "ok"]

    @property
    def failed(self) -> pd.DataFrame:
        """Rows with status "failed"."""
        return self.rows[self.rows["status"] == "failed"]

    @property
    def fields(self) -> pd.DataFrame:
        """Rows that count in statistics: analysed, and not a copy of an earlier file."""
        rows = self.succeeded
        return rows[rows["duplicate_of"].isna()]

    @property
    def elapsed_s(self) -> float:
        """How long it took, without what an earlier run had done."""
        return float(self.times["elapsed_s"])

    @property
    def regions(self) -> pd.DataFrame:
        """One line per region of the target cluster, with number and name of its micrograph.

        Read from the disk at each call: a large batch has millions of them.
        """
        frames = list(self.each_regions())
        kept = [frame for frame in frames if len(frame)]
        return pd.concat(kept, ignore_index=True) if kept else tabulation.no_regions()

    def each_regions(self) -> Iterator[pd.DataFrame]:
        """Yield the regions of one micrograph after the other; copies have none of their own."""
        for entry in Journal(self.out).entries():
            if entry["regions"] is not None:
                yield tabulation.regions_of(entry)

    def preview(self, number: int) -> Preview | None:
        """Return the small pictures of a row; None for a failed one and beyond the first 400."""
        place = int(np.flatnonzero(self.rows["number"].to_numpy() == number)[0])
        status = self.rows["status"].iat[place]
        original: Any = self.rows["duplicate_of"].iat[place]
        shown = number if pd.isna(original) else int(original)
        paths = [self.out / name for name in preview_files(shown)]
        if status != "ok" or not all(path.is_file() for path in paths):
            return None
        large = [self.out / name for name in preview_files(shown, PLATES)]
        paths += large if all(path.is_file() for path in large) else []
        return Preview(*(path.read_bytes() for path in paths))


def assemble(
    folder: Path,
    recipe: Recipe,
    model: dict[str, Any],
    labels: Mapping[str, str],
    given: int,
    times: dict[str, Any],
) -> BatchResult:
    """Read back what was written, which is the same whether or not the batch was interrupted."""
    journal = Journal(folder)
    described = {e["number"]: e["likeness"] for e in journal.entries() if e["likeness"]}
    rows = tabulation.tabulate(
        journal.entries(),
        likeness.find_alike(described),
        labels,
        titles(model),
        recipe,
    )
    files = tuple(name for entry in journal.entries() for name in entry["files"])
    return BatchResult(rows, recipe, folder, model, files, given, times)


def judged(result: BatchResult, trial: Trial) -> BatchResult:
    """Return the result with how wrong its numbers are, where the recipe asks for that."""
    if not result.recipe.twins or not len(result.fields):
        return result
    table = judge_samples(result.fields, trial)
    with export.writing(result.out):
        (result.out / export.TWINS).write_bytes(csv_bytes(table))
    return replace(result, twins=table, files=(*result.files, export.TWINS))


def relabel(result: BatchResult, labels: Mapping[int, str]) -> BatchResult:
    """Return the result with true classes stated by a person, and write the tables again.

    Parameters
    ----------
    result : BatchResult
    labels : mapping
        Number of a row to the id or the words of a class; "" takes a label back; what is no
        class does not take back what a person has set.
    """
    classes = titles(result.model)
    rows = result.rows[["number", "true_label", "stated_label"]]
    truth = []
    for number, known, stated in rows.itertuples(index=False):
        label = labels.get(number, known)
        by_person = known != match_class(stated, classes)
        keeps = by_person and label.strip() and not match_class(label, classes)
        truth.append(known if keeps else match_class(label, classes))
    return written(replace(result, rows=result.rows.assign(true_label=truth)))


def add_by_hand(result: BatchResult, table: pd.DataFrame) -> BatchResult:
    """Return the result with what a person measured; it is written beside the other tables."""
    with export.writing(result.out):
        (result.out / HAND).write_bytes(csv_bytes(table))
    return written(replace(result, by_hand=table, files=(*result.files, HAND)))


def write_zip(result: BatchResult) -> Path:
    """Write everything the batch wrote into a ZIP file beside it, piece by piece; return its path.

    The file is hidden, and no part of the report.
    """
    path = result.out / FOLDER / "report.zip"
    export.zip_files(result.out, result.files, path)
    return path


def written(result: BatchResult) -> BatchResult:
    """Write the tables of a result and return it with the names of all files."""
    kept = (*PICTURE_FOLDERS, HAND, export.TWINS)
    pictures = [name for name in result.files if name.split("/")[0] in kept]
    files = export.write_tables(
        result.out,
        result.rows,
        result.each_regions(),
        result.recipe,
        result.model,
        pictures,
        result.times,
        result.given,
    )
    return replace(result, files=files)


def titles(model: Mapping[str, Any]) -> dict[str, str]:
    """Return id and words of every class of a described network."""
    return {name: model["display_names"].get(name, name) for name in model["classes"]}

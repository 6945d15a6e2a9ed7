"""The results that a study holds, as the batch that made them left them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from core.errors import UserError
from core.reporting.batch import BatchResult, restore_batch

if TYPE_CHECKING:
    from core.reporting.study.model import Study

FOLDER, REGIONS = "results/", "results/regions.csv"
_MOST_REGIONS_BYTES = 64_000_000


def restore_result(study: Study, out: Path) -> BatchResult | None:
    """Return the result of a study's batch in a folder of its own; None before one has run.

    Rows, regions and the pictures that the study holds are those that were saved, to the last
    digit; nothing is computed.

    Parameters
    ----------
    study : Study
    out : Path

    Raises
    ------
    UserError
        If what it holds are no results of a batch, or the folder cannot be written.
    """
    if study.rows.empty:
        return None
    held = {
        name.removeprefix(FOLDER): study.opener.read(name)
        for name in study.files
        if study.opener is not None and name.startswith(FOLDER) and name.count("/") == 2
    }
    return restore_batch(
        study.rows,
        study.recipe,
        study.model,
        out,
        regions=_regions(study),
        files=held,
        date=study.date,
    )


def _regions(study: Study) -> pd.DataFrame | None:
    """Return the table of regions; None where there is none that can be read."""
    if study.opener is None or REGIONS not in study.files:
        return None
    try:
        data = study.opener.read(REGIONS)
        if len(data) > _MOST_REGIONS_BYTES:
            return None
        return pd.read_csv(io.BytesIO(data), dtype=str)  # every digit
    except (UserError, ValueError):  # those of pandas are ValueErrors
        return None

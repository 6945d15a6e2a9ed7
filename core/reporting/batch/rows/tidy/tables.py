"""Rows of a batch -> tidy tables: micrographs, probabilities and clusters each in their own.

Wickham 2014, doi:10.18637/jss.v059.i10: every variable a column, every observation a row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from core.reporting.batch.rows.tidy.columns import round_columns

FOLDER = "tidy"
FIELDS, PROBABILITIES, CLUSTERS, REGIONS = (
    f"{FOLDER}/{name}.csv" for name in ("micrographs", "probabilities", "clusters", "regions")
)
COLUMNS = "columns.csv"
_WHO = ["number", "name", "sample"]
_CLUSTER = re.compile(r"cluster_(\d+)_percent")


def tidy_tables(rows: pd.DataFrame, classes: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return file to table: micrographs, and what each has several of, in long form.

    Parameters
    ----------
    rows : DataFrame
        Of a batch, with every digit.
    classes : sequence of str
        Of its network.
    """
    numbers = [int(found[1]) for name in rows if (found := _CLUSTER.fullmatch(str(name)))]
    ok = rows[rows["status"] == "ok"]
    spread = [f"p_{name}" for name in classes]
    spread += [f"cluster_{n}_{kind}percent" for n in numbers for kind in ("", "evidence_")]
    return {
        FIELDS: rows.drop(columns=spread),
        PROBABILITIES: _probabilities(ok, classes),
        CLUSTERS: _clusters(ok, numbers),
    }


def tidy(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table as it is written for other programs."""
    return round_columns(table)


def _probabilities(rows: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    parts = [rows[_WHO].assign(probability=rows[f"p_{name}"]) for name in classes]
    for part, name in zip(parts, classes, strict=True):
        part.insert(len(_WHO), "class", name)
    return _joined(parts)


def _clusters(rows: pd.DataFrame, numbers: Sequence[int]) -> pd.DataFrame:
    parts = [
        rows[_WHO].assign(
            cluster=n,
            percent=rows[f"cluster_{n}_percent"],
            evidence_percent=rows[f"cluster_{n}_evidence_percent"],
            is_target=(rows["target_cluster"] == n).astype(bool),
        )
        for n in numbers
    ]
    return _joined(parts)


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    if not parts:
        return pd.DataFrame(columns=_WHO)
    return pd.concat(parts).sort_values("number", kind="stable", ignore_index=True)

"""Whose report it is: title, authors, date, note; and what the micrographs were taken with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.reporting.batch import list_versions
from core.reporting.escaping import escape
from core.reporting.report.wording import plain_number

if TYPE_CHECKING:
    import pandas as pd

    from core.reporting.batch import BatchResult

TITLE = "Batch report"
_MOST_NAMED = 4


@dataclass(frozen=True, slots=True)
class About:
    """What a person says of a report.

    Parameters
    ----------
    title, date, note : str
        The date is that of the batch where none is given.
    authors : tuple of str
    """

    title: str = ""
    authors: tuple[str, ...] = ()
    date: str = ""
    note: str = ""


def heading(result: BatchResult, about: About) -> str:
    """Return title, authors, date and how the micrographs were taken."""
    day = about.date or str(result.times.get("finished", ""))[:10]
    by = ", ".join(about.authors)
    line = " · ".join(escape(part) for part in (by, day) if part)
    note = f'<p class="about">{escape(about.note)}</p>' if about.note else ""
    program = list_versions()["micrographia"]
    return (
        f"<header><h1>{escape(about.title or TITLE)}</h1>"
        f"<p>{line}</p><p>{_taken(result.succeeded)}</p>"
        f"<p>Micrographia {program} · model {escape(result.model['name'])}</p>{note}</header>"
    )


def _taken(rows: pd.DataFrame) -> str:
    """Return instruments, pixel sizes and who states them, in one line."""
    if not len(rows):
        return ""
    parts = [f"{len(rows)} micrographs" if len(rows) > 1 else "One micrograph"]
    parts += [_some(rows["instrument"])] if (rows["instrument"].fillna("") != "").any() else []
    sizes = rows["pixel_size_nm"].to_numpy(np.float64)
    known = sizes[np.isfinite(sizes)]
    if not known.size:
        return escape(" · ".join([*parts, "no pixel size known"]))
    low, high = plain_number(float(known.min()), 3), plain_number(float(known.max()), 3)
    pixels = f"pixel size {low} nm" if low == high else f"pixel sizes {low} to {high} nm"
    lacking = sizes.size - known.size
    rest = f", unknown of {lacking}" if lacking else ""
    stated = rows.loc[np.isfinite(sizes), "pixel_size_source"]
    return escape(" · ".join([*parts, f"{pixels} ({_some(stated)}){rest}"]))


def _some(values: pd.Series[str]) -> str:
    names = [str(name) for name in dict.fromkeys(values.fillna("")) if name]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return "; ".join(names[:_MOST_NAMED]) + more

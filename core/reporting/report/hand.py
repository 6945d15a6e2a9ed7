"""The part of a report on what a person measured by hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pandas as pd

from core.measuring.by_hand import summarise
from core.reporting.escaping import escape
from core.reporting.mending import describe_mending
from core.reporting.report.wording import plain_number

if TYPE_CHECKING:
    from core.reporting.batch import BatchResult

MOST_LINES = 120
_UNITS = {"nm": "nm", "px": "px", "deg": "°", "nm2": "nm²", "px2": "px²"}


def by_hand(result: BatchResult) -> str:
    """Return what was mended and measured by hand; empty without any."""
    table = result.by_hand
    if table.empty:
        return _mended(result)
    left = len(table) - MOST_LINES
    more = f" {left} more are in by_hand.csv." if left > 0 else ""
    return _mended(result) + (
        f"<h2>Measured by hand ({len(table)})</h2>{_statistics(table)}"
        '<div class="card scroll"><table><thead><tr><th>Micrograph</th><th>Name</th><th>Kind</th>'
        '<th class="number">Length</th><th class="number">Angle</th><th class="number">Area</th>'
        f"</tr></thead><tbody>{_lines(table.head(MOST_LINES))}</tbody></table></div>"
        '<p class="note">Drawn by a person on the screen; an angle of a line is its slope against '
        f"the rows. All of it with places is in by_hand.csv.{more}</p>"
    )


def _mended(result: BatchResult) -> str:
    """Return what a hand changed in outlines; empty where it changed nothing."""
    said = describe_mending(result.rows)
    return f"<h2>Mended by hand</h2><p>{escape(said)}</p>" if said else ""


def _statistics(table: pd.DataFrame) -> str:
    rows: Iterable[Any] = summarise(table).itertuples(index=False)
    lines = "".join(
        f'<tr><td>{escape(_title(row.measure))}</td><td class="number">{row.n}</td>'
        f'<td class="number">{plain_number(row.mean)}</td>'
        f'<td class="number">{plain_number(row.sd) if row.n > 1 else "–"}</td></tr>'
        for row in rows
    )
    if not lines:
        return ""
    return (
        '<div class="card scroll"><table><thead><tr><th></th><th class="number">n</th>'
        '<th class="number">Mean</th><th class="number">Standard deviation</th></tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )


def _title(measure: str) -> str:
    """Return "length (nm)" for "length_nm"."""
    name, _, unit = measure.partition("_")
    return f"{name} ({_UNITS.get(unit, unit)})"


def _lines(table: pd.DataFrame) -> str:
    lines = []
    for _, row in table.iterrows():
        cells = "".join(f'<td class="number">{_cell(row, name)}</td>' for name in _MEASURES)
        words = "".join(f"<td>{escape(row[name])}</td>" for name in ("micrograph", "name", "kind"))
        lines.append(f"<tr>{words}{cells}</tr>")
    return "".join(lines)


_MEASURES = ("length", "angle", "area")


def _cell(row: pd.Series, measure: str) -> str:
    """Return a measure with its unit in the one column of several that has it."""
    for name in row.index:
        if name.startswith(f"{measure}_") and pd.notna(row[name]):
            return f"{plain_number(float(row[name]))} {_UNITS[name.partition('_')[2]]}"
    return ""

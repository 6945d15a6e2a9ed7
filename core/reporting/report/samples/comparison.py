"""The parts of a report that compare samples and give further measurements."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from core.measuring.statistics import mean_interval
from core.reporting.batch import Units, compare_groups, list_measures
from core.reporting.escaping import escape
from core.reporting.report.wording import plain_number, with_limits

if TYPE_CHECKING:
    from core.reporting.batch import BatchResult

MOST_LINES = 120


def samples(result: BatchResult, units: Units) -> str:
    """Return how samples differ, with intervals and a rank test; empty with fewer than two."""
    table = compare_groups(result.fields, units, result.recipe)
    if table.empty:
        return ""
    rows: Iterable[Any] = table.head(MOST_LINES).itertuples(index=False)
    lines = "".join(_line(row) for row in rows)
    left = len(table) - MOST_LINES
    more = f" {left} more lines are left out." if left > 0 else ""
    return (
        '<h2>Samples compared</h2><div class="card scroll"><table><thead><tr><th>Quantity</th>'
        '<th>Samples</th><th class="number">Fields</th><th class="number">Difference</th>'
        '<th class="number">95 %</th><th class="number">p</th><th class="number">p, all</th>'
        f"</tr></thead><tbody>{lines}</tbody></table></div>"
        '<p class="note">Fields of view are the units: difference of the means over fields with '
        "Welch’s 95 % interval, p of the Mann–Whitney rank test, and the same held for all lines "
        "together (Holm 1979). Few fields cannot give a small p: 3 and 3 give at best 0.1, 4 and 4 "
        f"0.03.{more}</p>"
    )


def _line(row: Any) -> str:
    difference, limits = with_limits(row.difference, row.low, row.high)
    return (
        f"<tr><td>{escape(row.quantity)}</td><td>{escape(row.sample)} − "
        f"{escape(row.compared_with)}</td>"
        f'<td class="number">{row.fields} − {row.fields_compared_with}</td>'
        f'<td class="number">{difference}</td><td class="number">{limits}</td>'
        f'<td class="number">{_p(row.p)}</td><td class="number">{_p(row.p_holm)}</td></tr>'
    )


def further(result: BatchResult, units: Units) -> str:
    """Return means over fields of what the recipe measures besides; empty without any."""
    columns = list_measures(result.recipe.measures)
    unwanted = "px" if units.are_physical else "nm"
    shown = [name for name in columns if not name.endswith(f"_{unwanted}")]
    lines = ""
    for name in shown:
        values = result.fields[name].to_numpy(np.float64)
        mean = mean_interval(values)
        middle = plain_number(float(np.nanmedian(values))) if mean.n else "–"
        limits = "" if name in _NO_MEAN else _range(mean.low, mean.high)
        average = "" if name in _NO_MEAN else plain_number(mean.estimate)
        lines += (
            f'<tr><td>{escape(_title(name))}</td><td class="number">{mean.n}</td>'
            f'<td class="number">{middle}</td><td class="number">{average}</td>'
            f'<td class="number">{limits}</td></tr>'
        )
    if not lines:
        return ""
    return (
        '<h2>Further measurements</h2><div class="card scroll"><table><thead><tr><th></th>'
        '<th class="number">Fields</th><th class="number">Median</th><th class="number">Mean</th>'
        f'<th class="number">95 %</th></tr></thead><tbody>{lines}</tbody></table></div>'
        '<p class="note">Of the target cluster, one number a field; mean with its 95 % t-interval '
        "over fields.</p>"
    )


_NO_MEAN = ("main_direction_deg", "clark_evans_p")  # directions wrap around, p-values do not add
_UNITS = {"px": " (px)", "nm": " (nm)", "deg": " (°)"}


def _title(column: str) -> str:
    """Return a column's name as words."""
    name, _, unit = column.rpartition("_")
    words = name + _UNITS[unit] if unit in _UNITS else column
    return words.replace("_", " ").replace("10 percent", "± 10 %")


def _range(low: float, high: float) -> str:
    if np.isnan(low) or np.isnan(high):
        return "–"
    return f"{plain_number(low)} to {plain_number(high)}"


def _p(value: float) -> str:
    if np.isnan(value):
        return "–"
    return "&lt; 0.001" if value < 0.001 else f"{value:.2g}"

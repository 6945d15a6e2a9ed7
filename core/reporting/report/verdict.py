"""The first screen of a report: the answer for each sample in words, and its fields as dots."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.imaging.scale import describe_with_error
from core.measuring.statistics import Interval, mean_interval
from core.reporting import recipe_words
from core.reporting.batch import (
    Units,
    are_alike,
    compare_groups,
    count_samples,
    diameters,
    group_column,
    more_fields,
    suggest_rule,
)
from core.reporting.escaping import escape
from core.reporting.report import wording
from core.reporting.report.samples import judged
from core.reporting.report.wording import plain_number

if TYPE_CHECKING:
    from core.reporting.batch import BatchResult

MOST_SAMPLES = 24
_MOST_DOTS = 400
_MOST_DIFFERENCES = 6
_SURE = 0.05
_RULES = {
    "folder": "their folders",
    "folder:2": "the folders above",
    "name:start": "their file names without the number",
    "name:1": "the first part of their file names",
    "name:2": "the second part of their file names",
    "name:-1": "the last part of their file names",
}


def answer(result: BatchResult, units: Units) -> str:
    """Return the answer per sample with its figure; without samples what keeps it from one."""
    fields = result.fields
    if group_column(fields) == "sample":
        return _by_sample(result, fields, units)
    if are_alike(fields):
        return judged.line(result, "")
    return _unlike(result, fields)


def _by_sample(result: BatchResult, fields: pd.DataFrame, units: Units) -> str:
    names = [name for name, _ in _groups(fields)]
    lines = "".join(
        f"<li><b>{escape(name)}</b> {escape(said)}{judged.line(result, name)}</li>"
        for name, said in answers(result, units)
    )
    said = " ".join(map(escape, differences(result, units)))
    told = f'<p class="differences">{said}</p>' if said else ""
    left = len(names) - MOST_SAMPLES
    more = f'<p class="note">{left} more samples are in the tables below.</p>' if left > 0 else ""
    return f'<ul class="answer">{lines}</ul>{more}{told}{_dots(result, fields)}'


def answers(result: BatchResult, units: Units) -> list[tuple[str, str]]:
    """Return each sample with its answer in words, as plain text; empty where none is named."""
    if group_column(result.fields) != "sample":
        return []
    return [
        (name or "No sample named", _line(result, group, units))
        for name, group in _groups(result.fields)[:MOST_SAMPLES]
    ]


def differences(result: BatchResult, units: Units) -> list[str]:
    """Return how samples differ in area, in sentences of plain text; empty with fewer than two."""
    if group_column(result.fields) != "sample":
        return []
    table = compare_groups(result.fields, units, result.recipe)
    areas = table[table["quantity"] == "area fraction (%)"]
    rows: Iterable[Any] = areas.head(_MOST_DIFFERENCES).itertuples(index=False)
    said = [text for text in map(_difference, rows) if text]
    rest = len(areas) - _MOST_DIFFERENCES
    return [*said, *([f"{rest} more pairs are under “Samples compared”."] if rest > 0 else [])]


def _line(result: BatchResult, group: pd.DataFrame, units: Units) -> str:
    """Return the numbers of one sample: area, size, classes."""
    area = mean_interval(group["target_percent"].to_numpy(np.float64))
    size = mean_interval(diameters(group, units))
    said = f"{_percent(area)} of the area"
    if size.n:
        shown = plain_number(size.estimate, 3)
        if size.n > 1:
            shown = describe_with_error(size.estimate, size.high - size.estimate)
        said += f"; mean diameter {shown} {units.length}"
    counts = group["label"].value_counts()
    leader = str(counts.index[0])
    title = wording.class_title(result, leader)
    count = f"{int(counts.iloc[0])} of {len(group)}" if len(group) > 1 else "1 field"
    return f"{said}; {title} ({count})"


def _percent(value: Interval) -> str:
    if value.n < 2:
        return f"{value.estimate:.1f} %, one field,"
    low, high = max(value.low, 0.0), min(value.high, 100.0)
    return f"{value.estimate:.1f} % ({low:.1f} to {high:.1f} %, {value.n} fields)"


def _difference(row: Any) -> str:
    first, second = row.compared_with, row.sample
    if np.isnan(row.low):
        return ""
    limits = f"{_signed(row.low)} to {_signed(row.high)} points"
    p = f"p {'< 0.001' if row.p_holm < 0.001 else f'= {row.p_holm:.2g}'}"
    if row.low > 0 or row.high < 0:
        more = "more" if row.difference > 0 else "less"
        said = f"{second} has {abs(row.difference):.1f} points {more} area than {first}"
        if row.p_holm < _SURE:
            return f"{said} ({limits}, {p})."
        return f"{said} ({limits}), but ranks do not bear it out ({p})."
    return f"{second} and {first} are not shown to differ ({limits}, {p})."


def _signed(value: float) -> str:
    return f"{'−' if value < 0 else '+'}{abs(value):.1f}"


def _dots(result: BatchResult, fields: pd.DataFrame) -> str:
    """Return the one figure: a dot a field, mean and interval of each sample."""
    values = fields["target_percent"].to_numpy(np.float64)
    top = min(100.0, max(float(np.nanmax(values)) * 1.05, 1.0))
    rows = "".join(
        f"<span>{escape(name or 'no sample named')}</span>{_track(group, top)}"
        f'<span class="count">{_wanted(group)}</span>'
        for name, group in _groups(fields)[:MOST_SAMPLES]
    )
    return (
        f'<figure class="card dots"><div class="bars">{rows}</div><figcaption>Area of '
        f"{escape(recipe_words.target_title(result.recipe))}, from 0 to {top:.3g} %. One dot is "
        "one field of view; the bar is the mean with its 95 % interval. Right: how many more "
        "fields bring the interval to ± 2 points.</figcaption></figure>"
    )


def _track(group: pd.DataFrame, top: float) -> str:
    values = group["target_percent"].to_numpy(np.float64)
    mean = mean_interval(values)
    step = max(1, values.size // _MOST_DOTS)
    dots = "".join(
        f'<i style="left:{100 * value / top:.2f}%;top:{5 + 8 * (place % 3)}px" '
        f'title="{escape(name)}: {value:.1f} %"></i>'
        for place, (name, value) in enumerate(
            zip(group["name"].iloc[::step], values[::step], strict=True)
        )
        if np.isfinite(value)
    )
    bar = ""
    if mean.n > 1:
        low, high = max(mean.low, 0.0), min(mean.high, top)
        bar = (
            f'<div class="span" style="left:{100 * low / top:.2f}%;'
            f'width:{100 * (high - low) / top:.2f}%"></div>'
        )
    middle = f'<div class="mean" style="left:{100 * mean.estimate / top:.2f}%"></div>'
    return f'<div class="track field">{bar}{dots}{middle if mean.n else ""}</div>'


def _wanted(group: pd.DataFrame) -> str:
    more = more_fields(group["target_percent"].to_numpy(np.float64))
    if more is None:
        return "needs a second field" if len(group) < 2 else "–"
    return "enough" if more == 0 else f"{more:,} more"


def _groups(fields: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    names = fields["sample"].fillna("")
    found = [(str(name), fields[names == name]) for name in dict.fromkeys(names)]
    return sorted(found, key=lambda pair: not pair[0])  # what is unnamed comes last


def _unlike(result: BatchResult, fields: pd.DataFrame) -> str:
    """Say that frames of different kinds are not averaged, and how they could be grouped."""
    low, high = fields["target_percent"].min(), fields["target_percent"].max()
    names = [str(name) for name in result.rows["name"]]
    rule = suggest_rule(names)
    offer = "Name the samples (on Home, on Batch Report, or as sample_from in the recipe)"
    if rule:
        counts = count_samples(rule, names)
        listed = " · ".join(f"{escape(name)} {n}" for name, n in list(counts.items())[:12])
        offer = (
            f"By {_RULES[rule]} they would be <b>{listed}</b>: choose that as the samples on Home "
            f'or Batch Report (sample_from "{rule}" in the recipe)'
        )
    return (
        f'<div class="card offer"><b>These {len(fields)} micrographs are not alike, and no sample '
        f"is named.</b> So nothing is averaged over all of them: the target covers {low:.1f} to "
        f"{high:.1f} % from one micrograph to the other. {offer}; the report then answers for each "
        "sample and compares them.</div>"
    )

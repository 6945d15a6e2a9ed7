"""The parts of a report that say how many, how much and how sure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.imaging.display import cluster_colors
from core.imaging.scale import describe_with_error
from core.measuring.regions import moment_mean, weighted_sizes
from core.measuring.statistics import Interval, wilson_interval
from core.reporting import recipe_words
from core.reporting.batch import (
    Agreement,
    GroupSummary,
    SampleEvidence,
    Units,
    collect_regions,
    compare,
    evidence_by_cluster,
    evidence_by_sample,
    group_column,
    summarise_groups,
)
from core.reporting.escaping import escape
from core.reporting.figures import class_counts
from core.reporting.report import drawings, wording
from core.reporting.report.wording import interval, percent, plain_number
from core.reporting.segmenting import CLUSTERS, phase_titles

if TYPE_CHECKING:
    from core.reporting.batch import BatchResult
    from core.reporting.recipe import Recipe

MOST_SAMPLES = 100


def classes(result: BatchResult) -> str:
    """Return how many micrographs fell into each class."""
    counts = class_counts(result.fields)
    bars = "".join(_class_bar(result, str(name), int(n), counts) for name, n in counts.items())
    return (
        f'<h2>Classes</h2><div class="card"><div class="bars">{bars}</div></div>'
        '<p class="note">Micrographs per predicted class, with their share and its 95 % Wilson '
        "interval. A share says how often the network gave this answer, not how often the answer "
        "is right.</p>"
    )


def _class_bar(result: BatchResult, name: str, count: int, counts: pd.Series[int]) -> str:
    total = int(counts.sum())
    share = wilson_interval(count, total)
    width = 100 * count / max(int(counts.max()), 1)
    return (
        f"<span>{escape(wording.class_title(result, name))}</span>"
        f'<div class="track"><div class="fill" style="width:{width:.2f}%"></div></div>'
        f'<span class="count">{count} · {100 * share.estimate:.0f} % '
        f"({100 * share.low:.0f}–{100 * share.high:.0f} %)</span>"
    )


def trust(result: BatchResult) -> str:
    """Return how far the answers can be trusted: by the network's own record, and in this batch."""
    facts = wording.trust_facts(result)
    lines = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts.items())
    limits = "".join(f"<li>{escape(text)}</li>" for text in result.model["limits"])
    known = (
        f'<details><summary>Limits of the model</summary><ul class="note">{limits}</ul></details>'
    )
    return (
        f'<h2>How far to trust it</h2><div class="card"><dl>{lines}</dl>'
        f"{known if limits else ''}</div>"
    )


def areas(result: BatchResult, units: Units) -> str:
    """Return the target's share of the area and its sizes, per sample where any is named."""
    named = group_column(result.fields) == "sample"
    title = f"<h2>Area of {escape(recipe_words.target_title(result.recipe))}</h2>"
    per_class = _per_class(result, units)
    return title + (_per_sample(result, units) if named else "") + per_class


def _per_class(result: BatchResult, units: Units) -> str:
    groups = summarise_groups(result.fields, "label", units)
    order = {name: place for place, name in enumerate(result.model["classes"])}
    groups.sort(key=lambda group: order.get(group.name, len(order)))
    limits = [
        g.area_percent.high if g.area_percent.n > 1 else g.area_percent.estimate for g in groups
    ]
    top = min(100.0, max(max(limits) * 1.05, 1.0))
    bars = "".join(
        f"<span>{escape(wording.class_title(result, group.name))}</span>"
        f"{_whisker(group.area_percent, top)}"
        f'<span class="count">{interval(group.area_percent)}</span>'
        for group in groups
    )
    return (
        '<h3 class="group">Per predicted class</h3>'
        f'<div class="card"><div class="bars">{bars}</div></div>'
        '<p class="note">Mean share of the specimen area per class with its 95 % t-interval; '
        "n is the number of fields of view, and copies of a file count once. One field gives no "
        f"interval. The scale runs from 0 to {top:.3g} %.</p>"
        + _group_table(groups, "Class", units, lambda name: wording.class_title(result, name))
    )


def _per_sample(result: BatchResult, units: Units) -> str:
    samples = summarise_groups(result.fields, "sample", units)
    shown = samples[:MOST_SAMPLES]
    table = _group_table(shown, "Sample", units, lambda name: name or "no sample named")
    left = len(samples) - len(shown)
    more = f'<p class="note">{left} more samples left out.</p>' if left else ""
    return f'<h3 class="group">Per sample</h3>{table}{more}{_classes_of_samples(result)}'


def _classes_of_samples(result: BatchResult) -> str:
    """Return how many fields of each sample fell into each class."""
    fields = result.fields
    counts = pd.crosstab(fields["sample"].fillna(""), fields["label"], dropna=False)
    names = [name for name in result.model["classes"] if name in counts.columns]
    heads = "".join(
        f'<th class="number">{escape(wording.class_title(result, name))}</th>' for name in names
    )
    lines = "".join(
        f"<tr><td>{escape(sample or 'no sample named')}</td>"
        + "".join(f'<td class="number">{counts.loc[sample, name] or "–"}</td>' for name in names)
        + "</tr>"
        for sample in dict.fromkeys(fields["sample"].fillna(""))
    )
    return (
        '<h3 class="group">Classes of each sample</h3><div class="card scroll"><table><thead><tr>'
        f"<th>Sample</th>{heads}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _group_table(
    groups: list[GroupSummary], head: str, units: Units, title: Callable[[str], str]
) -> str:
    lines = "".join(
        f"<tr><td>{escape(title(group.name))}</td>"
        f'<td class="number">{group.area_percent.n}</td>'
        f'<td class="number">{_share(group.area_percent)}</td>'
        f'<td class="number">{group.regions:,}</td>'
        f'<td class="number">{_mean(group.diameter)}</td></tr>'
        for group in groups
    )
    return (
        '<div class="card scroll"><table><thead><tr>'
        f'<th>{head}</th><th class="number">Fields</th><th class="number">Area fraction (%)</th>'
        f'<th class="number">Regions</th><th class="number">Mean diameter ({units.length})</th>'
        f"</tr></thead><tbody>{lines}</tbody></table></div>"
        '<p class="note">Mean and 95 % t-interval over fields: of a share its ends within 0 to '
        "100 %, of a diameter ± its half. Each field counts once, however many regions it "
        "has.</p>"
    )


def _share(value: Interval) -> str:
    """Return "mean (low–high)" in percent; no share lies below 0 or above 100."""
    if value.n < 2:
        return _mean(value)
    low, high = max(value.low, 0.0), min(value.high, 100.0)
    return f"{plain_number(round(value.estimate, 1))} ({low:.1f}–{high:.1f})"


def _mean(value: Interval) -> str:
    """Return "mean ± half-width"; without a spread only the mean, or a dash."""
    if value.n == 0:
        return "–"
    if value.n < 2:
        return plain_number(value.estimate)
    return describe_with_error(value.estimate, value.high - value.estimate)


def _whisker(value: Interval, top: float) -> str:
    dot = f'<div class="dot" style="left:{_within(value.estimate, top):.2f}%"></div>'
    if value.n < 2:
        return f'<div class="track">{dot}</div>'
    low, high = _within(value.low, top), _within(value.high, top)
    bar = f'<div class="whisker" style="left:{low:.2f}%;width:{high - low:.2f}%"></div>'
    return f'<div class="track">{bar}{dot}</div>'


def _within(value: float, top: float) -> float:
    return min(max(100 * value / top, 0.0), 100.0)


def sizes(result: BatchResult, units: Units) -> str:
    """Return the size distribution of the regions, one panel per class on one scale."""
    by = group_column(result.fields)
    found = collect_regions(result.each_regions(), result.fields, units, by)
    if not found:
        return ""
    column = f"equivalent_diameter_{units.length}"
    edges = drawings.bin_edges(np.concatenate([table[column] for table in found.values()]))
    panels = ""
    for name, table in list(found.items())[:MOST_SAMPLES]:
        title = wording.class_title(result, name) if by == "label" else name or "no sample named"
        values = table[column].to_numpy(float)
        drawn = drawings.histogram(values, edges, units.length, f"sizes of regions in {title}")
        panels += (
            f'<figure class="card"><h3>{escape(title)}</h3>{drawn}<figcaption>'
            f"{values.size:,} regions; {_percentiles(table, result.recipe)}</figcaption></figure>"
        )
    note = " Micrographs without a pixel size take no part." if units.are_physical else ""
    return (
        f'<h2>Sizes of regions</h2><div class="panels">{panels}</div><p class="note">Equivalent '
        f"diameter of every region: that of the circle of its area. All panels share one "
        f"scale. {recipe_words.percentiles_meant(result.recipe)}{note}</p>"
    )


def _percentiles(table: pd.DataFrame, recipe: Recipe) -> str:
    """Return D10, D50, D90, D[3,2] and D[4,3] of regions in words."""
    weighs = recipe.drop_border_regions and bool(table["weight"].notna().all())
    found = weighted_sizes(table, recipe.sizes_by, make_up_for_cut=weighs)
    sauter, brouckere = (
        moment_mean(table, above, above - 1, make_up_for_cut=weighs) for above in (3, 4)
    )
    return (
        f"by {recipe.sizes_by} D10 {found.d10:.4g}, D50 {found.d50:.4g}, D90 {found.d90:.4g} "
        f"{found.unit}; D[3,2] {sauter:.4g}, D[4,3] {brouckere:.4g} {found.unit}"
    )


def evidence(result: BatchResult) -> str:
    """Return which share of the evidence falls in each cluster, against its share of the area.

    Of each sample where any is named: samples are not pooled.
    """
    named = group_column(result.fields) == "sample"
    count = result.recipe.clusters
    if named:
        samples = evidence_by_sample(result.fields, count)[:MOST_SAMPLES]
        found = [(each.sample or "no sample named", each) for each in samples if each.fields]
    else:
        table = tuple(evidence_by_cluster(result.fields, count))
        found = [("", SampleEvidence("", None, table))]
    fields = sum(each.fields for _, each in found)
    if not fields:
        return ""
    lines = "".join(_evidence_lines(result, title, each, named) for title, each in found)
    return (
        f'<h2>{_evidence_title(result, named)}</h2><div class="card scroll"><table class="phases">'
        "<thead><tr>"
        f'<th>{_phases(result).capitalize()}</th><th class="number">Area (%)</th>'
        '<th class="number">Evidence (%)</th><th class="number">Lift</th></tr></thead>'
        f"{lines}</table></div>"
        f'<p class="note">Mean over {fields} fields with evidence and its 95 % t-interval'
        f"{', of each sample for itself' if named else ''}. Evidence is the share of the heat map "
        "that lies there. Lift is the ratio of the two: above 1 the network looks there more than "
        "the area alone would make it. A map of evidence is coarse, so that it spills over the "
        "edges of small regions.</p>"
    )


def _evidence_title(result: BatchResult, named: bool) -> str:
    of_samples = " in each sample" if named else ""
    return f"Evidence per {_phases(result)}{of_samples}"


def _phases(result: BatchResult) -> str:
    return "cluster" if result.recipe.segmentation.way == CLUSTERS else "phase"


def _evidence_lines(result: BatchResult, title: str, found: SampleEvidence, named: bool) -> str:
    """Return a sample's clusters as lines of their own, the sample named once."""
    recipe = result.recipe
    colors = cluster_colors(recipe.clusters)
    titles = phase_titles(recipe.segmentation, recipe.clusters)
    targets = (found.target,) if named else recipe.targets
    fields = f"{found.fields} field{'' if found.fields == 1 else 's'}"
    head = f'<tr><th scope="rowgroup" colspan="4">{escape(title)} · {fields}</th></tr>'
    lines = head if named else ""
    for row in found.clusters:
        lines += (
            f'<tr><td><span class="swatch" style="background:{colors[row.cluster]}"></span>'
            f"{escape(titles[row.cluster])}{' (target)' if row.cluster in targets else ''}</td>"
            f'<td class="number">{_share(row.area_percent)}</td>'
            f'<td class="number">{_share(row.evidence_percent)}</td>'
            f'<td class="number">{_lift(row.lift)}</td></tr>'
        )
    return f"<tbody>{lines}</tbody>"


def _lift(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "–"


def truth(result: BatchResult) -> str:
    """Return how predictions agree with labels; empty without labels."""
    found = compare(result.fields, list(result.model["classes"]))
    if found is None:
        return ""
    value = found.balanced_accuracy
    limits = "" if value.low != value.low else f" ({100 * value.low:.0f}–{100 * value.high:.0f} %)"
    right = found.accuracy
    words = (
        f"Of {value.n} labelled micrographs, {round(right.estimate * right.n)} were classified as "
        f"labelled: {percent(100 * right.estimate)} (95 % Wilson interval {100 * right.low:.0f}–"
        f"{100 * right.high:.0f} %). The balanced accuracy, the mean recall over classes, is "
        f"{percent(100 * value.estimate)}{limits}; its interval comes from a bootstrap over "
        "samples, or over micrographs where no sample is named. The expected calibration error is "
        f"{percent(100 * found.calibration_error)}. Micrographs that the network was trained "
        "on would say nothing here."
    )
    diagram = drawings.reliability(found.bins, "reliability diagram")
    return (
        f'<h2>Against the labels</h2><p>{words}</p><div class="two">'
        f'<div class="card"><h3>Confusion matrix</h3>{_matrix(result, found)}</div>'
        f'<div class="card"><h3>Reliability</h3>{diagram}<p class="note">Points are bins of '
        "probability with 95 % Wilson intervals; on the dashed line the network is right as often "
        "as it says.</p></div></div>"
    )


def _matrix(result: BatchResult, found: Agreement) -> str:
    titles = [escape(wording.class_title(result, name)) for name in found.classes]
    heads = "".join(f'<th scope="col">{title}</th>' for title in titles)
    lines = ""
    for row, title in enumerate(titles):
        cells = "".join(
            f'<td class="{"hit" if row == column else "miss" if n else ""}">{n}</td>'
            for column, n in enumerate(found.matrix[row].tolist())
        )
        lines += f'<tr><th scope="row">{title}</th>{cells}</tr>'
    return (
        f'<div class="scroll"><table class="matrix"><thead><tr><th>label ↓ predicted →</th>{heads}'
        f"</tr></thead><tbody>{lines}</tbody></table></div>"
    )

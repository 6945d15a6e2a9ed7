"""A batch as one HTML file that opens anywhere: no network, no other file, nothing from elsewhere.

Every text that comes from a file name, a file or a model card is escaped, and the page's content
policy lets no script run but the one written here.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from string import Template
from typing import Any

import pandas as pd

from core.errors import UserError
from core.imaging.display import cluster_colors
from core.measuring.statistics import Interval, mean_interval, wilson_interval
from core.reporting import wording
from core.reporting.analysis import Preview
from core.reporting.batch import BatchResult
from core.reporting.export import REPORT, list_versions
from core.reporting.figures import class_counts
from core.reporting.wording import escape, interval, number, percent

FOLDER = Path(__file__).parent
# title, column, is it a number
COLUMNS = (
    ("#", "number", True),
    ("Micrograph", "name", False),
    ("Class", "label", False),
    ("Probability (%)", "probability_percent", True),
    ("Runner-up", "runner_up", False),
    ("Target area (%)", "target_percent", True),
    ("Target area (µm²)", "target_area_µm2", True),
    ("Regions", "regions", True),
    ("Mean diameter (px)", "mean_diameter_px", True),
    ("Mean diameter (nm)", "mean_diameter_nm", True),
    ("Pixel (nm)", "pixel_size_nm", True),
    ("Pixel size from", "pixel_size_source", False),
    ("Width (px)", "width_px", True),
    ("Height (px)", "height_px", True),
)

PHYSICAL = ("target_area_µm2", "mean_diameter_nm", "pixel_size_nm", "pixel_size_source")


def write_report(batch_result: BatchResult, out: str | PathLike[str]) -> Path:
    """Write the report of a batch and return its path.

    Parameters
    ----------
    batch_result : BatchResult
    out : path
        A folder, where the file is called report.html; or the file itself, ending in ".html".

    Raises
    ------
    UserError
        If the file cannot be written.
    """
    path = Path(out)
    path = path if path.suffix.lower() == ".html" else path / REPORT
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(report_html(batch_result), encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"The report {str(path)!r} cannot be written ({error.strerror}). Choose another folder."
        ) from error
    return path


def report_html(result: BatchResult) -> str:
    """Return the report of a batch as one HTML text."""
    script = (FOLDER / "report_sorting.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    sections = (
        _header(result),
        _failures(result),
        _classes(result),
        _areas(result),
        _table(result),
        _gallery(result),
        _methods(result),
        _repeat(result),
        _provenance(result),
    )
    template = Template((FOLDER / "report_template.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=f"Batch report: {len(result.rows)} micrographs",
        script_hash=f"sha256-{digest}",
        script=script,
        body="\n".join(section for section in sections if section),
    )


def distinct_fields(result: BatchResult) -> pd.DataFrame:
    """Return the rows that count in statistics: analysed, and not a copy of an earlier file."""
    rows = result.succeeded
    return rows[rows["duplicate_of"].isna()]


def area_intervals(result: BatchResult) -> dict[str, Interval]:
    """Return the mean target area in percent over fields, per class id in the model's order.

    Classes that no micrograph fell into are left out.
    """
    fields = distinct_fields(result)
    return {
        str(name): mean_interval(
            fields.loc[fields["label"] == name, "target_percent"].to_numpy(float)
        )
        for name, count in class_counts(fields).items()
        if count
    }


def _header(result: BatchResult) -> str:
    fields = distinct_fields(result)
    tiles = [_tile(len(result.succeeded), "micrographs analysed")]
    if len(result.failed):
        tiles.append(_tile(len(result.failed), "failed", "bad"))
    if len(fields):
        tiles.append(_tile(fields["label"].nunique(), "classes found"))
        mean = mean_interval(fields["target_percent"].to_numpy(float)).estimate
        tiles.append(_tile(percent(mean), "mean area of the target cluster"))
        tiles.append(_tile(f"{int(fields['regions'].sum()):,}", "regions measured"))
    return (
        "<header><h1>Batch report</h1>"
        f"<p>Micrographia {list_versions()['micrographia']} · model "
        f"{escape(result.model['name'])}</p></header>"
        f'<p class="lead">{wording.summary(result, fields)}</p>'
        f'<div class="tiles">{"".join(tiles)}</div>'
    )


def _tile(value: object, caption: str, kind: str = "") -> str:
    return f'<div class="tile {kind}"><b>{value}</b><span>{caption}</span></div>'


def _failures(result: BatchResult) -> str:
    if not len(result.failed):
        return ""
    lines = "".join(
        f'<tr><td class="number">{row.number}</td><td class="name">{escape(row.name)}</td>'
        f"<td>{escape(row.reason)}</td></tr>"
        for row in _records(result.failed)
    )
    return (
        '<h2>Failed</h2><div class="card scroll failed"><table><thead><tr>'
        '<th class="number">#</th><th>Micrograph</th><th>Reason</th></tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )


def _classes(result: BatchResult) -> str:
    fields = distinct_fields(result)
    if not len(fields):
        return ""
    counts = class_counts(fields)
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


def _areas(result: BatchResult) -> str:
    intervals = area_intervals(result)
    if not intervals:
        return ""
    limits = [value.high if value.n > 1 else value.estimate for value in intervals.values()]
    top = min(100.0, max(max(limits) * 1.05, 1.0))
    bars = "".join(
        f"<span>{escape(wording.class_title(result, name))}</span>{_whisker(value, top)}"
        f'<span class="count">{interval(value)}</span>'
        for name, value in intervals.items()
    )
    return (
        f"<h2>Area of {escape(wording.target_title(result.recipe))}</h2>"
        f'<div class="card"><div class="bars">{bars}</div></div>'
        '<p class="note">Mean share of the specimen area per class with its 95 % t-interval; '
        "n is the number of fields of view, and copies of a file count once. One field gives no "
        f"interval. The scale runs from 0 to {top:.3g} %.</p>"
    )


def _whisker(value: Interval, top: float) -> str:
    dot = f'<div class="dot" style="left:{_within(value.estimate, top):.2f}%"></div>'
    if value.n < 2:
        return f'<div class="track">{dot}</div>'
    low, high = _within(value.low, top), _within(value.high, top)
    bar = f'<div class="whisker" style="left:{low:.2f}%;width:{high - low:.2f}%"></div>'
    return f'<div class="track">{bar}{dot}</div>'


def _within(value: float, top: float) -> float:
    return min(max(100 * value / top, 0.0), 100.0)


def _table(result: BatchResult) -> str:
    rows = result.succeeded
    if not len(rows):
        return ""
    rows = rows.assign(
        probability_percent=100 * rows["probability"].astype(float),
        label=[wording.class_title(result, name) for name in rows["label"]],
        runner_up=[wording.class_title(result, name) for name in rows["runner_up"]],
    )
    calibrated = bool(rows["pixel_size_nm"].notna().any())
    hidden = () if calibrated else PHYSICAL
    shown = [column for column in COLUMNS if column[1] not in hidden]
    heads = "".join(
        f'<th scope="col"{_number_class(is_number)}><button type="button">{title}</button></th>'
        for title, _, is_number in shown
    )
    lines = "".join(
        "<tr>" + "".join(_cell(record[column], column, n) for _, column, n in shown) + "</tr>"
        for record in rows.to_dict("records")
    )
    note = "" if calibrated else " No file states a pixel size, so lengths are in pixels."
    return (
        '<h2>Results</h2><div class="card scroll"><table class="sortable"><thead>'
        f"<tr>{heads}</tr></thead><tbody>{lines}</tbody></table></div>"
        '<p class="note"><span class="screen">A click on a heading sorts. </span>All '
        f"columns are in results.csv and every region is in regions.csv.{note}</p>"
    )


def _number_class(is_number: bool) -> str:
    return ' class="number"' if is_number else ""


def _cell(value: Any, column: str, is_number: bool) -> str:
    if not is_number:
        kind = ' class="name"' if column == "name" else ""
        return f'<td{kind} data-sort="{escape(value)}">{escape(value)}</td>'
    key = "" if pd.isna(value) else repr(float(value))
    return f'<td class="number" data-sort="{key}">{number(value, column)}</td>'


def _gallery(result: BatchResult) -> str:
    pairs = zip(_records(result.rows), result.previews, strict=True)
    cards = [_card(result, row, preview) for row, preview in pairs if preview is not None]
    if not cards:
        return ""
    missing = len(result.succeeded) - len(cards)
    note = (
        f'<p class="note">The pictures of {missing} more micrographs are left out to keep this '
        "file small; their overlays and masks lie beside it.</p>"
        if missing
        else ""
    )
    return f'<h2>Micrographs</h2>{_legend(result)}<div class="gallery">{"".join(cards)}</div>{note}'


def _legend(result: BatchResult) -> str:
    entries = ['<li><span class="swatch heat"></span>evidence, none to strongest</li>']
    entries += [
        f'<li><span class="swatch" style="background:{color}"></span>cluster {index}'
        f"{' (target)' if index == result.recipe.target else ''}</li>"
        for index, color in enumerate(cluster_colors(result.recipe.clusters))
    ]
    if (result.succeeded["excluded_percent"] > 0).any():
        entries.append('<li><span class="swatch hatch"></span>excluded: not specimen</li>')
    return f'<ul class="legend">{"".join(entries)}</ul>'


def _card(result: BatchResult, row: Any, preview: Preview) -> str:
    title = wording.class_title(result, row.label)
    evidence = f"evidence for {title}" if row.has_evidence else f"no evidence for {title}"
    pictures = (
        (preview.original, "micrograph"),
        (preview.overlay, evidence),
        (preview.clusters, f"clusters, target {percent(row.target_percent)}"),
    )
    copy = "" if pd.isna(row.duplicate_of) else f" · copy of #{row.duplicate_of}"
    return (
        f'<section class="card"><h3><span>#{row.number}</span> {escape(row.name)}</h3>'
        f'<p class="facts">{escape(title)}, {percent(100 * row.probability)}{copy}</p>'
        '<div class="pictures">'
        + "".join(_figure(data, caption, row.name) for data, caption in pictures)
        + "</div></section>"
    )


def _figure(data: bytes, caption: str, name: str) -> str:
    source = base64.b64encode(data).decode()
    return (
        f'<figure><img loading="lazy" src="data:image/jpeg;base64,{source}" '
        f'alt="{escape(name)}: {escape(caption)}"><figcaption>{escape(caption)}</figcaption>'
        "</figure>"
    )


def _methods(result: BatchResult) -> str:
    return (
        f'<h2>Methods</h2><div class="card"><p style="margin:0">{wording.methods(result)}</p></div>'
    )


def _repeat(result: BatchResult) -> str:
    return (
        '<h2>How to repeat this</h2><div class="card"><p style="margin:0">Save the recipe as '
        "recipe.json (the batch has written it beside its tables) and run</p>"
        "<pre>python -m core batch FOLDER_OF_MICROGRAPHS --recipe recipe.json --out RESULTS</pre>"
        "<p>The same files, recipe and versions give the same numbers.</p>"
        f'<pre style="margin-bottom:0">{escape(result.recipe.to_json().strip())}</pre></div>'
    )


def _provenance(result: BatchResult) -> str:
    entries = {
        "model": f"{result.model['name']} ({result.model['architecture']})",
        "model SHA-256": result.model["sha256"],
        "device": result.model["device"],
        **list_versions(),
    }
    lines = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in entries.items())
    digests = "".join(
        f'<tr><td class="number">{row.number}</td><td class="name">{escape(row.name)}</td>'
        f"<td><code>{escape(row.sha256)}</code></td></tr>"
        for row in _records(result.succeeded)
    )
    table = (
        "<details><summary>SHA-256 of every micrograph</summary><table><tbody>"
        f"{digests}</tbody></table></details>"
    )
    return (
        f'<h2>Versions and digests</h2><div class="card"><dl>{lines}</dl>'
        f"{table if digests else ''}</div>"
    )


def _records(rows: pd.DataFrame) -> Iterable[Any]:
    """Yield rows with their columns as attributes."""
    return rows.itertuples(index=False, name="Row")

"""The parts of a report that show every micrograph: a table, and a gallery with doubts first."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from core.imaging.display import cluster_colors
from core.reporting.batch import FLAGS, NAMED, Preview, Units, gravity, words_of
from core.reporting.escaping import escape
from core.reporting.report import wording
from core.reporting.report.wording import number, percent

if TYPE_CHECKING:
    from core.reporting.batch import BatchResult

_WORDS = ("sample", "label", "true_label")  # short ones stand whole, however narrow the page
_ASIDE = (  # for screens: paper has no room for all columns
    "candidates",
    "shares",
    "target_area",
    "median_diameter",
    "pixel_size_source",
    "width_px",
)


def table(result: BatchResult, units: Units) -> Iterator[str]:
    """Yield the table of all rows, piece by piece; failed ones are in it too."""
    columns = _columns(result, units)
    heads = "".join(
        f'<th scope="col"{_kinds(column, is_number)}><button type="button">{title}</button></th>'
        if title
        else '<th scope="col"><span></span></th>'
        for title, column, is_number in columns
    )
    yield (
        f'<section class="wide"><h2>Results</h2>{_filters(result)}<div class="card scroll">'
        f'<table class="sortable"><thead><tr>{heads}</tr></thead><tbody>'
    )
    records: list[dict[Any, Any]] = result.rows.to_dict("records")
    for row in records:
        yield _line(result, row, columns, units)
    note = "" if units.are_physical else " No file states a pixel size, so lengths are in pixels."
    yield (
        '</tbody></table></div><p class="note"><span class="screen">A click on a heading sorts, '
        "one on a picture shows it large; on a small screen the table scrolls sideways. "
        "</span>All columns are in results.csv and results.parquet, and every region is in "
        "regions.csv; tidy/ has them under ASCII headings, and columns.csv says what each means."
        f"{note}</p></section>"
    )


def _columns(result: BatchResult, units: Units) -> list[tuple[str, str, bool]]:
    """Return title, column and whether it holds numbers; what no row has is left out."""
    rows = result.rows
    wanted = [
        ("#", "number", True),
        ("", "thumbnail", False),
        ("Micrograph", "name", False),
        ("Sample", "sample", False),
        ("Class", "label", False),
        ("Label", "true_label", False),
        ("Probability (%)", "probability", True),
        (
            ("Classes above the threshold", NAMED, False)
            if NAMED in rows
            else ("Prediction set", "candidates", False)
        ),
        ("Warnings", "warnings", False),
        ("Clusters", "shares", False),
        ("Target area (%)", "target_percent", True),
        (f"Target area ({units.area})", "target_area", True),
        ("Regions", "regions", True),
        (f"Mean diameter ({units.length})", "mean_diameter", True),
        (f"Median diameter ({units.length})", "median_diameter", True),
        ("Pixel size", "pixel_size_nm", True),
        ("Pixel size from", "pixel_size_source", False),
        ("Size (px)", "width_px", True),
    ]
    empty = {name for name in ("sample", "true_label") if not (rows[name].fillna("") != "").any()}
    if not units.are_physical:
        empty |= {"pixel_size_nm", "pixel_size_source"}
    return [column for column in wanted if column[1] not in empty]


def _filters(result: BatchResult) -> str:
    rows = result.rows
    present = [name for name in result.model["classes"] if (rows["label"] == name).any()]
    classes = "".join(
        f'<option value="{escape(name)}">{escape(wording.class_title(result, name))}</option>'
        for name in present
    )
    raised = {flag for text in rows["warnings"] for flag in words_of(text)}
    flags = "".join(f"<option>{escape(flag)}</option>" for flag in FLAGS if flag in raised)
    return (
        '<form class="filters" hidden><label>Name or sample<input name="text" type="search">'
        f'</label><label>Class<select name="class"><option value="">all</option>{classes}'
        '</select></label><label>Warning<select name="flag"><option value="">all</option>'
        f'<option value="any">any warning</option>{flags}</select></label>'
        '<output aria-live="polite"></output></form>'
    )


def _line(
    result: BatchResult, row: dict[str, Any], columns: list[tuple[str, str, bool]], units: Units
) -> str:
    text = f"{row['name']} {row['sample'] if isinstance(row['sample'], str) else ''}".lower()
    label = row["label"] if isinstance(row["label"], str) else ""
    flags = "|".join(words_of(row["warnings"]))
    cells = "".join(
        _cell(result, row, column, is_number, units) for _, column, is_number in columns
    )
    return (
        f'<tr data-text="{escape(text)}" data-class="{escape(label)}" '
        f'data-flags="{escape(flags)}">{cells}</tr>'
    )


def _cell(
    result: BatchResult, row: dict[str, Any], column: str, is_number: bool, units: Units
) -> str:
    if is_number:
        key, shown = _number(row, column, units)
        return f'<td{_kinds(column, True)} data-sort="{key}">{shown}</td>'
    if column == "thumbnail":
        return f"<td>{_thumbnail(result, row)}</td>"
    if column == "shares":
        return f'<td{_kinds(column, False)} data-sort="">{_shares(result, row)}</td>'
    if column == "warnings":
        return f'<td data-sort="{escape(row["warnings"])}">{_chips(row["warnings"])}</td>'
    text = row[column] if isinstance(row[column], str) else ""
    if column in ("label", "true_label"):
        blank = column == "label" and row["status"] == "ok"
        text = wording.class_title(result, text) if text or blank else ""
    elif column in ("candidates", NAMED):
        text = ", ".join(wording.class_title(result, name) for name in words_of(text))
    return f'<td{_kinds(column, False)} data-sort="{escape(text)}">{escape(text)}</td>'


def _number(row: dict[str, Any], column: str, units: Units) -> tuple[str, str]:
    """Return what a number is sorted by, and how it reads."""
    value = _value(row, column, units)
    if pd.isna(value):
        return "", "–"
    known = float(value)
    if column == "probability":
        return repr(known), f"{100 * known:.1f}"
    if column == "pixel_size_nm":
        shown = f"{known:.4g} nm" if known < 1000 else f"{known / 1000:.4g} µm"
        return repr(known), shown
    if column == "target_area" and not units.are_physical:
        return repr(known), f"{int(known):,}"
    if column == "width_px":
        return repr(known), f"{int(known)} × {int(row['height_px'])}"
    return repr(known), number(known, column)


def _value(row: dict[str, Any], column: str, units: Units) -> Any:
    if column == "target_area":
        if not units.are_physical:
            return row["target_area_px"]
        return units.area_of(row["target_area_µm2"])
    if column in ("mean_diameter", "median_diameter"):
        if not units.are_physical:
            return row[f"{column}_px"]
        return units.length_of(row[f"{column}_nm"])
    return row[column]


def _thumbnail(result: BatchResult, row: dict[str, Any]) -> str:
    preview = result.preview(int(row["number"])) if row["status"] == "ok" else None
    if preview is None:
        return ""
    number, words = int(row["number"]), escape(f"Show {row['name']} large")
    picture = _image(preview.thumbnail, "")
    return (
        f'<button type="button" class="open" data-of="{number}" title="{words}">{picture}</button>'
    )


def _shares(result: BatchResult, row: dict[str, Any]) -> str:
    if row["status"] != "ok":
        return ""
    shares = [float(row[f"cluster_{n}_percent"]) for n in range(result.recipe.clusters)]
    words = ", ".join(f"cluster {n}: {value:.1f} %" for n, value in enumerate(shares))
    parts = "".join(
        f'<span style="width:{value:.2f}%;background:{color}"></span>'
        for value, color in zip(shares, cluster_colors(result.recipe.clusters), strict=True)
    )
    return f'<div class="shares" role="img" aria-label="{words}" title="{words}">{parts}</div>'


def _chips(warnings: str) -> str:
    return "".join(
        f'<span class="flag" title="{escape(FLAGS[flag])}">{escape(flag)}</span>'
        for flag in words_of(warnings)
        if flag in FLAGS
    )


def _kinds(column: str, is_number: bool) -> str:
    """Return the classes of a cell: "aside" stands on screens and not on paper."""
    kinds = ["number"] * is_number + ["name"] * (column == "name") + ["aside"] * (column in _ASIDE)
    kinds += ["word"] * (column in _WORDS)
    return f' class="{" ".join(kinds)}"' if kinds else ""


def gallery(result: BatchResult) -> Iterator[str]:
    """Yield the pictures of all rows that have some, those with the gravest warnings first."""
    records: Iterable[Any] = result.rows.itertuples(name="Row")
    rows = sorted(
        records,
        key=lambda row: (gravity(row.warnings), row.number),
    )
    shown = 0
    for row in rows:
        preview = result.preview(row.number) if row.status == "ok" else None
        if preview is not None:
            if not shown:
                yield f'<h2>Micrographs</h2>{_legend(result)}<div class="gallery">'
            shown += 1
            yield _card(result, row, preview)
    if not shown:
        return
    missing = len(result.succeeded) - shown
    yield "</div>"
    if missing:
        yield (
            f'<p class="note">The pictures of {missing} more micrographs are left out to keep this '
            "file small; their overlays and masks lie beside it.</p>"
        )


def _legend(result: BatchResult) -> str:
    entries = ['<li><span class="swatch heat"></span>evidence, none to strongest</li>']
    entries += [
        f'<li><span class="swatch" style="background:{color}"></span>cluster {index}'
        f"{' (target)' if index in result.recipe.targets else ''}</li>"
        for index, color in enumerate(cluster_colors(result.recipe.clusters))
    ]
    if (result.succeeded["excluded_percent"] > 0).any():
        entries.append('<li><span class="swatch hatch"></span>excluded: not specimen</li>')
    return f'<ul class="legend">{"".join(entries)}</ul>'


def _card(result: BatchResult, row: Any, preview: Preview) -> str:
    title = wording.class_title(result, row.label)
    explained = wording.class_title(result, result.recipe.explained_class or row.label)
    evidence = f"evidence for {explained}" if row.has_evidence else f"no evidence for {explained}"
    pictures = (
        (preview.original, "micrograph"),
        (preview.overlay, evidence),
        (preview.clusters, f"clusters, target {percent(row.target_percent)}"),
    )
    copy = "" if pd.isna(row.duplicate_of) else f" · copy of #{row.duplicate_of}"
    alike = "" if pd.isna(row.near_duplicate_of) else f" · same field as #{row.near_duplicate_of}"
    return (
        f'<section class="card" data-number="{row.number}"><h3><span>#{row.number}</span> '
        f"{escape(row.name)}</h3>"
        f'<p class="facts">{_answer(result, row, title)}{copy}{alike} '
        f'{_chips(row.warnings)}</p><div class="pictures">'
        + "".join(_figure(data, caption, row.name) for data, caption in pictures)
        + "</div></section>"
    )


def _answer(result: BatchResult, row: Any, title: str) -> str:
    """Return the class with its probability; of several labels each that is named."""
    if not row.label:
        return escape(f"{title}: {row.signs_against}")
    if NAMED not in result.rows:
        return f"{escape(title)}, {percent(100 * row.probability)}"
    rows: Any = result.rows
    named = [
        f"{escape(wording.class_title(result, name))}, "
        f"{percent(100 * rows.at[row.Index, f'p_{name}'])}"
        for name in words_of(getattr(row, NAMED))
    ]
    return "; ".join(named) or f"no class; {escape(title)}, {percent(100 * row.probability)}"


def _figure(data: bytes, caption: str, name: str) -> str:
    return (
        f"<figure>{_image(data, f'{name}: {caption}')}<figcaption>{escape(caption)}</figcaption>"
        "</figure>"
    )


def _image(data: bytes, alt: str) -> str:
    source = base64.b64encode(data).decode()
    return f'<img loading="lazy" src="data:image/jpeg;base64,{source}" alt="{escape(alt)}">'

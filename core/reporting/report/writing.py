"""A batch as one HTML file that opens anywhere: no network, no other file, nothing from elsewhere.

Every text that comes from a file name, a file or a model card is escaped, and the page's content
policy lets no script run but the one written here.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path
from string import Template
from typing import Any

import pandas as pd

from core.errors import Unwritable
from core.measuring.statistics import mean_interval
from core.reporting.batch import (
    FLAGS,
    REPORT,
    BatchResult,
    are_alike,
    choose_units,
    list_versions,
    words_of,
)
from core.reporting.escaping import escape
from core.reporting.report import (
    citing,
    hand,
    numbers,
    pictures,
    plates,
    verdict,
    wording,
)
from core.reporting.report.about import About, heading
from core.reporting.report.samples import comparison, judged
from core.reporting.report.wording import percent

FOLDER = Path(__file__).parent / "look"
_BODY = "<!-- body -->"
_ABOUT = About()


def write_report(
    batch_result: BatchResult, out: str | PathLike[str], *, about: About = _ABOUT
) -> Path:
    """Write the report of a batch and return its path.

    Parameters
    ----------
    batch_result : BatchResult
    out : path
        A folder, where the file is called report.html; or the file itself, ending in ".html".
    about : About
        Title, authors, date and a note.

    Returns
    -------
    Path
        Of the report: one HTML file that needs nothing else.

    Raises
    ------
    Unwritable
        If the file cannot be written.
    """
    path = Path(out)
    path = path if path.suffix.lower() == ".html" else path / REPORT
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", errors="replace") as stream:
            stream.writelines(_pieces(batch_result, about=about))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise Unwritable(
            f"The report {str(path)!r} cannot be written ({reason}). Choose another folder.", reason
        ) from error
    return path


def report_html(result: BatchResult, *, note: str = "", about: About = _ABOUT) -> str:
    """Return the report of a batch as one HTML text; a note stands at its very top."""
    return "".join(_pieces(result, note, about))


def _pieces(result: BatchResult, note: str = "", about: About = _ABOUT) -> Iterator[str]:
    """Yield the report piece by piece: the pictures of a large batch are never all in memory."""
    script = (FOLDER / "table.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    template = Template((FOLDER / "template.html").read_text(encoding="utf-8"))
    page = template.substitute(
        title=escape(about.title or f"Batch report: {len(result.rows)} micrographs"),
        script_hash=f"sha256-{digest}",
        script=script,
        body=_BODY,
    )
    head, tail = page.split(_BODY)
    yield head
    if note:
        yield f'<p class="banner">{escape(note)}</p>'
    yield from _body(result, about)
    yield tail


def _body(result: BatchResult, about: About) -> Iterator[str]:
    units = choose_units(result.succeeded)
    yield heading(result, about)
    yield f'<p class="lead">{wording.summary(result, result.fields)}</p>'
    if len(result.fields):
        yield verdict.answer(result, units)
    yield _tiles(result)
    yield from plates.plates(result)
    yield _warnings(result)
    yield _failures(result)
    if len(result.fields):
        yield numbers.areas(result, units)
        yield numbers.sizes(result, units)
        yield comparison.samples(result, units)
        yield comparison.further(result, units)
        yield hand.by_hand(result)
        yield numbers.classes(result)
        yield numbers.trust(result)
        yield numbers.truth(result)
        yield numbers.evidence(result)
        yield from pictures.table(result, units)
        yield from pictures.gallery(result)
    yield _methods(result)
    yield _repeat(result)
    yield _provenance(result)


def _tiles(result: BatchResult) -> str:
    fields = result.fields
    tiles = [_tile(len(result.succeeded), "micrographs analysed")]
    if len(result.failed):
        tiles.append(_tile(len(result.failed), "failed", "bad"))
    if len(fields):
        named = fields.loc[fields["sample"].fillna("") != "", "sample"].nunique()
        if named:
            tiles.append(_tile(named, "sample" if named == 1 else "samples"))
        tiles.append(_tile(fields.loc[fields["label"] != "", "label"].nunique(), "classes found"))
        if not named and are_alike(fields):
            mean = mean_interval(fields["target_percent"].to_numpy(float)).estimate
            tiles.append(_tile(percent(mean), "mean area of the target cluster"))
        tiles.append(_tile(f"{int(fields['regions'].sum()):,}", "regions measured"))
        doubtful = int(
            (~result.succeeded["warnings"].isin(("", "no pixel size", "read scale"))).sum()
        )
        if doubtful:
            tiles.append(_tile(doubtful, "to look at first"))
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _warnings(result: BatchResult) -> str:
    """Return what is remarkable about how many micrographs; empty when nothing is."""
    split = [words_of(text) for text in result.succeeded["warnings"]]
    lines = "".join(
        f'<dt><span class="flag">{escape(flag)}</span></dt>'
        f"<dd>{sum(flag in flags for flags in split)}: {escape(words)}</dd>"
        for flag, words in FLAGS.items()
        if any(flag in flags for flags in split)
    )
    return f'<h2>Look at these first</h2><div class="card"><dl>{lines}</dl></div>' if lines else ""


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


def _methods(result: BatchResult) -> str:
    text = wording.methods(result) + judged.methods(result.recipe)
    return (
        f'<h2>Methods</h2><div class="card"><p id="methods">{text}</p>'
        '<button type="button" class="copy" data-copy="methods" hidden>Copy methods paragraph'
        "</button><details><summary>References as BibTeX</summary>"
        f'<pre id="bibtex">{escape(citing.bibtex(text))}</pre>'
        '<button type="button" class="copy" data-copy="bibtex" hidden>Copy BibTeX</button>'
        "</details></div>"
    )


def _repeat(result: BatchResult) -> str:
    return (
        '<h2>How to repeat this</h2><div class="card"><p style="margin:0">Save the recipe as '
        "recipe.json (the batch has written it beside its tables). In the app: Batch Report, "
        "Recipe, A file. On the command line:</p>"
        "<pre>python -m core batch FOLDER_OF_MICROGRAPHS --recipe recipe.json --out RESULTS</pre>"
        "<p>The same files, recipe and versions give the same numbers.</p>"
        "<details><summary>The recipe</summary>"
        f'<pre style="margin-bottom:0">{escape(result.recipe.to_json().strip())}</pre></details>'
        "</div>"
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

"""A finished batch on its page: downloads, charts, the table with its labels, the truth."""

from __future__ import annotations

from collections.abc import Iterable
from math import isnan
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.reporting import figures
from core.reporting.batch import (
    FLAGS,
    BatchResult,
    Units,
    are_alike,
    choose_units,
    collect_sizes,
    compare,
    csv_bytes,
    describe_twins,
    group_column,
    match_labels,
    read_labels,
    summarise_groups,
    words_of,
)
from core.reporting.mending import describe_mending
from core.reporting.report import About, verdict
from core.ui.batch import comparison, evidence
from core.ui.batch.run import Run
from core.ui.parts import say, show, tables

_NO_LABEL = "–"
_REPORT_PX = 640
_MOST_MB = 5  # of a table of labels, as `read_labels` takes


def draw(run: Run, result: BatchResult) -> None:
    """Draw everything about a finished batch."""
    done, failed = len(result.succeeded), len(result.failed)
    say.subheader("Results: {done} done, {failed} failed", done=done, failed=failed)
    if result.given > len(result.rows):
        say.info(
            "Cancelled: {rows} of {given} are done.",
            rows=len(result.rows),
            given=result.given,
            icon=":material/info:",
        )
    if run.is_opened:
        st.caption("Saved results of the study that was opened: nothing was computed again.")
    if done:
        _answer(result, choose_units(result.succeeded))
    _downloads(run, result)
    _problems(result)
    if not done:
        return
    units = choose_units(result.succeeded)
    _charts(run, result, units)
    comparison.draw(result, units)
    evidence.draw(result)
    _table(run, result, units)
    _truth(result)


def _about(run: Run) -> None:
    """Draw what the report begins with, and take it over when it changes."""
    with st.popover("Title, authors, note", icon=":material/title:"):
        title, authors = st.columns(2)
        about = About(
            title.text_input(
                "Title", run.about.title, key="batch_title", max_chars=200, persist_state="session"
            ).strip(),
            tuple(
                name
                for each in authors.text_input(
                    "Authors",
                    ", ".join(run.about.authors),
                    key="batch_authors",
                    max_chars=400,
                    persist_state="session",
                ).split(",")
                if (name := each.strip())
            ),
            note=st.text_area(
                "Note",
                run.about.note,
                key="batch_note",
                max_chars=5000,
                height=80,
                persist_state="session",
            ).strip(),
        )
    run.entitle(about)


@st.dialog("Report", width="large", icon=":material/lab_profile:")
def _show_report(run: Run) -> None:
    st.iframe(run.report.read_text(encoding="utf-8"), height=_REPORT_PX, alt="The batch’s report")


def _downloads(run: Run, result: BatchResult) -> None:
    stem = "micrographia_batch"
    with st.container(horizontal=True):
        _about(run)
        if st.button("Open report", icon=":material/lab_profile:", key="batch_open_report"):
            _show_report(run)
        show.download(
            "Report (HTML)",
            run.report.read_bytes,
            f"{stem}.html",
            "text/html",
            "batch_html",
            primary=True,
        )
        show.download(
            "Table (CSV)", lambda: csv_bytes(result.rows), f"{stem}.csv", "text/csv", "batch_csv"
        )
        show.download("All (ZIP)", run.zip, f"{stem}.zip", "application/zip", "batch_zip")


def _problems(result: BatchResult) -> None:
    """Name what failed, and count what is remarkable about the others."""
    failed = list(_records(result.failed[["name", "reason"]]))
    for row in failed[:5]:
        say.warning("{name}: {reason}", name=row.name, reason=row.reason, icon=":material/warning:")
    if len(failed) > 5:
        with st.expander(say.line("{failed} more failed", failed=len(failed) - 5)):
            for row in failed[5:]:
                say.markdown("{name}: {reason}", name=row.name, reason=row.reason)
    split = [words_of(text) for text in result.succeeded["warnings"]]
    counts = {flag: sum(flag in flags for flags in split) for flag in FLAGS}
    said = [
        say.line("- **{n} × {flag}**: {why}", n=n, flag=flag, why=say.Line(FLAGS[flag]))
        for flag, n in counts.items()
        if n
    ]
    if said:
        with st.expander("Look at these first", icon=":material/flag:", expanded=len(said) < 4):
            say.markdown("{lines}", lines=say.joined(said, "\n"))


def _charts(run: Run, result: BatchResult, units: Units) -> None:
    dark = show.is_dark()
    drawn = run.once(("charts", dark), lambda: _draw_charts(result, units, dark))
    by = group_column(result.fields)
    per = "sample" if by == "sample" else "predicted class"
    left, middle, right = st.columns(3, gap="medium")
    with left:
        st.markdown("**Classes**")
        show.chart(drawn[0], "batch_classes", "How many micrographs fell into each class")
    with middle:
        say.markdown("**Area of the target, per {per}**", per=per)
        show.chart(
            drawn[1],
            "batch_areas",
            f"Area of the target per {per}: one dot a field, mean with its 95 % interval",
        )
    with right:
        say.markdown("**Sizes of its regions, per {per}**", per=per)
        show.chart(drawn[2], "batch_sizes", f"Equivalent diameters of all regions, per {per}")


def _draw_charts(result: BatchResult, units: Units, dark: bool) -> tuple[go.Figure, ...]:
    """Return classes, areas and sizes; all regions are read for the last."""
    names = result.model["display_names"]
    by = group_column(result.fields)
    named = {} if by == "sample" else names
    groups = summarise_groups(result.fields, by, units)
    group_of = result.fields[by].fillna("")
    dots = {
        group.name: result.fields.loc[group_of == group.name, "target_percent"].to_numpy(float)
        for group in groups
    }
    sizes = collect_sizes(result.each_regions(), result.fields, units, by)
    return (
        figures.class_distribution(result.rows, names, dark=dark),
        figures.area_intervals(groups, named, fields=dots, dark=dark),
        figures.size_distributions(sizes, units.length, named, dark=dark),
    )


def _answer(result: BatchResult, units: Units) -> None:
    """Say what each sample has and how samples differ; or why there is no one answer."""
    for name, said in verdict.answers(result, units):
        say.markdown("**{name}** {said}", name=name, said=say.plain(said))
        _wrong(result, name)
    _wrong(result, "")
    if apart := verdict.differences(result, units):
        say.caption("{said}", said=say.plain(" ".join(apart)))
    if mended := describe_mending(result.rows):
        say.caption("{mended}", mended=mended)
    if group_column(result.fields) == "label" and not are_alike(result.fields):
        say.info(
            "No sample is named and these micrographs are not alike, so nothing is averaged over "
            "all of them. Name the samples above and run again: each then has its answer.",
            icon=":material/sell:",
        )


def _wrong(result: BatchResult, sample: str) -> None:
    """Say how wrong a sample's numbers are, where that was judged."""
    if said := describe_twins(result.twins, sample):
        say.caption("{said}", said=say.plain(said))


def _table(run: Run, result: BatchResult, units: Units) -> None:
    names = result.model["display_names"]
    titles = {name: names.get(name, name) for name in result.model["classes"]}
    rows = _filtered(result, titles)
    frame = tables.batch(rows, titles, units)
    pictures = run.once("pictures", lambda: _thumbnails(result))
    frame.insert(1, "picture", [pictures[int(number)] for number in rows["number"]])
    frame.insert(3, "label", [titles.get(name, _NO_LABEL) for name in rows["true_label"]])
    fixed = [column for column in frame.columns if column != "label"]
    formats = show.formats(frame) | {
        "picture": st.column_config.ImageColumn("", width=64),
        "label": st.column_config.SelectboxColumn(
            "label ✎", options=[_NO_LABEL, *titles.values()], required=True, width="small"
        ),
    }
    shown = f"{hash(tuple(rows['number']))}_{run.revision}"
    edited = st.data_editor(
        frame,
        hide_index=True,
        disabled=fixed,
        column_config=formats,
        row_height=48,
        key=f"batch_table_{shown}",
    )
    st.caption("Correct a class in the column “label”: the report then says how often it is right.")
    changed = edited["label"].to_numpy() != frame["label"].to_numpy()
    if changed.any():
        chosen = edited.loc[changed, "label"].replace(_NO_LABEL, "")
        run.label(dict(zip(rows["number"].to_numpy()[changed].tolist(), chosen, strict=True)))
        st.rerun()
    _labels_file(run, result)


def _filtered(result: BatchResult, titles: dict[str, str]) -> pd.DataFrame:
    rows = result.succeeded
    with st.container(horizontal=True):
        found = [name for name in titles if (rows["label"] == name).any()]
        classes = st.pills(
            "Class",
            found,
            selection_mode="multi",
            format_func=lambda name: say.plain(titles[name]),
            key="batch_filter_class",
            persist_state="session",
        )
        raised = {flag for text in rows["warnings"] for flag in words_of(text)}
        flags = raised and st.pills(
            "Warning",
            [flag for flag in FLAGS if flag in raised],
            selection_mode="multi",
            key="batch_filter_flag",
            persist_state="session",
        )
    if classes:
        rows = rows[rows["label"].isin(classes)]
    if flags:
        own = [words_of(text) for text in rows["warnings"]]
        rows = rows[[any(flag in each for flag in flags) for each in own]]
    return rows


def _thumbnails(result: BatchResult) -> dict[int, str | None]:
    """Return the small pictures of all rows by their numbers, as addresses."""
    previews = {int(n): result.preview(int(n)) for n in result.succeeded["number"]}
    return {
        number: tables.data_url(preview.thumbnail, "image/jpeg") if preview else None
        for number, preview in previews.items()
    }


def _labels_file(run: Run, result: BatchResult) -> None:
    with st.expander("Labels from a table", icon=":material/upload_file:"):
        file = st.file_uploader(
            "A CSV with the columns name and label",
            "csv",
            key=f"batch_labels_{run.revision}",
            max_upload_size=_MOST_MB,
        )
    if run.note:
        say.warning("{note}", note=run.note, icon=":material/warning:")
    if file is None:
        return
    names = result.model["display_names"]
    titles = {name: names.get(name, name) for name in result.model["classes"]}
    numbers = {int(row.number): row.name for row in _records(result.rows[["number", "name"]])}
    matched = match_labels(read_labels(file.getvalue()), numbers, titles)
    run.note = matched.sentence()
    run.label(matched.labels)
    st.rerun()


def _records(rows: pd.DataFrame) -> Iterable[Any]:
    return rows.itertuples()


def _truth(result: BatchResult) -> None:
    found = compare(result.fields, list(result.model["classes"]))
    if found is None:
        return
    names, dark = result.model["display_names"], show.is_dark()
    value, right = found.balanced_accuracy, found.accuracy
    limits = say.line(
        "" if isnan(value.low) else " ({low:.0f} to {high:.0f} %)",
        low=100 * value.low,
        high=100 * value.high,
    )
    st.subheader("Against the labels", anchor=False)
    say.markdown(
        "{right} of {n} as labelled. Balanced accuracy **{accuracy:.0f} %**{limits}, "
        "calibration error {error:.0f} %.",
        right=round(right.estimate * right.n),
        n=right.n,
        accuracy=100 * value.estimate,
        limits=limits,
        error=100 * found.calibration_error,
    )
    matrix, reliability = st.columns(2, gap="medium")
    with matrix:
        show.chart(
            figures.confusion(found.matrix, found.classes, names, dark=dark),
            "batch_confusion",
            "Confusion matrix: labels down, predictions across",
        )
    with reliability:
        show.chart(
            figures.reliability(found.bins, dark=dark),
            "batch_reliability",
            "How often right against how sure",
        )

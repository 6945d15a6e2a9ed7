"""The first screen: an answer per sample, dots, and no mean over what is unlike."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import stdtrit as student

from core.reporting.batch import (
    are_alike,
    count_samples,
    find_typical,
    group_column,
    more_fields,
    suggest_rule,
)
from core.reporting.report import About, write_report
from core.reporting.report.citing import bibtex
from core.reporting.report.writing import report_html
from tests.unit.reporting.conftest import micrograph

MIXED = [
    *(f"AgC_{n:02d}.png" for n in range(1, 10)),
    *(f"PowderB_{n:02d}.png" for n in range(1, 11)),
    *(f"SteelA_{n:02d}.png" for n in range(1, 11)),
]


def named(run, recipe):
    sources = [micrograph(seed, f"{'ABC'[seed % 3]}_{seed}.tif", nm=2.0) for seed in range(6)]
    return run(sources, recipe=replace(recipe, sample_from="name:start"))


def first_screen(text: str) -> str:
    return text[: text.index('<div class="tiles">')]


def test_each_sample_has_its_answer_on_the_first_screen(run, recipe) -> None:
    text = first_screen(report_html(named(run, recipe)))
    for name in "ABC":
        assert re.search(rf"<li><b>{name}</b> \d+\.\d % \(.*2 fields\) of the area; mean", text)
    assert text.count("<i ") == 6  # a dot a field
    assert text.count('class="mean"') == 3
    assert "on average" not in text
    assert "points" in text


def test_samples_have_a_plate_with_three_large_pictures(run, recipe) -> None:
    result = named(run, recipe)
    text = report_html(result)
    assert text.count('class="card plate"') == 3
    preview = result.preview(1)
    assert preview.field
    assert preview.outlines
    assert preview.heat


def test_what_is_unlike_is_not_averaged(run) -> None:
    result = run([micrograph(seed, f"{'AB'[seed % 2]}_{seed}.tif") for seed in range(4)])
    rows = result.rows.copy()
    rows.loc[0, "label"] = "alloys" if rows.loc[0, "label"] != "alloys" else "spheroids"
    text = first_screen(report_html(replace(result, rows=rows)))
    assert "on average" not in text
    assert "are not alike, and no sample is named" in text
    assert "A 2 · B 2" in text
    assert "name:start" in text
    assert "mean area of the target" not in report_html(replace(result, rows=rows))


def test_rules_are_suggested_by_what_they_give() -> None:
    assert suggest_rule(MIXED) == "name:start"
    assert count_samples("name:start", MIXED) == {"AgC": 9, "PowderB": 10, "SteelA": 10}
    assert suggest_rule(["x/1.tif", "x/2.tif", "y/1.tif", "y/2.tif"]) == "folder"
    assert suggest_rule(["a.tif", "b.tif", "c.tif"]) == ""
    assert suggest_rule([]) == ""


@pytest.mark.parametrize(
    ("name", "sample"),
    [
        ("AgC_07.png", "AgC"),
        ("AgC 7.tif", "AgC"),
        ("AgC (7).tif", "AgC"),
        ("Ag_1e-8_007.tif", "Ag_1e-8"),
        ("AgC07.tif", "AgC"),
        ("007.tif", "007"),
        ("steel.tif", "steel"),
    ],
)
def test_the_start_of_a_name(name: str, sample: str) -> None:
    assert count_samples("name:start", [name]) == {sample: 1}


def frame(**columns: list) -> pd.DataFrame:
    count = len(next(iter(columns.values())))
    filled = {"sample": [""] * count, "label": ["a"] * count, "pixel_size_nm": [np.nan] * count}
    return pd.DataFrame(filled | {"number": range(1, count + 1)} | columns)


def test_what_counts_as_alike() -> None:
    assert are_alike(frame(label=["a", "a"]))
    assert not are_alike(frame(label=["a", "b"]))
    assert not are_alike(frame(pixel_size_nm=[1.0, 10.0]))
    assert are_alike(frame(sample=["S", "S"], label=["a", "b"]))
    assert not are_alike(frame(sample=["S", ""], label=["a", "a"]))
    assert group_column(frame(sample=["", "S"])) == "sample"
    assert group_column(frame(label=["a"])) == "label"


def test_the_typical_field_is_nearest_the_median() -> None:
    assert find_typical(frame(target_percent=[1.0, 30.0, 14.0, 11.0, 12.0])) == 5
    assert find_typical(frame(target_percent=[np.nan, 3.0])) == 2
    assert find_typical(frame(target_percent=[np.nan])) is None


def test_more_fields_bring_the_interval_to_two_points() -> None:
    few = np.array([22.0, 27.0, 31.0, 30.0, 36.0, 38.0])
    n = few.size + (more_fields(few) or 0)
    half = [student(m - 1, 0.975) * few.std(ddof=1) / np.sqrt(m) for m in (n, n - 1)]
    assert half[0] <= 2.0 < half[1]
    assert more_fields(np.full(5, 30.0)) == 0
    assert more_fields(np.array([30.0])) is None
    assert more_fields(np.array([0.0, 0.0])) == 0


def test_title_authors_and_note_are_shown_and_escaped(run, tmp_path) -> None:
    about = About("A <b> title", ("A. Person", "B & C"), "2026-01-02", "<i>why</i>")
    path = write_report(run([micrograph(0, nm=2.0)]), tmp_path / "r.html", about=about)
    text = path.read_text()
    assert "<h1>A &lt;b&gt; title</h1>" in text
    assert "<title>A &lt;b&gt; title</title>" in text
    assert "A. Person, B &amp; C · 2026-01-02" in text
    assert "&lt;i&gt;why&lt;/i&gt;" in text
    assert "pixel size 2 nm (stated by the file)" in text


def test_methods_come_with_bibtex(run, recipe) -> None:
    text = report_html(named(run, recipe))
    assert "Copy methods paragraph" in text
    for doi in ("10.2307/2331554", "10.1093/biomet/34.1-2.28", "10.32614/RJ-2011-015"):
        assert f"doi = {{{doi}}}" in text


def test_a_work_is_cited_once_and_strange_ones_by_their_number() -> None:
    said = bibtex("(doi:10.1000/abc), doi:10.1000/abc. arXiv:1706.04599 (doi:10.2307/2331554).")
    assert said.count("10.1000/abc") == 1
    assert "@misc{reference1," in said
    assert "@article{guo2017," in said
    assert "title = {The probable error of a mean}" in said
    assert bibtex("nothing") == ""

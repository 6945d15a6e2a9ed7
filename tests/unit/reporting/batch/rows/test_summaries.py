"""What a report says beyond its rows: flags, samples, labels, units, likeness, pace."""

from dataclasses import replace

import cv2
import numpy as np
import pandas as pd
import pytest

from core.errors import UserError
from core.micrograph import Micrograph, PixelSize
from core.reporting.batch.keeping.result import relabel
from core.reporting.batch.progress import Pace
from core.reporting.batch.rows import likeness
from core.reporting.batch.rows.flags import find_flags, gravity
from core.reporting.batch.rows.label_table import read_labels
from core.reporting.batch.rows.naming import find_part, match_class
from core.reporting.batch.rows.summaries import (
    choose_units,
    evidence_by_cluster,
    evidence_table,
    summarise_groups,
)
from core.reporting.batch.rows.truth import compare
from core.reporting.report.writing import report_html
from tests.unit.reporting.conftest import draw_discs, micrograph, png

SURE = {
    "status": "ok",
    "candidates": "alloys",
    "probability": 0.9,
    "width_px": 512,
    "height_px": 400,
    "has_evidence": True,
    "excluded_percent": 3.0,
    "near_duplicate_of": None,
    "pixel_size_nm": 2.0,
}


def test_a_sound_row_has_no_flag():
    assert find_flags(SURE) == ()


@pytest.mark.parametrize(
    ("change", "flag"),
    [
        ({"status": "failed"}, "failed"),
        ({"candidates": "alloys | rods"}, "low confidence"),
        ({"probability": 0.4}, "low confidence"),
        ({"height_px": 60}, "few pixels"),
        ({"has_evidence": False}, "no evidence"),
        ({"excluded_percent": 60.0}, "overlay alarm"),
        ({"near_duplicate_of": 2}, "near-duplicate"),
        ({"pixel_size_nm": float("nan")}, "no pixel size"),
        ({"novelty": 1.2}, "novel"),
        ({"signs_against": "it has several hues"}, "novel"),
    ],
)
def test_each_doubt_has_its_flag(change, flag):
    assert find_flags(SURE | change) == (flag,)


def test_the_gravest_come_first():
    order = sorted(["", "no pixel size", "failed", "low confidence"], key=gravity)
    assert order == ["failed", "low confidence", "no pixel size", ""]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("", ""),
        ("folder", "steel"),
        ("folder:2", "lab"),
        ("folder:3", "data"),
        ("folder:4", ""),
        ("name:1", "S1"),
        ("name:-1", "x500"),
        ("name:9", ""),
        ("metadata:operator", "Ada L"),
    ],
)
def test_parts_of_names_and_metadata(where, found):
    one = Micrograph("n", np.zeros((2, 2), np.uint8), metadata={"operator": "Ada\nL"})
    assert find_part(where, one, "/data/lab/steel/S1_top-2 x500.tif") == found


def test_labels_are_read_with_and_without_a_heading():
    assert read_labels(b"\xef\xbb\xbfid;name;class\n1;a.png;alloys\n") == {"a.png": "alloys"}
    assert read_labels("a.png,rods & fibres\nb.png,é\n".encode()) == {
        "a.png": "rods & fibres",
        "b.png": "é",
    }
    for wrong in (b"", b"\xff\xfe\x00", b"one\ntwo\n"):
        with pytest.raises(UserError):
            read_labels(wrong)
    assert match_class("Rods and fibres", {"rods_fibres": "rods & fibres"}) == ""
    assert match_class("RODS & Fibres", {"rods_fibres": "rods & fibres"}) == "rods_fibres"


def test_samples_are_summarised_over_fields(run, recipe):
    sources = [micrograph(n, name=f"{'ab'[n % 2]}_{n}.tif") for n in range(6)]
    result = run(sources, recipe=replace(recipe, sample_from="name:1"))
    first, second = summarise_groups(result.fields, "sample", choose_units(result.rows))
    assert (first.name, second.name, first.area_percent.n) == ("a", "b", 3)
    values = result.rows["target_percent"][::2]
    assert first.area_percent.estimate == pytest.approx(values.mean())
    assert first.regions == result.rows["regions"][::2].sum()
    assert "Per sample" in report_html(result)


def test_evidence_of_each_sample_is_that_of_its_own_fields(run, recipe):
    sources = [micrograph(seed, f"{'AB'[seed % 2]}_{seed}.tif") for seed in range(5)]
    result = run(sources, recipe=replace(recipe, sample_from="name:1", target_cluster=1))
    table = evidence_table(result.fields, ["ground", "discs"])
    assert table["sample"].tolist() == ["A", "A", "B", "B"]
    assert table["phase"].tolist() == ["ground", "discs"] * 2
    assert table["is_target"].tolist() == [False, True] * 2
    assert table["fields"].tolist() == [3, 3, 2, 2]
    for sample, part in table.groupby("sample"):
        own = result.fields[result.fields["sample"] == sample]
        mean = own["cluster_1_evidence_percent"].mean()
        assert part["evidence_percent"].iloc[1] == pytest.approx(mean)
        assert part["evidence_percent"].sum() == pytest.approx(100, abs=0.01)
    assert (table["area_low"] <= table["area_percent"]).all()
    text = report_html(result)
    assert "<h2>Evidence per cluster in each sample</h2>" in text
    assert '<th scope="rowgroup" colspan="4">A · 3 fields</th>' in text
    assert text.count("cluster 1 (target)</td>") == 2


def test_a_sample_without_evidence_has_no_line(run, recipe):
    sources = [micrograph(seed, f"{'AB'[seed % 2]}_{seed}.tif") for seed in range(2)]
    fields = run(sources, recipe=replace(recipe, sample_from="name:1")).fields
    fields = fields.assign(has_evidence=[True, False])
    table = evidence_table(fields, ["ground", "discs"])
    assert table["sample"].tolist() == ["A", "A"]
    assert table["area_low"].isna().all()  # one field has no interval


def test_evidence_shares_add_up_and_lift_is_their_ratio(run):
    table = evidence_by_cluster(run([micrograph(n) for n in range(3)]).fields, 2)
    assert sum(c.evidence_percent.estimate for c in table) == pytest.approx(100, abs=0.01)
    for cluster in table:
        ratio = cluster.evidence_percent.estimate / cluster.area_percent.estimate
        assert cluster.lift == pytest.approx(ratio)


@pytest.mark.parametrize(
    ("size", "length", "area"),
    [
        (None, "px", "px"),
        (PixelSize(0.002, "nm"), "nm", "nm²"),
        (PixelSize(0.2, "nm"), "nm", "nm²"),
        (PixelSize(200, "nm"), "µm", "µm²"),
    ],
)
def test_units_suit_the_batch(run, size, length, area):
    result = run([Micrograph("a", draw_discs(0), size)])
    units = choose_units(result.rows)
    assert (units.length, units.area) == (length, area)
    text = report_html(result)
    assert f"Mean diameter ({length})" in text
    assert "e-0" not in text.split("<tbody>")[-2]


def test_the_same_field_saved_anew_is_found_and_another_field_is_not(run):
    again = cv2.imencode(".jpg", (draw_discs(0) * 0.8 + 20).astype(np.uint8))[1].tobytes()
    rows = run([micrograph(0), micrograph(1), ("again.jpg", again)]).rows
    assert rows["near_duplicate_of"].isna().tolist() == [True, True, False]
    assert rows["near_duplicate_of"][2] == 1
    assert "near-duplicate" in rows["warnings"][2]
    assert not likeness.describe(np.full((9, 9), 7, np.uint8)).any()
    assert likeness.find_alike({}) == {}


def test_labels_give_a_confusion_matrix_and_can_be_taken_back(run, recipe):
    sources = [(f"{folder}/{n}.png", png(n)) for n, folder in enumerate(("alloys", "spheroids"))]
    result = run(sources, recipe=replace(recipe, label_from="folder"))
    assert result.rows["true_label"].tolist() == ["alloys", "spheroids"]
    found = compare(result.fields, result.model["classes"])
    assert found.matrix.sum() == 2
    hits = (result.rows["label"] == result.rows["true_label"]).sum()
    assert found.accuracy.estimate == hits / 2
    assert sum(b.accuracy.n for b in found.bins) == 2
    assert "Confusion matrix" in report_html(result)
    none = relabel(result, {1: "", 2: "what is this"})
    assert compare(none.fields, none.model["classes"]) is None
    assert (pd.read_csv(none.out / "results.csv")["true_label"].isna()).all()


def test_pace_says_count_rate_and_time_left():
    now = [0.0]
    pace = Pace(lambda: now[0])
    assert pace.words() == "starting"
    now[0] = 2.0
    pace.note(101, 200)  # a hundred were there before
    assert pace.words() == "101 of 200 · 2.0 s each · 3 min left"
    now[0] = 3.0
    pace.note(200, 200)
    assert pace.words() == "200 of 200 · 33.3 per s"

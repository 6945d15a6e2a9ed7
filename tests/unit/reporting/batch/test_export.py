import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.imaging.reading import read_micrograph
from core.measuring.exchange import read_rois
from core.reporting.batch import export
from core.reporting.batch.export import safe_stem
from core.reporting.batch.keeping.result import write_zip
from core.reporting.batch.rows.tabulation import FILE_COLUMNS
from core.reporting.batch.rows.tidy.spreadsheet import csv_bytes
from core.reporting.report.writing import write_report
from tests.unit.reporting.conftest import micrograph, png


@pytest.mark.parametrize("cell", ["=1+1", "+cmd", "-cmd", "@SUM(A1)", "\tx", "\rx", "  =1", "\n=1"])
def test_a_cell_that_starts_like_a_formula_is_text(cell):
    table = pd.DataFrame({"name": [cell], "value": [-1.5]})
    again = pd.read_csv(io.BytesIO(csv_bytes(table)), keep_default_na=False)
    assert again["name"][0].startswith("'")
    assert again["value"][0] == -1.5


def test_control_characters_do_not_break_a_line():
    table = pd.DataFrame({"name": ["a\rb\nc\x00d"], "value": [1]})
    assert pd.read_csv(io.BytesIO(csv_bytes(table)))["name"].tolist() == ["a b c d"]


def test_plain_text_and_missing_values_are_left_alone():
    table = pd.DataFrame({"name": ["a,b", "µ"], "n": pd.array([1, None], "Int64")})
    assert csv_bytes(table).decode("utf-8-sig") == 'name,n\n"a,b",1\nµ,\n'


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("field 1.tif", "field-1"),
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\Grün 3.png", "Grun-3"),
        ("....", "micrograph"),
        ("", "micrograph"),
        ("显微.tif", "micrograph"),
        ("x" * 300 + ".tif", "x" * 60),
    ],
)
def test_a_stem_is_short_and_plain(name, stem):
    assert safe_stem(name) == stem


HOSTILE = (
    "../../../etc/passwd.png",
    "<script>alert(1)</script>.png",
    "=cmd|' /C calc'!A0.png",
    "显微 µm é.png",
    "x" * 300 + ".png",
    "\ud800broken.png",
    "same.png",
    "same.png",
    "CON.png",
    "a\nb.png",
)


def test_hostile_names_come_back_from_the_tables_and_leave_the_folder_alone(run, tmp_path):
    result = run([(name, png(n)) for n, name in enumerate(HOSTILE)], tmp_path / "deep" / "out")
    assert (result.rows["status"] == "ok").all()
    assert result.rows["name"].tolist() == list(HOSTILE)
    html = write_report(result, result.out).read_text(encoding="utf-8")
    assert "<script>alert" not in html
    outside = [p for p in tmp_path.rglob("*") if p.is_file() and result.out not in p.parents]
    assert outside == []
    with zipfile.ZipFile(write_zip(result)) as archive:
        assert not [n for n in archive.namelist() if ".." in n or n.startswith("/")]
    cells = pd.read_csv(result.out / "results.csv")["name"]
    assert not cells.str.startswith(("=", "+", "-", "@")).any()


def test_tables_read_back_equal_the_rows(run):
    sources = [micrograph(0, nm=1.5), micrograph(1), ("broken.tif", b"x"), micrograph(0, nm=1.5)]
    result = run(sources)
    for again in (
        pd.read_csv(result.out / "results.csv"),
        pd.read_parquet(result.out / "results.parquet"),
    ):
        assert list(again.columns) == list(result.rows.columns)
        for column in result.rows.columns:
            ours, theirs = result.rows[column], again[column]
            if ours.dtype.kind in "fiu":
                assert ours.astype(float).tolist() == pytest.approx(
                    theirs.astype(float).tolist(), rel=0, abs=0, nan_ok=True
                )
            else:
                assert ours.fillna("").astype(str).tolist() == (
                    theirs.astype(object).fillna("").astype(str).tolist()
                )
    regions = pd.read_csv(result.out / "regions.csv")
    assert regions["area_px"].tolist() == result.regions["area_px"].tolist()


def test_maps_are_kept_when_they_are_asked_for(run, recipe):
    result = run([micrograph(0)], recipe=replace(recipe, pictures=("maps",)))
    heat = np.load(result.out / result.rows["map_file"][0])
    assert heat.shape == (96, 128)
    assert heat.dtype == np.float32
    assert not (result.out / "masks").exists()


def test_regions_are_kept_for_other_programs_with_the_numbers_of_the_table(run, recipe):
    kinds = ("labels", "rois", "geojson", "coco")
    wanted = replace(recipe, pictures=kinds, drop_border_regions=True)
    result = run([micrograph(0)], recipe=wanted)
    numbers = result.regions["label"].tolist()
    assert numbers
    files = {kind: (result.out / result.rows[FILE_COLUMNS[kind]][0]).read_bytes() for kind in kinds}
    labels = read_micrograph(files["labels"]).pixels
    assert np.unique(labels[labels > 0]).tolist() == numbers
    areas = [np.count_nonzero(labels == number) for number in numbers]
    assert areas == result.regions["area_px"].tolist()
    read = read_rois(files["rois"], labels.shape)
    assert read.names == tuple(str(number) for number in numbers)
    np.testing.assert_array_equal(read.labels > 0, labels > 0)
    assert [each["id"] for each in json.loads(files["geojson"])["features"]] == numbers
    assert [each["area"] for each in json.loads(files["coco"])["annotations"]] == areas


def test_regions_written_together_are_the_bytes_of_each_alone(run, tmp_path, monkeypatch):
    sources = [micrograph(n, nm=None if n == 1 else 2.0) for n in range(4)]
    result = run(sources)
    together = (result.out / "regions.csv").read_bytes()
    monkeypatch.setattr(export, "MOST_TOGETHER", 0)
    alone = run(sources, tmp_path / "alone")
    assert (alone.out / "regions.csv").read_bytes() == together
    name = "tidy/regions.csv"
    assert (alone.out / name).read_bytes() == (result.out / name).read_bytes()
    frames = [frame.assign(holes=frame["holes"].astype(float)) for frame in alone.each_regions()]
    mixed = [*alone.each_regions(), *frames]
    monkeypatch.setattr(export, "MOST_TOGETHER", 10_000)
    written = b"".join(csv_bytes(frame, head=False) for frame in export._together(mixed))
    assert written == b"".join(csv_bytes(frame, head=False) for frame in mixed)

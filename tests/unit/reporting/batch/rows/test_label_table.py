"""Label tables as people, spreadsheets and batches write them."""

import subprocess
import sys
import time
from dataclasses import replace

import pytest

from core.errors import UserError
from core.reporting.batch import relabel
from core.reporting.batch.rows.label_table import match_labels, read_labels
from core.reporting.batch.rows.tidy.spreadsheet import csv_bytes
from tests.unit.reporting.conftest import micrograph

TWO = {"a.png": "alloys", "é/b c.png": "dendrites"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("folder", ["/", "\\"])
def test_what_spreadsheets_write_is_read(encoding, delimiter, end, folder):
    lines = [("Name", "Label"), ("a.png", "alloys"), ('"é/b c.png"', "dendrites"), ("", "")]
    text = end.join(delimiter.join(line) for line in lines).replace("/", folder)
    assert read_labels(text.encode(encoding)) == TWO


def test_the_truth_comes_before_what_the_network_said():
    text = b"name,true_label,label\na.png,alloys,dendrites\nb.png,,dendrites\n"
    assert read_labels(text) == {"a.png": "alloys"}
    assert read_labels(b"label;truth;file\ndendrites;alloys;a.png\n") == {"a.png": "alloys"}


def test_a_semicolon_in_a_name_does_not_divide_a_table_with_commas():
    assert read_labels(b"name,label\na;1.png,alloys\n") == {"a;1.png": "alloys"}


def test_our_own_results_are_taken_as_written(run, tmp_path):
    names = ["=1+1.tif", "ü, “x”; y.tif", "plain.tif"]
    result = run([micrograph(n, name=name) for n, name in enumerate(names)])
    labelled = relabel(result, {1: "alloys", 2: "spheroids"})
    read = read_labels((labelled.out / "results.csv").read_bytes())
    assert list(read.values()) == ["alloys", "spheroids"]
    again = run([micrograph(n, name=name) for n, name in enumerate(names)], tmp_path / "again",
                labels=read)  # fmt: skip
    assert again.rows["true_label"].tolist() == ["alloys", "spheroids", ""]
    excel = labelled.rows.to_csv(index=False, sep=";").encode("utf-16")
    assert list(read_labels(excel).values()) == ["alloys", "spheroids"]
    assert csv_bytes(labelled.rows).startswith(b"\xef\xbb\xbfnumber,name,")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"name,label\n" + b"x.png,alloys\n" * 400_000, "may have 5 MB"),
        (b"a,b\n" * 100_001, "may have 100,000 lines"),
        (b"PK\x03\x04" + bytes(50), "give a CSV in UTF-8"),
        (b"name,label\n\"" + b"x" * 200_000, "give a CSV in UTF-8"),
        (b"name,label\na,alloys\na,dendrites\n", "“a” that it is “alloys” and that it is “dend"),
        (b"\xff\xfe\x00", "give a CSV in UTF-8"),
    ],
)  # fmt: skip
def test_what_is_no_table_of_labels_is_refused_in_a_sentence(data, words):
    began = time.perf_counter()
    with pytest.raises(UserError, match=words):
        read_labels(data)
    assert time.perf_counter() - began < 5


def test_the_largest_table_takes_little_memory():
    script = (
        "import resource\nfrom core.reporting.batch.rows.label_table import read_labels\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "data = b'name,label\\n' + b''.join(b'%08d.png,alloys%s\\n' % (n, b',' * 25)"
        " for n in range(99_000))\n"
        "assert len(data) < 5_000_000 and len(read_labels(data)) == 99_000\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert int(told.stdout) * 1024 < 100e6


def test_what_matches_nothing_is_named():
    names = {1: "a.png", 2: "sub/b.png", 3: "c.png"}
    classes = {"alloys": "alloys", "rods_fibres": "rods & fibres"}
    table = {"a.png": "Alloys", "b.png": "rods & fibres", "c.png": "aloys", "d.png": "alloys"}
    matched = match_labels(table, names, classes)
    assert matched.labels == {1: "alloys", 2: "rods_fibres"}
    assert matched.sentence() == (
        "1 name in the table is no micrograph of this batch: “d.png”. "
        "1 label is no class of the model: “aloys”."
    )
    many = match_labels({f"{n}.png": "alloys" for n in range(5)}, names, classes)
    assert many.sentence().endswith("“0.png”, “1.png”, “2.png” and 2 more.")
    assert match_labels({"a.png": "alloys"}, names, classes).sentence() == ""


def test_a_label_that_is_no_class_takes_nothing_back(run):
    result = relabel(run([micrograph(n) for n in range(3)]), {1: "alloys", 2: "spheroids"})
    again = relabel(result, {1: "aloys", 2: "", 3: "nonsense"})
    assert again.rows["true_label"].tolist() == ["alloys", "", ""]


def test_a_misspelt_label_leaves_what_the_folder_says(run, recipe):
    asked = replace(recipe, label_from="name:1")
    result = run([micrograph(0, name="alloys_1.tif")], recipe=asked, labels={"alloys_1.tif": "x"})
    assert result.rows["true_label"].tolist() == ["alloys"]

import io

import pandas as pd
import pytest

from core.reporting.export import csv_bytes, safe_stem


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

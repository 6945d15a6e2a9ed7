"""Lists in cells: a word may hold the separator; nothing in a cell runs in a spreadsheet."""

import copy

import pandas as pd
import pytest
from distributed.protocol import deserialize, serialize  # as a batch sends its rows

from core.reporting.batch import words_of
from core.reporting.batch.rows.flags import find_flags, gravity
from core.reporting.batch.rows.listing import Listed
from core.reporting.batch.rows.tidy.spreadsheet import csv_bytes, disarm

SURE = {
    "status": "ok",
    "probability": 0.9,
    "width_px": 500,
    "height_px": 500,
    "has_evidence": True,
    "excluded_percent": 0.0,
    "pixel_size_nm": 1.0,
}


def test_a_class_whose_name_holds_the_separator_is_one_class():
    assert find_flags(SURE | {"candidates": Listed(["alloys | x"])}) == ()
    assert find_flags(SURE | {"candidates": Listed(["alloys | x", "b"])}) == ("low confidence",)


@pytest.mark.parametrize("change", [copy.copy, copy.deepcopy, lambda c: deserialize(*serialize(c))])
def test_a_cell_keeps_its_words(change):
    cell = Listed(["a | b", "c"])
    assert cell == "a | b | c"
    assert words_of(change(cell)) == ("a | b", "c")
    frame = pd.DataFrame({"x": pd.Series([cell], dtype=object)})
    assert words_of(frame.assign(y=1)["x"][0]) == ("a | b", "c")
    assert csv_bytes(frame).decode("utf-8-sig") == "x\na | b | c\n"
    assert words_of("") == words_of(None) == ()
    assert gravity(Listed(["novel"])) < gravity("no pixel size") < gravity("")


SIGNS = "=+-@＝＋－＠﹢﹣"
HIDING = [
    "",
    " ",
    "\x01",
    "\t",
    "\r",
    "\n",
    "\u200b",
    "\ufeff",
    "\u00a0",
    "\u2060",
    "\x9f",
    " \u200b\x00",
]


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("hidden", HIDING)
def test_a_formula_is_text_whatever_hides_it(sign, hidden):
    written = disarm(f"{hidden}{sign}1+1")
    assert written.startswith("'")
    assert not any(ord(c) < 32 for c in written)


def test_harmless_text_and_numbers_stay():
    for cell in ("a=b", "x-1.tif", "µ +", "", 5, None, -1.5):
        assert disarm(cell) == cell

"""What print states about lengths."""

import pytest

from core.imaging.scale.grammar import Meaning, bar_lengths, field_width, stated_lengths
from core.imaging.scale.text import Print


def line(text, left=100.0, top=400.0, score=0.99, width=None):
    return Print(text, score, left, top, left + (width or 10.0 * len(text)), top + 20)


@pytest.mark.parametrize(
    ("text", "nm"),
    [
        ("200 nm", 200),
        ("200nm", 200),
        ("2.00um", 2000),
        ("1 µm", 1000),
        ("1 μm", 1000),
        ("0.5 μm°", 500),
        ("0,5 µm", 500),
        ("5 Å", 0.5),
        ("5 mm", 5e6),
        ("—20 nm", 20),
        ("-200 nm-", 200),
        ("2O0 nm", 200),
        ("l µm", 1000),
        ("5o nm", 50),
        ("50 nn", 50),
        ("200 rm", 200),
        ("X50,000 0.5μm", 500),
        ("2 pm", 2000),
    ],
)
def test_lengths_that_bars_state(text, nm):
    (length,) = bar_lengths([line(text)])
    assert length.nanometres == pytest.approx(nm)


@pytest.mark.parametrize(
    "text",
    [
        "nm",
        "200",
        "(a)",
        "05 nm",
        "0 nm",
        "30℃",
        "15.0kV",
        "x100k",
        "1.2.3 nm",
        "5 nm/px",
        "3 mA",
        "20 nm²",
        "900000 mm",
        "Gd30",
        "1A",
        "19.9 µm",
        "11 µm",
        "S-4800 3.0kV 14.9mm x20.0k",
        "WD 9.8 mm",
        "WD = 5 mm",
        "Depth 5 µm",
        "Spot 3 nm",
    ],
)
def test_what_is_no_bars_length(text):
    assert bar_lengths([line(text)]) == []


@pytest.mark.parametrize("text", ["200 pm", "2O0 nm", "50 nn", "l µm"])
def test_a_guessed_character_is_not_sure(text):
    assert not bar_lengths([line(text)])[0].is_sure
    assert bar_lengths([line("200 nm")])[0].is_sure


def test_print_that_is_faint_or_cut_by_the_frame_is_not_sure():
    assert not bar_lengths([line("200 nm", score=0.6)])[0].is_sure
    assert not bar_lengths([line("00 nm".replace("00", "10"), left=0.0)])[0].is_sure


def test_value_and_unit_apart_are_one():
    (length,) = bar_lengths([line("2", left=100), line("µm", left=125)])
    assert length.nanometres == 2000
    assert bar_lengths([line("2", left=100), line("µm", left=300)]) == []


def test_the_lowest_of_several_comes_first():
    lengths = bar_lengths([line("0.5 µm", top=100), line("1 µm", top=450)])
    assert [length.nanometres for length in lengths] == [1000, 500]


def test_heads_of_columns_tell_what_stands_below():
    prints = [line("WD", 100, 400), line("5 mm", 100, 422)]
    prints += [line("HFW", 200, 400), line("19.9 µm", 200, 422)]
    prints += [line("5 µm", 400, 410)]
    assert [s.meaning for s in stated_lengths(prints)].count(Meaning.OTHER) == 1
    assert field_width(prints).nanometres == pytest.approx(19_900)
    assert [s.nanometres for s in bar_lengths(prints)] == [5000]


def test_field_width_on_its_line():
    assert field_width([line("HFW 5.92 µm")]).nanometres == pytest.approx(5920)
    assert field_width([line("HFW: 1.73 mm")]).nanometres == pytest.approx(1.73e6)
    assert field_width([line("HFW 5 µm"), line("HFW 6 µm", top=300)]) is None


def test_millimetres_beside_a_voltage_are_a_working_distance():
    assert bar_lengths([line("10.0kV", 10), line("8 mm", 120)]) == []

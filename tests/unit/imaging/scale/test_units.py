"""From numbers and units as instruments write them to a pixel size, or to the reason for none."""

import pytest

from core.imaging.scale.units import from_axes, from_edges, iso_date, iso_time, metres, only_stated
from core.micrograph import PixelSize


@pytest.mark.parametrize(
    ("unit", "size"),
    [
        ("nm", PixelSize(2, "nm")),
        ("µm", PixelSize(2, "µm")),
        ("μm", PixelSize(2, "µm")),
        ("um", PixelSize(2, "µm")),
        ("Âµm", PixelSize(2, "µm")),
        ("\\u00B5m", PixelSize(2, "µm")),
        ("Å", PixelSize(0.2, "nm")),
        ("A", PixelSize(0.2, "nm")),
        ("pm", PixelSize(0.002, "nm")),
        (" mm ", PixelSize(2, "mm")),
        ("Microns", PixelSize(2, "µm")),
        ("\\u03BCm", PixelSize(2, "µm")),
        ("&#181;m", PixelSize(2, "µm")),
        ("&#xB5;m", PixelSize(2, "µm")),
        ("&micro;m", PixelSize(2, "µm")),
        ("Î¼m", PixelSize(2, "µm")),
        ("micrometre", PixelSize(2, "µm")),
        ("micrometers", PixelSize(2, "µm")),
        ("microm", PixelSize(2, "µm")),
        ("\\u00C5", PixelSize(0.2, "nm")),
        ("&#197;", PixelSize(0.2, "nm")),
        ("&Aring;", PixelSize(0.2, "nm")),
        ("\u212b", PixelSize(0.2, "nm")),
        ("A\u030a", PixelSize(0.2, "nm")),
        ("Ångströms", PixelSize(0.2, "nm")),
        ("Angstrom", PixelSize(0.2, "nm")),
        ("n_m", PixelSize(2, "nm")),
        ("[n_m]", PixelSize(2, "nm")),
        ("nanometres", PixelSize(2, "nm")),
        ("nm/px", PixelSize(2, "nm")),
        ("cm", PixelSize(20, "mm")),
        ("millimetre", PixelSize(2, "mm")),
        ("inch", PixelSize(50.8, "mm")),
    ],
)
def test_units_of_length_are_understood(unit: str, size: PixelSize) -> None:
    assert from_axes(2, 2, unit, "x") == (size, {"calibration": "x"})


@pytest.mark.parametrize("unit", ["1/nm", "1 / nm", "1/µm", "nm-1", "nm^-1", "1/Å", "mrad"])
def test_reciprocal_units_are_said_not_turned_round(unit: str) -> None:
    size, fields = from_axes(0.5, 0.5, unit, "x")
    assert size is None
    assert "reciprocal" in fields["calibration"]
    assert fields["reciprocal_pixel_size"].startswith("0.5 ")


@pytest.mark.parametrize("unit", ["eV", "s", "µ", "counts"])
def test_other_units_are_named(unit: str) -> None:
    size, fields = from_axes(1, 1, unit, "x")
    assert size is None
    assert fields == {"calibration": f"no pixel size: “{unit}” is not a unit of length"}


def test_a_megametre_is_no_millimetre() -> None:
    assert metres(1, "Mm") is None


def test_rows_in_another_unit_are_read_in_it_or_give_no_scale() -> None:
    assert from_axes(1, 1e-3, "nm", "x", "µm")[0] == PixelSize(1, "nm")
    size, fields = from_axes(1, 1, "nm", "x", "eV")
    assert size is None
    assert "rows are in “eV”" in fields["calibration"]
    assert "not square" in from_axes(1, 1, "nm", "x", "µm")[1]["calibration"]


@pytest.mark.parametrize("unit", ["", None, "[]", "px", "\0\1"])
@pytest.mark.parametrize("edge", [1, None, "x"])
def test_nothing_stated_says_nothing(unit: str | None, edge: object) -> None:
    assert from_axes(edge, edge, unit, "x") == (None, {})


@pytest.mark.parametrize("edge_m", [0.0, -1e-9, 5.0, None])
def test_impossible_edges_say_nothing(edge_m: float | None) -> None:
    assert from_edges(edge_m, edge_m, "x") == (None, {})


def test_one_per_cent_is_still_square_and_areas_are_right() -> None:
    size = from_edges(1e-9, 1.009e-9, "x")[0]
    assert size is not None
    assert size.to("nm") ** 2 == pytest.approx(1.009)
    size, fields = from_edges(1e-9, 1.02e-9, "x")
    assert size is None
    assert "not square (1 nm wide, 1.02 nm high)" in fields["calibration"]


@pytest.mark.parametrize("value", ["nan", "inf", True, None, "1,5", ""])
def test_what_is_no_number_is_no_length(value: object) -> None:
    assert metres(value, "nm") is None


def test_dates_and_times_become_iso_or_stay_as_written() -> None:
    assert iso_date("02/09/2025", "%m/%d/%Y") == "2025-02-09"
    assert iso_date("9. Feb", "%m/%d/%Y") == "9. Feb"
    assert iso_date("", "%m/%d/%Y") is None
    assert iso_time("01:40:09 PM") == "13:40:09"
    assert iso_time("noon") == "noon"


def test_empty_fields_are_left_out_and_texts_shortened() -> None:
    fields = {"a": None, "b": "", "c": 0.0, "d": -1.0, "e": 5.0, "f": "x" * 999, "g": "a\0b"}
    assert only_stated(fields) == {"e": 5.0, "f": "x" * 200, "g": "ab"}

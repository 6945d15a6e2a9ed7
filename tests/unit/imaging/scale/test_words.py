"""What is said in words about a micrograph, its field and its scale."""

import numpy as np
import pytest

from core.errors import UserError
from core.imaging.scale.words import (
    describe_instrument,
    describe_scale,
    is_set_by_hand,
    pixel_size_from_bar,
    set_pixel_size,
)
from core.micrograph import Micrograph, PixelSize


def micrograph(
    size: PixelSize | None = None, shape: tuple[int, int] = (100, 200), **fields: object
):
    return Micrograph("m", np.zeros(shape, np.uint8), size, fields)


def test_only_what_the_file_has_is_said() -> None:
    assert describe_instrument(micrograph()) == {}
    assert describe_instrument(micrograph(voltage_kv=5.0)) == {"Voltage": "5 kV"}


def test_values_come_with_their_units_in_one_order() -> None:
    rows = describe_instrument(
        micrograph(
            date="2025-02-09",
            time="09:55:28",
            detector="ETD",
            magnification=41_480.7,
            working_distance_mm=3.77067,
            voltage_kv=10.0,
            instrument="Apreo 2 S",
        )
    )
    assert list(rows.items()) == [
        ("Microscope", "Apreo 2 S"),
        ("Voltage", "10 kV"),
        ("Working distance", "3.771 mm"),
        ("Magnification", "41 481 ×"),
        ("Detector", "ETD"),
        ("Date", "2025-02-09 09:55:28"),
    ]


def test_odd_values_are_left_out() -> None:
    assert describe_instrument(micrograph(voltage_kv="high", magnification=None)) == {}


def test_scale_says_where_it_comes_from_or_why_there_is_none() -> None:
    assert describe_scale(micrograph(PixelSize(2, "nm"), calibration="FEI")) == "2 nm/px (FEI)"
    assert describe_scale(micrograph()) == "no pixel size: the file states none"
    assert describe_scale(micrograph(calibration="no pixel size: oblong")).endswith("oblong")


def test_size_set_by_hand_is_marked_and_changes_the_key() -> None:
    before = micrograph(PixelSize(2, "nm"), calibration="FEI", voltage_kv=5)
    after = set_pixel_size(before, PixelSize(3, "nm"))
    assert describe_scale(after) == "3 nm/px (set by hand)"
    assert is_set_by_hand(after)
    assert not is_set_by_hand(before)
    assert after.key != before.key
    assert after.metadata["voltage_kv"] == 5


def test_scale_bar_gives_the_pixel_size() -> None:
    assert pixel_size_from_bar(500, "nm", 250) == PixelSize(2, "nm")


@pytest.mark.parametrize(("length", "bar_px"), [(0, 10), (-1, 10), (np.nan, 10), (5, 0)])
def test_impossible_scale_bars_are_refused(length: float, bar_px: float) -> None:
    with pytest.raises(UserError):
        pixel_size_from_bar(length, "nm", bar_px)

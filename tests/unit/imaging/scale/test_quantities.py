"""Units and digits that a person reads."""

import numpy as np
import pytest

from core.imaging.scale import (
    describe_area,
    describe_length,
    describe_with_error,
    specimen_field,
)
from core.micrograph import PixelSize

NM = PixelSize(1, "nm")


@pytest.mark.parametrize(
    ("px", "text"),
    [(12.345, "12.3 nm"), (999, "999 nm"), (5920, "5.92 µm"), (1.73e6, "1.73 mm"), (0, "0 nm")],
)
def test_lengths_choose_their_unit(px, text):
    assert describe_length(px, NM) == text


def test_areas_choose_their_unit():
    assert describe_area(316_191, PixelSize(1, "µm")) == "0.316 mm²"
    assert describe_area(5_000, NM) == "5 000 nm²"
    assert describe_area(2.5e6, NM) == "2.50 µm²"
    assert describe_area(316_191, None) == "316 000 px²"


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (12.3456, 0.1234, "12.35 ± 0.12 nm"),
        (1234.5, 56.7, "1234 ± 57 nm"),
        (12345, 670, "12340 ± 670 nm"),
        (1.0, 0.0996, "1.00 ± 0.10 nm"),
        (3.14159, float("nan"), "3.14 nm"),
    ],
)
def test_value_and_error_share_their_digits(value, error, text):
    assert describe_with_error(value, error, "nm") == text


def test_field_is_the_specimens():
    overlays = np.zeros((100, 200), bool)
    overlays[80:] = True
    overlays[10:20, 10:60] = True
    assert specimen_field(overlays, PixelSize(10, "nm")) == ("2 µm", "0.8 µm")
    assert specimen_field(overlays, None) == ("200 px", "80 px")

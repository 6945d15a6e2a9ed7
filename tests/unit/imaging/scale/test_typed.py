import pytest

from core.errors import UserError
from core.imaging.scale import parse_size, parse_sizes
from core.micrograph import PixelSize

NAMES = ["a/b 1.png", "c.tif", "x 2 nm.tif"]


@pytest.mark.parametrize(
    ("text", "nm"),
    [("2.5 nm", 2.5), ("0,5 µm/px", 500), ("3", 3), ("3 Å", 0.3), (".5um", 500), ("1e-3 µm", 1)],
)
def test_pixel_size_is_understood(text, nm):
    assert parse_size(text).to("nm") == pytest.approx(nm)


@pytest.mark.parametrize("text", ["", "0", "-1 nm", "3 kg", "nm", "2.5 nm 3", "1e9 m", "1 nm/s"])
def test_what_is_no_pixel_size_is_none(text):
    assert parse_size(text) is None


def test_names_stand_before_lengths():
    found = parse_sizes("b 1.png\t2.5\tnm\n\nc, 0,5 µm/px\nX 2 nm.tif 3", NAMES)
    assert found == {0: PixelSize(2.5, "nm"), 1: PixelSize(500.0, "nm"), 2: PixelSize(3.0, "nm")}


def test_lengths_alone_are_in_the_order_of_the_names():
    assert parse_sizes("1\n2,5 nm\n1 um", NAMES) == {
        0: PixelSize(1.0, "nm"),
        1: PixelSize(2.5, "nm"),
        2: PixelSize(1000.0, "nm"),
    }


def test_heads_of_a_table_and_nothing_are_nothing():
    assert parse_sizes("name\tpixel size\nc.tif\t3", NAMES) == {1: PixelSize(3.0, "nm")}
    assert parse_sizes("", NAMES) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("q 3 nm", "no micrograph is called q"),
        ("1\n2", "2 lengths for 3 micrographs"),
        ("c.tif 3 kg", "Line 1 is no name with a length"),
        ("c.tif 1\nc.tif zero 0", "Line 2"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text, said):
    with pytest.raises(UserError, match=said):
        parse_sizes(text, NAMES)


def test_a_name_of_several_is_refused():
    with pytest.raises(UserError, match="2 micrographs are called a"):
        parse_sizes("a 3 nm", ["x/a.png", "y/a.png"])

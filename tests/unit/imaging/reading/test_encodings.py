"""One decoder for tables and for files with settings."""

import pytest

from core.imaging.reading.encodings import decode_text

TEXT = "PixelSize=2.5 µm, Å, Größe\r\nname;label"


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"],
)
def test_text_in_any_usual_encoding_is_the_same(encoding):
    assert decode_text(TEXT.encode(encoding), "strict").lstrip("\ufeff") == TEXT


def test_shift_jis_is_told_by_the_letters_of_units():
    assert decode_text("PixelSize=2 μm 微細".encode("cp932")) == "PixelSize=2 μm 微細"


def test_utf8_in_places_of_an_old_code_page_is_understood():
    assert decode_text(b"2 \xc2\xb5m, Gr\xf6\xdfe") == "2 µm, Größe"
    assert decode_text("Ânge".encode()) == "Ânge"


def test_what_is_in_no_encoding():
    assert decode_text(b"a\x81b") == "a\ufffdb"
    with pytest.raises(UnicodeDecodeError):
        decode_text(b"a\x81b", "strict")


def test_no_bytes_are_no_text():
    assert decode_text(b"") == ""


@pytest.mark.parametrize("data", [b"a\0", b"\0a", "ab".encode("utf-16-le")])
def test_a_few_wide_letters_are_told(data):
    assert "\0" not in decode_text(data)

"""Tables as spreadsheets and programs write them."""

import codecs
from pathlib import Path

import pytest

from core.errors import UserError
from core.imaging.reading import read_number, read_table, same_path, tables

ROWS = [["file", "group", "pixel_size_nm"], ["A/ü 0.png", "g,1", "1,5"], ["B\\1.png", "g2", "2.5"]]


def written(divider: str = ",", end: str = "\r\n", quote: bool = True) -> str:
    def cell(text: str) -> str:
        return f'"{text}"' if divider in text or quote else text

    return "".join(divider.join(map(cell, row)) + end for row in ROWS)


@pytest.mark.parametrize(
    "data",
    [
        written().encode(),
        written(quote=False).encode(),
        written(end="\n").encode(),
        written(end="\r").encode(),
        codecs.BOM_UTF8 + written().encode(),
        written(";", quote=False).encode(),
        codecs.BOM_UTF8 + written(";", quote=False).encode(),
        written("\t", quote=False).encode(),
        written("|", quote=False).encode(),
        written(";", quote=False).encode("cp1252"),
        written("\t", quote=False).encode("utf-16"),
        codecs.BOM_UTF16_BE + written(";").encode("utf-16-be"),
        written(";").encode("utf-16-le"),
        b"sep=;\r\n" + written(";", quote=False).encode(),
        codecs.BOM_UTF8 + b"sep=|\n" + written("|", quote=False).encode(),
        b"\n\n" + written().encode() + b",,\n\n",
    ],
)
def test_every_way_of_writing_a_table_gives_the_same_cells(data: bytes) -> None:
    table = read_table(data)
    assert [list(line.cells) for line in table.lines] == ROWS
    assert table.column("file") == 0
    assert [line.cell(2) for line in table.body] == ["1,5", "2.5"]


def test_headings_are_found_by_any_of_their_names_in_the_order_asked() -> None:
    table = read_table(b"True Label,NAME,label\nx,a.png,y\nz\n")
    assert table.column("true_label", "label") == 0
    assert table.column("file", "name") == 1
    assert table.column("group") is None
    assert table.body[1].cell(1) == table.body[0].cell(None) == ""


def test_lines_are_numbered_as_in_the_file() -> None:
    table = read_table(b'sep=,\nfile,group\n\n"a\nb",g\nc,h\n')
    assert [line.number for line in table.lines] == [2, 5, 6]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0", "no text"),
        (b"\xff\xfe\x00", "no text"),
        (b"a,b\n\x01,2\n", "no text"),
        (b"x" * 6_000_000, "5 MB"),
        (b"a,b\n" * 100_001, "100,000 lines"),
        (b'"' + b"x" * 200_000, "cannot be read"),
    ],
)
def test_what_is_no_table_is_one_sentence(data: bytes, said: str) -> None:
    with pytest.raises(UserError, match=said) as refused:
        read_table(data, "The labels")
    assert str(refused.value).startswith("The labels")


def test_a_file_is_read_no_further_than_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.csv").write_bytes(b"a,b\n" * 10)
    assert len(read_table(tmp_path / "t.csv").lines) == 10
    monkeypatch.setattr(tables, "MOST_MB", 0.00001)
    with pytest.raises(UserError, match="larger"):
        read_table(tmp_path / "t.csv")
    with pytest.raises(UserError, match="cannot be read"):
        read_table(tmp_path)


def test_nothing_is_an_empty_table() -> None:
    assert read_table(b"").lines == read_table(b"\xef\xbb\xbf\n").lines == ()
    assert read_table(b"").column("file") is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.5", 1.5),
        ("1,5", 1.5),
        (" 2 ", 2.0),
        ("1.234,5", 1234.5),
        ("1,234.5", 1234.5),
        ("1e-3", 0.001),
        ("-3,25", -3.25),
        ("", None),
        ("nm", None),
        ("nan", None),
        ("inf", None),
        ("1,2,3", None),
        ("9" * 50, None),
    ],
)
def test_numbers_with_point_or_comma(text: str, number: float | None) -> None:
    assert read_number(text) == number


def test_names_of_files_are_compared_whatever_wrote_them() -> None:
    assert same_path("A\\u\u0308.png ") == same_path("./A/\u00fc.png") == "A/\u00fc.png"

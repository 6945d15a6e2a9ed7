"""Small tables that people write in spreadsheets -> lines of cells, whatever the spreadsheet does.

A byte order mark, UTF-16, semicolons, tabs, a first line "sep=;", the code page of an old Windows,
backslashes in names, decimal commas: all of that is read. What is no table is one sentence.
"""

from __future__ import annotations

import contextlib
import csv
import io
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError
from core.imaging.reading.encodings import decode_text

MOST_MB = 5
MOST_LINES = 100_000
LONGEST_CELL = 10_000
_DIVIDERS = "\t;,|"
_LOOKED_AT = 20  # lines, to tell what divides the cells
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")


class UnreadableTable(UserError):
    """A file is no text in columns."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: its number in the file, from 1, and its cells without blanks around."""

    number: int
    cells: tuple[str, ...]

    def cell(self, column: int | None) -> str:
        """Return a cell; "" where the line is too short or there is no such column."""
        return self.cells[column] if column is not None and column < len(self.cells) else ""


@dataclass(frozen=True, slots=True)
class Table:
    """The lines of a table that hold anything. Whether the first is a heading, the caller knows."""

    lines: tuple[Line, ...]

    def column(self, *names: str) -> int | None:
        """Return where a column stands, by the first of its names that the first line holds.

        Capitals, blanks and underscores in a heading make no difference.
        """
        heading = [_plain(cell) for cell in self.lines[0].cells] if self.lines else []
        wanted = (_plain(name) for name in names)
        return next((heading.index(name) for name in wanted if name in heading), None)

    @property
    def body(self) -> tuple[Line, ...]:
        """All lines but the first."""
        return self.lines[1:]


def read_table(source: bytes | Path, what: str = "The table") -> Table:
    """Return the lines of a table as a spreadsheet or a program wrote it.

    Parameters
    ----------
    source : bytes or Path
    what : str
        How a sentence calls it: "The labels".

    Raises
    ------
    UserError
        If it is larger than 5 MB or 100,000 lines, or no text in columns.
    """
    text = _decode(_read(source, what), what)
    divider, text = _stated_divider(text)
    divider = divider or _find_divider(text)
    lines: list[Line] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=divider)
    try:
        for cells in reader:
            if reader.line_num > MOST_LINES:
                raise UserError(
                    f"{what} may have {MOST_LINES:,} lines, there are more. Keep the lines that "
                    "are about these micrographs."
                )
            if any(map(str.strip, cells)):
                lines.append(Line(reader.line_num, tuple(cell.strip() for cell in cells)))
    except csv.Error as error:  # a cell without an end
        raise UnreadableTable(
            f"{what}: line {reader.line_num} cannot be read ({error})."
        ) from error
    return Table(tuple(lines))


def same_path(name: str) -> str:
    """Return a file's name as names are compared: with slashes, composed letters, without "./"."""
    slashed = unicodedata.normalize("NFC", name.strip()).replace("\\", "/")
    return "/".join(part for part in slashed.split("/") if part not in ("", "."))


def read_number(text: str) -> float | None:
    """Return the number that a cell holds, with a decimal point or comma; None when it holds none.

    Where both occur, the last one divides the decimals: 1.234,5 and 1,234.5 are the same.
    """
    text = text.strip().replace("\u00a0", "").replace("\u2212", "-")
    point, comma = text.rfind("."), text.rfind(",")
    if point >= 0 and comma >= 0:
        text = text.replace("," if comma < point else ".", "")
    text = text.replace(",", ".")
    return float(text) if len(text) < 40 and _NUMBER.fullmatch(text) else None


def _read(source: bytes | Path, what: str) -> bytes:
    most = int(MOST_MB * 1_000_000)
    try:
        if isinstance(source, Path):
            with source.open("rb") as stream:
                source = stream.read(most + 1)
    except OSError as error:
        raise UserError(f"{what} cannot be read: {error.strerror}.") from error
    if len(source) > most:
        raise UserError(
            f"{what} may have {MOST_MB} MB, the file is larger. Keep the columns and lines that "
            "are needed."
        )
    return source


def _decode(data: bytes, what: str) -> str:
    """Return the text of a table; refuse what is none."""
    with contextlib.suppress(UnicodeDecodeError):
        text = decode_text(data, "strict").removeprefix("\ufeff")
        if not _CONTROL.search(text):
            return text
    raise UnreadableTable(
        f"{what} cannot be read: it is no text. Save it as CSV in UTF-8, with a heading."
    )


def _stated_divider(text: str) -> tuple[str, str]:
    """Return what a first line like "sep=;" states, and the text without that line."""
    if text[:4].lower() == "sep=" and text[4:5] and text[5:6] in ("", "\r", "\n"):
        return text[4], "\n" + text[5:].removeprefix("\r").removeprefix("\n")
    return "", text


def _find_divider(text: str) -> str:
    """Return what divides cells: what gives the first lines the same number of cells, and most."""
    first = text[: _LOOKED_AT * LONGEST_CELL]
    best, most = ",", (0.0, 1)
    for divider in _DIVIDERS:
        try:
            reader = csv.reader(io.StringIO(first, newline=""), delimiter=divider)
            rows = [row for row, _ in zip(reader, range(_LOOKED_AT), strict=False) if any(row)]
        except csv.Error:
            continue
        width = len(rows[0]) if rows else 1
        alike = sum(len(row) == width for row in rows) / max(1, len(rows))
        if width > 1 and (alike, width) > most:
            best, most = divider, (alike, width)
    return best


def _plain(heading: str) -> str:
    return re.sub(r"[\s_-]+", "_", heading.strip().lower())

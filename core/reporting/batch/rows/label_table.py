"""Which micrograph has which true class, from a table that a person or a batch has written."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from core.errors import UserError
from core.reporting.batch.export import disarm
from core.reporting.batch.rows.naming import match_class

MOST_BYTES = 5_000_000
MOST_LINES = 100_000
DELIMITERS = ",;\t"
_LOOK_AT = 20  # lines that tell the delimiter
_NAMED = 3  # names in a sentence
_LONGEST = 60  # letters of each
_NAME_COLUMNS = ("name", "file", "filename", "file_name", "micrograph", "image")
# What a person stated comes first: in our own results.csv "label" is the network's answer.
_LABEL_COLUMNS = ("true_label", "truth", "label", "class")
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1f]")
_BROKEN = "The labels cannot be read: give a CSV in UTF-8 with the columns name and label."


def read_labels(data: bytes) -> dict[str, str]:
    """Return name -> class from a CSV with a column for the file and one for the class.

    Names may carry folders. The columns are called name (or file, micrograph, image) and, in this
    order, true_label, truth, label or class; without such a heading the first two columns are
    taken. The `results.csv` of a batch is such a table. Files without a class are left out.

    Parameters
    ----------
    data : bytes
        Commas, semicolons or tabs; UTF-8 with or without a mark, UTF-16 with one, or Windows-1252.

    Raises
    ------
    UserError
        If it is longer than 5 MB or 100,000 lines, cannot be read, has fewer than two columns, or
        says two things of one file.
    """
    labels: dict[str, str] = {}
    for name, label in _pairs(read_rows(data)):
        name, label = name.strip().replace("\\", "/"), label.strip()
        if not name or not label:
            continue
        if labels.setdefault(name, label) != label:
            raise UserError(
                f"The labels say of {_brief(name)} that it is {_brief(labels[name])} and that it "
                f"is {_brief(label)}. Keep one of the two."
            )
    return labels


def read_rows(data: bytes) -> Iterator[list[str]]:
    """Yield the rows of a delimited text that are not empty; only one is in memory at a time.

    Raises
    ------
    UserError
        At once when it is too large or no text; while reading when it has too many lines.
    """
    if len(data) > MOST_BYTES:
        raise UserError(
            f"The table of labels is {len(data) / 1e6:.0f} MB; give at most {MOST_BYTES // 10**6} "
            "MB. Two columns are enough: name and label."
        )
    text = _decode(data)
    delimiter = _delimiter(text)
    return _rows(text, delimiter)


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            if reader.line_num > MOST_LINES:
                raise UserError(
                    f"The table of labels has more than {MOST_LINES:,} lines; give fewer."
                )
            if any(row):
                yield row
    except csv.Error as error:
        raise UserError(_BROKEN) from error


def _decode(data: bytes) -> str:
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _BINARY.search(text):
            return text
    raise UserError(_BROKEN)


def _delimiter(text: str) -> str:
    """Return what divides the columns: what gives a known heading, else the most even columns."""
    head = "".join(islice(io.StringIO(text, newline=""), _LOOK_AT))

    def fitness(delimiter: str) -> tuple[bool, int]:
        try:
            lines = io.StringIO(head, newline="")
            rows = [row for row in csv.reader(lines, delimiter=delimiter) if any(row)]
        except csv.Error:
            return False, 0
        return (_columns(rows[0]) is not None, min(map(len, rows))) if rows else (False, 0)

    return max(DELIMITERS, key=fitness)  # of equals the first


def _pairs(rows: Iterator[list[str]]) -> Iterator[tuple[str, str]]:
    """Yield the two cells of each row that count."""
    first = next(rows, None)
    if first is None:
        raise UserError("The labels need two columns: the file's name and its class.")
    columns = _columns(first)
    for row in rows if columns else _put_back(first, rows):
        name, label = columns or (0, 1)
        if columns is None and len(row) < 2:
            raise UserError("The labels need two columns: the file's name and its class.")
        if len(row) > max(name, label):
            yield row[name], row[label]


def _put_back(first: list[str], rows: Iterator[list[str]]) -> Iterator[list[str]]:
    yield first
    yield from rows


def _columns(head: list[str]) -> tuple[int, int] | None:
    """Return where name and class stand; None when the row is no heading."""
    cells = [cell.strip().lower() for cell in head]
    name = next((cells.index(one) for one in _NAME_COLUMNS if one in cells), None)
    label = next((cells.index(one) for one in _LABEL_COLUMNS if one in cells), None)
    return None if name is None or label is None else (name, label)


@dataclass(frozen=True, slots=True)
class Matched:
    """What a table of labels says about the micrographs of a batch.

    Attributes
    ----------
    labels : dict of int to str
        Number of a row to the id of its class.
    strangers : tuple of str
        Names in the table that no micrograph has.
    unknown : tuple of str
        Labels that are no class of the model.
    """

    labels: dict[int, str]
    strangers: tuple[str, ...]
    unknown: tuple[str, ...]

    def sentence(self) -> str:
        """Return what of the table was not used, with up to three names; empty when all was."""
        parts = []
        if self.strangers:
            count = len(self.strangers)
            verb = "is no micrograph" if count == 1 else "are no micrographs"
            parts.append(f"{_count(count, 'name')} in the table {verb} of this batch: ")
            parts[-1] += _some(self.strangers)
        if self.unknown:
            count = len(self.unknown)
            verb = "is no class" if count == 1 else "are no classes"
            parts.append(f"{_count(count, 'label')} {verb} of the model: {_some(self.unknown)}")
        return " ".join(f"{part}." for part in parts)


def match_labels(
    labels: Mapping[str, str], names: Mapping[int, str], classes: Mapping[str, str]
) -> Matched:
    """Return the classes that a table gives to the rows of a batch, and what it says in vain.

    Parameters
    ----------
    labels : mapping
        Name of a micrograph to its class, as `read_labels` gives it.
    names : mapping
        Number of a row to its name.
    classes : mapping
        Id of a class to the words for people.
    """
    found: dict[int, str] = {}
    used: set[str] = set()
    unknown: dict[str, None] = {}
    for number, name in names.items():
        key = find_key(labels, name)
        if key is None:
            continue
        used.add(key)
        known = match_class(labels[key], classes)
        if known:
            found[number] = known
        else:
            unknown[labels[key]] = None
    strangers = tuple(name for name in labels if name not in used)
    return Matched(found, strangers, tuple(unknown))


def find_key(labels: Mapping[str, str], name: str) -> str | None:
    """Return under which name a table speaks of a micrograph; None when it does not.

    With its folders or without them; a table that we have written may have disarmed it.
    """
    bare = name.replace("\\", "/").rsplit("/", 1)[-1]
    keys = (name, name.replace("\\", "/"), str(disarm(name)), bare, str(disarm(bare)))
    return next((key for key in keys if labels.get(key)), None)


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _NAMED} more" if len(listed) > _NAMED else ""
    return ", ".join(map(_brief, listed[:_NAMED])) + more


def _brief(text: str) -> str:
    plain = "".join(c if c.isprintable() else "\ufffd" for c in text)
    return f"“{plain[:_LONGEST]}…”" if len(plain) > _LONGEST else f"“{plain}”"


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"

"""Which micrograph has which true class, from a table that a person or a batch has written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from core.errors import UserError
from core.imaging.reading import Table, UnreadableTable, read_table
from core.reporting.batch.rows.naming import match_class
from core.reporting.batch.rows.tidy.spreadsheet import disarm

_NAMED = 3  # names in a sentence
_LONGEST = 60  # letters of each
_NAME_COLUMNS = ("name", "file", "filename", "file_name", "micrograph", "image")
# What a person stated comes first: in our own results.csv "label" is the network's answer.
_SAMPLE_COLUMNS = ("sample", "specimen", "group")
_LABEL_COLUMNS = ("true_label", "truth", "label", "class")


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
    return _read(data, _LABEL_COLUMNS, "label", "class")


def read_samples(data: bytes) -> dict[str, str]:
    """Return name -> sample from a table with a column for the file and one for its sample.

    As `read_labels`, with a column called sample, specimen or group.
    """
    return _read(data, _SAMPLE_COLUMNS, "sample", "sample")


def _read(data: bytes, columns: tuple[str, ...], what: str, kind: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, said in _pairs(_table(data, what), columns, what, kind):
        name, said = name.strip().replace("\\", "/"), said.strip()
        if not name or not said:
            continue
        if found.setdefault(name, said) != said:
            raise UserError(
                f"The {what}s say of {_brief(name)} that it is {_brief(found[name])} and that it "
                f"is {_brief(said)}. Keep one of the two."
            )
    return found


def _table(data: bytes, what: str) -> Table:
    try:
        return read_table(data, f"The table of {what}s")
    except UnreadableTable as error:
        raise UserError(
            f"The {what}s cannot be read: give a CSV in UTF-8 with the columns name and {what}."
        ) from error


def _pairs(
    table: Table, columns: tuple[str, ...], what: str, kind: str
) -> Iterator[tuple[str, str]]:
    """Yield the two cells of each line that count."""
    wanted = f"The {what}s need two columns: the file's name and its {kind}."
    name, said = table.column(*_NAME_COLUMNS), table.column(*columns)
    headed = name is not None and said is not None
    if (not headed and any(len(line.cells) < 2 for line in table.lines[:1])) or not table.lines:
        raise UserError(wanted)
    for line in table.body if headed else table.lines:
        if not headed and len(line.cells) < 2:
            raise UserError(wanted)
        yield line.cell(name if headed else 0), line.cell(said if headed else 1)


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

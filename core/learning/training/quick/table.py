"""A table of labels, as any spreadsheet writes it -> which file is of which class and group."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError
from core.imaging.reading import read_table, same_path

_FILE = ("file", "name", "filename", "path", "micrograph", "image")
_LABEL = ("label", "class", "true_class", "category", "klasse")
_GROUP = ("group", "specimen", "original", "sample", "series")


@dataclass(frozen=True, slots=True)
class LabelLine:
    """What a table says of one file; `group` is "" where it says nothing."""

    file: str
    label: str
    group: str

    @property
    def name(self) -> str:
        """The file's name without folders."""
        return self.file.rpartition("/")[2]


def read_label_table(source: bytes | Path) -> list[LabelLine]:
    """Return the lines of a table with the columns file and label, and maybe group.

    Lines without a label are left out.

    Raises
    ------
    UserError
        If it is no table, lacks one of the columns, or names a file twice with two labels.
    """
    table = read_table(source, "The table of labels")
    file, label = table.column(*_FILE), table.column(*_LABEL)
    if file is None or label is None:
        raise UserError(
            "The table of labels needs a first line with the names of its columns: “file” and "
            "“label”; “group” may follow."
        )
    group = table.column(*_GROUP)
    found: dict[str, LabelLine] = {}
    for line in table.body:
        name, word = same_path(line.cell(file)), line.cell(label)
        if not name or not word:
            continue
        if name in found and found[name].label != word:
            raise UserError(
                f"The table of labels, line {line.number}: “{name[:120]}” has two labels, "
                f"“{found[name].label[:40]}” and “{word[:40]}”. Keep one."
            )
        found[name] = LabelLine(name, word, line.cell(group))
    if not found:
        raise UserError("The table of labels names no file with a label. Fill in both columns.")
    return list(found.values())

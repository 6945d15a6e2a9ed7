"""Which sample a micrograph shows, and its class: from folder, file name, metadata or a table."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from core.errors import UserError
from core.micrograph import Micrograph

LONGEST = 120
_DIVIDERS = re.compile(r"[\s._-]+")
_NAME_COLUMNS = ("name", "file", "filename", "file_name", "micrograph", "image")
_LABEL_COLUMNS = ("label", "class", "true_label", "truth")


def find_part(where: str, micrograph: Micrograph, path: str) -> str:
    """Return the part of a path or of the metadata that a recipe points at; "" when there is none.

    Parameters
    ----------
    where : str
        As `Recipe.sample_from` describes it.
    micrograph : Micrograph
        For its metadata.
    path : str
        The name with its folders, divided by "/" or "\\\\".
    """
    kind, _, rest = where.partition(":")
    pure = PurePosixPath(path.replace("\\", "/"))
    found: object = ""
    if kind == "metadata":
        found = micrograph.metadata.get(rest, "")
    elif kind == "folder":
        folders = [part for part in pure.parts[:-1] if part not in ("/", "..", ".")]
        found = _pick(folders, -int(rest or 1))
    elif kind == "name":
        parts = [part for part in _DIVIDERS.split(pure.stem) if part]
        found = _pick(parts, int(rest) - 1 if int(rest) > 0 else int(rest))
    return " ".join(str(found).split())[:LONGEST]


def _pick(parts: list[str], index: int) -> str:
    return parts[index] if -len(parts) <= index < len(parts) else ""


def read_labels(data: bytes) -> dict[str, str]:
    """Return name -> class from a CSV with a column for the file and one for the class.

    Names may carry folders. The columns are called name (or file, micrograph, image) and label (or
    class, truth); without such a heading the first two columns are taken.

    Raises
    ------
    UserError
        If the table cannot be read or has fewer than two columns.
    """
    try:
        text = data.decode("utf-8-sig")
        dialect = csv.Sniffer().sniff(text[:4000], ",;\t") if text.strip() else csv.excel
        lines = [line for line in csv.reader(io.StringIO(text), dialect) if any(line)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(
            "The labels cannot be read: give a CSV in UTF-8 with the columns name and label."
        ) from error
    if not lines or any(len(line) < 2 for line in lines):
        raise UserError("The labels need two columns: the file's name and its class.")
    head = [cell.strip().lower() for cell in lines[0]]
    name = next((head.index(one) for one in _NAME_COLUMNS if one in head), None)
    label = next((head.index(one) for one in _LABEL_COLUMNS if one in head), None)
    if name is None or label is None:
        return {line[0].strip(): line[1].strip() for line in lines}
    body = [line for line in lines[1:] if len(line) > max(name, label)]
    return {line[name].strip(): line[label].strip() for line in body}


def match_class(label: str, classes: Mapping[str, str]) -> str:
    """Return the id of the class that a label means, by id or by its words; "" when it is none.

    Parameters
    ----------
    label : str
    classes : mapping
        Id to the words for people.
    """
    wanted = _plain(label)
    for name, title in classes.items():
        if wanted and wanted in (_plain(name), _plain(title)):
            return name
    return ""


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())

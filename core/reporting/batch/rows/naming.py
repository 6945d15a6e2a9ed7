"""Which sample a micrograph shows, and its class: from folder, file name or metadata."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from core.micrograph import Micrograph

LONGEST = 120
_DIVIDERS = re.compile(r"[\s._-]+")


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

"""A folder of labelled micrographs -> pictures with class and group."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError
from core.imaging.reading import read_micrograph
from core.micrograph import Micrograph

LABELS = "labels.csv"


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """One picture to learn from.

    `group` names the original it comes from (specimen, session, article): pictures of one group
    never stand on both sides of a split. `relative` is the path below the folder's parent.
    `pixel_size_nm` is what a person noted about the whole frame, whose file states none.
    """

    micrograph: Micrograph
    label: str
    group: str
    source: str
    licence: str
    relative: str
    pixel_size_nm: float | None = None


def read_labelled_folders(folders: Sequence[Path]) -> list[LabelledPicture]:
    """Return the pictures of `folder/<class>/<file>`, sorted by path.

    A `labels.csv` in a folder or beside it may give, per `file`, its `group`, `source`, `licence`
    and `pixel_size_nm`. Without one each file is its own group; equal files always share theirs.

    Raises
    ------
    UserError
        If a folder is missing or holds fewer than two classes with pictures.
    """
    pictures: list[LabelledPicture] = []
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"There is no folder {folder}. Name one with a sub-folder per class.")
        notes = _read_notes(folder)
        for path in sorted(p for p in folder.glob("*/*") if p.is_file() and p.name[0] != "."):
            relative = f"{folder.name}/{path.parent.name}/{path.name}"
            note = notes.get(relative, {}) or notes.get(f"{path.parent.name}/{path.name}", {})
            micrograph = read_micrograph(path)
            group = note.get("group") or hashlib.sha256(micrograph.pixels.tobytes()).hexdigest()
            pictures.append(
                LabelledPicture(
                    micrograph,
                    path.parent.name,
                    group,
                    note.get("source", ""),
                    note.get("licence", ""),
                    relative,
                    _number(note.get("pixel_size_nm", "")),
                )
            )
    if len({picture.label for picture in pictures}) < 2:
        raise UserError(
            f"{', '.join(map(str, folders))} holds fewer than two classes. Put the micrographs of "
            "each class into a sub-folder with the class's name."
        )
    return pictures


def _number(text: str) -> float | None:
    return float(text) if text else None


def _read_notes(folder: Path) -> dict[str, dict[str, str]]:
    for place in (folder / LABELS, folder.parent / LABELS):
        if place.is_file():
            with place.open(newline="", encoding="utf-8") as lines:
                return {row["file"]: row for row in csv.DictReader(lines) if "file" in row}
    return {}

"""A folder of labelled micrographs -> pictures with class and group."""

from __future__ import annotations

import hashlib
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import UserError
from core.imaging.reading import Line, read_micrograph, read_number, read_table, same_path
from core.learning.models import LONGEST_WORD, is_word
from core.micrograph import Micrograph

LABELS = "labels.csv"
_FILE_COLUMNS = ("file", "name", "filename", "file_name", "path", "micrograph", "image")
_MOST_LOOKED_AT = 10_000  # files, for a hint
_NO_PICTURES = frozenset({"thumbs.db", "desktop.ini", "__macosx"})  # what systems leave behind


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


@dataclass(frozen=True, slots=True)
class _Note:
    """What labels.csv says of one picture."""

    group: str = ""
    source: str = ""
    licence: str = ""
    pixel_size_nm: float | None = None


def read_labelled_folders(folders: Sequence[Path]) -> list[LabelledPicture]:
    """Return the pictures of `folder/<class>/<file>`, sorted by path.

    A `labels.csv` in a folder or beside it may give, per `file`, its `group`, `source`, `licence`
    and `pixel_size_nm`, as any spreadsheet writes it. Without one each file is its own group; equal
    files always share theirs, and so do the groups that equal files are noted in. Hidden folders
    and what operating systems leave in folders are neither classes nor pictures.

    Parameters
    ----------
    folders : sequence of Path
        Each holds a folder per class.

    Returns
    -------
    list of LabelledPicture
        Micrograph, class, group of the original, source and licence of each.

    Raises
    ------
    UserError
        If a folder is missing or holds fewer than two classes with pictures, or labels.csv cannot
        be read or speaks of a picture that is not there.
    """
    paths = [path for folder in folders for path in _list_pictures(folder)]
    _check_names({path.parent.name for path in paths})
    notes: dict[Path, _Note] = {}
    for table in dict.fromkeys(filter(None, map(_find_table, folders))):
        notes |= _read_notes(table, folders, paths)
    pictures = [_read_picture(path, notes.get(path, _Note())) for path in paths]
    if len({picture.label for picture in pictures}) < 2:
        raise UserError(
            f"{', '.join(map(str, folders))} holds fewer than two classes. Put the micrographs of "
            f"each class into a sub-folder with the class's name.{_say_deeper(folders)}"
        )
    return _join_groups(pictures)


def _say_deeper(folders: Sequence[Path]) -> str:
    """Return where folders of pictures lie further down, as a sentence to append; or nothing."""
    for folder in folders:
        for path in itertools.islice(folder.rglob("*"), _MOST_LOOKED_AT):
            place = path.parent.parent
            if path.is_file() and place != folder and folder in place.parents:
                return f" Pictures lie deeper: give {place} if its folders are the classes."
    return ""


def _check_names(classes: Iterable[str]) -> None:
    """Refuse names of classes that no model card can hold, before anything is trained."""
    for name in sorted(classes):
        if not is_word(name):
            shown = "".join(c if c.isprintable() else "\ufffd" for c in name[:60])
            raise UserError(
                f"“{shown}” cannot be the name of a class: rename the folder, with at most "
                f"{LONGEST_WORD} letters and without “|” or control characters."
            )


def _list_pictures(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}. Name one with a sub-folder per class.")
    for path in sorted(folder.glob("*/*")):
        names = path.parent.name, path.name
        left_over = any(name[0] == "." or name.lower() in _NO_PICTURES for name in names)
        if path.is_file() and not left_over:
            yield path


def _read_picture(path: Path, note: _Note) -> LabelledPicture:
    try:
        micrograph = read_micrograph(path)
    except UserError as error:  # which of many files it is must be said
        raise type(error)(f"{path}: {error} Mend it or take it out of the folder.") from error
    return LabelledPicture(
        micrograph,
        path.parent.name,
        note.group or _pixels_digest(micrograph),
        note.source,
        note.licence,
        _relative(path),
        note.pixel_size_nm,
    )


def _relative(path: Path) -> str:
    return f"{path.parent.parent.name}/{path.parent.name}/{path.name}"


def _pixels_digest(micrograph: Micrograph) -> str:
    return hashlib.sha256(micrograph.pixels.tobytes()).hexdigest()


def _join_groups(pictures: Sequence[LabelledPicture]) -> list[LabelledPicture]:
    """Return pictures of which equal ones, and all that share a group with one, are one group."""
    first: dict[str, str] = {}  # a group or a digest of pixels -> the group that it belongs to

    def find(name: str) -> str:
        while first.setdefault(name, name) != name:
            name = first[name]
        return name

    for picture in pictures:
        own, alike = find(picture.group), find(f"pixels {_pixels_digest(picture.micrograph)}")
        first[max(own, alike)] = min(own, alike)
    joined: dict[str, list[str]] = defaultdict(list)
    for picture in pictures:
        joined[find(picture.group)].append(picture.group)
    names = {root: min(groups, key=_plain_first) for root, groups in joined.items()}
    return [replace(picture, group=names[find(picture.group)]) for picture in pictures]


def _plain_first(group: str) -> tuple[int, str]:
    """Sort groups that a person named before digests."""
    return len(group) == 64, group


def _find_table(folder: Path) -> Path | None:
    places = (folder / LABELS, folder.parent / LABELS)
    return next((place for place in places if place.is_file()), None)


def _read_notes(table: Path, folders: Sequence[Path], paths: Sequence[Path]) -> dict[Path, _Note]:
    """Return what a labels.csv says of each picture.

    Raises
    ------
    UserError
        With the line, if it speaks of a picture that is not there, of several, or of one twice.
    """
    read = read_table(table, str(table))
    place = read.column(*_FILE_COLUMNS)
    if place is None:
        raise UserError(
            f"{table} needs a first line with the names of its columns, one of them “file”; "
            "“group”, “source”, “licence” and “pixel_size_nm” may follow."
        )
    columns = {
        "group": read.column("group", "specimen", "original"),
        "source": read.column("source"),
        "licence": read.column("licence", "license"),
        "pixel_size_nm": read.column("pixel_size_nm"),
    }
    known = _index(paths)
    found: dict[Path, _Note] = {}
    for line in read.body:
        path = _match(line, line.cell(place), known, table, folders)
        if path in found:
            raise _wrong(table, line, f"“{line.cell(place)[:120]}” is there for the second time")
        if path is not None:
            found[path] = _note(line, columns, table)
    return found


def _index(paths: Sequence[Path]) -> dict[str, list[Path]]:
    """Return pictures by how a table may name them: folder/class/file, class/file, file."""
    known: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        whole = same_path(_relative(path))
        for name in (whole, whole.partition("/")[2], whole.rpartition("/")[2]):
            known[name].append(path)
    return known


def _match(
    line: Line, name: str, known: dict[str, list[Path]], table: Path, folders: Sequence[Path]
) -> Path | None:
    """Return the picture that a line is about; None for one of a folder that is not trained on."""
    wanted = same_path(name)
    found = known.get(wanted, [])
    own = [path for path in found if table.parent in path.parents]
    if len(own) == 1:
        return own[0]
    if len(found) > 1:
        raise _wrong(table, line, f"“{name[:120]}” names several pictures, write its folder, too")
    first = wanted.partition("/")[0]
    elsewhere = table.parent / first
    given = {folder.resolve() for folder in folders}
    beside = table.parent.resolve() not in given
    if beside and "/" in wanted and elsewhere.is_dir() and elsewhere.resolve() not in given:
        return None
    raise _wrong(table, line, f"there is no picture “{name[:120]}”" if name else "no file is named")


def _note(line: Line, columns: dict[str, int | None], table: Path) -> _Note:
    cells = {name: line.cell(column) for name, column in columns.items()}
    stated = cells["pixel_size_nm"]
    size = read_number(stated)
    if stated and (size is None or not 0 < size < 1e9):
        raise _wrong(table, line, f"the pixel size “{stated[:40]}” is no length in nm")
    return _Note(cells["group"], cells["source"], cells["licence"], size)


def _wrong(table: Path, line: Line, what: str) -> UserError:
    return UserError(f"{table}, line {line.number}: {what}. Correct this line or remove it.")

"""What a person points a batch at -> an ordered list of micrographs to be read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from os import PathLike
from pathlib import Path
from typing import Any

from core.errors import UnreadableMicrograph, UserError
from core.imaging import reading, uploads
from core.imaging.limits import check_file_size
from core.micrograph import Micrograph
from core.reporting.export import MANIFEST, PICTURE_FOLDERS

SUFFIXES = tuple(f".{suffix}" for suffix in reading.SUFFIXES)
GivenSource = str | PathLike[str] | tuple[str, bytes] | Micrograph


@dataclass(frozen=True, slots=True)
class Source:
    """One micrograph still to be read, and what people call it."""

    name: str
    content: Path | uploads.Given | uploads.Refused | Micrograph

    def read(self) -> Micrograph:
        """Return the micrograph.

        Raises
        ------
        UserError
            If it cannot be read.
        """
        if isinstance(self.content, Micrograph):
            return self.content
        if isinstance(self.content, uploads.Given):
            return self.content.read()
        if isinstance(self.content, uploads.Refused):
            raise self.content.error
        return reading.read_micrograph(self.content, self.name)


def list_sources(given: Iterable[GivenSource] | GivenSource) -> list[Source]:
    """Return every micrograph that the sources stand for, in the order given.

    Parameters
    ----------
    given : iterable of Path, (name, bytes) or Micrograph; or one of them
        A folder stands for the images in it and below it, sorted by path. Hidden files and the
        pictures among the results of a batch are passed over. An archive stands for what is in
        it. Files that belong to another one are read together with it.

    Raises
    ------
    UserError
        If there is nothing to read, or a folder holds no image.
    TypeError
        If a source is of another kind.
    """
    sources: list[Source] = []
    for by_name, group in groupby(_as_many(given), key=_is_upload):
        sources += (_unpack if by_name else _expand_all)(group)
    if not sources:
        raise UserError("There is nothing to analyse: add at least one micrograph.")
    return sources


def _expand_all(group: Iterable[object]) -> list[Source]:
    return [source for given in group for source in _expand(given)]


def _unpack(group: Iterable[Any]) -> list[Source]:
    files = [(name, bytes(data)) for name, data in group]
    return [Source(one.name, one) for one in uploads.unpack(files)]


def _as_many(given: Iterable[GivenSource] | GivenSource) -> Iterable[object]:
    single = isinstance(given, str | PathLike | Micrograph) or _is_upload(given)
    return [given] if single else given  # type: ignore[return-value]


def _is_upload(given: object) -> bool:
    return (
        isinstance(given, tuple)
        and len(given) == 2
        and isinstance(given[0], str)
        and isinstance(given[1], bytes | bytearray | memoryview)
    )


def _expand(given: object) -> list[Source]:
    if isinstance(given, Micrograph):
        return [Source(given.name, given)]
    if isinstance(given, str | PathLike):
        return _expand_path(Path(given))
    raise TypeError(f"a source is a path, (name, bytes) or a Micrograph, got {type(given)}")


def _expand_path(path: Path) -> list[Source]:
    """Open archives and folders; what cannot be opened stays, and reading it tells why."""
    try:
        if path.suffix.lower() == ".zip" and path.is_file():
            check_file_size(path.stat().st_size)
            return _unpack([(path.name, path.read_bytes())])
        if path.is_dir():
            return _list_folder(path)
    except (OSError, UnreadableMicrograph):
        pass
    return [Source(path.name, path)]


def _list_folder(folder: Path) -> list[Source]:
    relative = sorted(
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.is_file()
    )
    found = [path for path in relative if _is_given(folder, path)]
    if not found:
        raise UserError(
            f"The folder {folder.name!r} holds no image ({', '.join(SUFFIXES)}). "
            "Choose another folder."
        )
    names = uploads.leave_out_companions([path.as_posix() for path in found])
    return [Source(name, folder / name) for name in names]


def _is_given(folder: Path, relative: Path) -> bool:
    """Tell micrographs from hidden files and from the pictures that an earlier batch left."""
    if any(part.startswith(".") for part in relative.parts):
        return False
    drawn = relative.parent.name in PICTURE_FOLDERS
    return not (drawn and (folder / relative.parent.parent / MANIFEST).is_file())

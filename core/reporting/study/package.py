"""The files of a study, from a ZIP or an unpacked folder; a stranger may have made them.

Counts and sizes are known before anything is unpacked, nothing outside is ever opened, and what
JSON may hold is counted before it is parsed.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from core.errors import UnreadableMicrograph, UserError
from core.imaging.reading import MAX_FILE_MB, archive

MOST_ENTRIES = 10_000
MOST_BYTES = 1_000_000_000  # of a folder
MOST_JSON_BYTES = 8_000_000  # of one text
MOST_JSON_NODES = 400_000  # lists, objects and their items in one text
MOST_DEPTH = 40
NAME = "The study"
_BROKEN = "is damaged or was not made by Micrographia. Choose the file that “Save study” wrote"


@dataclass(frozen=True, slots=True, eq=False)
class Package:
    """Names of the files, and how each is read."""

    readers: Mapping[str, Callable[[], bytes]]

    def read(self, name: str) -> bytes:
        """Return a file's bytes.

        Raises
        ------
        UserError
            If it is not there, or not what the package announces.
        """
        if name not in self.readers:
            raise UserError(f"{NAME} lacks its file {name[:80]!r}: it {_BROKEN}.")
        try:
            return self.readers[name]()
        except UnreadableMicrograph as error:
            raise UserError(f"{NAME} {_BROKEN}.") from error

    def read_json(self, name: str) -> Any:
        """Return what a JSON file holds; its parts are counted first."""
        return parse(self.read(name), name)


def parse(data: bytes, name: str) -> Any:
    """Return a JSON value of bounded size and depth, without NaN and without fields said twice.

    Raises
    ------
    UserError
        If it is none.
    """
    nodes = data.count(b",") + data.count(b"[") + data.count(b"{")
    if len(data) > MOST_JSON_BYTES or nodes > MOST_JSON_NODES:
        raise UserError(f"{NAME} says more in {name[:80]!r} than a study can: it {_BROKEN}.")
    try:
        value = json.loads(
            data.decode(), object_pairs_hook=_distinct, parse_constant=_refuse_constant
        )
        _check_depth(value)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{NAME} holds {name[:80]!r}, which is no sound JSON: it {_BROKEN}.") from (
            error
        )
    return value


def open_package(source: Path | bytes) -> Package:
    """Return the files of a study.

    Parameters
    ----------
    source : Path or bytes
        A ZIP as a file or in memory; or the folder that it was unpacked to.

    Raises
    ------
    UserError
        If it cannot be read, or holds more than a study may.
    """
    if isinstance(source, bytes):
        return _open_zip(source)
    try:
        if source.is_dir():
            return _open_folder(source)
        size = source.stat().st_size
        if size > MAX_FILE_MB * 1_000_000:
            raise UserError(
                f"{NAME} is {size / 1e6:.0f} MB and at most {MAX_FILE_MB} MB are opened: unpack "
                "it and name the folder."
            )
        return _open_zip(source.read_bytes())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise UserError(f"{NAME} cannot be read ({reason}). Check the path.") from error


def _open_zip(data: bytes) -> Package:
    if not archive.is_archive(data):
        raise UserError(f"This is no study: it {_BROKEN}.")
    try:
        entries = archive.open_archive(data, "the study", most_entries=MOST_ENTRIES)
    except UnreadableMicrograph as error:
        raise UserError(f"{NAME} cannot be opened: {error}") from error
    readers: dict[str, Callable[[], bytes]] = {}
    for entry in entries:
        if isinstance(entry, archive.StoreEntry):
            raise UserError(f"This is no study: it holds a zarr store, “{entry.label}”.")
        name = entry.info.filename
        if not _is_inside(name) or name in readers:
            raise UserError(f"{NAME} names a file outside of it, or one twice: it {_BROKEN}.")
        readers[name] = entry.read
    return Package(readers)


def _open_folder(folder: Path) -> Package:
    readers: dict[str, Callable[[], bytes]] = {}
    total = 0
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):  # a link could lead anywhere
            continue
        total += status.st_size
        if len(readers) >= MOST_ENTRIES or total > MOST_BYTES:
            raise UserError(
                f"The folder holds more than {MOST_ENTRIES} files or {MOST_BYTES / 1e6:.0f} MB: "
                "name the folder that the study alone was unpacked to."
            )
        readers[path.relative_to(folder).as_posix()] = path.read_bytes
    return Package(readers)


def _is_inside(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and ".." not in parts and parts[0] != "/" and "\\" not in name


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MOST_DEPTH):
        nested: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                nested.extend(each.values())
            elif isinstance(each, list):
                nested.extend(each)
        if not nested:
            return
        level = nested
    raise ValueError("nested too deeply")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a field occurs twice")
    return values


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")

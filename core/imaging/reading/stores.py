"""A zarr store, such as a .zspy of HyperSpy: many files in a folder, held here as one ZIP.

A store is told by its folder's ending, or by the files in it that describe groups and arrays. It is
packed in memory, its own description first, so that it travels as any other file does.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from core.errors import UnreadableMicrograph
from core.imaging.reading.limits import MAX_FILE_MB

_ENDINGS = (".zspy", ".zarr")
_MARKS = (".zgroup", ".zattrs", ".zmetadata", ".zarray", "zarr.json")
_FIRST = tuple(mark.encode() for mark in _MARKS)
_MOST_FILES = 20_000


def is_store(head: bytes) -> bool:
    """Tell a packed store by its first bytes: a ZIP whose first member describes a group."""
    return head.startswith(b"PK\3\4") and head[30:].startswith(_FIRST)


def is_store_folder(path: Path) -> bool:
    """Tell a folder on the disk that is a store."""
    return any((path / mark).is_file() for mark in (".zgroup", "zarr.json"))


def stores_among(paths: Iterable[str]) -> dict[str, str]:
    """Return of which store each file is a part.

    Parameters
    ----------
    paths : iterable of str
        Names with folders, "/" or "\\\\" between them.

    Returns
    -------
    dict of str to str
        Path to the folder of its store, "" for one without a folder; files of no store are left
        out.
    """
    every = {path: PurePosixPath(path.replace("\\", "/")) for path in paths}
    roots: list[PurePosixPath] = []
    marked = {path.parent for path in every.values() if path.name in _MARKS}
    ended = {
        folder
        for path in every.values()
        for folder in path.parents
        if folder.name.lower().endswith(_ENDINGS)
    }
    for folder in sorted(marked | ended, key=lambda folder: len(folder.parts)):
        if not any(folder.is_relative_to(root) for root in roots):
            roots.append(folder)
    within: dict[str, str] = {}
    for path, parts in every.items():
        root = next((root for root in roots if root in parts.parents), None)
        if root is not None:
            within[path] = "" if root == PurePosixPath() else root.as_posix()
    return within


def pack_store(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Return one file that holds all files of a store.

    Parameters
    ----------
    files : iterable of (str, bytes)
        Names from the store's folder on.

    Raises
    ------
    UnreadableMicrograph
        If they are too many or too large together.
    """
    held: dict[str, bytes] = {}
    total = 0
    for name, data in files:
        held[name] = data
        total += len(data)
        if total > MAX_FILE_MB * 1_000_000 or len(held) > _MOST_FILES:
            raise UnreadableMicrograph(
                f"The zarr store holds more than {MAX_FILE_MB} MB or {_MOST_FILES:,} files; save "
                "the picture alone, or export it as TIFF."
            )
    first = sorted(held, key=lambda name: (name not in _MARKS, name))
    if not first or first[0] not in _MARKS:
        raise UnreadableMicrograph(
            "The zarr store lacks the file that describes it (.zgroup); give the whole folder."
        )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        for name in first:
            packed.writestr(zipfile.ZipInfo(name), held[name])  # without a time: the same bytes
    return stream.getvalue()


def pack_store_folder(folder: Path) -> bytes:
    """Return one file that holds a store on the disk; links are not followed."""
    return pack_store(
        (path.relative_to(folder).as_posix(), path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    )

"""What a person gives at once: files, a folder or archives -> the micrographs among them.

Some instruments write a picture in several files. Those that only belong to another one travel
with it and are not micrographs of their own. Names are labels: none is ever used as a path.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from core.errors import UserError
from core.imaging.reading.archive import Entry, StoreEntry, is_archive, open_archive
from core.imaging.reading.companions import (
    beside,
    is_companion,
    keys_of,
    leave_out_companions,
)
from core.imaging.reading.opening import frame_labels, read_micrograph
from core.imaging.reading.stores import pack_store, stores_among
from core.micrograph import Micrograph

__all__ = [
    "Given",
    "Refused",
    "count",
    "is_companion",
    "leave_out_companions",
    "open_entries",
    "unpack",
]


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """One file to be read as a micrograph, with the files that belong to it.

    `name` is a label for people, `path` its name in its folder, by which others belong to it; the
    label where it is left empty.
    """

    name: str
    data: bytes
    companions: Mapping[str, bytes]
    path: str = ""

    def read(self, frame: int = 0) -> Micrograph:
        """Return one of its frames; raises UserError as `read_micrograph` does."""
        known = self.path or self.name
        found = read_micrograph(self.data, known, frame=frame, companions=self.companions)
        return found if found.name == self.name else replace(found, name=self.name)

    def labels(self) -> list[str]:
        """Return a name for each of its frames."""
        return frame_labels(self.data, self.path or self.name, companions=self.companions)

    @property
    def bytes_held(self) -> int:
        """How much memory it takes."""
        return len(self.data) + sum(map(len, self.companions.values()))


@dataclass(frozen=True, slots=True)
class Refused:
    """A file, most often an archive, that could not even be opened."""

    name: str
    error: UserError


def unpack(files: Sequence[tuple[str, bytes]]) -> Iterator[Given | Refused]:
    """Yield the micrographs among files, opening archives one entry at a time.

    Parameters
    ----------
    files : sequence of (name, bytes)
        Names may hold folders, as those of a dropped folder do; hidden files are left out.

    Yields
    ------
    Given or Refused
        In the order given. An archive that is refused half-way has yielded what came before.
    """
    within = stores_among(name for name, _ in files)
    for root in dict.fromkeys(within.values()):
        yield _store(root, [file for file in files if within.get(file[0]) == root])
    files = [file for file in files if file[0] not in within]
    plain = [(name, data) for name, data in files if not is_archive(data) and not _hidden(name)]
    companions = {name: data for name, data in plain if is_companion(name)}
    ours = set(leave_out_companions([name for name, _ in plain]))
    for name, data in files:
        if is_archive(data):
            yield from _opened(name, data)
        elif name in ours:
            yield Given(name, data, beside(name, companions))


def count(files: Sequence[tuple[str, bytes]]) -> int:
    """Return how many items `unpack` will yield at most, for a progress bar; unpacks nothing."""
    total = 0
    for name, data in files:
        try:
            total += len(open_archive(data, name)) if is_archive(data) else 1
        except UserError:
            total += 1
    return total


def open_entries(data: bytes, name: str) -> list[tuple[Entry | StoreEntry, dict[str, bytes]]]:
    """Return the micrographs in an archive, unread, with the files that belong to each.

    Raises
    ------
    UnreadableMicrograph
        As `open_archive` does, and when a file that belongs to another one cannot be unpacked.
    """
    entries = open_archive(data, name)
    kept = set(leave_out_companions([entry.path for entry in entries]))
    wanted = {other for path in kept for other in keys_of(path)}
    held = {
        entry.path: entry.read()
        for entry in entries
        if is_companion(entry.path) and entry.path.lower() in wanted
    }
    return [(entry, beside(entry.path, held)) for entry in entries if entry.path in kept]


def _store(root: str, files: Sequence[tuple[str, bytes]]) -> Given | Refused:
    """Return a dropped folder that is a zarr store as one file."""
    name = PurePosixPath(root).name or "store.zspy"
    parts = [(PurePosixPath(path.replace("\\", "/")), data) for path, data in files]
    try:
        packed = pack_store((path.relative_to(root).as_posix(), data) for path, data in parts)
    except UserError as error:
        return Refused(name, error)
    return Given(name, packed, {}, root)


def _opened(name: str, data: bytes) -> Iterator[Given | Refused]:
    """Yield what is in an archive; only files that belong to others are held in memory."""
    try:
        for entry, companions in open_entries(data, name):
            yield Given(entry.label, entry.read(), companions, entry.path)
    except UserError as error:
        yield Refused(name, error)


def _hidden(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return any(part.startswith(".") and part.strip(".") for part in parts)

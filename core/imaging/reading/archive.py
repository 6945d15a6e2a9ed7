"""A ZIP of micrographs, unpacked in memory: names are labels, and bombs are refused."""

from __future__ import annotations

import io
import logging
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from core.errors import UnreadableMicrograph
from core.imaging.reading.limits import (
    MAX_ARCHIVE_ENTRIES,
    MAX_ARCHIVE_MB,
    MAX_ARCHIVE_RATIO,
    MAX_FILE_MB,
    check_file_size,
)
from core.imaging.reading.stores import is_store, pack_store, stores_among

_MAGIC = (b"PK\3\4", b"PK\5\6")
_PANTA_RHEI = (b"data.npy", b"meta_data", b"file_format", b"data_model")
_DIRECTORY_BYTES = 4096  # of so few members
_END, _END_64, _ENTRY = b"PK\5\6", b"PK\6\6", b"PK\1\2"
_END_BYTES = 22 + 65_535 + 100
_MAX_DIRECTORY_BYTES = 3_000_000  # 2000 entries with long names
_ENTRY_BYTES = 150  # of a directory, for a name of usual length
_SUSPICIOUS_FROM_BYTES = 50_000_000  # below, a high ratio does no harm
_BROKEN = "The archive is cut short or damaged; pack or upload it again."

_log = logging.getLogger(__name__)


def is_archive(data: bytes) -> bool:
    """Tell a ZIP by its first bytes; a picture that is packed like one is none."""
    if not data.startswith(_MAGIC):
        return False
    if is_store(data[:256]):
        return False
    return not (is_panta_rhei(data[:256]) and b"meta_data" in data[-_DIRECTORY_BYTES:])


def is_panta_rhei(head: bytes) -> bool:
    """Tell a .prz of CEOS: a ZIP whose first member is one of its arrays."""
    return head.startswith(_MAGIC[0]) and head[30:].startswith(_PANTA_RHEI)


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One file in an archive, unpacked only when it is read; threads may read at once.

    `label` is its file name, `folder` where it lies in the archive: words for people, not paths.
    """

    label: str
    folder: str
    archive: zipfile.ZipFile
    info: zipfile.ZipInfo

    @property
    def path(self) -> str:
        """Its own name with its folders, by which files beside it are told; never opened."""
        return f"{self.folder}/{_file_name(self.info)}".lstrip("/")

    @property
    def stamp(self) -> str:
        """What changes when its bytes do, without unpacking them."""
        return f"{self.info.file_size} {self.info.CRC:08x}"

    def read(self) -> bytes:
        """Return its bytes; raises UnreadableMicrograph when the archive lied about them."""
        return _unpack(self.archive, self.info)


@dataclass(frozen=True, slots=True, eq=False)
class StoreEntry:
    """A zarr store in an archive: a folder that is read as one file."""

    label: str
    path: str
    archive: zipfile.ZipFile
    parts: tuple[tuple[str, zipfile.ZipInfo], ...]

    @property
    def stamp(self) -> str:
        """What changes when its bytes do, without unpacking them."""
        return " ".join(f"{name} {info.file_size} {info.CRC:08x}" for name, info in self.parts)

    def read(self) -> bytes:
        """Return it as one file; raises UnreadableMicrograph as `pack_store` does."""
        return pack_store((name, _unpack(self.archive, info)) for name, info in self.parts)


def open_archive(
    data: bytes, name: str = "archive", *, most_entries: int = MAX_ARCHIVE_ENTRIES
) -> list[Entry | StoreEntry]:
    """Return what `read_archive` yields, unread; parameters and errors are the same."""
    check_file_size(len(data))
    _check_count(data, name, most_entries)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except Exception as error:
        raise UnreadableMicrograph(_BROKEN) from error
    within = stores_among(entry.filename for entry in archive.infolist() if not entry.is_dir())
    entries = [e for e in archive.infolist() if e.filename in within or _is_wanted(e)]
    _check(entries, len(data), name, most_entries)
    labels: dict[str, int] = {}
    plain = [entry for entry in entries if entry.filename not in within]
    return [
        *_stores(archive, entries, within, name, labels),
        *(Entry(_label(_file_name(e), labels), _folder(e), archive, e) for e in plain),
    ]


def _stores(
    archive: zipfile.ZipFile,
    entries: list[zipfile.ZipInfo],
    within: dict[str, str],
    name: str,
    labels: dict[str, int],
) -> list[StoreEntry]:
    """Return the zarr stores of an archive; one without a folder has the archive's name."""
    parts: dict[str, list[tuple[str, zipfile.ZipInfo]]] = {}
    for entry in entries:
        root = within.get(entry.filename)
        if root is not None:
            own = PurePosixPath(entry.filename.replace("\\", "/")).relative_to(root).as_posix()
            parts.setdefault(root, []).append((own, entry))
    return [
        StoreEntry(
            _label(PurePosixPath(root).name or name, labels), root or name, archive, tuple(p)
        )
        for root, p in parts.items()
    ]


def read_archive(data: bytes, name: str = "archive") -> Iterator[tuple[str, bytes]]:
    """Yield the files in a ZIP, one after the other, as (label, bytes).

    Folders, hidden files and what macOS adds are left out; archives in the archive come as they
    are and are not opened. Labels are file names without folders, the same name twice gets a
    number; they never name a place on the disk.

    Parameters
    ----------
    data : bytes
        The whole archive.
    name : str
        For the sentences about it.

    Yields
    ------
    (str, bytes)

    Raises
    ------
    UnreadableMicrograph
        Before anything is unpacked, if the archive is damaged or encrypted, or announces more
        than the limits of `core.imaging.reading.limits`; while unpacking, if it lied.
    """
    for entry in open_archive(data, name):
        yield entry.label, entry.read()


def _check_count(data: bytes, name: str, most_entries: int) -> None:
    """Refuse a directory that is too long before it is parsed: a million entries take 35 s.

    The count stands in the end record, 22 bytes and a comment of at most 65,535 from the end, and
    for long directories in ZIP64's. What is stated there can be a lie, so that the directory's own
    size counts, too: an entry takes 46 bytes at least.
    """
    tail = data[-_END_BYTES:]
    at = tail.rfind(_END)
    if at < 0 or at + 22 > len(tail):
        raise UnreadableMicrograph(_BROKEN)
    count = int.from_bytes(tail[at + 10 : at + 12], "little")
    size = int.from_bytes(tail[at + 12 : at + 16], "little")
    wide = tail.rfind(_END_64, 0, at)
    if wide >= 0 and wide + 56 <= len(tail):
        count = max(count, int.from_bytes(tail[wide + 32 : wide + 40], "little"))
        size = max(size, int.from_bytes(tail[wide + 40 : wide + 48], "little"))
    if count > most_entries:
        raise UnreadableMicrograph(
            f"“{name}” holds {count} files; give at most {most_entries} at once."
        )
    most_bytes = max(_MAX_DIRECTORY_BYTES, most_entries * _ENTRY_BYTES)
    if data.count(_ENTRY) > 2 * most_entries or size > most_bytes:
        raise UnreadableMicrograph(
            f"“{name}” holds more files than it says; give at most {most_entries} at once."
        )


def _is_wanted(entry: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
    named = [part for part in parts if part not in (".", "..")]
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in named)
    return bool(parts) and not entry.is_dir() and not hidden


def _check(entries: list[zipfile.ZipInfo], packed_bytes: int, name: str, most_entries: int) -> None:
    """Refuse what the directory of the archive announces, before anything is unpacked."""
    total = sum(entry.file_size for entry in entries)
    if not entries:
        raise UnreadableMicrograph(f"There are no files in “{name}”; pack micrographs into it.")
    if len(entries) > most_entries:
        raise UnreadableMicrograph(
            f"“{name}” holds {len(entries)} files; give at most {most_entries} at once."
        )
    if total > MAX_ARCHIVE_MB * 1_000_000:
        raise UnreadableMicrograph(
            f"“{name}” is {total / 1e6:.0f} MB unpacked; give at most {MAX_ARCHIVE_MB} MB at once."
        )
    if total > _SUSPICIOUS_FROM_BYTES and total > MAX_ARCHIVE_RATIO * packed_bytes:
        raise UnreadableMicrograph(
            f"“{name}” unpacks to {total / packed_bytes:.0f} times its size, which no micrographs "
            "do; give the files without the archive."
        )
    for entry in entries:
        if entry.file_size > MAX_FILE_MB * 1_000_000:
            raise UnreadableMicrograph(
                f"A file in “{name}” is {entry.file_size / 1e6:.0f} MB; crop it or export it below "
                f"{MAX_FILE_MB} MB."
            )
        if entry.flag_bits & 1:
            raise UnreadableMicrograph(f"“{name}” is encrypted; pack it without a password.")


def _label(name: str, seen: dict[str, int]) -> str:
    """Return a file's name; "name (2).png" where an earlier one has that name.

    `seen` holds the last number that a name got, so that many alike take no longer than others.
    """
    label, number = name, seen.get(name, 1)
    while label in seen:
        number += 1
        plain = PurePosixPath(name)
        label = f"{plain.stem} ({number}){plain.suffix}"
    seen[name] = number
    seen.setdefault(label, 1)
    return label


def _file_name(entry: zipfile.ZipInfo) -> str:
    return PurePosixPath(entry.filename.replace("\\", "/")).name


def _folder(entry: zipfile.ZipInfo) -> str:
    parts = PurePosixPath(entry.filename.replace("\\", "/")).parts[:-1]
    return "/".join(part for part in parts if part not in ("/", ".", ".."))


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Return an entry's bytes; not one more than it announced."""
    try:
        with archive.open(entry) as stream:
            content = stream.read(entry.file_size + 1)
            lied = len(content) != entry.file_size
    except Exception as error:
        _log.info("an entry could not be unpacked", exc_info=error)
        raise UnreadableMicrograph(_BROKEN) from error
    if lied:
        raise UnreadableMicrograph(_BROKEN)
    return content

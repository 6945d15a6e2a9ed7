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

    def read(self) -> bytes:
        """Return its bytes; raises UnreadableMicrograph when the archive lied about them."""
        return _unpack(self.archive, self.info)


def open_archive(
    data: bytes, name: str = "archive", *, most_entries: int = MAX_ARCHIVE_ENTRIES
) -> list[Entry]:
    """Return what `read_archive` yields, unread; parameters and errors are the same."""
    check_file_size(len(data))
    _check_count(data, name, most_entries)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except Exception as error:
        raise UnreadableMicrograph(_BROKEN) from error
    _refuse_zarr([entry.filename for entry in archive.infolist()], name)
    entries = [entry for entry in archive.infolist() if _is_wanted(entry)]
    _check(entries, len(data), name, most_entries)
    labels: dict[str, int] = {}
    return [Entry(_label(entry, labels), _folder(entry), archive, entry) for entry in entries]


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


def zarr_store(path: str) -> str | None:
    """Return the name of the zarr store, such as a .zspy of HyperSpy, that a file is part of.

    Told by the folder's ending or by the files that describe its arrays; None for other files.
    """
    parts = PurePosixPath(path.replace("\\", "/")).parts
    for part in parts[:-1]:
        if part.lower().endswith((".zspy", ".zarr")):
            return part
    if parts and parts[-1] in (".zgroup", ".zarray", ".zmetadata", "zarr.json"):
        return parts[0] if len(parts) > 1 else ""
    return None


def zarr_refusal(store: str) -> UnreadableMicrograph:
    """Return why a zarr store is not opened, and what to give instead."""
    return UnreadableMicrograph(
        f"“{store}” is or holds a zarr store (such as HyperSpy's .zspy), which is not read here; "
        "save it as .hspy, or export its picture as TIFF."
    )


def _refuse_zarr(paths: list[str], name: str) -> None:
    """Refuse a ZIP with a store: its chunks would be offered as so many damaged pictures."""
    if any(zarr_store(path) is not None for path in paths):
        raise zarr_refusal(name)


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


def _label(entry: zipfile.ZipInfo, seen: dict[str, int]) -> str:
    """Return its file name; "name (2).png" where an earlier one has that name.

    `seen` holds the last number that a name got, so that many alike take no longer than others.
    """
    name = _file_name(entry)
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

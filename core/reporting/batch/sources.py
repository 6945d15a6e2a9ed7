"""What a person points a batch at -> an ordered list of micrographs to be read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import Any

from core.errors import UnreadableMicrograph, UserError
from core.imaging.reading import (
    archive,
    check_file_size,
    is_store_folder,
    opening,
    pack_store_folder,
    uploads,
)
from core.micrograph import Micrograph
from core.reporting.batch.export import MANIFEST
from core.reporting.batch.journal import FILE, FOLDER, OURS, PICTURE_FOLDERS

SUFFIXES = tuple(f".{suffix}" for suffix in opening.SUFFIXES)
IsWritten = Callable[[Path], bool]


@dataclass(frozen=True, slots=True, eq=False)
class Later:
    """A micrograph of known digest that is fetched when its turn comes.

    `state` is what changes when what is fetched does, as `Source.stamp` wants it.
    """

    name: str
    sha256: str
    state: str
    fetch: Callable[[], Micrograph]


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """One file in an archive, unpacked when it is read, with the files that belong to it."""

    entry: archive.Entry | archive.StoreEntry
    companions: dict[str, bytes]

    def unpacked(self) -> uploads.Given:
        """Return it with its bytes."""
        entry = self.entry
        return uploads.Given(entry.label, entry.read(), self.companions, entry.path)


Content = Path | uploads.Given | uploads.Refused | Packed | Micrograph | Later


@dataclass(frozen=True, slots=True)
class Source:
    """One micrograph still to be read, what people call it, and where it lies."""

    name: str
    content: Content

    def read(self) -> Micrograph:
        """Return the micrograph.

        Raises
        ------
        UserError
            If it cannot be read.
        """
        if isinstance(self.content, Micrograph):
            return self.content
        if isinstance(self.content, Later):
            return self.content.fetch()
        if isinstance(self.content, Packed):
            return self.content.unpacked().read()
        if isinstance(self.content, uploads.Given):
            return self.content.read()
        if isinstance(self.content, uploads.Refused):
            raise self.content.error
        return opening.read_micrograph(self.content, self.name)

    @property
    def path(self) -> str:
        """Name with its folders, as far as they are known; for words, never to open anything."""
        if isinstance(self.content, Path):
            return self.content.absolute().as_posix()
        if isinstance(self.content, Packed):
            return self.content.entry.path
        return self.name

    def stamp(self) -> str:
        """Return what changes when the content does: of a file size and time, else a digest.

        Files that belong to it count, too: they may state its pixel size. So does all that a
        person has set by hand.
        """
        content = self.content
        if isinstance(content, Path):
            return " ".join([_stat(content), *_stats_beside(content)])
        if isinstance(content, Micrograph):
            return _sha256(content.key.encode(errors="replace"))
        if isinstance(content, Later):
            return _sha256(content.state.encode(errors="replace"))
        if isinstance(content, Packed):
            return content.entry.stamp + _digests(content.companions)
        if isinstance(content, uploads.Refused):
            return str(content.error)
        return hashlib.sha256(content.data).hexdigest() + _digests(content.companions)

    def digest(self) -> str:
        """Return the SHA-256 that a recipe names it by, without decoding it; "" when unreadable."""
        content = self.content
        try:
            if isinstance(content, Micrograph | Later):
                return content.sha256
            if isinstance(content, Path) and is_store_folder(content):
                return _sha256(pack_store_folder(content))
            if isinstance(content, Path):
                with content.open("rb") as stream:
                    return hashlib.file_digest(stream, "sha256").hexdigest()
            if isinstance(content, Packed):
                return hashlib.sha256(content.entry.read()).hexdigest()
        except (OSError, ValueError, UserError):
            return ""
        return "" if isinstance(content, uploads.Refused) else _sha256(content.data)

    def portable(self) -> Source:
        """Return a source that can be sent to another process."""
        if not isinstance(self.content, Packed | Later):
            return self
        try:
            if isinstance(self.content, Later):
                return Source(self.name, self.content.fetch())
            return Source(self.name, self.content.unpacked())
        except UserError as error:
            return Source(self.name, uploads.Refused(self.name, error))


GivenSource = str | PathLike[str] | tuple[str, bytes] | Micrograph | Later | Source


def _stat(path: Path) -> str:
    try:
        if is_store_folder(path):
            return " ".join(_stat(each) for each in sorted(path.rglob("*")) if each.is_file())
        stat = path.stat()
        return f"{stat.st_size} {stat.st_mtime_ns}"
    except (OSError, ValueError):
        return "missing"


def _stats_beside(path: Path) -> Iterator[str]:
    """Yield a stamp for each file that `read_micrograph` may read together with this one."""
    for other in opening.paths_beside(path):
        stat = _stat(other)
        if stat != "missing":
            yield f"{other.name} {stat}"


def _digests(companions: Mapping[str, bytes]) -> str:
    """Return names and digests of the files that belong to another one; "" for none."""
    return "".join(f" {name} {_sha256(data)}" for name, data in sorted(companions.items()))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def list_sources(
    given: Iterable[GivenSource] | GivenSource, *, is_written: IsWritten | None = None
) -> list[Source]:
    """Return every micrograph that the sources stand for, in the order given.

    Parameters
    ----------
    given : iterable of Path, (name, bytes) or Micrograph; or one of them
        A folder stands for the images in it and below it, sorted by path. Hidden files and the
        pictures among the results of a batch, finished or not, are passed over. An archive stands
        for what is in it, and is unpacked entry by entry. Files that belong to another one are
        read together with it.
    is_written : callable, optional
        Tells of a file in a given folder whether it is what this work writes there: results are
        no micrographs, whether or not they exist yet.

    Raises
    ------
    UserError
        If there is nothing to read, or a folder holds no image.
    TypeError
        If a source is of another kind.
    """
    sources: list[Source] = []
    for by_name, group in groupby(_as_many(given), key=_is_upload):
        several = list(group)
        sources += _unpack(several) if by_name else _expand_all(several, is_written)
    if not sources:
        raise UserError("There is nothing to analyse: add at least one micrograph.")
    return sources


def _expand_all(group: Iterable[object], is_written: IsWritten | None) -> list[Source]:
    return [source for given in group for source in _expand(given, is_written)]


def _unpack(group: Iterable[Any]) -> list[Source]:
    """Return the uploads' micrographs in their order; those next to each other belong together."""
    files = [(name, bytes(data)) for name, data in group]
    sources: list[Source] = []
    for packed, part in groupby(files, key=lambda file: archive.is_archive(file[1])):
        if packed:
            sources += [source for name, data in part for source in _open(name, data)]
        else:
            sources += [Source(one.name, one) for one in uploads.unpack(list(part))]
    return sources


def _open(name: str, data: bytes) -> Iterator[Source]:
    try:
        entries = uploads.open_entries(data, name)
    except UserError as error:
        yield Source(name, uploads.Refused(name, error))
        return
    paths = {entry.path for entry, _ in entries}
    for entry, companions in entries:
        if not _is_drawn(PurePosixPath(entry.path), paths):
            yield Source(entry.label, Packed(entry, companions))


def _is_drawn(place: PurePosixPath, paths: Container[str]) -> bool:
    """Tell the pictures of a report that was packed together with micrographs."""
    is_ours = OURS.fullmatch("/".join(place.parts[-2:])) is not None
    return is_ours and (place.parent.parent / MANIFEST).as_posix() in paths


def _as_many(given: Iterable[GivenSource] | GivenSource) -> Iterable[object]:
    single = isinstance(given, str | PathLike | Micrograph | Later | Source) or _is_upload(given)
    return [given] if single else given  # type: ignore[return-value]


def _is_upload(given: object) -> bool:
    return (
        isinstance(given, tuple)
        and len(given) == 2
        and isinstance(given[0], str)
        and isinstance(given[1], bytes | bytearray | memoryview)
    )


def _expand(given: object, is_written: IsWritten | None) -> list[Source]:
    if isinstance(given, Source):
        return [given]
    if isinstance(given, Micrograph | Later):
        return [Source(given.name, given)]
    if isinstance(given, str | PathLike):
        return _expand_path(Path(given), is_written)
    raise TypeError(f"a source is a path, (name, bytes) or a Micrograph, got {type(given)}")


def _expand_path(path: Path, is_written: IsWritten | None) -> list[Source]:
    """Open archives and folders; what cannot be opened stays, and reading it tells why."""
    try:
        if path.suffix.lower() == ".zip" and path.is_file():
            check_file_size(path.stat().st_size)
            return _unpack([(path.name, path.read_bytes())])
        if path.is_dir() and not is_store_folder(path):
            return _list_folder(path, is_written)
    except (OSError, UnreadableMicrograph):
        pass
    return [Source(path.name, path)]


def _list_folder(folder: Path, is_written: IsWritten | None) -> list[Source]:
    relative = sorted(
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and (path.is_file() or is_store_folder(path))
    )
    stores = {path for path in relative if (folder / path).is_dir()}
    found = [
        path
        for path in relative
        if _is_given(folder, path)
        and stores.isdisjoint(path.parents)
        and not (is_written and is_written(folder / path))
    ]
    if not found:
        raise UserError(
            f"The folder {folder.name!r} holds no image ({', '.join(SUFFIXES)}). "
            "Choose another folder."
        )
    names = uploads.leave_out_companions([path.as_posix() for path in found])
    return [Source(name, folder / name) for name in names]


def _is_given(folder: Path, relative: Path) -> bool:
    """Tell micrographs from hidden files and from the pictures that an earlier batch left.

    A finished batch has a manifest; one that is at work, was stopped or killed has its journal.
    """
    if any(part.startswith(".") for part in relative.parts):
        return False
    if relative.parent.name not in PICTURE_FOLDERS:
        return True
    out = folder / relative.parent.parent
    if (out / MANIFEST).is_file():
        return False
    is_ours = OURS.fullmatch(f"{relative.parent.name}/{relative.name}") is not None
    return not (is_ours and (out / FOLDER / FILE).is_file())


def written_by_batch(out: Path) -> IsWritten:
    """Return a function that tells whether a path is that of a picture a batch writes to `out`."""
    try:
        own = out.resolve()
    except (OSError, RuntimeError):
        own = out.absolute()

    def is_written(path: Path) -> bool:
        named = f"{path.parent.name}/{path.name}"
        return bool(OURS.fullmatch(named)) and path.parent.parent.resolve() == own

    return is_written

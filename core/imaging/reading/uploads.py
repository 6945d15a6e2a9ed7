"""What a person gives at once: files, a folder or archives -> the micrographs among them.

Some instruments write a picture in several files. Those that only belong to another one travel
with it and are not micrographs of their own. Names are labels: none is ever used as a path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from core.errors import UserError
from core.imaging.reading.archive import is_archive, read_archive
from core.imaging.reading.opening import COMPANION_SUFFIXES, frame_labels, read_micrograph
from core.micrograph import Micrograph

_SERIES = re.compile(r"^(.*)_[1-9]\.ser$")


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """One file to be read as a micrograph, with the files that belong to it."""

    name: str
    data: bytes
    companions: Mapping[str, bytes]

    def read(self, frame: int = 0) -> Micrograph:
        """Return one of its frames; raises UserError as `read_micrograph` does."""
        return read_micrograph(self.data, self.name, frame=frame, companions=self.companions)

    def labels(self) -> list[str]:
        """Return a name for each of its frames."""
        return frame_labels(self.data, self.name, companions=self.companions)

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
    plain = [(name, data) for name, data in files if not is_archive(data) and not _hidden(name)]
    companions = _companions(plain)
    ours = set(leave_out_companions([name for name, _ in plain]))
    for name, data in files:
        if is_archive(data):
            yield from _opened(name, data)
        elif name in ours:
            yield Given(name, data, _beside(name, companions))


def is_companion(name: str) -> bool:
    """Tell by its ending whether a file can belong to another one."""
    return _ends(name, *COMPANION_SUFFIXES)


def companions_of(
    readers: Mapping[str, Callable[[], bytes]],
) -> Callable[[str], dict[str, bytes]]:
    """Return a function of a name that gives the files belonging to it; reads all of them now."""
    companions = {name: read() for name, read in readers.items()}
    return lambda name: _beside(name, companions)


def count(files: Sequence[tuple[str, bytes]]) -> int:
    """Return how many items `unpack` will yield at most, for a progress bar; opens archives."""
    total = 0
    for name, data in files:
        try:
            total += sum(1 for _ in read_archive(data, name)) if is_archive(data) else 1
        except UserError:
            total += 1
    return total


def leave_out_companions(names: Sequence[str]) -> list[str]:
    """Return the names without those that only belong to another one.

    That is the .emi of a .ser that is there too, and the .txt of a picture of the same name.
    """
    stems = {_stem(name) for name in names if not _ends(name, "txt")}
    series = {match[1] for name in names if (match := _SERIES.match(name.lower()))}
    return [
        name
        for name in names
        if not (_ends(name, "emi") and _stem(name) in series)
        and not (_ends(name, "txt") and _stem(name) in stems)
    ]


def _opened(name: str, data: bytes) -> Iterator[Given | Refused]:
    """Yield what is in an archive; two passes, so that only companions are held in memory."""
    try:
        labels: list[str] = []
        companions: dict[str, bytes] = {}
        for label, content in read_archive(data, name):
            labels.append(label)
            companions |= _companions([(label, content)])
        ours = set(leave_out_companions(labels))
        for label, content in read_archive(data, name):
            if label in ours:
                yield Given(label, content, _beside(label, companions))
    except UserError as error:
        yield Refused(name, error)


def _companions(files: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
    return {name: data for name, data in files if _ends(name, *COMPANION_SUFFIXES)}


def _beside(name: str, companions: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the companions in the same folder whose name starts alike."""
    series = _SERIES.match(name.lower())
    stem = series[1] if series else _stem(name)
    return {
        other: data
        for other, data in companions.items()
        if other != name and other.lower().startswith(stem)
    }


def _stem(name: str) -> str:
    """Return a name with its folders but without its ending, in small letters."""
    return name.lower().removesuffix(PurePosixPath(name).suffix.lower())


def _ends(name: str, *suffixes: str) -> bool:
    return PurePosixPath(name).suffix.lower().lstrip(".") in suffixes


def _hidden(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return any(part.startswith(".") and part.strip(".") for part in parts)

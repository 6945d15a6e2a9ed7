"""The two forms that `torch.save` writes: an archive, and pickles with numbers behind them.

Each gives the content of its pickle and a function that reads one piece of numbers, whose size is
the one that the pickle states.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from core.errors import UnusableModel
from core.learning.models.foreign.limits import CUT_SHORT, EXPORT, check_size
from core.learning.models.foreign.pickles import (
    DamagedError,
    Storage,
    StoredTensor,
    read_pickles,
)

MAX_PICKLE_MB = 8  # of the values beside the numbers; 20,000 tensors need 4
MAX_DIRECTORY_MB = 4  # of an archive: 60,000 pieces
_DIRECTORY_SIZE = 5  # where the end of an archive states it
ReadPiece = Callable[[Storage], bytearray]


def check_archive(path: Path) -> None:
    """Refuse what the directory of an archive tells, before anything of it is read.

    Raises
    ------
    UnusableModel
        If it is damaged or large, holds no weights, or a program.
    """
    try:
        with path.open("rb") as stream:  # as zipfile finds it; it reads all of it at once
            end = zipfile._EndRecData(stream)  # type: ignore[attr-defined]
        if not end or end[_DIRECTORY_SIZE] > MAX_DIRECTORY_MB * 1_000_000:
            raise UnusableModel(CUT_SHORT)
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except UnusableModel:
        raise
    except Exception as error:
        raise UnusableModel(CUT_SHORT) from error
    names = [entry.filename for entry in entries]
    if not any(name.endswith("/data.pkl") for name in names):
        raise UnusableModel(
            "The archive holds no weights. Give a .pth or .safetensors file, or a ZIP of a model "
            "folder with its card.json and weights.safetensors."
        )
    if any("/code/" in name or name.endswith("/constants.pkl") for name in names):
        raise UnusableModel(
            f"The file is a TorchScript program, which could run code; it was not opened. {EXPORT}"
        )
    if len(set(names)) < len(names):
        raise UnusableModel(CUT_SHORT)
    check_size(sum(entry.file_size for entry in entries))


def read_archive(archive: zipfile.ZipFile) -> tuple[Any, ReadPiece]:
    """Return the content of a file since PyTorch 1.6, and how a piece of it is read."""
    entries = {entry.filename: entry for entry in archive.infolist()}
    (pickled,) = [name for name in entries if name.endswith("/data.pkl")]
    root = pickled.removesuffix("data.pkl")
    if entries[pickled].file_size > MAX_PICKLE_MB * 1_000_000:
        raise DamagedError("a pickle larger than that of any weights")
    if f"{root}byteorder" in entries:
        with archive.open(f"{root}byteorder") as stream:
            if stream.read(8) != b"little":
                raise DamagedError("numbers in the order of another machine")
    (content,), _ = read_pickles(archive.read(pickled), 1)

    def read_piece(storage: Storage) -> bytearray:
        entry = entries[f"{root}data/{storage.key}"]
        if entry.file_size != storage.size_bytes:
            raise DamagedError("a piece of another size than the pickle says")
        with archive.open(entry) as stream:
            return _read_exactly(stream, storage.size_bytes)

    return content, read_piece


def read_plain(stream: IO[bytes], size: int) -> tuple[Any, ReadPiece]:
    """Return the content of a file before PyTorch 1.6, and how a piece of it is read.

    Five pickles follow each other: a mark, a version, the machine, the content, the names of the
    pieces; then the pieces, each behind its number of elements.
    """
    values, place = read_pickles(stream.read(MAX_PICKLE_MB * 1_000_000), 5)
    machine, content, keys = values[2:]
    if not isinstance(machine, dict) or machine.get("little_endian") is not True:
        raise DamagedError("numbers in the order of another machine")
    kinds = {storage.key: storage for storage in _list_storages(content)}
    places: dict[str, int] = {}
    for key in keys:
        stream.seek(place)
        if int.from_bytes(stream.read(8), "little") != kinds[key].count or key in places:
            raise DamagedError("a piece of another size than the pickle says")
        places[key] = place + 8
        place += 8 + kinds[key].size_bytes
    if place > size:
        raise DamagedError("a file that ends within its numbers")

    def read_piece(storage: Storage) -> bytearray:
        if storage != kinds[storage.key]:
            raise DamagedError("a piece of two sizes")
        stream.seek(places[storage.key])
        return _read_exactly(stream, storage.size_bytes)

    return content, read_piece


def _list_storages(content: Any) -> Iterator[Storage]:
    """Yield the storages of all tensors in a content, each container looked at once."""
    waiting, seen = [content], set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, StoredTensor) and value.storage is not None:
            yield value.storage
        elif isinstance(value, Storage):
            yield value
        elif isinstance(value, dict | list | tuple) and id(value) not in seen:
            seen.add(id(value))
            waiting += value.values() if isinstance(value, dict) else value


def _read_exactly(stream: IO[bytes], size: int) -> bytearray:
    piece = bytearray(size)
    view, done = memoryview(piece), 0
    while done < size:
        part = stream.read(min(1 << 22, size - done))
        if not part:
            raise DamagedError("a piece that ends early")
        view[done : done + len(part)] = part
        done += len(part)
    return piece

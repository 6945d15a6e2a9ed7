"""What a batch has done so far, on the disk: one line of JSON per group, appended as they come.

The network takes micrographs in groups, and the last digits of its answers may depend on who else
is in the group; so a group is written whole or not at all, and a resumed batch goes on behind the
last whole one. A process that is killed leaves at worst half a line, which is cut off.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.reporting.recipe import PICTURES

FOLDER = ".batch"  # hidden: a batch over this folder passes it over
FILE = "journal.jsonl"
VERSION = 2
PICTURE_FOLDERS = PICTURES
LONGEST_STEM = 60
OURS = re.compile(  # no picture that a batch writes is called otherwise
    rf"(?:{'|'.join(PICTURE_FOLDERS)})/\d{{4,}}_[A-Za-z0-9_-]{{1,{LONGEST_STEM}}}\.(?:png|npy|tif|zip|geojson|json)"
)
_PREVIEW = re.compile(rf"{re.escape(FOLDER)}/previews/\d{{4,}}_[a-z]+\.jpg")
Entry = dict[str, Any]


class Journal:
    """The finished micrographs of one batch, in their order."""

    def __init__(self, out: Path) -> None:
        self.path = out / FOLDER / FILE

    def begin(self, key: str) -> None:
        """Forget all entries and note what the new ones belong to."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(_encode({"journal": VERSION, "key": key}))

    def resume(
        self, key: str, stamps: Sequence[tuple[str, str]], needed: Mapping[str, Any] | None = None
    ) -> int:
        """Keep the groups that still hold, cut off the rest, and count the micrographs in them.

        Parameters
        ----------
        key : str
            What the batch consists of apart from its files.
        stamps : sequence of (name, stamp)
            One per micrograph; a file that has changed ends what is kept.
        needed : mapping of str to types, optional
            What each entry must hold besides, and of which type; one that does not ends it, too.

        Raises
        ------
        UserError
            If the folder holds another batch.
        """
        if not self.path.is_file():
            self.begin(key)
            return 0
        kept = 0
        with self.path.open("r+b") as stream:
            head = _decode(stream.readline())
            if head is None or (head.get("journal"), head.get("key")) != (VERSION, key):
                raise UserError(
                    "The folder holds a batch with other settings, another model or other "
                    "versions, which cannot go on. Choose another folder, or start anew."
                )
            end = stream.tell()
            for raw in stream:
                group = _decode(raw)
                items = _items(group)
                if items is None or not self._holds(items, stamps[kept:]):
                    break
                if not all(_has(item, needed or {}) for item in items):
                    break
                kept, end = kept + len(items), end + len(raw)
            stream.truncate(end)
        return kept

    def append(self, items: Sequence[Entry]) -> None:
        """Write a group at the end; it is with the operating system when this returns."""
        with self.path.open("ab") as stream:
            stream.write(_encode({"items": list(items)}))

    def entries(self) -> Iterator[Entry]:
        """Yield the micrographs, a group at a time in memory."""
        with self.path.open("rb") as stream:
            stream.readline()
            for raw in stream:
                yield from _items(_decode(raw)) or ()

    def order(self, names: Sequence[str]) -> list[int]:
        """Return places of names: those of the journal first, in its order, then the others.

        A group that was written holds for its files in their order; what joins comes behind.
        """
        waiting: dict[str, list[int]] = {}
        for place, name in enumerate(names):
            waiting.setdefault(name, []).append(place)
        held = [entry["name"] for entry in self.entries()] if self.path.is_file() else []
        first = [waiting[name].pop(0) for name in held if waiting.get(name)]
        return first + sorted(place for places in waiting.values() for place in places)

    def _holds(self, items: list[Entry], stamps: Sequence[tuple[str, str]]) -> bool:
        out = self.path.parent.parent
        return len(items) <= len(stamps) and all(
            (item["name"], item["stamp"]) == stamp
            and all((out / file).is_file() for file in (*item["files"], *item["previews"]))
            for item, stamp in zip(items, stamps, strict=False)
        )


def _items(group: Entry | None) -> list[Entry] | None:
    """Return the micrographs of a line; None when it is not one that a batch has written.

    A journal may come from elsewhere: no name in it leads out of its folder.
    """
    items = group.get("items") if group else None
    if not isinstance(items, list) or not all(map(_is_entry, items)):
        return None
    return items


def _is_entry(item: object) -> bool:
    if not isinstance(item, dict):
        return False
    named = all(isinstance(item.get(key), str) for key in ("name", "stamp"))
    return named and _are(item.get("files"), OURS) and _are(item.get("previews"), _PREVIEW)


def _has(item: Entry, needed: Mapping[str, Any]) -> bool:
    return all(name in item and isinstance(item[name], kind) for name, kind in needed.items())


def _are(names: object, pattern: re.Pattern[str]) -> bool:
    return isinstance(names, list) and all(
        isinstance(name, str) and pattern.fullmatch(name) for name in names
    )


def _encode(line: Entry) -> bytes:
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def _decode(raw: bytes) -> Entry | None:
    """Return a line; None for half of one."""
    try:
        line = json.loads(raw) if raw.endswith(b"\n") else None
    except (ValueError, RecursionError):
        return None
    return line if isinstance(line, dict) else None

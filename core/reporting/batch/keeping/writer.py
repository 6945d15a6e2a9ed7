"""Finished micrographs on the disk: pictures at once, journal entries by whole groups."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from core.reporting.batch import export
from core.reporting.batch.journal import FOLDER, Entry, Journal
from core.reporting.batch.keeping.pictures import Preview
from core.reporting.batch.pipeline import Item, Known, plain
from core.reporting.batch.rows import tabulation
from core.reporting.batch.rows.naming import find_sample
from core.reporting.batch.sources import Source
from core.reporting.decisions import find_decision
from core.reporting.recipe import Recipe

PREVIEWS = ("original", "overlay", "clusters", "thumbnail")
MOST_PLATES = 120  # rows that have larger pictures, too: some of each sample
PLATES = ("field", "outlines", "heat")

_ENTRY = {  # what `_entry` writes beside names, stamp and files
    "number": int,
    "key": str,
    "reason": str,
    "first": int | None,
    "values": dict,
    "regions": dict | None,
    "likeness": str,
}


class Writer:
    """Puts finished micrographs on the disk: pictures at once, journal entries by whole groups."""

    def __init__(self, folder: Path, key: str, recipe: Recipe, tells: bool = True) -> None:
        """Begin; only who tells a listener of each row keeps what copies must know of theirs."""
        self.tells = tells
        self.folder = folder
        self.key = key
        self.recipe = recipe
        self.journal = Journal(folder)
        self.known = Known()
        self.firsts: dict[int | None, Entry] = {}  # what a copy must tell of its first
        self.group: list[Entry] = []
        self.group_number = 0

    def start(self, listed: list[Source], resume: bool) -> list[Item]:
        """Return the items that are still to be done."""
        # A row that another decision made is as outdated as one of a file that has changed.
        stamps = [f"{source.stamp()}|{_decided(source, self.recipe)}" for source in listed]
        done = 0
        if resume:
            names = [source.name for source in listed]
            done = self.journal.resume(self.key, list(zip(names, stamps, strict=True)), _ENTRY)
            export.clear_folder(self.folder, keep=True)
            for entry in self.journal.entries():
                self._remember(entry)
                if entry["key"] and entry["first"] is None:
                    self.known.numbers[entry["key"]] = entry["number"]
        else:
            export.clear_folder(self.folder)
            with export.writing(self.folder):
                self.journal.begin(self.key)
        return [
            Item(number, source, stamp)
            for number, (source, stamp) in enumerate(zip(listed, stamps, strict=True), start=1)
            if number > done
        ]

    def write(self, item: Item) -> Entry:
        """Write what came of a micrograph; its entry waits for the rest of its group."""
        with export.writing(self.folder):
            return self._write(item)

    def _write(self, item: Item) -> Entry:
        if item.group != self.group_number:
            self.end()
            self.group_number = item.group
        files: tuple[str, ...] = ()
        previews: tuple[str, ...] = ()
        if item.done is not None:
            files = export.write_pictures(
                self.folder, item.number, item.source.name, item.done.pictures
            )
            if item.done.preview is not None:
                previews = _write_preview(self.folder, item.number, item.done.preview)
        entry = _entry(item, files, previews)
        self.group.append(entry)
        self._remember(entry)
        item.done = None
        return entry

    def _remember(self, entry: Entry) -> None:
        if self.tells and entry["first"] is None:
            self.firsts[entry["number"]] = tabulation.slim(entry)

    def end(self) -> None:
        """Write the entries that wait."""
        with export.writing(self.folder):
            if self.group:
                self.journal.append(self.group)
        self.group = []


def _decided(source: Source, recipe: Recipe) -> str:
    """Return a digest of what was decided for a file's sample: other samples may join later.

    Of all samples where only the file's metadata would name its own.
    """
    decided: object = recipe.decided
    if not recipe.sample_from.startswith("metadata"):
        decided = find_decision(recipe.decided, find_sample(recipe, None, source.path))
    return hashlib.sha256(repr(decided).encode()).hexdigest()[:16]


def _entry(item: Item, files: tuple[str, ...], previews: tuple[str, ...]) -> Entry:
    done = item.done
    return {
        "number": item.number,
        "name": item.source.name,
        "stamp": item.stamp,
        "key": item.reading.key if item.first is None and not item.reason else "",
        "reason": item.reason,
        "first": item.first,
        "values": _values(item),
        "regions": tabulation.pack_regions(done.regions) if done else None,
        "files": list(files),
        "previews": list(previews),
        "likeness": done.likeness if done else "",
    }


def _values(item: Item) -> dict[str, Any]:
    """Return the columns of a row; of a copy those that it does not share with its first."""
    if item.first is not None:
        return dict(item.reading.named)
    return {key: plain(v) for key, v in item.done.values.items()} if item.done else {}


def _write_preview(folder: Path, number: int, preview: Preview) -> tuple[str, ...]:
    kinds = (*PREVIEWS, *PLATES) if number <= MOST_PLATES else PREVIEWS
    names = preview_files(number, kinds)
    (folder / names[0]).parent.mkdir(parents=True, exist_ok=True)
    for name, kind in zip(names, kinds, strict=True):
        (folder / name).write_bytes(getattr(preview, kind))
    return names


def preview_files(number: int, kinds: tuple[str, ...] = PREVIEWS) -> tuple[str, ...]:
    """Return where the small pictures of a row lie in the batch's folder."""
    return tuple(f"{FOLDER}/previews/{number:04d}_{kind}.jpg" for kind in kinds)

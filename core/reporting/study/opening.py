"""A study's file -> `Study`; everything in it may be a stranger's and is checked."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.imaging.overlays import OverlayChoice
from core.imaging.reading import read_micrograph
from core.micrograph import OVERLAY_CHOICE, PIXEL_TYPES, Micrograph, PixelSize, digest_pixels
from core.reporting.recipe import Recipe
from core.reporting.study.model import NOTES, Member, Study
from core.reporting.study.package import Package, open_package
from core.reporting.study.versions import upgraded

STUDY, ROWS = "study.json", "results/rows.json"
MOST_MEMBERS = 2000
_LONGEST_TEXT = 20_000
_LONGEST_LINE = 400
_HEX = frozenset("0123456789abcdef")
_MOST_PLACES = 400  # of bars that a person marked
_SETTINGS = 400  # of all pages together
_WORDS = ("title", "date", "note", "license", "citation")
_AGAIN = "Choose the file that “Save study” wrote, or save it again."


@dataclass(frozen=True, slots=True, eq=False)
class _File:
    """The package that micrographs are fetched from."""

    package: Package

    def micrograph(self, member: Member) -> Micrograph:
        """Return one with the pixels that were saved, or say that they are others."""
        read = read_micrograph(self.package.read(member.file), member.name)
        if digest_pixels(read.pixels) != member.pixels_sha256:
            raise UserError(
                f"The pixels of {member.name[:80]} are not those that were saved with the study. "
                f"{_AGAIN}"
            )
        return replace(
            read,
            pixel_size=member.pixel_size,
            metadata=dict(member.metadata),
            sha256=member.sha256,
        )

    def read(self, name: str) -> bytes:
        """Return the bytes of a file."""
        return self.package.read(name)


def open_study(source: str | PathLike[str] | bytes) -> Study:
    """Return the study that a file holds.

    Parameters
    ----------
    source : path or bytes
        A ".micrographia.zip", the folder that it was unpacked to, or the file's bytes.

    Returns
    -------
    Study
        Micrographs are read from the file when `Study.micrograph` asks for them.

    Raises
    ------
    UserError
        If it is no study, is damaged, comes from a newer version, or announces more than the
        limits of `core.imaging.reading` and of this room.
    """
    package = open_package(source if isinstance(source, bytes) else Path(source))
    values, version = upgraded(package.read_json(STUDY))
    try:
        stated = _fields(package, values)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        what = str(error)[:120]
        raise UserError(f"The study cannot be used: {what}. {_AGAIN}") from error
    files = tuple(sorted(package.readers))
    return Study(**stated, files=files, version=version, opener=_File(package))


def _fields(package: Package, values: Mapping[str, Any]) -> dict[str, Any]:
    members = _list(values["micrographs"], MOST_MEMBERS, "micrographs")
    settings = _mapping(values.get("settings", {}), "settings")
    if len(settings) > _SETTINGS:
        raise ValueError("it has more settings than there are")
    recipe = values.get("recipe")
    results = package.read_json(ROWS) if ROWS in package.readers else {}
    return {
        "members": tuple(_member(package, each) for each in members),
        "recipe": _recipe(recipe),
        **{name: _text(values.get(name, ""), _LONGEST_TEXT) for name in _WORDS},
        "authors": tuple(_text(each) for each in _list(values.get("authors", []), 200, "authors")),
        "settings": {_text(k): _text(v, _LONGEST_TEXT) for k, v in settings.items()},
        "results": _results(results),
        "model": _mapping(values.get("model", {}), "model"),
    }


def _recipe(value: Any) -> Recipe:
    return Recipe() if value is None else Recipe.from_json(json.dumps(value))


def _member(package: Package, value: Any) -> Member:
    stated = _mapping(value, "a micrograph")
    height, width = (_whole(side) for side in _list(stated.get("shape", [0, 0]), 2, "shape"))
    depth, file = _text(stated.get("depth", "")), _text(stated.get("file", ""))
    if depth not in ("", *PIXEL_TYPES):
        raise ValueError(f"a micrograph has no depth {depth[:20]!r}")
    if file and file not in package.readers:
        raise ValueError(f"it lacks its file {file[:60]!r}")
    about = _about(package, _text(stated.get("about", "")))
    return Member(
        name=_text(stated["name"]),
        sha256=_digest(stated["sha256"]),
        shape=(height, width),
        depth=depth,
        pixel_size=_pixel_size(stated.get("pixel_size")),
        pixel_size_from=_text(stated.get("pixel_size_from", "")),
        sample=_text(stated.get("sample", "")),
        label=_text(stated.get("label", "")),
        file=file,
        pixels_sha256=_digest(stated["pixels_sha256"]) if file else "",
        metadata=_metadata(about.get("metadata", {})),
        notes={
            name: each
            for name, each in _mapping(about.get("notes", {}), "notes").items()
            if name in NOTES
        },
    )


def _metadata(value: Any) -> dict[str, Any]:
    """Return metadata with a person's correction of what is no specimen as pages expect it."""
    metadata = dict(_mapping(value, "metadata"))
    if OVERLAY_CHOICE in metadata:
        kept = _mapping(metadata[OVERLAY_CHOICE], OVERLAY_CHOICE)
        choice = OverlayChoice(**{name: _plain_choice(each) for name, each in kept.items()})
        metadata[OVERLAY_CHOICE] = asdict(choice)
    return metadata


def _plain_choice(value: Any) -> Any:
    """Return a part of a correction: yes or no, rows, or places; lists become tuples."""
    if isinstance(value, list):
        return tuple(_plain_choice(each) for each in value[:_MOST_PLACES])
    if value is not None and not isinstance(value, bool):
        return _whole(value)
    return value


def _about(package: Package, name: str) -> dict[str, Any]:
    return _mapping(package.read_json(name), name) if name else {}


def _pixel_size(value: Any) -> PixelSize | None:
    if value is None:
        return None
    number, unit = _list(value, 2, "pixel_size")
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise ValueError("a pixel size must be a number and a unit")
    return PixelSize(float(number), _text(unit))


def _results(value: Any) -> dict[str, list[Any]]:
    columns = _mapping(value, "results")
    lengths = {len(_list(cells, 1_000_000, "a column")) for cells in columns.values()}
    if len(lengths) > 1 or len(columns) > 2000:
        raise ValueError("the columns of its results are not equally long")
    cells = (cell for column in columns.values() for cell in column)
    if not all(cell is None or isinstance(cell, str | int | float) for cell in cells):
        raise ValueError("its results hold what is no number and no text")
    return columns


def _mapping(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what[:40]} must be an object")
    return value


def _list(value: Any, most: int, what: str) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise ValueError(f"{what} must be a list of at most {most}")
    return value


def _text(value: Any, longest: int = _LONGEST_LINE) -> str:
    if not isinstance(value, str) or len(value) > longest:
        raise ValueError(f"a text must have at most {longest} letters")
    return value


def _digest(value: Any) -> str:
    text = _text(value)
    if len(text) != 64 or not set(text) <= _HEX:
        raise ValueError("a digest must be 64 hexadecimal digits")
    return text


def _whole(value: Any) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not (math.isfinite(value) and 0 <= value < 10**6):
        raise ValueError("a side must be a whole number of pixels")
    return int(value)

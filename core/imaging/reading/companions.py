"""Which files belong to which: a settings file to its picture, an .emi to its .ser files.

A file belongs to another one of its own folder only. Names may hold folders; they are compared in
small letters and never used as a path.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

SUFFIXES = ("emi", "ser", "txt", "hdr")
_SETTINGS = ("txt", "hdr")  # never pictures themselves
_SERIES = re.compile(r"^(.{0,500})_[1-9]\.ser$", re.DOTALL | re.IGNORECASE)
_SERIES_NUMBERS = range(1, 10)


def is_companion(name: str) -> bool:
    """Tell by its ending whether a file can belong to another one."""
    return _ends(name, *SUFFIXES)


def settings_names(name: str) -> list[str]:
    """Return the names that the settings of a picture can have, in its own letters."""
    plain = name.replace("\\", "/").rpartition("/")[2]
    stem, dot, suffix = plain.rpartition(".")
    if not dot:
        stem = plain
    return [f"{stem}.txt", f"{stem}-{suffix}.hdr", f"{plain}.txt", f"{stem}.hdr", f"{plain}.hdr"]


def companion_names(name: str) -> list[str]:
    """Return the names, with their folder and in its letters, of what can belong to a file."""
    folder, slash, plain = name.replace("\\", "/").rpartition("/")
    if _ends(plain, "emi"):
        names = [f"{plain[:-4]}_{i}.ser" for i in _SERIES_NUMBERS]
    elif match := _SERIES.match(plain):
        names = [f"{match[1]}.emi"]
    else:
        names = [other for other in settings_names(plain) if other != plain]
    return [folder + slash + other for other in names]


def keys_of(name: str) -> set[str]:
    """Return those names as they are compared: in small letters."""
    return {other.lower() for other in companion_names(name)}


def beside(name: str, companions: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return those of some files that belong to one of them."""
    wanted = keys_of(name)
    return {
        other: data
        for other, data in companions.items()
        if other != name and other.replace("\\", "/").lower() in wanted
    }


def leave_out_companions(names: Sequence[str]) -> list[str]:
    """Return the names without those that only belong to another one.

    That is the .emi of a .ser that is there too, and the settings of a picture of the same name.
    """
    belonging = {
        other for name in names if not _ends(name, *_SETTINGS, "emi") for other in keys_of(name)
    }
    return [
        name
        for name in names
        if not (_ends(name, *_SETTINGS, "emi") and name.replace("\\", "/").lower() in belonging)
    ]


def _ends(name: str, *suffixes: str) -> bool:
    return PurePosixPath(name).suffix.lower().lstrip(".") in suffixes
